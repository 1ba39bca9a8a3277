// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The entries of an index: 40 bytes each, dense, in chunks. Each directory has
 * a table of its names' hashes: what is looked at together lies together. */

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"

#define POOL_NONE UINT32_MAX

/* Entry flags; three are the caller's: INDEX_PROTECTED, _FOREIGN, _TRASHED. */
#define POOL_CALLER   0x43
#define POOL_OTHER    0x04 /* neither file nor directory */
#define POOL_RECORD   0x08 /* has a record in links.h: several links, or big */
#define POOL_SEEN     0x10 /* equals its directory's epoch: seen in listing */
#define POOL_OBSERVED 0x20 /* atime was observed, not read from disk */
#define POOL_DISOWNED 0x80 /* the disk's atime may be of who does not count */

struct entry {
	uint32_t next; /* in the chain of the hash, or of the free ones */
	uint32_t dir; /* node, or POOL_NONE if free */
	uint32_t hash_lo; /* 48 bits of the keyed hash of (dir, name) */
	uint32_t ino_tag; /* low half of the inode number */
	uint32_t mtime; /* seconds since 1970, clamped */
	uint32_t btime;
	uint32_t atime;
	uint32_t size_lo; /* 40 bits of st_size */
	uint32_t blocks; /* of 512 bytes */
	uint16_t hash_hi;
	uint8_t size_hi;
	uint8_t flags;
};
_Static_assert(sizeof(struct entry) == 40, "the budget of an entry");

#define POOL_HASH_MASK UINT64_C(0xffffffffffff)
#define POOL_MAX_SIZE  ((UINT64_C(1) << 40) - 1) /* larger: a record */

/* Chunks come from mmap: untouched pages of the last one cost nothing. */
#define POOL_CHUNK 16384u

struct pool {
	struct entry **chunks;
	size_t n_chunks;
	uint32_t n_slots; /* ever handed out */
	uint32_t n_entries; /* in use */
	uint32_t free_head;
	uint64_t table_bytes; /* of all directories' tables */
};

void pool_init(struct pool *p);
void pool_fini(struct pool *p);
static inline struct entry *pool_entry(const struct pool *p, uint32_t id)
{
	return &p->chunks[id / POOL_CHUNK][id % POOL_CHUNK];
}
static inline uint64_t pool_hash(const struct entry *e)
{
	return (uint64_t)e->hash_hi << 32 | e->hash_lo;
}
static inline uint64_t pool_size(const struct entry *e)
{
	return (uint64_t)e->size_hi << 32 | e->size_lo;
}
static inline uint64_t pool_used(const struct entry *e)
{
	return (uint64_t)e->blocks * 512;
}
/* The entry of that hash among the names of a directory, or POOL_NONE. */
uint32_t pool_find(
	const struct pool *p, const struct table *names, uint64_t hash);
/* A new, zeroed entry among the names of dir. Returns 0 or -ENOMEM. */
int pool_add(struct pool *p, struct table *names, uint32_t dir, uint64_t hash,
	uint32_t *ret_id);
void pool_remove(struct pool *p, struct table *names, uint32_t id);
/* Removes up to max entries of a directory that nobody looks into any more;
 * returns how many. */
uint32_t pool_drain(struct pool *p, struct table *names, uint32_t max);
uint64_t pool_memory(const struct pool *p);
