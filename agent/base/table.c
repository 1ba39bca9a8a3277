// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SEGMENT 16384u
#define TABLE_FIRST   64u /* buckets of a small table; a power of two */
#define TABLE_LOAD    2u /* ids a bucket */

void table_init(struct table *t, const struct table_ops *ops)
{
	*t = (struct table){.ops = ops};
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n_segments; i++)
		free(t->segments[i]);
	free(t->segments);
	table_init(t, t->ops);
}

static uint32_t bucket_of(const struct table *t, uint64_t hash)
{
	uint32_t wide = (uint32_t)hash & (t->mask << 1 | 1);

	return wide < t->n_buckets ? wide : (uint32_t)hash & t->mask;
}

static uint32_t *head_of(const struct table *t, uint32_t bucket)
{
	return &t->segments[bucket / TABLE_SEGMENT][bucket % TABLE_SEGMENT];
}

uint32_t table_head(const struct table *t, uint64_t hash)
{
	return t->n_buckets ? *head_of(t, bucket_of(t, hash)) : TABLE_NONE;
}

/* Room for buckets up to n; a first, small segment grows to a whole one. */
static int reserve(struct table *t, uint32_t n)
{
	size_t want = (n + TABLE_SEGMENT - 1) / TABLE_SEGMENT;
	uint32_t **more;

	if (want <= t->n_segments)
		return 0;
	more = reallocarray(t->segments, want, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->segments = more;
	more[want - 1] = malloc(TABLE_SEGMENT * sizeof(uint32_t));
	if (!more[want - 1])
		return -ENOMEM;
	t->n_segments = want;
	return 0;
}

static int start(struct table *t)
{
	int r = reserve(t, TABLE_FIRST);

	if (r < 0)
		return r;
	memset(t->segments[0], 0xff, TABLE_FIRST * sizeof(uint32_t));
	t->n_buckets = TABLE_FIRST;
	t->mask = TABLE_FIRST - 1;
	return 0;
}

/* Adds one bucket and gives it its share of the one it is split from. */
static int split(struct table *t, void *owner)
{
	uint32_t fresh = t->n_buckets;
	uint32_t *from, *to, id;
	int r;

	r = reserve(t, fresh + 1);
	if (r < 0)
		return r;
	t->n_buckets++;
	from = head_of(t, fresh & t->mask);
	to = head_of(t, fresh);
	id = *from;
	*from = *to = TABLE_NONE;
	while (id != TABLE_NONE) {
		uint32_t *next = t->ops->next(owner, id);
		uint32_t after = *next;
		uint32_t *head =
			head_of(t, bucket_of(t, t->ops->hash(owner, id)));

		*next = *head;
		*head = id;
		id = after;
	}
	if (t->n_buckets > (t->mask << 1 | 1))
		t->mask = t->mask << 1 | 1;
	return 0;
}

int table_insert(struct table *t, void *owner, uint32_t id)
{
	uint32_t *head;
	int r = 0;

	if (!t->n_buckets)
		r = start(t);
	else if (t->n_ids >= (uint64_t)t->n_buckets * TABLE_LOAD &&
		 t->n_buckets < UINT32_C(1) << 31)
		r = split(t, owner);
	if (r < 0)
		return r;
	head = head_of(t, bucket_of(t, t->ops->hash(owner, id)));
	*t->ops->next(owner, id) = *head;
	*head = id;
	t->n_ids++;
	return 0;
}

void table_remove(struct table *t, void *owner, uint32_t id)
{
	uint32_t *at = head_of(t, bucket_of(t, t->ops->hash(owner, id)));

	while (*at != id)
		at = t->ops->next(owner, *at);
	*at = *t->ops->next(owner, id);
	t->n_ids--;
}

size_t table_memory(const struct table *t)
{
	return t->n_segments * TABLE_SEGMENT * sizeof(uint32_t);
}
