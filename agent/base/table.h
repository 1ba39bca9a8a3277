// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A hash table of 32-bit ids by linear hashing (Litwin 1980): it grows one
 * bucket at a time, so growing never stalls whoever inserts. The chain runs
 * through the owner's records; the table holds the heads only. Small enough
 * that every directory has one: 16 bytes, and none elsewhere up to
 * TABLE_SMALL ids. All zero is an empty one.
 */

#include <stddef.h>
#include <stdint.h>

#define TABLE_NONE  UINT32_MAX
#define TABLE_SMALL 8u /* ids in one chain, before there are buckets */

struct table_ops {
	uint64_t (*hash)(const void *owner, uint32_t id);
	uint32_t *(*next)(void *owner, uint32_t id);
};

struct table {
	union {
		uint32_t head; /* of the only chain, without buckets */
		uint32_t *heads; /* of each bucket's */
	};
	uint32_t n_buckets; /* 0: none yet */
	uint32_t n_ids;
};

void table_fini(struct table *t);

/* The buckets that hash may belong to are numbered by its low bits: so many
 * that they cover n buckets, and one bit less for those not split yet. */
static inline uint32_t table_bucket(uint32_t n, uint64_t hash)
{
	uint32_t mask = UINT32_MAX >> __builtin_clz((n - 1) | 1);
	uint32_t wide = (uint32_t)hash & mask;

	return wide < n ? wide : wide & mask >> 1;
}

/* First id of the chain that hash belongs to, or TABLE_NONE. The owner walks
 * on through its own next fields and compares. */
static inline uint32_t table_head(const struct table *t, uint64_t hash)
{
	if (t->n_buckets)
		return t->heads[table_bucket(t->n_buckets, hash)];
	return t->n_ids ? t->head : TABLE_NONE;
}

/* The chains by number, for who wants to see all ids: up to table_chains. */
static inline uint32_t table_chains(const struct table *t)
{
	return t->n_buckets ? t->n_buckets : t->n_ids > 0;
}
static inline uint32_t table_chain(const struct table *t, uint32_t number)
{
	return t->n_buckets ? t->heads[number] : t->head;
}

/* Without memory for more buckets the chains get longer. */
void table_insert(
	struct table *t, const struct table_ops *ops, void *owner, uint32_t id);
/* id must be in the table, under the hash it has now. */
void table_remove(
	struct table *t, const struct table_ops *ops, void *owner, uint32_t id);
/* Takes some id out of a table that is not empty. For emptying it: nothing
 * is found in it any more. */
uint32_t table_pop(struct table *t, const struct table_ops *ops, void *owner);
/* Bytes beside the table itself. */
size_t table_memory(const struct table *t);
