// SPDX-License-Identifier: GPL-2.0-or-later
/* Listings, and the work that is too much to be done at once. */
#include "index/impl.h"

/* A directory with more entries than this is swept in steps. */
#define SWEEP_AT_ONCE 4096

/* Removes the unseen entries of one chain; returns how many there were. */
static uint32_t sweep_chain(struct index *ix, struct node *dir, uint32_t number)
{
	uint32_t id = table_chain(&dir->names, number), n = 0;

	while (id != POOL_NONE) {
		const struct entry *e = pool_entry(&ix->pool, id);
		uint32_t next = e->next;

		if (!impl_is_seen(dir, e))
			impl_remove_entry(ix, id);
		id = next;
		n++;
	}
	return n;
}

/* A table never has fewer chains than before, until it has none. */
static void sweep(struct index *ix, struct node *dir)
{
	for (uint32_t i = 0; i < table_chains(&dir->names); i++)
		sweep_chain(ix, dir, i);
}

/* Behind the one that is being swept. */
static void mark_stale(struct index *ix, uint32_t dir)
{
	struct node *node = nodes_at(&ix->nodes, dir);
	uint32_t *at =
		ix->stale_head == INDEX_NONE
			? &ix->stale_head
			: &nodes_at(&ix->nodes, ix->stale_head)->next_stale;

	node->is_stale = true;
	node->next_stale = *at;
	*at = dir;
}

void impl_freshen(struct index *ix, uint32_t dir)
{
	struct node *node = nodes_at(&ix->nodes, dir);
	uint32_t *at = &ix->stale_head;

	if (!node->is_stale)
		return;
	if (*at == dir)
		ix->sweep_chain = 0;
	while (*at != dir)
		at = &nodes_at(&ix->nodes, *at)->next_stale;
	*at = node->next_stale;
	node->is_stale = false;
}

int index_list_begin(struct index *ix, uint32_t dir)
{
	struct node *node;

	if (!impl_is_live(ix, dir))
		return 0;
	node = nodes_at(&ix->nodes, dir);
	/* One bit tells two listings apart, not three. */
	if (node->is_stale) {
		sweep(ix, node);
		impl_freshen(ix, dir);
	}
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
		removed += node->names.n_ids - node->n_seen;
		if (node->names.n_ids == node->n_seen)
			;
		else if (node->names.n_ids <= SWEEP_AT_ONCE)
			sweep(ix, node);
		else
			mark_stale(ix, dir);
	}
	if (ret_removed)
		*ret_removed = removed;
}

bool index_is_tidy(const struct index *ix)
{
	return ix->stale_head == INDEX_NONE &&
	       ix->nodes.dead_head == INDEX_NONE;
}

uint32_t impl_tidy_dead(struct index *ix, uint32_t max)
{
	uint32_t dir = ix->nodes.dead_head, n = 0;

	while (dir != INDEX_NONE && n < max) {
		struct table *names;

		dir = nodes_leaf(&ix->nodes, dir);
		names = &nodes_at(&ix->nodes, dir)->names;
		n += pool_drain(&ix->pool, names, max - n);
		if (names->n_ids)
			break;
		dir = nodes_free_dead(&ix->nodes, dir);
		n++;
	}
	return n;
}

static uint32_t tidy_stale(struct index *ix, uint32_t max)
{
	uint32_t n = 0;

	while (ix->stale_head != INDEX_NONE && n < max) {
		struct node *dir = nodes_at(&ix->nodes, ix->stale_head);

		if (ix->sweep_chain < table_chains(&dir->names))
			n += 1 + sweep_chain(ix, dir, ix->sweep_chain++);
		else
			impl_freshen(ix, ix->stale_head);
	}
	return n;
}

bool index_tidy(struct index *ix, uint32_t max)
{
	uint32_t n = impl_tidy_dead(ix, max);

	if (n < max)
		tidy_stale(ix, max - n);
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
		rec->is_open = l->is_any_open = true;
		want(ret, (uint32_t)rec->ino);
		n++;
	}
	return n;
}

static void visit(const struct index *ix, const struct record *rec,
	index_dir_fn *fn, void *ctx)
{
	const struct links *l = &ix->links;
	uint32_t name = rec->first_name;

	for (; name != LINKS_NONE; name = l->names[name].next_in_record)
		fn(ctx, pool_entry(&ix->pool, l->names[name].entry)->dir);
}

static size_t visit_doubted(struct index *ix, index_dir_fn *fn, void *ctx)
{
	struct links *l = &ix->links;
	size_t n = 0;

	for (uint32_t i = 0; i < l->n_record_slots; i++) {
		struct record *rec = &l->records[i];

		if (rec->is_free || !rec->is_doubted)
			continue;
		rec->is_doubted = false;
		n++;
		visit(ix, rec, fn, ctx);
	}
	return n;
}

bool index_has_open_links(const struct index *ix)
{
	return ix->links.is_any_open;
}

size_t index_close_links(
	struct index *ix, size_t max, index_dir_fn *fn, void *ctx)
{
	struct links *l = &ix->links;
	size_t n = 0;

	l->is_any_open = false;
	for (uint32_t i = 0; i < l->n_record_slots; i++) {
		struct record *rec = &l->records[i];

		if (rec->is_free || !rec->is_open)
			continue;
		rec->is_open = false;
		if (rec->n_names < rec->nlink && n++ < max)
			visit(ix, rec, fn, ctx);
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
