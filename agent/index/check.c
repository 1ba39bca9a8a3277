// SPDX-License-Identifier: GPL-2.0-or-later
/* The self-check: everything that is kept incrementally, once more at once. */
#include "index/impl.h"

#include <errno.h>

struct check {
	const struct index *ix;
	struct sums *sums; /* by node */
	uint32_t *n_entries; /* by node */
	uint32_t *mark; /* by node: number of the record counted last */
	struct buf *report;
	int n_differences;
};

static void differ(struct check *c, const char *what, uint32_t id, uint64_t is,
	uint64_t should)
{
	if (c->n_differences++ < 100)
		buf_printf(c->report, "%s %u: is %llu, should be %llu\n", what,
			id, (unsigned long long)is, (unsigned long long)should);
}

static void expect(struct check *c, const char *what, uint32_t id, uint64_t is,
	uint64_t should)
{
	if (is != should)
		differ(c, what, id, is, should);
}

static void check_entries(struct check *c)
{
	const struct index *ix = c->ix;
	uint32_t n = 0;

	for (uint32_t id = 0; id < ix->pool.n_slots; id++) {
		const struct entry *e = pool_entry(&ix->pool, id);
		const struct node *dir;
		struct sums *s;

		if (e->dir == POOL_NONE)
			continue;
		n++;
		dir = nodes_at(&ix->nodes, e->dir);
		if (dir->is_dead)
			continue;
		expect(c, "entry not found by its hash", id,
			pool_find(&ix->pool, &dir->names, pool_hash(e)), id);
		s = &c->sums[e->dir];
		c->n_entries[e->dir]++;
		*(e->flags & POOL_OTHER ? &s->others : &s->files) += 1;
		if (e->flags & POOL_RECORD) {
			s->records++;
			continue;
		}
		s->used_bytes += pool_used(e);
		s->size_bytes += e->flags & POOL_OTHER ? 0 : pool_size(e);
	}
	expect(c, "entries in pool", 0, ix->pool.n_entries, n);
}

/* Own sums upward: children come after their parents in no order of ids, so
 * each node adds its own to all above. */
static void add_upward(struct check *c, uint32_t id, const struct sums *own)
{
	const struct nodes *n = &c->ix->nodes;

	for (id = nodes_at(n, id)->parent; id != INDEX_NONE;
		id = nodes_at(n, id)->parent) {
		c->sums[id].used_bytes += own->used_bytes;
		c->sums[id].size_bytes += own->size_bytes;
		c->sums[id].files += own->files;
		c->sums[id].others += own->others;
		c->sums[id].directories += own->directories;
		c->sums[id].records += own->records;
	}
}

static void sum_up(struct check *c, const struct sums *own)
{
	const struct nodes *n = &c->ix->nodes;

	for (uint32_t id = 0; id < n->n_slots; id++)
		if (impl_is_live(c->ix, id))
			add_upward(c, id, &own[id]);
}

static void check_records(struct check *c)
{
	const struct links *l = &c->ix->links;
	const struct nodes *n = &c->ix->nodes;

	for (uint32_t i = 0; i < l->n_record_slots; i++) {
		const struct record *rec = &l->records[i];
		uint32_t name, count = 0;

		if (rec->is_free)
			continue;
		for (name = rec->first_name; name != LINKS_NONE;
			name = l->names[name].next_in_record) {
			uint32_t at =
				pool_entry(&c->ix->pool, l->names[name].entry)
					->dir;

			count++;
			for (; at != INDEX_NONE && c->mark[at] != i + 1;
				at = nodes_at(n, at)->parent) {
				c->mark[at] = i + 1;
				c->sums[at].used_bytes += rec->used_bytes;
				c->sums[at].size_bytes += rec->size_bytes;
			}
		}
		expect(c, "names of record", i, rec->n_names, count);
	}
}

static void compare(struct check *c)
{
	const struct nodes *n = &c->ix->nodes;

	for (uint32_t id = 0; id < n->n_slots; id++) {
		const struct node *node = nodes_at(n, id);
		const struct sums *s = &c->sums[id];

		if (!impl_is_live(c->ix, id))
			continue;
		expect(c, "used bytes of node", id,
			(uint64_t)node->sums.used_bytes,
			(uint64_t)s->used_bytes);
		expect(c, "size bytes of node", id,
			(uint64_t)node->sums.size_bytes,
			(uint64_t)s->size_bytes);
		expect(c, "files of node", id, node->sums.files, s->files);
		expect(c, "others of node", id, node->sums.others, s->others);
		expect(c, "directories of node", id, node->sums.directories,
			s->directories);
		expect(c, "records of node", id, node->sums.records,
			s->records);
		expect(c, "entries of node", id, node->names.n_ids,
			c->n_entries[id]);
	}
}

int index_check(const struct index *ix, struct buf *report)
{
	size_t n = ix->nodes.n_slots;
	mem_autofree struct sums *sums = calloc(n, sizeof(*sums));
	mem_autofree struct sums *own = calloc(n, sizeof(*own));
	mem_autofree uint32_t *n_entries = calloc(n, sizeof(*n_entries));
	mem_autofree uint32_t *mark = calloc(n, sizeof(*mark));
	struct check c = {
		.ix = ix,
		.sums = own,
		.n_entries = n_entries,
		.mark = mark,
		.report = report,
	};

	if (!sums || !own || !n_entries || !mark)
		return -ENOMEM;
	check_entries(&c);
	for (uint32_t id = 0; id < n; id++) {
		const struct node *node = nodes_at(&ix->nodes, id);

		own[id].used_bytes += node->own_used_bytes;
		own[id].directories =
			id > INDEX_NODE_TYPE(N_STYPES - 1) && !node->is_free;
		sums[id] = own[id];
	}
	c.sums = sums;
	sum_up(&c, own);
	check_records(&c);
	compare(&c);
	return c.n_differences;
}
