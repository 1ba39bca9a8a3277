// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/handles.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

static uint64_t hash_of(const void *owner, uint32_t id)
{
	const struct handles *h = owner;

	return h->slots[id].hash;
}

static uint32_t *next_of(void *owner, uint32_t id)
{
	struct handles *h = owner;

	return &h->slots[id].next;
}

static const struct table_ops ops = {.hash = hash_of, .next = next_of};

void handles_init(struct handles *h)
{
	*h = (struct handles){.free = TABLE_NONE};
}

void handles_fini(struct handles *h)
{
	table_fini(&h->table);
	free(h->slots);
	handles_init(h);
}

static uint32_t find(const struct handles *h, uint64_t hash)
{
	uint32_t id = table_head(&h->table, hash);

	while (id != TABLE_NONE && h->slots[id].hash != hash)
		id = h->slots[id].next;
	return id;
}

const struct handle_slot *handles_find(const struct handles *h, uint64_t hash)
{
	uint32_t id = find(h, hash);

	return id == TABLE_NONE ? NULL : &h->slots[id];
}

static int take_slot(struct handles *h, uint32_t *ret)
{
	int r;

	if (h->free != TABLE_NONE) {
		*ret = h->free;
		h->free = h->slots[*ret].next;
		return 0;
	}
	if (h->n_slots == TABLE_NONE)
		return -ENOMEM;
	r = mem_grow((void **)&h->slots, &h->cap_slots, h->n_slots + 1,
		sizeof(*h->slots));
	if (r < 0)
		return r;
	*ret = (uint32_t)h->n_slots++;
	return 0;
}

int handles_put(struct handles *h, uint64_t hash, uint32_t port, uint32_t dir)
{
	uint32_t id = find(h, hash);
	int r;

	if (id == TABLE_NONE) {
		r = take_slot(h, &id);
		if (r < 0)
			return r;
		h->slots[id].hash = hash;
		table_insert(&h->table, &ops, h, id);
	}
	h->slots[id].port = port;
	h->slots[id].dir = dir;
	return 0;
}

void handles_remove(
	struct handles *h, uint64_t hash, uint32_t port, uint32_t dir)
{
	uint32_t id = find(h, hash);

	if (id == TABLE_NONE || h->slots[id].port != port ||
		h->slots[id].dir != dir)
		return;
	table_remove(&h->table, &ops, h, id);
	h->slots[id].next = h->free;
	h->free = id;
}
