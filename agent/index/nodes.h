// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The directories of an index: a tree with names, identities and totals. */

#include <stdbool.h>
#include <stdint.h>

#include "base/beneath.h"
#include "base/hash.h"
#include "base/mem.h"
#include "index/index.h"
#include "base/table.h"

__extension__ typedef unsigned __int128 nodes_u128;

/* Sums that a hostile st_size of 2^63-1, many times, cannot overflow; what
 * is reported saturates. */
struct sums {
	nodes_u128 used_bytes;
	nodes_u128 size_bytes;
	uint64_t files;
	uint64_t others;
	uint64_t directories;
	uint64_t records; /* names that have a record in links.h */
};

struct node {
	uint32_t parent;
	uint32_t first_child;
	uint32_t next_sibling;
	uint32_t prev_sibling;
	uint32_t next_by_name;
	uint32_t next_by_identity;
	char *name; /* of a root: its absolute path */
	struct identity id; /* ino 0: not looked at yet */
	struct sums sums; /* recursive, itself included */
	uint64_t own_used_bytes; /* the directory's own blocks */
	struct table names; /* the entries directly in it, by hash: pool.h */
	uint32_t n_seen; /* of these, with the epoch of the last listing */
	uint32_t next_stale; /* in the list of those that are, if it is */
	uint32_t mark; /* scratch of a walk: equals nodes.stamp if visited */
	uint32_t mark_depth;
	uint16_t root;
	uint8_t type;
	bool is_root : 1;
	bool is_dead : 1; /* removed; entries of it may linger in the pool */
	bool is_free : 1;
	bool is_stale : 1; /* holds unseen entries, to be removed */
	bool is_listing : 1;
	bool epoch : 1; /* flips with each listing */
	bool is_child_seen : 1; /* equals the parent's epoch */
};

#define NODES_CHUNK 256u

struct nodes {
	struct node **chunks;
	size_t n_chunks;
	uint32_t n_slots;
	uint32_t n_live;
	uint32_t free_head; /* through next_sibling */
	uint32_t dead_head; /* of the removed subtrees, through next_sibling */
	uint32_t stamp;
	uint64_t name_bytes;
	struct hash_key key;
	struct table by_name;
	struct table by_identity;
};

int nodes_init(struct nodes *n, struct hash_key key);
void nodes_fini(struct nodes *n);
static inline struct node *nodes_at(const struct nodes *n, uint32_t id)
{
	return &n->chunks[id / NODES_CHUNK][id % NODES_CHUNK];
}
/* A new node below parent; name copied. Counts nothing. 0 or -ENOMEM. */
int nodes_add(struct nodes *n, uint32_t parent, const char *name, size_t len,
	uint32_t *ret_id);
/* Unlinks it from its parent and the tables, marks it and all below dead. */
void nodes_kill(struct nodes *n, uint32_t id);
/* Down the first children to one that has none. */
uint32_t nodes_leaf(const struct nodes *n, uint32_t id);
/* Returns to use the id of a dead one that the way of nodes_leaf from
 * dead_head ends at. Returns where that way goes on, or INDEX_NONE. */
uint32_t nodes_free_dead(struct nodes *n, uint32_t id);
/* Hangs a subtree below another parent under another name. 0 or -ENOMEM. */
int nodes_move(struct nodes *n, uint32_t id, uint32_t parent, const char *name,
	size_t len);
void nodes_set_identity(
	struct nodes *n, uint32_t id, const struct identity *identity);
/* The child of that name, whose hash_name it is, or INDEX_NONE. */
uint32_t nodes_child(const struct nodes *n, uint32_t parent, uint64_t hash,
	const char *name, size_t len);
/* A live directory of this identity, or INDEX_NONE. */
uint32_t nodes_by_identity(
	const struct nodes *n, const struct identity *identity);
bool nodes_is_below(const struct nodes *n, uint32_t id, uint32_t ancestor);
/* The next node of top's subtree in preorder after id; start with top. */
uint32_t nodes_next(const struct nodes *n, uint32_t top, uint32_t id);
/* Adds or subtracts sums from id up to the component. */
void nodes_add_sums(struct nodes *n, uint32_t id, const struct sums *s);
void nodes_sub_sums(struct nodes *n, uint32_t id, const struct sums *s);
/* A stamp that no node is marked with. */
void nodes_new_stamp(struct nodes *n);
uint64_t nodes_memory(const struct nodes *n);
