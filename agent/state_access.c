// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_access.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "base/log.h"
#include "core.h"
#include "state_file.h"
#include "state_saver.h"

#define SAVE_PAUSE_NS (3600 * CLOCK_NS_PER_S)
#define STEP	      16384u /* entries a turn: well below a millisecond */
#define FILE_MODE     0600 /* there are keys in it */

/* Which list of the draft a directory of the index has. */
struct listed {
	uint32_t number; /* and 1; 0: none */
	uint32_t life;
};

struct accesses {
	char *path;
	struct access_book book; /* of before the start */
	bool has_book;
	struct state_saver *saver;
	uint64_t saved_changes;
	int64_t due_boot_ns;
	/* What is being gathered, and how far. */
	struct access_draft *draft;
	int64_t seen_real_s; /* when that began */
	size_t component;
	uint32_t cursor;
	struct listed *listed; /* of this component, by directory */
	size_t cap_listed;
	struct index_access found[STEP];
};

static uint64_t count_changes(const struct agent *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->n_components; i++)
		n += index_access_changes(feed_index(a->components[i].feed));
	return n;
}

/* Gathering. */

static void drop_draft(struct accesses *s)
{
	s->draft = access_draft_free(s->draft);
	free(mem_take(s->listed));
	s->cap_listed = 0;
}

static int need_list(struct accesses *s, const struct component *c,
	uint32_t dir, uint32_t *ret_number)
{
	const struct index *ix = feed_index(c->feed);
	uint32_t life = feed_life(c->feed, dir);
	buf_auto struct buf rel = {0};
	uint32_t number;
	int r;

	if (mem_grow_zeroed((void **)&s->listed, &s->cap_listed,
		    (size_t)dir + 1, sizeof(*s->listed)) < 0)
		return -ENOMEM;
	if (s->listed[dir].number && s->listed[dir].life == life) {
		*ret_number = s->listed[dir].number - 1;
		return 0;
	}
	r = index_rel_path(ix, dir, &rel);
	if (r == 0)
		r = access_draft_dir(s->draft,
			&(struct access_dir){
				.key = index_key(ix),
				.seen_real_s = s->seen_real_s,
				.dir = dir,
				.component = c->policy->component,
				.root = c->policy->roots[index_root(ix, dir)]
						.path,
				.rel = rel.data,
			},
			&number);
	if (r < 0)
		return r;
	s->listed[dir] = (struct listed){number + 1, life};
	*ret_number = number;
	return 0;
}

static struct access_item item_of(const struct index_access *found)
{
	return (struct access_item){
		.hash_lo = (uint32_t)found->hash,
		.hash_hi = (uint16_t)(found->hash >> 32),
		.flags = (uint16_t)((found->is_observed ? ACCESS_OBSERVED : 0) |
				    (found->is_disowned ? ACCESS_DISOWNED : 0)),
		.atime = found->atime_s,
		.ino_tag = found->ino_tag,
	};
}

/* -E2BIG: the rest is left out. */
static int gather_some(struct accesses *s, const struct component *c, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct access_item item = item_of(&s->found[i]);
		uint32_t number;

		r = need_list(s, c, s->found[i].dir, &number);
		if (r == 0)
			r = access_draft_add(s->draft, number, &item);
	}
	return r;
}

/* A step. Returns 1 if there is more, 0 at the end, or -errno. */
static int gather(struct agent *a)
{
	struct accesses *s = a->accesses;
	bool is_more;
	size_t n;
	int r;

	if (s->component == a->n_components)
		return 0;
	n = index_read_accesses(feed_index(a->components[s->component].feed),
		&s->cursor, STEP, s->found, &is_more);
	r = gather_some(s, &a->components[s->component], n);
	if (r == -E2BIG)
		return 0;
	if (!is_more) {
		s->component++;
		s->cursor = 0;
		free(mem_take(s->listed));
		s->cap_listed = 0;
	}
	return r < 0 ? r : 1;
}

/* Lists that no listing has used yet stay as they are, and as old: nobody has
 * watched those files since. */
static int keep_book(struct accesses *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->book.n_dirs; i++) {
		const struct access_dir *dir = &s->book.dirs[i];
		uint32_t number;

		if (dir->is_applied)
			continue;
		r = access_draft_dir(s->draft, dir, &number);
		for (size_t n = 0; r == 0 && n < dir->n_items; n++)
			r = access_draft_add(s->draft, number, &dir->items[n]);
	}
	return r == -E2BIG ? 0 : r;
}

static int begin(struct agent *a)
{
	struct accesses *s = a->accesses;
	int r = access_draft_new(&s->draft);

	s->seen_real_s = clock_real_s(a->clock);
	s->component = 0;
	s->cursor = 0;
	if (r == 0)
		r = keep_book(s);
	if (r < 0)
		drop_draft(s);
	return r;
}

/* Writing. Takes the draft. */
static int write_draft(const char *path, void *ctx)
{
	struct access_draft *draft = ctx;
	buf_auto struct buf bytes = {0};
	int r = access_encode(draft, &bytes);

	access_draft_free(draft);
	return r < 0 ? r
		     : state_file_replace_bytes(
			       path, bytes.data, bytes.len, FILE_MODE);
}

static void note_failed(struct agent *a, int error)
{
	log_event(MSG_STATE_FAILED, NULL, "state not saved to %s: %s",
		a->accesses->path, strerror(-error));
	/* Whatever it was that had changed, it is not saved. */
	a->accesses->saved_changes = UINT64_MAX;
}

/* All of it is here: off it goes. */
static int hand_over(struct accesses *s)
{
	int r = state_saver_start_work(
		s->saver, s->path, write_draft, s->draft);

	if (r == 0)
		s->draft = NULL;
	drop_draft(s);
	return r;
}

static bool go_on(struct agent *a)
{
	struct accesses *s = a->accesses;
	int r = gather(a);

	if (r > 0)
		return true;
	if (r == 0)
		r = hand_over(s);
	else
		drop_draft(s);
	if (r < 0)
		note_failed(a, r);
	return false;
}

/* Every directory was listed: what is left is of none. */
static void drop_book(struct agent *a)
{
	struct accesses *s = a->accesses;

	if (!s->has_book)
		return;
	for (size_t i = 0; i < a->n_components; i++)
		if (!feed_is_trusted(a->components[i].feed))
			return;
	for (size_t i = 0; i < a->n_components; i++)
		feed_set_accesses(a->components[i].feed, NULL);
	access_fini(&s->book);
	s->has_book = false;
}

bool state_access_keep(struct agent *a)
{
	struct accesses *s = a->accesses;
	int64_t now = clock_boot_ns(a->clock);
	int error;

	drop_book(a);
	if (state_saver_take(s->saver, &error) && error < 0)
		note_failed(a, error);
	if (s->draft)
		return go_on(a);
	if (now < s->due_boot_ns || state_saver_is_busy(s->saver) ||
		count_changes(a) == s->saved_changes)
		return false;
	s->due_boot_ns = now + SAVE_PAUSE_NS;
	s->saved_changes = count_changes(a);
	error = begin(a);
	if (error < 0)
		note_failed(a, error);
	return error == 0;
}

/* What has changed is told by events, and those turn the loop. */
int64_t state_access_due(const struct agent *a)
{
	return count_changes(a) == a->accesses->saved_changes
		       ? INT64_MAX
		       : a->accesses->due_boot_ns;
}

void state_access_forget(struct agent *a)
{
	if (!a->accesses)
		return;
	drop_draft(a->accesses);
	/* Others are counted from here on. */
	a->accesses->saved_changes = UINT64_MAX;
}

int state_access_save(struct agent *a)
{
	struct accesses *s = a->accesses;
	int r = state_saver_wait(s->saver);

	if (r < 0)
		return r;
	for (size_t i = 0; i < a->n_components; i++)
		feed_read(a->components[i].feed, clock_real_s(a->clock));
	drop_draft(s);
	r = begin(a);
	if (r < 0)
		return r;
	do
		r = gather(a);
	while (r > 0);
	if (r == 0)
		r = write_draft(s->path, mem_take(s->draft));
	drop_draft(s);
	return r;
}

/* Reading. */

static int read_book(struct accesses *s)
{
	buf_auto struct buf bytes = {0};
	int r = state_file_read(s->path, ACCESS_FILE_MAX, &bytes);

	if (r == 0)
		r = access_decode(&bytes, &s->book);
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOENT ? 0 : r;
	if (r < 0)
		log_note(LOG_WARNING,
			"%s cannot be read (%s): accesses that were observed "
			"before the start are forgotten",
			s->path, strerror(-r));
	s->has_book = r == 0;
	return 0;
}

int state_access_load(struct agent *a)
{
	struct accesses *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	a->accesses = s;
	s->due_boot_ns = clock_boot_ns(a->clock) + SAVE_PAUSE_NS;
	if (asprintf(&s->path, "%s.access", a->config->state_file) < 0) {
		s->path = NULL;
		return -ENOMEM;
	}
	r = state_saver_new(&s->saver);
	if (r == 0)
		r = read_book(s);
	for (size_t i = 0; r == 0 && s->has_book && i < a->n_components; i++)
		feed_set_accesses(a->components[i].feed, &s->book);
	return r;
}

void state_access_free(struct agent *a)
{
	struct accesses *s = mem_take(a->accesses);

	if (!s)
		return;
	drop_draft(s);
	state_saver_free(s->saver);
	access_fini(&s->book);
	free(s->path);
	free(s);
}
