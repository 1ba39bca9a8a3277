// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/table.h"

#include <stdbool.h>
#include <stdlib.h>

#define TABLE_FIRST 4u /* buckets of the first ones */
#define TABLE_LOAD  2u /* ids a bucket */
#define TABLE_MAX   (UINT32_C(1) << 31) /* buckets */

void table_fini(struct table *t)
{
	if (t->n_buckets)
		free(t->heads);
	*t = (struct table){0};
}

/* Heads that there is room for when there are n: up to an eighth more. Of a
 * large array realloc moves pages, not bytes. */
static uint32_t room_for(uint32_t n)
{
	uint32_t power = UINT32_C(1) << (31 - __builtin_clz(n));
	uint32_t step = power / 8 > TABLE_FIRST ? power / 8 : TABLE_FIRST;

	return (n + step - 1) & ~(step - 1);
}

static uint32_t *slot_of(struct table *t, uint64_t hash)
{
	return t->n_buckets ? &t->heads[table_bucket(t->n_buckets, hash)]
			    : &t->head;
}

/* Deals the ids of one chain out among the buckets there are now. */
static void deal(
	struct table *t, const struct table_ops *ops, void *owner, uint32_t id)
{
	while (id != TABLE_NONE) {
		uint32_t *next = ops->next(owner, id);
		uint32_t *slot = slot_of(t, ops->hash(owner, id));
		uint32_t after = *next;

		*next = *slot;
		*slot = id;
		id = after;
	}
}

/* From one chain to the first buckets. */
static void start(struct table *t, const struct table_ops *ops, void *owner)
{
	uint32_t *heads = malloc(room_for(TABLE_FIRST) * sizeof(*heads));
	uint32_t chain = t->head;

	if (!heads)
		return;
	for (uint32_t i = 0; i < TABLE_FIRST; i++)
		heads[i] = TABLE_NONE;
	t->heads = heads;
	t->n_buckets = TABLE_FIRST;
	deal(t, ops, owner, chain);
}

/* Adds one bucket and gives it its share of the one it is split from. */
static void split(struct table *t, const struct table_ops *ops, void *owner)
{
	uint32_t fresh = t->n_buckets, room = room_for(fresh + 1);
	uint32_t from = table_bucket(fresh, fresh), chain;

	if (room != room_for(fresh)) {
		uint32_t *more = reallocarray(t->heads, room, sizeof(*more));

		if (!more)
			return;
		t->heads = more;
	}
	t->n_buckets++;
	chain = t->heads[from];
	t->heads[from] = t->heads[fresh] = TABLE_NONE;
	deal(t, ops, owner, chain);
}

static void grow(struct table *t, const struct table_ops *ops, void *owner)
{
	if (!t->n_buckets)
		start(t, ops, owner);
	else if (t->n_buckets < TABLE_MAX)
		split(t, ops, owner);
}

static bool is_loaded(const struct table *t)
{
	return t->n_buckets ? t->n_ids / TABLE_LOAD >= t->n_buckets
			    : t->n_ids >= TABLE_SMALL;
}

void table_insert(
	struct table *t, const struct table_ops *ops, void *owner, uint32_t id)
{
	uint32_t *slot;

	if (is_loaded(t))
		grow(t, ops, owner);
	slot = slot_of(t, ops->hash(owner, id));
	*ops->next(owner, id) = t->n_ids ? *slot : TABLE_NONE;
	*slot = id;
	t->n_ids++;
}

static void shrink(struct table *t)
{
	if (!--t->n_ids)
		table_fini(t);
}

void table_remove(
	struct table *t, const struct table_ops *ops, void *owner, uint32_t id)
{
	uint32_t *at = slot_of(t, ops->hash(owner, id));

	while (*at != id)
		at = ops->next(owner, *at);
	*at = *ops->next(owner, id);
	shrink(t);
}

uint32_t table_pop(struct table *t, const struct table_ops *ops, void *owner)
{
	uint32_t *slot, id;

	while (t->n_buckets && t->heads[t->n_buckets - 1] == TABLE_NONE)
		t->n_buckets--;
	slot = t->n_buckets ? &t->heads[t->n_buckets - 1] : &t->head;
	id = *slot;
	*slot = *ops->next(owner, id);
	shrink(t);
	return id;
}

size_t table_memory(const struct table *t)
{
	return t->n_buckets ? room_for(t->n_buckets) * sizeof(*t->heads) : 0;
}
