// SPDX-License-Identifier: GPL-2.0-or-later
/* Listings, and the work that waits for a pass over the pool. */
#include "index/impl.h"

int index_list_begin(struct index *ix, uint32_t dir)
{
	struct node *node;

	if (!impl_is_live(ix, dir))
		return 0;
	node = nodes_at(&ix->nodes, dir);
	/* One bit tells two listings apart, not three. */
	while (node->is_stale)
		index_tidy(ix, UINT32_MAX);
	node->epoch = !node->epoch;
	node->is_listing = true;
	node->n_seen = 0;
	return 0;
}

static uint64_t remove_unseen_children(struct index *ix, uint32_t dir)
{
	bool epoch = nodes_at(&ix->nodes, dir)->epoch;
	uint32_t child = nodes_at(&ix->nodes, dir)->first_child;
	uint64_t removed = 0;

	while (child != INDEX_NONE) {
		const struct node *node = nodes_at(&ix->nodes, child);
		uint32_t next = node->next_sibling;

		if (node->is_child_seen != epoch) {
			impl_remove_dir(ix, child);
			removed++;
		}
		child = next;
	}
	return removed;
}

void index_list_end(struct index *ix, uint32_t dir, uint64_t *ret_removed)
{
	uint64_t removed = 0;
	struct node *node;

	if (impl_is_live(ix, dir) && nodes_at(&ix->nodes, dir)->is_listing) {
		removed = remove_unseen_children(ix, dir);
		node = nodes_at(&ix->nodes, dir);
		node->is_listing = false;
		removed += node->n_entries - node->n_seen;
		if (node->n_entries != node->n_seen) {
			node->is_stale = true;
			ix->n_stale++;
		}
	}
	if (ret_removed)
		*ret_removed = removed;
}

bool index_is_tidy(const struct index *ix)
{
	return !ix->n_stale && !ix->n_dead && !ix->is_tidying;
}

static void tidy_entry(struct index *ix, uint32_t id)
{
	struct entry *e = pool_entry(&ix->pool, id);
	struct node *dir;

	if (e->dir == POOL_NONE)
		return;
	dir = nodes_at(&ix->nodes, e->dir);
	if (dir->is_dead) {
		pool_remove(&ix->pool, id);
		ix->n_dead--;
	} else if (dir->is_stale && !impl_is_seen(dir, e)) {
		impl_remove_entry(ix, id);
	}
}

bool index_tidy(struct index *ix, uint32_t max_slots)
{
	if (index_is_tidy(ix))
		return false;
	if (!ix->is_tidying) {
		ix->is_tidying = true;
		ix->tidy_cursor = 0;
		nodes_purge_begin(&ix->nodes);
	}
	for (; ix->tidy_cursor < ix->pool.n_slots && max_slots; max_slots--)
		tidy_entry(ix, ix->tidy_cursor++);
	if (ix->tidy_cursor < ix->pool.n_slots)
		return true;
	nodes_purge_end(&ix->nodes);
	ix->is_tidying = false;
	return !index_is_tidy(ix);
}

/* The inode tags that are wanted, in a bitmap that errs to one side. */
struct wanted {
	uint64_t bits[1024];
};

static uint32_t bit_of(uint32_t tag)
{
	return (tag * UINT32_C(2654435761)) >> 16;
}

static void want(struct wanted *w, uint32_t tag)
{
	w->bits[bit_of(tag) / 64] |= UINT64_C(1) << bit_of(tag) % 64;
}

static bool is_wanted(const struct wanted *w, uint32_t tag)
{
	return w->bits[bit_of(tag) / 64] >> bit_of(tag) % 64 & 1;
}

static size_t collect_wanted(struct links *l, struct wanted *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < l->n_record_slots; i++) {
		struct record *rec = &l->records[i];

		if (rec->is_free || rec->is_sought || rec->nlink < 2 ||
			rec->n_names >= rec->nlink)
			continue;
		rec->is_sought = true;
		want(ret, (uint32_t)rec->ino);
		n++;
	}
	return n;
}

static size_t visit_doubted(struct index *ix, index_dir_fn *fn, void *ctx)
{
	struct links *l = &ix->links;
	size_t n = 0;

	for (uint32_t i = 0; i < l->n_record_slots; i++) {
		struct record *rec = &l->records[i];
		uint32_t name = rec->first_name;

		if (rec->is_free || !rec->is_doubted)
			continue;
		rec->is_doubted = false;
		n++;
		for (; name != LINKS_NONE; name = l->names[name].next_in_record)
			fn(ctx, pool_entry(&ix->pool, l->names[name].entry)
					->dir);
	}
	return n;
}

size_t index_seek_links(struct index *ix, index_dir_fn *fn, void *ctx)
{
	struct wanted wanted = {0};
	uint32_t last = INDEX_NONE;
	size_t n, n_doubted;

	if (!ix->links.is_any_wanted)
		return 0;
	ix->links.is_any_wanted = false;
	n_doubted = visit_doubted(ix, fn, ctx);
	n = collect_wanted(&ix->links, &wanted);
	for (uint32_t id = 0; n && id < ix->pool.n_slots; id++) {
		const struct entry *e = pool_entry(&ix->pool, id);

		if (!is_wanted(&wanted, e->ino_tag) || e->flags & POOL_RECORD ||
			e->dir == last || !impl_is_current(ix, e))
			continue;
		last = e->dir;
		fn(ctx, e->dir);
	}
	return n + n_doubted;
}

static bool has_tag(const uint32_t *tags, size_t n, uint32_t tag)
{
	while (n) {
		size_t half = n / 2;

		if (tags[half] == tag)
			return true;
		if (tags[half] < tag) {
			tags += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return false;
}

void index_seek_inodes(const struct index *ix, const uint32_t *tags, size_t n,
	index_entry_fn *fn, void *ctx)
{
	struct wanted wanted = {0};

	for (size_t i = 0; i < n; i++)
		want(&wanted, tags[i]);
	for (uint32_t id = 0; n && id < ix->pool.n_slots; id++) {
		const struct entry *e = pool_entry(&ix->pool, id);

		if (is_wanted(&wanted, e->ino_tag) &&
			has_tag(tags, n, e->ino_tag) && impl_is_current(ix, e))
			fn(ctx, e->dir, pool_hash(e));
	}
}
