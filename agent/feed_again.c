// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A second look at large files, and more while they are open: what is written
 * by way of a mapping or a loop device raises no event, and a filesystem may
 * give blocks back after the last close (xfs). A file that changed, or one with
 * a large hole that was opened, is looked at again after a second, then after
 * two, four, and so on up to a minute, for as long as no close was seen; after
 * a close once. Of small files only those are that have more blocks than they
 * are long: btrfs counts some twice while it writes them back. All others are
 * left to the reconciliation, and so are more than there is room for.
 */
#include "feed_impl.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_MAX	256
#define AGAIN_BYTES	(UINT64_C(1) << 20) /* smaller ones are not worth it */
#define AGAIN_MAX_SMALL 128
#define BLOCK_BYTES	4096
#define AGAIN_FIRST_NS	CLOCK_NS_PER_S
#define AGAIN_PAUSE_MAX (64 * CLOCK_NS_PER_S)

static struct again_item *find(
	struct again *a, uint32_t dir, const char *name, size_t len)
{
	uint64_t hash = hash_bytes(a->key, name, len);

	for (size_t i = 0; i < a->n; i++)
		if (a->items[i].hash == hash && a->items[i].dir == dir)
			return &a->items[i];
	return NULL;
}

static void drop(struct again *a, struct again_item *item)
{
	free(item->name);
	*item = a->items[--a->n];
}

void feed_again_init(struct again *a)
{
	*a = (struct again){.key = hash_key_random()};
}

void feed_again_fini(struct again *a)
{
	while (a->n)
		drop(a, a->items);
	free(a->items);
	a->items = NULL;
}

static struct again_item *add(
	struct feed *f, uint32_t dir, const char *name, size_t len)
{
	struct again *a = &f->again;
	struct again_item item = {.dir = dir,
		.life = feed_life(f, dir),
		.hash = hash_bytes(a->key, name, len)};

	if (!a->items)
		a->items = calloc(AGAIN_MAX, sizeof(*a->items));
	if (!a->items || a->n == AGAIN_MAX)
		return NULL;
	item.name = strndup(name, len);
	if (!item.name)
		return NULL;
	a->items[a->n] = item;
	return &a->items[a->n++];
}

static void look_soon(struct again_item *item)
{
	item->pause_ns = AGAIN_FIRST_NS;
	item->due_boot_ns = clock_boot_ns(NULL) + AGAIN_FIRST_NS;
}

void feed_note_open(struct feed *f, const struct watch_event *e)
{
	struct index_item file;
	struct again_item *item =
		f->again.n ? find(&f->again, e->dir, e->name, e->name_len)
			   : NULL;

	if (item)
		item->is_closed = e->is_closed;
	if (item || e->is_closed || f->is_provisional ||
		!index_find(f->index, e->dir, e->name, e->name_len, &file) ||
		!file.is_file ||
		file.size_bytes < file.used_bytes + AGAIN_BYTES)
		return;
	item = add(f, e->dir, e->name, e->name_len);
	if (item)
		look_soon(item);
}

static bool is_worth_it(const struct again *a, const struct observation *o)
{
	if (o->kind != OBS_FILE)
		return false;
	if (MAX_OF(o->st.used_bytes, o->st.size_bytes) >= AGAIN_BYTES)
		return true;
	return a->n < AGAIN_MAX_SMALL &&
	       o->st.used_bytes >= o->st.size_bytes + BLOCK_BYTES;
}

void feed_note_change(struct feed *f, const struct observation *o,
	uint16_t note, bool has_changed)
{
	bool is_wanted = is_worth_it(&f->again, o);
	bool is_new = is_wanted && has_changed && !f->is_provisional;
	struct again_item *item;

	/* Every name of a scan comes by here. */
	if (!f->again.n && !is_new)
		return;
	item = find(&f->again, o->dir, o->name, o->name_len);
	if (item && !is_wanted) {
		drop(&f->again, item);
		return;
	}
	if (!item && is_new)
		item = add(f, o->dir, o->name, o->name_len);
	if (!item)
		return;
	if (note & (DIRTY_CLOSED | DIRTY_OPEN))
		item->is_closed = note & DIRTY_CLOSED;
	if (has_changed)
		look_soon(item);
}

int64_t feed_keep_again(struct feed *f, int64_t now_boot_ns)
{
	struct again *a = &f->again;
	int64_t due_ns = INT64_MAX;

	for (size_t i = a->n; i--;) {
		struct again_item *item = &a->items[i];

		if (now_boot_ns >= item->due_boot_ns) {
			bool is_there = index_is_dir(f->index, item->dir) &&
					feed_life(f, item->dir) == item->life;

			if (is_there) {
				feed_look(f, item->dir, item->name);
				due_ns = now_boot_ns; /* goes out in a turn */
			}
			item->pause_ns =
				MIN_OF(2 * item->pause_ns, AGAIN_PAUSE_MAX);
			item->due_boot_ns = now_boot_ns + item->pause_ns;
			if (!is_there || item->is_closed) {
				drop(a, item);
				continue;
			}
		}
		due_ns = MIN_OF(due_ns, item->due_boot_ns);
	}
	return due_ns;
}
