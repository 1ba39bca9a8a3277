// SPDX-License-Identifier: GPL-2.0-or-later
/* Results in: what was seen goes to the index, what follows from it waits. */
#include "feed_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "act/ballast.h"
#include "act/quarantine.h"
#include "access.h"
#include "actors.h"

/* What the rules say of all names of a directory. */
struct verdict {
	uid_t root_uid;
	bool is_protected;
	bool is_in_trash, is_in_quarantine;
};

static struct verdict judge_all(const struct feed *f, const struct job *job)
{
	uint16_t root = index_root(f->index, job->dir);

	return (struct verdict){
		.root_uid = f->roots[root].uid,
		.is_protected = rules_protects_all(&f->policy->rules, job->rel),
		.is_in_trash = feed_is_trash(f, job->dir),
		.is_in_quarantine = feed_is_quarantine(f, job->dir),
	};
}

static uint8_t judge(const struct feed *f, const struct job *job,
	const struct verdict *all, const struct observation *o)
{
	const struct rules *rules = &f->policy->rules;
	uint8_t flags = 0;

	if (all->is_in_trash)
		flags |= INDEX_TRASHED;
	if (all->is_protected ||
		rules_protects_one(rules, job->rel, o->name, o->name_len))
		flags |= INDEX_PROTECTED;
	if (!rules_is_owner(rules, o->st.uid, all->root_uid))
		flags |= INDEX_FOREIGN;
	return flags;
}

/* Room kept for everybody is nobody's usage. It is ours, where ours is: who
 * gives a file of his that name hides nothing. */
static bool is_ballast(const struct verdict *all, const struct observation *o)
{
	return all->is_in_quarantine && ballast_is_name(o->name) &&
	       (o->kind == OBS_GONE || o->st.uid == 0 ||
		       o->st.uid == geteuid());
}

/* A directory came, or came elsewhere. Below a moved one, patterns that name
 * directories may judge differently: it is listed again. */
static void follow_dir(struct feed *f, const struct index_change *change)
{
	uint32_t dir = change->node;

	feed_list(f, dir);
	if (change->what != INDEX_DIR_MOVED)
		return;
	/* The look that said so may be older than another that moved it
	 * there: both places are looked at once more. */
	feed_look(f, change->old_parent, change->old_name);
	feed_look(f, index_parent(f->index, dir), index_name(f->index, dir));
	if (!f->policy->rules.n_protect)
		return;
	for (uint32_t d = dir; d != INDEX_NONE;
		d = index_next_below(f->index, dir, d))
		feed_list(f, d);
}

static void note_root(
	struct feed *f, const struct job *job, const struct observation *o)
{
	struct feed_root *root;

	if (job->rel[0])
		return;
	root = &f->roots[index_root(f->index, job->dir)];
	/* Back again: nothing below it is listed yet. */
	if (root->state != ROOT_HERE)
		f->is_provisional = true;
	root->state = ROOT_HERE;
	root->error = 0;
	root->id = o->st.id;
	root->uid = o->st.uid;
}

/* A change in a directory of a lower layer copies that up, and all above it
 * that lie there; of those nothing tells, and copies may be larger. */
static void follow_copy_up(struct feed *f, const struct job *job)
{
	uint16_t root = index_root(f->index, job->dir);

	if (job->rel[0] && strcmp(f->roots[root].fs.type, "overlay") == 0)
		feed_look(f, index_parent(f->index, job->dir), ".");
}

/* The directory itself comes first, and may say who owns its root. */
static int apply_self(
	struct feed *f, const struct job *job, const struct observation *o)
{
	uint64_t own_bytes = index_own_bytes(f->index, job->dir);
	struct index_change change;
	int r;

	note_root(f, job, o);
	feed_note_owner(f, job->dir, &o->st);
	r = index_apply(f->index, o, 0, &change);
	if (own_bytes != o->st.used_bytes)
		follow_copy_up(f, job);
	return r;
}

/* A way through the names that a job was to look at; what it found comes in
 * the same order. */
struct naming {
	const char *at;
	size_t i;
};

/* What was said of the name; of one found by a listing, who made the directory.
 */
static uint16_t note_of(const struct feed *f, const struct job *job,
	struct naming *way, const struct observation *o)
{
	if (job->kind == JOB_LIST)
		return job->is_slow ? 0 : f->dirs[job->dir].actor;
	for (; job->notes && way->i < job->n_names; way->i++) {
		if (strcmp(way->at, o->name) == 0)
			return job->notes[way->i];
		way->at += strlen(way->at) + 1;
	}
	return 0;
}

static void note_maker(struct feed *f, uint32_t dir, uint16_t actor)
{
	struct dir_info *info = feed_info(f, dir);

	if (info)
		info->actor = actor;
}

/* The lists of a directory that were saved, if this lists it. */
static struct access_dir *saved_of(
	const struct feed *f, const struct job *job, size_t *ret_n)
{
	uint16_t root;

	*ret_n = 0;
	if (!f->accesses || job->kind != JOB_LIST ||
		!index_is_dir(f->index, job->dir))
		return NULL;
	root = index_root(f->index, job->dir);
	return access_find(f->accesses, f->policy->component,
		f->policy->roots[root].path, job->rel, ret_n);
}

/* Of a name that a listing has found, what was known before the start. */
static void recall(struct feed *f, const struct access_dir *list,
	const struct observation *o)
{
	const struct access_item *item =
		list->is_applied ? NULL
				 : access_item(list, o->name, o->name_len);

	if (item)
		index_recall(f->index, o->dir, o->name, o->name_len,
			&(struct index_access){
				.ino_tag = item->ino_tag,
				.atime_s = item->atime,
				.is_observed = item->flags & ACCESS_OBSERVED,
				.is_disowned = item->flags & ACCESS_DISOWNED &&
					       !f->is_missing_uses,
			},
			list->seen_real_s);
}

static void recall_all(struct feed *f, const struct result *result)
{
	size_t n;
	struct access_dir *list = saved_of(f, result->job, &n);

	for (; n; n--, list++) {
		for (size_t i = 0; i < result->n_obs; i++)
			if (result->obs[i].kind == OBS_FILE ||
				result->obs[i].kind == OBS_OTHER)
				recall(f, list, &result->obs[i]);
		if (result->is_last &&
			(!result->error || result->error == -ENOSPC))
			list->is_applied = true;
	}
}

void feed_set_accesses(struct feed *f, struct access_book *book)
{
	f->accesses = book;
}

static int apply_name(struct feed *f, const struct job *job,
	const struct verdict *all, const struct observation *o, uint16_t note)
{
	uint16_t actor = note & DIRTY_ACTOR;
	struct index_change change;
	int r;

	if (is_ballast(all, o))
		return 0;
	r = index_apply(f->index, o, judge(f, job, all, o), &change);
	if (r < 0)
		return r;
	if (change.what == INDEX_DIR_ADDED || change.what == INDEX_DIR_MOVED)
		follow_dir(f, &change);
	if (change.what == INDEX_DIR_ADDED) {
		note_maker(f, change.node, actor);
		feed_note_owner(f, change.node, &o->st);
	}
	feed_note_growth(f, job->dir, actor, change.used_delta);
	feed_note_change(f, o, note, change.what != INDEX_SAME);
	if (job->is_slow && change.what != INDEX_SAME &&
		!dirty_has(&f->dirty, o->dir, o->name, o->name_len)) {
		f->counters.drift++;
		f->counters.drift_bytes += change.used_delta;
		f->counters.drift_files += change.what == INDEX_ADDED;
		f->counters.drift_files -= change.what == INDEX_REMOVED;
	}
	return 0;
}

static int apply_all(struct feed *f, const struct result *result)
{
	const struct job *job = result->job;
	const struct observation *o = result->obs;
	const struct observation *end = o + result->n_obs;
	struct naming way = {.at = job->names.data};
	struct verdict all;
	int r = 0;

	if (o < end && o->kind == OBS_SELF)
		r = apply_self(f, job, o++);
	all = judge_all(f, job);
	for (; r == 0 && o < end; o++)
		r = apply_name(f, job, &all, o, note_of(f, job, &way, o));
	return r;
}

static void begin_listing(struct feed *f, const struct result *result)
{
	const struct job *job = result->job;

	f->dirs[job->dir].is_begun = true;
	/* What has an event waiting is no drift. */
	if (job->is_slow)
		feed_read(f, f->now_real_s);
	/* Bind before anything is applied; 1: news came before, list again. */
	if (result->watch_key != WATCH_NO_KEY &&
		job->ops->bind(job->watch, result->watch_key, job->dir) == 1)
		f->dirs[job->dir].is_again = true;
	if (!result->error || result->error == -ENOSPC)
		index_list_begin(f->index, job->dir);
}

static void note_unwatched(struct feed *f, uint32_t dir, bool is_unwatched)
{
	struct dir_info *info = &f->dirs[dir];

	if (info->is_unwatched == is_unwatched)
		return;
	info->is_unwatched = is_unwatched;
	f->counters.unwatched += is_unwatched ? 1 : -UINT64_C(1);
}

/* The work of a job that did not find its directory, for when the index knows
 * again where that is; if it is gone, so is the work. */
static void do_again(struct feed *f, const struct job *job)
{
	const char *name = job->names.data;

	if (job->kind == JOB_LIST)
		feed_list(f, job->dir);
	for (size_t i = 0; i < job->n_names; i++, name += strlen(name) + 1)
		feed_look(f, job->dir, name);
}

/* The directory could not be looked into: its parent knows more. */
static void directory_failed(struct feed *f, const struct result *result)
{
	const struct job *job = result->job;
	uint32_t dir = job->dir;
	uint16_t root = index_root(f->index, dir);
	int error = result->error;

	if (!job->rel[0] || result->is_root_error) {
		feed_lose_root(f, root,
			error == -ESTALE ? ROOT_CHANGED : ROOT_MISSING, -error);
		return;
	}
	/* Of a damaged one the parent knows no more, and asking again would
	 * not end; nothing is deleted there until it is well. */
	if (error == -EACCES || error == -EPERM || beneath_is_fault(error)) {
		f->counters.unreadable++;
		return;
	}
	/* It went, or moved, or something above it did. */
	feed_look(f, index_parent(f->index, dir), index_name(f->index, dir));
	do_again(f, job);
}

/* What was not found is gone, and so are its bytes. */
static void end_listing(struct feed *f, const struct result *result)
{
	const struct job *job = result->job;
	struct dir_info *info = &f->dirs[job->dir];
	uint64_t before = index_totals(f->index, job->dir).used_bytes;
	uint64_t removed = 0;

	index_list_end(f->index, job->dir, &removed);
	feed_note_growth(f, job->dir, job->is_slow ? 0 : info->actor,
		(int64_t)(index_totals(f->index, job->dir).used_bytes -
			  before));
	if (!info->is_again)
		info->actor = ACTOR_UNKNOWN;
	note_unwatched(f, job->dir, job->ops && result->error == -ENOSPC);
	if (job->is_slow)
		f->counters.drift += removed;
}

static void end_job(struct feed *f, const struct result *result)
{
	const struct job *job = result->job;
	struct dir_info *info = &f->dirs[job->dir];
	bool is_again = info->is_again;
	bool is_failed = result->error && result->error != -ENOSPC;

	if (!is_failed && job->kind == JOB_LIST)
		end_listing(f, result);
	info->tag = 0;
	info->is_again = info->is_begun = false;
	if (is_failed)
		directory_failed(f, result);
	if (is_again && index_is_dir(f->index, job->dir))
		feed_list(f, job->dir);
}

static void count_back(struct feed *f, const struct job *job)
{
	if (job->kind == JOB_LOOK)
		f->n_looking--;
	else if (job->is_slow)
		f->n_slow--;
	else
		f->n_listing--;
}

static int answer_names(struct feed *f, const struct result *result)
{
	struct asker **at = &f->askers, *asker;

	while (*at && (*at)->tag != result->job->tag)
		at = &(*at)->next;
	asker = *at;
	if (!asker)
		return 0;
	if (result->is_last)
		*at = asker->next;
	asker->fn(asker->ctx, result);
	if (result->is_last)
		free(asker);
	return 0;
}

/* What a root lies on is known, or that it is not there. */
static void take_probe(struct feed *f, const struct result *result)
{
	size_t i = result->job->tag;
	struct feed_root *root = &f->roots[i];

	root->is_probed = false;
	if (result->error) {
		feed_lose_root(f, i,
			result->error == -ESTALE ? ROOT_CHANGED : ROOT_MISSING,
			-result->error);
		return;
	}
	root->fs = result->fs;
	root->is_waiting = true;
}

void feed_forget(const struct result *result)
{
	const struct job *job = result->job;

	if (result->watch_key != WATCH_NO_KEY)
		job->ops->forget(job->watch, result->watch_key);
}

int feed_result(struct feed *f, const struct result *result)
{
	const struct job *job = result->job;
	int r = 0;

	if (result->fault && index_is_dir(f->index, job->dir))
		feed_note_fault(
			f, index_root(f->index, job->dir), result->fault);
	if (job->kind == JOB_NAMES)
		return answer_names(f, result);
	if (job->kind == JOB_PROBE) {
		take_probe(f, result);
		return 0;
	}
	if (result->is_last)
		count_back(f, job);
	/* Forgotten meanwhile, and perhaps its id is another's now. */
	if (job->dir >= f->cap_dirs || f->dirs[job->dir].tag != job->tag) {
		feed_forget(result);
		return 0;
	}
	if (job->kind == JOB_LIST && !f->dirs[job->dir].is_begun)
		begin_listing(f, result);
	r = apply_all(f, result);
	if (r == 0 && f->accesses)
		recall_all(f, result);
	if (r < 0)
		f->is_provisional = true;
	if (result->is_last && f->dirs[job->dir].tag == job->tag)
		end_job(f, result);
	return r;
}

int feed_names(struct feed *f, uint32_t dir, uint64_t *hashes, size_t n_hashes,
	feed_names_fn *fn, void *ctx)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	struct job *job = asker ? feed_job(f, JOB_NAMES, dir) : NULL;
	int r = -ENOMEM;

	if (!job) {
		free(hashes);
		goto fail;
	}
	*asker = (struct asker){
		.tag = job->tag, .fn = fn, .ctx = ctx, .next = f->askers};
	job->hashes = hashes;
	job->n_hashes = n_hashes;
	job->key = index_key(f->index);
	job->hash_mask = INDEX_HASH_MASK;
	r = measure_submit(f->measure, job);
	if (r < 0)
		goto fail;
	f->askers = asker;
	return 0;
fail:
	free(asker);
	return r;
}

void feed_forget_names(struct feed *f, void *ctx)
{
	struct asker **at = &f->askers;

	while (*at) {
		struct asker *asker = *at;

		if (asker->ctx != ctx) {
			at = &asker->next;
			continue;
		}
		*at = asker->next;
		free(asker);
	}
}
