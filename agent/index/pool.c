// SPDX-License-Identifier: GPL-2.0-or-later
#include "index/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define POOL_CHUNK_BYTES (POOL_CHUNK * sizeof(struct entry))

static uint64_t entry_hash(const void *owner, uint32_t id)
{
	return pool_hash(pool_entry(owner, id));
}

static uint32_t *entry_next(void *owner, uint32_t id)
{
	return &pool_entry(owner, id)->next;
}

static const struct table_ops entry_ops = {
	.hash = entry_hash,
	.next = entry_next,
};

void pool_init(struct pool *p)
{
	*p = (struct pool){.free_head = POOL_NONE};
}

void pool_fini(struct pool *p)
{
	for (size_t i = 0; i < p->n_chunks; i++)
		munmap(p->chunks[i], POOL_CHUNK_BYTES);
	free(p->chunks);
	pool_init(p);
}

uint32_t pool_find(
	const struct pool *p, const struct table *names, uint64_t hash)
{
	uint32_t id = table_head(names, hash);

	while (id != POOL_NONE) {
		const struct entry *e = pool_entry(p, id);

		if (e->hash_lo == (uint32_t)hash &&
			e->hash_hi == (uint16_t)(hash >> 32))
			return id;
		id = e->next;
	}
	return POOL_NONE;
}

static int add_chunk(struct pool *p)
{
	struct entry **more;
	void *chunk;

	more = reallocarray(p->chunks, p->n_chunks + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->chunks = more;
	chunk = mmap(NULL, POOL_CHUNK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return -ENOMEM;
	more[p->n_chunks++] = chunk;
	return 0;
}

static int take_slot(struct pool *p, uint32_t *ret_id)
{
	int r;

	if (p->free_head != POOL_NONE) {
		*ret_id = p->free_head;
		p->free_head = pool_entry(p, *ret_id)->next;
		return 0;
	}
	if (p->n_slots == p->n_chunks * POOL_CHUNK) {
		r = p->n_slots > UINT32_MAX - POOL_CHUNK ? -ENOMEM
							 : add_chunk(p);
		if (r < 0)
			return r;
	}
	*ret_id = p->n_slots++;
	return 0;
}

static void give_slot(struct pool *p, uint32_t id)
{
	struct entry *e = pool_entry(p, id);

	*e = (struct entry){.next = p->free_head, .dir = POOL_NONE};
	p->free_head = id;
}

int pool_add(struct pool *p, struct table *names, uint32_t dir, uint64_t hash,
	uint32_t *ret_id)
{
	uint32_t id;
	int r = take_slot(p, &id);

	if (r < 0)
		return r;
	*pool_entry(p, id) = (struct entry){
		.dir = dir,
		.hash_lo = (uint32_t)hash,
		.hash_hi = (uint16_t)(hash >> 32),
	};
	p->table_bytes -= table_memory(names);
	table_insert(names, &entry_ops, p, id);
	p->table_bytes += table_memory(names);
	p->n_entries++;
	*ret_id = id;
	return 0;
}

void pool_remove(struct pool *p, struct table *names, uint32_t id)
{
	p->table_bytes -= table_memory(names);
	table_remove(names, &entry_ops, p, id);
	p->table_bytes += table_memory(names);
	give_slot(p, id);
	p->n_entries--;
}

uint32_t pool_drain(struct pool *p, struct table *names, uint32_t max)
{
	uint32_t n = 0;

	p->table_bytes -= table_memory(names);
	for (; names->n_ids && n < max; n++)
		give_slot(p, table_pop(names, &entry_ops, p));
	p->table_bytes += table_memory(names);
	p->n_entries -= n;
	return n;
}

uint64_t pool_memory(const struct pool *p)
{
	return (uint64_t)p->n_slots * sizeof(struct entry) + p->table_bytes;
}
