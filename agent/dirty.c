// SPDX-License-Identifier: GPL-2.0-or-later
#include "dirty.h"

#include <errno.h>
#include <string.h>

void dirty_init(struct dirty *d)
{
	*d = (struct dirty){.key = hash_key_random()};
}

void dirty_fini(struct dirty *d)
{
	free(d->items);
	free(d->slots);
	buf_fini(&d->text);
	*d = (struct dirty){0};
}

void dirty_reset(struct dirty *d)
{
	/* After a flood, memory goes back. */
	if (d->n_slots > 65536) {
		struct hash_key key = d->key;

		dirty_fini(d);
		d->key = key;
		return;
	}
	d->n_items = 0;
	buf_reset(&d->text);
	if (d->slots)
		memset(d->slots, 0, d->n_slots * sizeof(*d->slots));
}

static uint64_t hash_of(
	const struct dirty *d, uint32_t dir, const char *name, size_t len)
{
	return hash_bytes(d->key, name, len) ^ hash_word(dir);
}

/* The slot of the name, or the empty one where it belongs. */
static size_t slot_of(
	const struct dirty *d, uint32_t dir, const char *name, size_t len)
{
	size_t at = hash_of(d, dir, name, len) & (d->n_slots - 1);

	while (d->slots[at]) {
		const struct dirty_item *i = &d->items[d->slots[at] - 1];

		if (i->dir == dir && i->len == len &&
			memcmp(dirty_name(d, i), name, len) == 0)
			break;
		at = (at + 1) & (d->n_slots - 1);
	}
	return at;
}

static int grow(struct dirty *d)
{
	size_t want = d->n_slots ? d->n_slots * 2 : 64;
	uint32_t *slots = calloc(want, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	free(d->slots);
	d->slots = slots;
	d->n_slots = want;
	for (size_t i = 0; i < d->n_items; i++) {
		const struct dirty_item *item = &d->items[i];

		slots[slot_of(d, item->dir, dirty_name(d, item), item->len)] =
			(uint32_t)i + 1;
	}
	return 0;
}

bool dirty_has(
	const struct dirty *d, uint32_t dir, const char *name, size_t len)
{
	return d->n_slots && d->slots[slot_of(d, dir, name, len)];
}

static void merge(uint16_t *old, uint16_t note)
{
	if (!(note & DIRTY_ACTOR))
		note |= *old & DIRTY_ACTOR;
	if (!(note & ~DIRTY_ACTOR))
		note |= *old & (uint16_t)~DIRTY_ACTOR;
	*old = note;
}

int dirty_add_by(struct dirty *d, uint32_t dir, const char *name, size_t len,
	uint16_t note)
{
	size_t at;
	int r = 0;

	if (len > UINT16_MAX)
		return -ENAMETOOLONG;
	if (d->n_items * 2 >= d->n_slots)
		r = grow(d);
	if (r < 0)
		return r;
	at = slot_of(d, dir, name, len);
	if (d->slots[at]) {
		merge(&d->items[d->slots[at] - 1].note, note);
		return 0;
	}
	r = mem_grow(
		(void **)&d->items, &d->cap, d->n_items + 1, sizeof(*d->items));
	if (r < 0)
		return r;
	d->items[d->n_items] = (struct dirty_item){
		.dir = dir,
		.offset = (uint32_t)d->text.len,
		.len = (uint16_t)len,
		.note = note,
		.order = (uint32_t)d->n_items,
	};
	r = buf_put(&d->text, name, len);
	if (r == 0)
		r = buf_put(&d->text, "", 1);
	if (r < 0)
		return r;
	d->slots[at] = (uint32_t)++d->n_items;
	return 0;
}

static int by_dir(const void *a, const void *b)
{
	const struct dirty_item *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void dirty_sort(struct dirty *d)
{
	if (d->n_items)
		qsort(d->items, d->n_items, sizeof(*d->items), by_dir);
}
