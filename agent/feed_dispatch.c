// SPDX-License-Identifier: GPL-2.0-or-later
/* Jobs out: as many as can be under way. */
#include "feed_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FEED_MAX_LOOKS	  4096 /* names; a directory with more is listed */
#define FEED_TIDY_ENTRIES 16384u
#define FEED_LINKS_NS	  (CLOCK_NS_PER_S / 5) /* news are read sooner */
/* Where there are more, it is a tree of links to elsewhere (backups): too dear
 * to be listed twice. */
#define FEED_MAX_LINKS 4096

struct job *feed_job(struct feed *f, enum job_kind kind, uint32_t dir)
{
	uint16_t root = index_root(f->index, dir);
	const struct identity *id = index_identity(f->index, dir);
	buf_auto struct buf rel = {0};
	struct job *job = job_new(kind);

	if (!job || index_rel_path(f->index, dir, &rel) < 0)
		return job_free(job);
	job->component = f->id;
	job->dir = dir;
	job->dir_id = *id;
	job->root_id = f->roots[root].id;
	job->root_path = strdup(f->policy->roots[root].path);
	job->rel = mem_take(rel.data);
	job->tag = ++f->next_tag;
	return job->root_path ? job : job_free(job);
}

static bool submit(struct feed *f, struct job *job)
{
	struct dir_info *info = feed_info(f, job->dir);
	uint32_t dir = job->dir;
	uint64_t tag = job->tag;

	if (!info) {
		job_free(job);
		return false;
	}
	if (measure_queue(f->measure, job) < 0)
		return false;
	f->dirs[dir].tag = tag;
	return true;
}

static void submit_list(struct feed *f, uint32_t dir, bool is_slow)
{
	struct job *job = feed_job(f, JOB_LIST, dir);
	const struct source *s = feed_source_of(f, dir);

	if (job) {
		job->is_slow = is_slow;
		job->ops = s && !feed_is_quarantine(f, dir) ? s->ops : NULL;
		job->watch = s ? s->watch : NULL;
	}
	if (!job || !submit(f, job)) {
		f->is_provisional = true;
		return;
	}
	f->counters.listings++;
	*(is_slow ? &f->n_slow : &f->n_listing) += 1;
}

/* While a reaper is at work, what is in the quarantine is on its way out; it
 * is listed when the reaper is through. */
static bool can_list(const struct feed *f, uint32_t dir)
{
	return index_is_dir(f->index, dir) &&
	       !(f->is_reaping && feed_is_quarantine(f, dir));
}

static void dispatch_fast(struct feed *f)
{
	size_t n = feed_waiting(&f->fast);
	uint32_t dir;

	while (f->n_listing < f->max_listings && n-- &&
		feed_dequeue(&f->fast, &dir)) {
		f->dirs[dir].is_queued = false;
		if (!can_list(f, dir))
			continue;
		if (f->dirs[dir].tag)
			f->dirs[dir].is_again = true;
		else
			submit_list(f, dir, false);
	}
}

void feed_set_listings(struct feed *f, size_t max)
{
	f->max_listings = max;
}

static void dispatch_slow(struct feed *f)
{
	uint32_t dir;

	while (!f->n_slow && !feed_waiting(&f->fast) &&
		feed_dequeue(&f->slow, &dir)) {
		f->dirs[dir].is_queued_slow = false;
		if (!can_list(f, dir))
			continue;
		/* Names of it are being looked at, and they may always be: it
		 * is listed when that has come back. */
		if (f->dirs[dir].tag)
			f->dirs[dir].is_again = true;
		else
			submit_list(f, dir, true);
	}
	if (f->is_reconciling && !f->n_slow && !feed_waiting(&f->slow)) {
		f->is_reconciling = false;
		f->counters.reconciliations++;
	}
}

static int put_names(
	struct job *job, const struct dirty *set, size_t from, size_t to)
{
	int r = 0;

	job->n_names = to - from;
	job->notes = calloc(job->n_names, sizeof(*job->notes));
	if (!job->notes)
		return -ENOMEM;
	for (size_t i = from; r == 0 && i < to; i++) {
		const struct dirty_item *item = &set->items[i];

		job->notes[i - from] = item->note;
		r = buf_put(&job->names, dirty_name(set, item),
			(size_t)item->len + 1);
	}
	return r;
}

/* The names of one directory, items [from, to) of a sorted set. */
static void submit_look(
	struct feed *f, const struct dirty *set, size_t from, size_t to)
{
	struct job *job = feed_job(f, JOB_LOOK, set->items[from].dir);

	if (job && put_names(job, set, from, to) < 0)
		job = job_free(job);
	if (!job || !submit(f, job)) {
		feed_overflow(f);
		return;
	}
	f->n_looking++;
	f->counters.looks += to - from;
}

static void keep_waiting(
	struct feed *f, const struct dirty *set, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		feed_look_by(f, set->items[i].dir,
			dirty_name(set, &set->items[i]), set->items[i].note);
}

/* The names that wait leave, and others may come in their place. */
static struct dirty take_dirty(struct feed *f)
{
	struct dirty set = f->dirty;

	f->dirty = (struct dirty){.key = set.key};
	return set;
}

/* What was left of a set is of use for the next one. */
static void give_back(struct feed *f, struct dirty *set)
{
	if (f->dirty.n_slots) {
		dirty_fini(set);
		return;
	}
	dirty_reset(set);
	f->dirty = *set;
}

/*
 * A batch of looks goes out when the one before has come back: an idle agent
 * reacts at once, and under load the batches grow by themselves.
 */
static void dispatch_looks(struct feed *f)
{
	size_t from = 0, to;
	struct dirty set;

	if (f->n_looking || !f->dirty.n_items)
		return;
	set = take_dirty(f);
	dirty_sort(&set);
	for (; from < set.n_items; from = to) {
		uint32_t dir = set.items[from].dir;
		const struct dir_info *info = feed_info(f, dir);

		for (to = from; to < set.n_items && set.items[to].dir == dir;)
			to++;
		if (!index_is_dir(f->index, dir) || !info)
			continue;
		if (info->tag)
			keep_waiting(f, &set, from, to);
		else if (to - from > FEED_MAX_LOOKS)
			feed_list(f, dir);
		else
			submit_look(f, &set, from, to);
	}
	give_back(f, &set);
}

static void list_dir(void *ctx, uint32_t dir)
{
	feed_list(ctx, dir);
}

/* Some time after a link was not found, when all news of then have come and
 * were looked at. */
static void close_links(struct feed *f)
{
	int64_t now = clock_boot_ns(NULL);

	if (!index_has_open_links(f->index)) {
		f->links_due_boot_ns = INT64_MAX;
		return;
	}
	if (f->links_due_boot_ns == INT64_MAX ||
		(now >= f->links_due_boot_ns && !feed_is_quiet(f))) {
		f->links_due_boot_ns = now + FEED_LINKS_NS;
	} else if (now >= f->links_due_boot_ns) {
		index_close_links(f->index, FEED_MAX_LINKS, list_dir, f);
		f->links_due_boot_ns = INT64_MAX;
	}
}

int64_t feed_links_due(const struct feed *f)
{
	return f->links_due_boot_ns;
}

bool feed_dispatch(struct feed *f)
{
	bool is_more = index_tidy(f->index, FEED_TIDY_ENTRIES);
	size_t n_before = measure_pending(f->measure);

	if (!is_more)
		index_seek_links(f->index, list_dir, f);
	close_links(f);
	dispatch_looks(f);
	dispatch_fast(f);
	dispatch_slow(f);
	if (measure_pending(f->measure) > n_before)
		measure_go(f->measure);
	if (f->is_provisional && !feed_waiting(&f->fast) && !f->n_listing &&
		!is_more && !feed_is_beginning(f))
		f->is_provisional = false;
	return is_more;
}
