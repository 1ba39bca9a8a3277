// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns one component's index, watch and roots (feed.h). Must not touch the
 * disk: that is what jobs are for.
 */
#include "feed_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "actors.h"

static void on_dir_removed(void *ctx, uint32_t dir)
{
	struct feed *f = ctx;
	const struct source *s = feed_source_of(f, dir);

	if (s)
		s->ops->drop(s->watch, dir);
	if (dir >= f->cap_dirs)
		return;
	if (f->dirs[dir].is_unwatched)
		f->counters.unwatched--;
	/* A result for it that still comes bears another tag. */
	f->dirs[dir] = (struct dir_info){
		.life = f->dirs[dir].life + 1,
		.is_queued = f->dirs[dir].is_queued,
		.is_queued_slow = f->dirs[dir].is_queued_slow,
	};
}

/* Roots. */

void feed_lose_root(struct feed *f, size_t i, enum root_state state, int error)
{
	struct feed_root *root = &f->roots[i];

	if (root->node != INDEX_NONE)
		index_remove_root(f->index, root->node);
	feed_release(f, root);
	root->node = INDEX_NONE;
	root->state = state;
	root->error = error;
}

/* Nothing is known of it yet but its path, and who it was. */
int feed_probe(struct feed *f, size_t i)
{
	struct feed_root *root = &f->roots[i];
	struct job *job;
	int r;

	if (root->is_probed || root->is_waiting)
		return 0;
	job = job_new(JOB_PROBE);
	if (!job)
		return -ENOMEM;
	job->component = f->id;
	job->dir = INDEX_NONE;
	job->tag = i;
	job->root_id = root->id;
	job->root_path = strdup(f->policy->roots[i].path);
	r = measure_submit(f->measure, job);
	root->is_probed = r == 0;
	return r;
}

/* Its identity is known, and any other is refused by the look. */
void feed_retry_roots(struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].node == INDEX_NONE &&
			f->roots[i].state != ROOT_HERE)
			feed_probe(f, i);
}

void feed_check_roots(struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].node != INDEX_NONE)
			feed_look(f, f->roots[i].node, ".");
}

void feed_note_fault(struct feed *f, size_t root, int error)
{
	if (root < f->n_roots)
		f->roots[root].fault = error;
}

int feed_take_fault(struct feed *f, size_t root)
{
	int fault = f->roots[root].fault;

	f->roots[root].fault = 0;
	return fault;
}

/* What is not known and went away leaves nothing to look for, unless a look
 * under way may have seen it. (If it came again, that is an event behind this
 * one.) Mostly it is what a reaper deleted, and has told of already. */
static bool is_old_news(const struct feed *f, const struct watch_event *e)
{
	struct index_item item;

	return e->is_leaving && e->dir < f->cap_dirs && !f->dirs[e->dir].tag &&
	       !index_find(f->index, e->dir, e->name, e->name_len, &item) &&
	       index_child(f->index, e->dir, e->name, e->name_len) ==
		       INDEX_NONE;
}

static struct actor actor_of(const struct feed *f, const struct watch_event *e)
{
	return f->actors && e->pid
		       ? actors_of(f->actors, e->pid, f->now_boot_ns)
		       : (struct actor){.number = ACTOR_UNKNOWN};
}

static uint16_t note_of(const struct feed *f, const struct watch_event *e)
{
	uint16_t actor = actor_of(f, e).number;

	/* A reaper that is gone already. */
	if (actor == ACTOR_UNKNOWN && f->is_reaping && e->is_leaving)
		actor = ACTOR_OURS;
	return actor | (e->is_closed	       ? DIRTY_CLOSED
			       : e->is_written ? DIRTY_OPEN
					       : 0);
}

/* What we open ourselves is no use of it. */
static void take_touch(struct feed *f, const struct watch_event *e)
{
	struct actor actor = actor_of(f, e);

	feed_note_open(f, e);
	if (actor.is_ignored)
		index_disown(f->index, e->dir, e->name, e->name_len);
	else if (!f->is_reaping && actor.number != ACTOR_OURS)
		index_touch(
			f->index, e->dir, e->name, e->name_len, f->now_real_s);
}

void feed_event(void *ctx, const struct watch_event *e)
{
	struct feed *f = ctx;

	f->counters.events++;
	switch (e->kind) {
	case WATCH_LOOK:
		/* The directory may have shrunk all the same (xfs). */
		if (e->name_len)
			feed_look_by(f, e->dir,
				is_old_news(f, e) ? "." : e->name,
				note_of(f, e));
		feed_note_nameless(f, e->name);
		break;
	case WATCH_TOUCH:
		take_touch(f, e);
		break;
	case WATCH_SELF:
	case WATCH_UNMOUNT:
	case WATCH_LIST:
		if (index_is_dir(f->index, e->dir))
			feed_list(f, e->dir);
		break;
	case WATCH_OVERFLOW:
		feed_overflow(f);
		break;
	}
}

int feed_new(const struct policy *policy, uint32_t id, struct measure *measure,
	struct actors *actors, struct feed **ret)
{
	struct feed *f = calloc(1, sizeof(*f));
	int r = -ENOMEM;

	if (!f)
		return -ENOMEM;
	f->policy = policy;
	f->id = id;
	f->measure = measure;
	f->actors = actors;
	f->is_provisional = true;
	f->links_due_boot_ns = INT64_MAX;
	f->max_listings = FEED_LISTINGS;
	f->n_roots = policy->n_roots;
	dirty_init(&f->dirty);
	feed_again_init(&f->again);
	f->index = index_new();
	f->roots = calloc(f->n_roots ? f->n_roots : 1, sizeof(*f->roots));
	if (!f->index || !f->roots)
		goto fail;
	index_on_dir_removed(f->index, on_dir_removed, f);
	for (size_t i = 0; i < f->n_roots; i++) {
		f->roots[i].node = INDEX_NONE;
		r = feed_probe(f, i);
		if (r < 0)
			goto fail;
	}
	*ret = f;
	return 0;
fail:
	feed_free(f);
	return r;
}

struct feed *feed_free(struct feed *f)
{
	if (!f)
		return NULL;
	index_free(f->index);
	feed_close_sources(f);
	while (f->askers) {
		struct asker *next = f->askers->next;

		free(f->askers);
		f->askers = next;
	}
	dirty_fini(&f->dirty);
	growth_fini(&f->growth);
	feed_again_fini(&f->again);
	free(f->nameless.tags);
	free(f->fast.dirs);
	free(f->slow.dirs);
	free(f->dirs);
	free(f->roots);
	free(f);
	return NULL;
}

void feed_set_policy(struct feed *f, const struct policy *policy)
{
	f->policy = policy;
	for (size_t i = 0; i < f->n_roots; i++)
		/* Whoever reloads accepts what stands there now. */
		if (f->roots[i].node == INDEX_NONE) {
			f->roots[i].state = ROOT_MISSING;
			f->roots[i].id = (struct identity){0};
		}
	feed_retry_roots(f);
	feed_list_all(f, true);
}

/* Events in. */

static bool is_root(const struct feed *f, uint32_t dir)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].node == dir)
			return true;
	return false;
}

static bool is_private(const struct feed *f, uint32_t dir, const char *name)
{
	return dir < f->cap_dirs && f->dirs[dir].is_private &&
	       strcmp(index_name(f->index, dir), name) == 0 &&
	       is_root(f, index_parent(f->index, dir));
}

bool feed_is_quarantine(const struct feed *f, uint32_t dir)
{
	return is_private(f, dir, QUARANTINE_NAME);
}

bool feed_is_trash(const struct feed *f, uint32_t dir)
{
	return is_private(f, dir, TRASH_NAME);
}

/* As act/quarantine.c makes them, by whoever we are ourselves or by root. */
void feed_note_owner(
	struct feed *f, uint32_t dir, const struct beneath_stat *st)
{
	struct dir_info *info = feed_info(f, dir);
	const char *name = index_name(f->index, dir);
	bool is_ours = (st->uid == 0 || st->uid == geteuid()) &&
		       (st->mode & 05777) == 0700;

	if (!info || info->is_private == is_ours ||
		(strcmp(name, QUARANTINE_NAME) != 0 &&
			strcmp(name, TRASH_NAME) != 0))
		return;
	info->is_private = is_ours;
	/* What is in it is judged otherwise now, and watched or not. */
	feed_list(f, dir);
}

/* The directory of that name in root i; INDEX_NONE: it is not known. */
static uint32_t in_root(const struct feed *f, size_t i, const char *name)
{
	uint32_t root = f->roots[i].node;

	return root == INDEX_NONE
		       ? INDEX_NONE
		       : index_child(f->index, root, name, strlen(name));
}

static void list_quarantines(struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++) {
		uint32_t dir = in_root(f, i, QUARANTINE_NAME);

		if (dir != INDEX_NONE)
			feed_list(f, dir);
	}
}

uint64_t feed_orphans_in(const struct feed *f, size_t root)
{
	uint32_t dir = in_root(f, root, QUARANTINE_NAME);

	return dir != INDEX_NONE && feed_is_quarantine(f, dir)
		       ? index_totals(f->index, dir).files
		       : 0;
}

uint64_t feed_orphans(const struct feed *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->n_roots; i++)
		n += feed_orphans_in(f, i);
	return n;
}

void feed_reaping(struct feed *f, bool is_reaping)
{
	/* What was opened until now is in the queue: read it under the old
	 * rule. */
	feed_read(f, f->now_real_s);
	if (f->is_reaping && !is_reaping) {
		f->is_reaping = false;
		list_quarantines(f);
	}
	f->is_reaping = is_reaping;
}

/* Reading. */

bool feed_is_reaping(const struct feed *f)
{
	return f->is_reaping;
}

const struct growth *feed_growth(const struct feed *f)
{
	return &f->growth;
}

/* What is found by the first scan has not grown. */
void feed_note_growth(
	struct feed *f, uint32_t dir, uint16_t actor, int64_t bytes)
{
	int64_t now;

	if (!bytes || f->is_provisional)
		return;
	now = clock_boot_ns(NULL);
	growth_note(&f->growth.dirs, growth_dir(dir, feed_life(f, dir)), bytes,
		now);
	if (actor)
		growth_note(&f->growth.actors, actor, bytes, now);
}

struct index *feed_index(const struct feed *f)
{
	return f->index;
}

uint32_t feed_trash(const struct feed *f, size_t i)
{
	uint32_t dir = in_root(f, i, TRASH_NAME);

	return dir != INDEX_NONE && feed_is_trash(f, dir) ? dir : INDEX_NONE;
}

struct index_totals feed_trash_totals(const struct feed *f, uint64_t dev)
{
	struct index_totals sum = {0};

	for (size_t i = 0; i < f->n_roots; i++) {
		uint32_t node = feed_trash(f, i);
		struct index_totals t;

		if (node == INDEX_NONE || (dev && f->roots[i].id.dev != dev))
			continue;
		t = index_totals(f->index, node);
		sum.used_bytes = mem_add_sat(sum.used_bytes,
			mem_sub_sat(
				t.used_bytes, index_own_bytes(f->index, node)));
		sum.size_bytes = mem_add_sat(sum.size_bytes, t.size_bytes);
		sum.files += t.files;
	}
	return sum;
}

uint64_t feed_counted_bytes(const struct feed *f)
{
	return mem_sub_sat(
		index_totals(f->index, INDEX_NODE_COMPONENT).used_bytes,
		feed_trash_totals(f, 0).used_bytes);
}

bool feed_is_trusted(const struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].state != ROOT_HERE)
			return false;
	return !f->is_provisional;
}

bool feed_is_quiet(const struct feed *f)
{
	return !f->is_provisional && !f->dirty.n_items && !f->n_looking &&
	       !f->n_listing && !feed_waiting(&f->fast) &&
	       index_is_tidy(f->index) && !feed_is_beginning(f);
}

bool feed_is_scanning(const struct feed *f)
{
	return f->is_provisional;
}

size_t feed_backlog(const struct feed *f)
{
	return feed_waiting(&f->fast) + f->n_listing;
}

const struct feed_root *feed_root(const struct feed *f, size_t i)
{
	return &f->roots[i];
}

uint32_t feed_id(const struct feed *f)
{
	return f->id;
}

bool feed_is_on(const struct feed *f, uint64_t dev)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].node != INDEX_NONE && f->roots[i].id.dev == dev)
			return true;
	return false;
}

bool feed_take_lost(struct feed *f, uint64_t *ret_dev)
{
	for (size_t i = 0; i < f->n_roots; i++) {
		struct feed_root *root = &f->roots[i];

		if (root->node != INDEX_NONE || !root->fs.dev ||
			root->is_waiting)
			continue;
		*ret_dev = root->fs.dev;
		root->fs.dev = 0;
		return true;
	}
	return false;
}

bool feed_has_lost_roots(const struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].state == ROOT_MISSING ||
			f->roots[i].state == ROOT_CHANGED)
			return true;
	return false;
}

const struct feed_counters *feed_counters(const struct feed *f)
{
	return &f->counters;
}
