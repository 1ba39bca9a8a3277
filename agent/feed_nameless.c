// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that were born without a name (O_TMPFILE). The kernel announces what is
 * written to them under "#INODE" in the directory they were opened in, for as
 * long as they are open, also when they have a name by then, there or in
 * another directory. An entry holds no name and but half of its inode's
 * number: so entries are sought by that, in one pass for all that were written
 * to, and looked at by the names that are found behind them. Files that never
 * get a name cost the pass alone, and that at most twice a second.
 */
#include "feed_impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_NS (CLOCK_NS_PER_S / 2) /* totals are exact after a second */
#define MAX_TAGS 4096 /* of one pass; more is a case for the reconciliation */

struct find {
	uint32_t dir;
	uint64_t hash;
};

struct finds {
	struct find *items;
	size_t n, cap;
};

void feed_note_nameless(struct feed *f, const char *name)
{
	struct nameless *s = &f->nameless;
	uint32_t tag;

	if (name[0] != '#' || !isdigit((unsigned char)name[1]))
		return;
	tag = (uint32_t)strtoull(name + 1, NULL, 10);
	/* Mostly one file is written to many times. */
	if (s->n && s->tags[s->n - 1] == tag)
		return;
	if (s->n == MAX_TAGS) {
		feed_reconcile(f);
		return;
	}
	if (mem_grow((void **)&s->tags, &s->cap, s->n + 1, sizeof(*s->tags)) <
		0) {
		feed_reconcile(f);
		return;
	}
	s->tags[s->n++] = tag;
}

static int by_tag(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int by_place(const void *a, const void *b)
{
	const struct find *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void on_found(void *ctx, uint32_t dir, uint64_t hash)
{
	struct finds *all = ctx;

	if (mem_grow((void **)&all->items, &all->cap, all->n + 1,
		    sizeof(*all->items)) == 0)
		all->items[all->n++] = (struct find){dir, hash};
}

static void on_names(void *ctx, const struct result *result)
{
	for (size_t i = 0; i < result->n_obs; i++)
		feed_look(ctx, result->job->dir, result->obs[i].name);
}

/* The finds [from, to), all of one directory. */
static void ask(struct feed *f, const struct finds *all, size_t from, size_t to)
{
	uint64_t *hashes = calloc(to - from, sizeof(*hashes));

	for (size_t i = from; hashes && i < to; i++)
		hashes[i - from] = all->items[i].hash;
	if (!hashes || feed_names(f, all->items[from].dir, hashes, to - from,
			       on_names, f) < 0)
		feed_list(f, all->items[from].dir);
}

static void seek(struct feed *f)
{
	struct nameless *s = &f->nameless;
	struct finds all = {0};

	qsort(s->tags, s->n, sizeof(*s->tags), by_tag);
	index_seek_inodes(f->index, s->tags, s->n, on_found, &all);
	s->n = 0;
	if (all.n)
		qsort(all.items, all.n, sizeof(*all.items), by_place);
	for (size_t from = 0, to; from < all.n; from = to) {
		for (to = from + 1; to < all.n;)
			if (all.items[to].dir == all.items[from].dir)
				to++;
			else
				break;
		ask(f, &all, from, to);
	}
	free(all.items);
}

int64_t feed_keep_nameless(struct feed *f, int64_t now_boot_ns)
{
	struct nameless *s = &f->nameless;

	/* An entry that is on its way is not to be missed. */
	if (s->n && now_boot_ns >= s->due_boot_ns && !f->n_looking &&
		!f->dirty.n_items) {
		s->due_boot_ns = now_boot_ns + PAUSE_NS;
		seek(f);
	}
	return s->n ? MAX_OF(s->due_boot_ns, now_boot_ns) : INT64_MAX;
}
