// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns one component's index, watch and roots (feed.h). Must not touch the
 * disk: that is what jobs are for.
 */
#include "feed_impl.h"

#include <errno.h>
#include <string.h>

#include "act/quarantine.h"

#define FEED_READS 8 /* reads of the kernel's queue a turn */

static void on_dir_removed(void *ctx, uint32_t dir)
{
	struct feed *f = ctx;

	if (f->watch)
		f->ops->drop(f->watch, dir);
	if (dir >= f->cap_dirs)
		return;
	if (f->dirs[dir].is_unwatched)
		f->counters.unwatched--;
	/* A result for it that still comes bears another tag. */
	f->dirs[dir] = (struct dir_info){
		.is_queued = f->dirs[dir].is_queued,
		.is_queued_slow = f->dirs[dir].is_queued_slow,
	};
}

/* Roots. */

static int add_root(struct feed *f, size_t i)
{
	const struct root *root = &f->policy->roots[i];
	int r = index_add_root(f->index, root->type, root->path, (uint16_t)i,
		&f->roots[i].node);

	if (r < 0)
		return r;
	feed_list(f, f->roots[i].node);
	return 0;
}

void feed_lose_root(struct feed *f, size_t i, enum root_state state, int error)
{
	struct feed_root *root = &f->roots[i];

	if (root->node != INDEX_NONE)
		index_remove_root(f->index, root->node);
	root->node = INDEX_NONE;
	root->state = state;
	root->error = error;
}

void feed_retry_roots(struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].node == INDEX_NONE &&
			f->roots[i].state == ROOT_MISSING)
			add_root(f, i);
}

int feed_new(const struct policy *policy, uint32_t id, struct measure *measure,
	struct feed **ret)
{
	struct feed *f = calloc(1, sizeof(*f));
	int r = -ENOMEM;

	if (!f)
		return -ENOMEM;
	f->policy = policy;
	f->id = id;
	f->measure = measure;
	f->is_provisional = true;
	f->n_roots = policy->n_roots;
	dirty_init(&f->dirty);
	f->index = index_new();
	f->roots = calloc(f->n_roots ? f->n_roots : 1, sizeof(*f->roots));
	if (!f->index || !f->roots)
		goto fail;
	index_on_dir_removed(f->index, on_dir_removed, f);
	f->ops = &watch_inotify;
	/* Without a watch the component is polled, and says so. */
	if (f->ops->open(&f->watch) < 0)
		f->watch = NULL;
	for (size_t i = 0; i < f->n_roots; i++) {
		r = add_root(f, i);
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
	if (f->watch)
		f->ops->close(f->watch);
	while (f->askers) {
		struct asker *next = f->askers->next;

		free(f->askers);
		f->askers = next;
	}
	dirty_fini(&f->dirty);
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

static void on_event(void *ctx, const struct watch_event *e)
{
	struct feed *f = ctx;

	f->counters.events++;
	switch (e->kind) {
	case WATCH_LOOK:
		if (e->name_len)
			feed_look(f, e->dir, e->name);
		break;
	case WATCH_TOUCH:
		if (!f->is_reaping)
			index_touch(f->index, e->dir, e->name, e->name_len,
				f->now_real_s);
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

void feed_read(struct feed *f, int64_t now_real_s)
{
	f->now_real_s = now_real_s;
	if (f->watch)
		f->ops->read(f->watch, FEED_READS, on_event, f);
}

bool feed_is_quarantine(const struct feed *f, uint32_t dir)
{
	return strcmp(index_name(f->index, dir), QUARANTINE_NAME) == 0;
}

bool feed_is_in_trash(const char *rel_dir)
{
	return strcmp(rel_dir, TRASH_NAME) == 0;
}

static void list_quarantines(struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++) {
		uint32_t dir = f->roots[i].node;

		if (dir != INDEX_NONE)
			dir = index_child(f->index, dir, QUARANTINE_NAME,
				strlen(QUARANTINE_NAME));
		if (dir != INDEX_NONE)
			feed_list(f, dir);
	}
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

struct index *feed_index(const struct feed *f)
{
	return f->index;
}

uint32_t feed_trash(const struct feed *f, size_t i)
{
	return f->roots[i].node == INDEX_NONE
		       ? INDEX_NONE
		       : index_child(f->index, f->roots[i].node, TRASH_NAME,
				 strlen(TRASH_NAME));
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

int feed_fd(const struct feed *f)
{
	return f->watch ? f->ops->fd(f->watch) : -1;
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
	       index_is_tidy(f->index);
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

bool feed_has_lost_roots(const struct feed *f)
{
	for (size_t i = 0; i < f->n_roots; i++)
		if (f->roots[i].state == ROOT_MISSING)
			return true;
	return false;
}

const struct feed_counters *feed_counters(const struct feed *f)
{
	return &f->counters;
}

const char *feed_source(const struct feed *f)
{
	return f->watch ? f->ops->name : "scan";
}

size_t feed_n_watches(const struct feed *f)
{
	return f->watch ? f->ops->count(f->watch) : 0;
}
