// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A hash table of 32-bit ids by linear hashing (Litwin 1980): it grows one
 * bucket at a time, so growing never stalls whoever inserts. The chain runs
 * through the owner's records; the table holds the heads only.
 */

#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE UINT32_MAX

struct table_ops {
	uint64_t (*hash)(const void *owner, uint32_t id);
	uint32_t *(*next)(void *owner, uint32_t id);
};

struct table {
	const struct table_ops *ops;
	uint32_t **segments; /* of TABLE_SEGMENT heads each */
	size_t n_segments;
	uint32_t n_buckets;
	uint32_t mask; /* of the round that is complete: n_buckets > mask */
	uint32_t n_ids;
};

void table_init(struct table *t, const struct table_ops *ops);
void table_fini(struct table *t);
/* First id of the chain that hash belongs to, or TABLE_NONE. The owner walks
 * on through its own next fields and compares. */
uint32_t table_head(const struct table *t, uint64_t hash);
/* Returns 0 or -ENOMEM. */
int table_insert(struct table *t, void *owner, uint32_t id);
/* id must be in the table, under the hash it has now. */
void table_remove(struct table *t, void *owner, uint32_t id);
size_t table_memory(const struct table *t);
