// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns one run. Hands over to: the strategy (selection), resolve.c (names),
 * the warden (a reaper a slice), the feed (what went). Deletes nothing.
 */
#include "cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "act/audit.h"
#include "base/fd.h"
#include "slice.h"
#include "strategies/judge.h"

#define MAX_SELECTIONS 8 /* of one run */
/* The first slice is a small one: its names are found while nobody deletes,
 * those of all others while the reaper before them is at work. */
#define FIRST_SLICE 256
#define BATCH_TEXT  ((size_t)1 << 20) /* tenfold in the audit, at worst */

/* A piece of the selection, and what was found of it on the disk. */
struct part {
	size_t from, to;
	struct resolved found;
};

struct tried {
	uint32_t entry;
	enum reason reason; /* it is counted by in left; DELETED: by none */
	uint64_t used_bytes;
};

struct cleanup {
	struct cleanup_parts parts;
	struct cleanup_order order;
	struct cleanup_handlers handlers;
	struct cleanup_result result;
	struct selection selection;
	size_t next; /* the first pick that belongs to no part yet */
	struct part at_work; /* in the hands of a reaper: */
	size_t sent_from, sent_to; /* these of its items */
	struct part ahead; /* its names are being found, or are found */
	bool is_ahead_ready;
	size_t ahead_to; /* of its items the first reaper takes so many, */
	int ahead_fd; /* encoded here */
	bool is_ended; /* but for who kept it from its target */
	bool is_done;
	struct skipped left; /* by the reapers' judgement */
	struct tried *tried; /* entries that are still there after them */
	size_t n_tried, cap_tried;
	uint64_t tried_bytes;
	/* What will have gone once all parts so far have. */
	uint64_t expected_files, expected_bytes;
	int n_selections;
	struct blocking *blocking;
	struct resolve *resolve; /* of ahead; NULL: nothing is under way */
	struct slice *slice; /* of at_work; NULL: no reaper is at work */
	enum reason last_reason; /* of this slice's last candidate */
	bool is_stopped; /* the reaper ended the run early */
	uint64_t judged;
	uint64_t taken_bytes; /* of the files that went; some of it may not
				 have come free */
};

/* A pick that is still there: not again in this run. */
static void set_aside(
	struct cleanup *c, size_t pick, enum reason reason, uint64_t used_bytes)
{
	if (mem_grow((void **)&c->tried, &c->cap_tried, c->n_tried + 1,
		    sizeof(*c->tried)) < 0)
		return;
	c->tried[c->n_tried++] = (struct tried){
		.entry = c->selection.picks[pick].entry,
		.reason = reason,
		.used_bytes = used_bytes,
	};
	c->tried_bytes = mem_add_sat(c->tried_bytes, used_bytes);
}

/* One that did not go, and why. */
static void leave(
	struct cleanup *c, size_t pick, enum reason reason, uint64_t used_bytes)
{
	c->left.files[reason]++;
	c->left.bytes[reason] += used_bytes;
	set_aside(c, pick, reason, used_bytes);
}

static void sum_skipped(struct cleanup *c)
{
	struct skipped *s = &c->result.skipped;

	*s = c->selection.skipped;
	for (int r = 0; r < N_REASONS; r++) {
		s->files[r] += c->left.files[r];
		s->bytes[r] += c->left.bytes[r];
	}
}

/* Did it come to where it was to go? What it set out to do, where it had no
 * target. */
static bool is_reached(const struct cleanup *c)
{
	const struct cleanup_result *res = &c->result;
	const struct goal *g = &c->order.goal;
	uint64_t taken =
		c->order.is_plan ? res->estimated_bytes : c->taken_bytes;
	uint64_t after = c->order.is_plan || res->is_dry_run
				 ? mem_sub_sat(res->used_before, taken)
				 : res->used_after;

	if (g->dev)
		return res->freed_bytes >= g->free_bytes;
	return after <= res->target_bytes ||
	       (!g->free_bytes && !res->error && !res->is_cut);
}

/* The first cause is the one that is told. */
static void stop(struct cleanup *c, enum reason reason, int error)
{
	if (c->is_stopped)
		return;
	c->is_stopped = true;
	if (reason == REASON_REACHED) /* all is well */
		return;
	c->result.stop = reason;
	c->result.error = error;
	if (reason_is_cut(reason))
		c->result.is_cut = true;
}

void cleanup_stop(struct cleanup *c, enum reason reason, int error)
{
	if (!c->is_ended)
		stop(c, reason, error);
}

static void end(void *ctx)
{
	struct cleanup *c = ctx;

	c->is_done = true;
	if (!c->result.is_reached)
		blockers_complete(&c->result.blockers, &c->result.skipped);
	c->handlers.done(c->handlers.ctx, c);
}

static void finish(struct cleanup *c, int error)
{
	struct cleanup_result *res = &c->result;

	if (c->is_ended)
		return;
	feed_reaping(c->parts.feed, false);
	c->is_ended = true;
	res->error = error;
	res->ended_real_s = clock_real_s(c->parts.clock);
	res->used_after = feed_counted_bytes(c->parts.feed);
	sum_skipped(c);
	res->is_reached = is_reached(c);
	if (res->is_reached || c->order.is_plan || c->order.is_probe ||
		!blocking_start(c->blocking, &c->parts, &res->skipped,
			&res->blockers, end, c))
		end(c);
}

static void remember(
	struct cleanup *c, const struct candidate *item, bool is_trashed)
{
	buf_auto struct buf path = {0};

	if (buf_printf(&path, "%s/%s%s%s",
		    c->parts.policy->roots[item->root].path, item->rel_dir,
		    item->rel_dir[0] ? "/" : "", item->name) < 0)
		return;
	deletions_add(c->parts.deletions, path.data,
		&(struct deletion){
			.at_real_s = clock_real_s(c->parts.clock),
			.strategy = c->result.strategy,
			.rule = item->rule,
			.reason = (uint8_t)c->result.reason,
			.is_trashed = is_trashed,
		});
}

/* The selection knows what a file uses; that deleting it frees less, a reaper
 * has seen. */
static void foresee_less(struct cleanup *c, uint64_t bytes)
{
	c->result.estimated_bytes =
		mem_sub_sat(c->result.estimated_bytes, bytes);
}

/* One outcome of the slice under way. */
static void note_deleted(struct cleanup *c, const struct candidate *item,
	uint32_t at, const struct outcome *o)
{
	const struct part *part = &c->at_work;
	const struct pick *pick =
		&c->selection.picks[part->from + part->found.picks[at]];

	c->result.files++;
	c->taken_bytes += o->used_bytes;
	if (o->reason == REASON_TRASHED) {
		c->result.trashed_files++;
		c->result.trashed_bytes += o->freed_bytes;
	} else {
		c->result.freed_bytes += o->freed_bytes;
	}
	foresee_less(c, mem_sub_sat(o->used_bytes, o->freed_bytes));
	if (pick->step < CLEANUP_STEPS) {
		c->result.step_files[pick->step]++;
		c->result.step_bytes[pick->step] += o->freed_bytes;
	}
	if (c->result.is_dry_run) {
		set_aside(c, part->from + part->found.picks[at], REASON_DELETED,
			item->used_bytes);
		return;
	}
	feed_gone(c->parts.feed, part->found.dirs[at], part->found.lives[at],
		item->name);
	remember(c, item, o->reason == REASON_TRASHED);
}

/* A reaper knows how many it may take, not why so many. */
static enum reason rail_of(const struct cleanup *c, enum reason reason)
{
	if (reason == REASON_LIMIT_FILES)
		return goal_files_rail(&c->order.goal);
	if (reason == REASON_LIMIT_BYTES)
		return goal_bytes_rail(&c->order.goal);
	return reason;
}

static void on_outcome(void *ctx, const struct outcome *o)
{
	struct cleanup *c = ctx;
	const struct resolved *found = &c->at_work.found;
	const struct candidate *item;
	enum reason reason;
	uint32_t at;

	if (o->is_end) {
		if (o->reason != REASON_DELETED && o->reason < N_REASONS)
			stop(c, (enum reason)o->reason, -o->error);
		return;
	}
	if (o->item >= c->sent_to - c->sent_from || o->reason >= N_REASONS)
		return;
	at = (uint32_t)c->sent_from + o->item;
	item = &found->plan.items[at];
	reason = rail_of(c, (enum reason)o->reason);
	c->last_reason = reason;
	c->judged++;
	if (o->reason == REASON_DELETED || o->reason == REASON_TRASHED ||
		o->reason == REASON_WOULD_DELETE) {
		note_deleted(c, item, at, o);
		return;
	}
	leave(c, c->at_work.from + found->picks[at], reason, item->used_bytes);
	if (o->reason == REASON_SHARED || o->reason == REASON_LINKED)
		foresee_less(c, item->used_bytes);
	if (beneath_is_fault(-o->error))
		feed_note_fault(c->parts.feed, item->root, -o->error);
	/* The run is broken, not this file. */
	if (reason == REASON_ERRORS)
		stop(c, reason, -ECANCELED);
	if (o->reason == REASON_BUSY)
		blocking_note_busy(c->blocking,
			c->parts.policy->roots[item->root].path, item);
	if (o->reason == REASON_BUSY)
		dirty_add(c->parts.busy, found->dirs[at], item->name,
			strlen(item->name));
	/* What the index believed of it may be wrong. */
	if (o->reason == REASON_GONE || o->reason == REASON_CHANGED ||
		o->reason == REASON_ORPHANED || o->reason == REASON_LINKED)
		feed_look(c->parts.feed, found->dirs[at], item->name);
}

/* A reaper that stopped says the same of every candidate that is left: the
 * last one's reason is the reason, and the next would say it again. */
static bool is_final(enum reason reason)
{
	if (reason_is_cut(reason))
		return true;
	switch (reason) {
	case REASON_FUTILE:
	case REASON_REACHED:
	case REASON_PANIC:
	case REASON_STOPPED:
	case REASON_UNSUPPORTED:
		return true;
	default:
		return false;
	}
}

/* Is there more at work than the last reaper was handed? */
static bool has_rest(const struct cleanup *c)
{
	return c->sent_to < c->at_work.found.plan.n_items;
}

static void on_over(void *ctx, int status)
{
	struct cleanup *c = ctx;

	c->slice = slice_free(c->slice);
	if (is_final(c->last_reason))
		stop(c, c->last_reason, 0);
	if (status)
		stop(c, REASON_ERROR, status < 0 ? status : -EIO);
	if (!has_rest(c))
		resolved_fini(&c->at_work.found);
	if (c->handlers.progress)
		c->handlers.progress(c->handlers.ctx, c);
}

static bool is_due(const struct cleanup *c, size_t pick)
{
	return c->selection.picks[pick].rule == PLAN_RULE_RETENTION;
}

/* What is left of a limit; 0 is none. */
static uint64_t left(uint64_t limit, uint64_t used)
{
	return limit ? MAX_OF(mem_sub_sat(limit, used), 1) : UINT64_MAX;
}

/* Picks of a part whose names were not found. */
static void leave_missing(struct cleanup *c, const struct part *part)
{
	size_t n = part->to - part->from;
	mem_autofree bool *is_found =
		part->found.n_missing ? calloc(n, sizeof(*is_found)) : NULL;

	if (!is_found)
		return;
	for (size_t i = 0; i < part->found.plan.n_items; i++)
		is_found[part->found.picks[i]] = true;
	for (size_t i = 0; i < n; i++)
		if (!is_found[i])
			leave(c, part->from + i, REASON_GONE, 0);
}

/* A component's target is one of usage, an emergency's one of what comes
 * free. */
static uint64_t towards_target(const struct cleanup *c)
{
	return c->order.goal.dev ? c->result.freed_bytes : c->taken_bytes;
}

/* How far one reaper goes. What it records of each file is as long as the
 * file's path, and the record is rotated between two reapers. */
static size_t batch_end(const struct plan *plan, size_t at)
{
	size_t text = 0;

	for (; at < plan->n_items && text < BATCH_TEXT; at++)
		text += MIN_OF(strlen(plan->items[at].rel_dir) +
				       strlen(plan->items[at].name),
			(size_t)AUDIT_PATH_MAX);
	return at;
}

/* plan_fd: the items up to this one that were not sent yet. */
static int start_reaper(struct cleanup *c, int plan_fd, size_t to)
{
	const struct goal *g = &c->order.goal;
	const struct channel_message request = {
		.number = c->parts.number,
		.digest = c->parts.digest,
		.free_bytes = g->free_bytes && !is_due(c, c->at_work.from)
				      ? left(g->free_bytes, towards_target(c))
				      : 0,
		.max_files = left(g->max_files, c->result.files),
		.max_bytes = left(g->max_bytes, c->taken_bytes),
		.lead_ns = c->parts.lead_ns,
		.reason = (uint8_t)g->reason,
		.is_forced = c->order.is_forced,
		.is_dry_run = c->result.is_dry_run,
	};

	c->last_reason = REASON_DELETED;
	c->sent_from = c->sent_to;
	c->sent_to = to;
	feed_reaping(c->parts.feed, true);
	return slice_start(c->parts.loop, c->parts.wire, plan_fd, &request,
		&(struct slice_handlers){on_outcome, on_over, c}, &c->slice);
}

/* For one reaper, of the items behind from. */
static int encode_batch(
	const struct plan *plan, size_t from, int *ret_fd, size_t *ret_to)
{
	*ret_to = batch_end(plan, from);
	return slice_encode(plan, from, *ret_to, ret_fd);
}

/* Returns false if that was the end of the run. */
static bool hand_over(struct cleanup *c)
{
	fd_auto int plan_fd = -1;
	size_t to = 0;
	int r = encode_batch(&c->at_work.found.plan, c->sent_to, &plan_fd, &to);

	if (r == 0)
		r = start_reaper(c, plan_fd, to);
	if (r < 0)
		finish(c, r);
	return r == 0;
}

/* What was found ahead goes to a reaper. Returns false if that was the end of
 * the run. */
static bool begin_work(struct cleanup *c)
{
	fd_auto int plan_fd = fd_take(&c->ahead_fd);
	int r;

	resolved_fini(&c->at_work.found);
	c->at_work = c->ahead;
	c->sent_to = 0;
	c->ahead.found = (struct resolved){0};
	c->is_ahead_ready = false;
	leave_missing(c, &c->at_work);
	r = has_rest(c) ? start_reaper(c, plan_fd, c->ahead_to) : 0;
	if (r < 0)
		finish(c, r);
	return r == 0;
}

static void on_names(void *ctx, struct resolved *found, int error)
{
	struct cleanup *c = ctx;

	c->resolve = NULL;
	if (error) {
		stop(c, REASON_ERROR, error);
		return;
	}
	c->ahead.found = *found;
	*found = (struct resolved){0};
	c->is_ahead_ready = true;
	/* While another reaper is at work, there is time for it. */
	if (!c->order.is_plan)
		error = encode_batch(
			&c->ahead.found.plan, 0, &c->ahead_fd, &c->ahead_to);
	if (error)
		stop(c, REASON_ERROR, error);
}

/* The end of the slice that begins at from: all due, or none. */
static size_t slice_end(const struct cleanup *c)
{
	size_t end = c->selection.n_picks, at = c->next;

	if (c->order.is_plan)
		return end;
	end = MIN_OF(end, at + (at ? CLEANUP_SLICE : FIRST_SLICE));
	while (at < end && is_due(c, at) == is_due(c, c->next))
		at++;
	return at;
}

/* 0 is no limit. */
static uint64_t limit(uint64_t value)
{
	return value ? value : UINT64_MAX;
}

/* How many of the picks [from, to) will all go, so that their order makes no
 * difference: behind them the target may be met, or a limit. */
static size_t n_certain(const struct cleanup *c, size_t from, size_t to)
{
	const struct goal *g = &c->order.goal;
	uint64_t max_bytes = is_due(c, from) ? limit(g->max_bytes)
					     : MIN_OF(limit(g->free_bytes),
						       limit(g->max_bytes));
	uint64_t max_files = limit(g->max_files);
	uint64_t bytes = c->expected_bytes, files = c->expected_files;
	size_t n = 0;

	/* Which files a canary takes is to be foreseen. */
	if (c->parts.policy->mode == MODE_CANARY)
		return 0;
	for (; from + n < to && files + n < max_files; n++) {
		bytes = mem_add_sat(
			bytes, c->selection.picks[from + n].used_bytes);
		if (bytes >= max_bytes)
			break;
	}
	return n;
}

/* What is past its retention all goes, so far ahead that each directory is
 * visited once; of the rest a slice at a time keeps to the strategy's order. */
static void group(struct cleanup *c, size_t from, size_t to)
{
	if (!c->order.is_plan && !c->order.is_probe)
		(void)resolve_group(c->parts.feed, c->selection.picks + from,
			n_certain(c, from, to));
}

/* After a selection. */
static void begin_selection(struct cleanup *c)
{
	size_t n = 0;

	c->next = 0;
	c->expected_files = c->result.files;
	c->expected_bytes = c->taken_bytes;
	while (n < c->selection.n_picks && is_due(c, n))
		n++;
	if (n)
		group(c, 0, n);
}

static void expect(struct cleanup *c, const struct part *part)
{
	c->expected_files += part->to - part->from;
	for (size_t i = part->from; i < part->to; i++)
		c->expected_bytes = mem_add_sat(
			c->expected_bytes, c->selection.picks[i].used_bytes);
}

static void look_ahead(struct cleanup *c)
{
	int r;

	c->ahead.from = c->next;
	c->ahead.to = c->next = slice_end(c);
	if (!is_due(c, c->ahead.from))
		group(c, c->ahead.from, c->ahead.to);
	expect(c, &c->ahead);
	r = resolve_start(c->parts.feed, c->selection.picks + c->ahead.from,
		c->ahead.to - c->ahead.from, on_names, c, &c->resolve);
	if (r < 0)
		stop(c, REASON_ERROR, r);
}

/* What is past its retention goes, whatever the target is. */
static bool is_enough(const struct cleanup *c, size_t from)
{
	const struct goal *g = &c->order.goal;

	return g->free_bytes && towards_target(c) >= g->free_bytes &&
	       (from >= c->selection.n_picks || !is_due(c, from));
}

static void drop_ahead(struct cleanup *c)
{
	c->resolve = resolve_cancel(c->resolve);
	c->ahead_fd = fd_close(c->ahead_fd);
	resolved_fini(&c->ahead.found);
	c->is_ahead_ready = false;
}

static int by_entry(const void *a, const void *b)
{
	const struct tried *x = a, *y = b;

	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool was_tried(const struct cleanup *c, uint32_t entry)
{
	return bsearch(&(struct tried){.entry = entry}, c->tried, c->n_tried,
		sizeof(*c->tried), by_entry);
}

static void drop_tried(struct cleanup *c)
{
	struct selection *s = &c->selection;
	size_t n = 0;

	qsort(c->tried, c->n_tried, sizeof(*c->tried), by_entry);
	for (size_t i = 0; i < s->n_picks; i++)
		if (!was_tried(c, s->picks[i].entry))
			s->picks[n++] = s->picks[i];
	s->n_picks = n;
}

/* What a reaper found to be of a kind that stays, the index knows by now, and
 * the selection counts it: once is enough. */
static void uncount_known(struct cleanup *c)
{
	const struct index *ix = feed_index(c->parts.feed);

	for (size_t i = 0; i < c->n_tried; i++) {
		struct tried *t = &c->tried[i];
		struct index_item item;

		if (t->reason == REASON_DELETED ||
			!index_get(ix, t->entry, &item) ||
			judge_kind(&item) == REASON_DELETED)
			continue;
		c->left.files[t->reason]--;
		c->left.bytes[t->reason] -= t->used_bytes;
		t->reason = REASON_DELETED;
	}
}

/* However many were tried, no more go than the run may delete. (Bytes are the
 * reaper's to count: it knows what is left of them.) */
static void keep_limit(struct cleanup *c)
{
	const struct goal *g = &c->order.goal;
	struct selection *s = &c->selection;
	uint64_t n = g->max_files ? mem_sub_sat(g->max_files, c->result.files)
				  : UINT64_MAX;

	for (; s->n_picks > n; s->n_picks--) {
		enum reason rail = goal_files_rail(g);

		s->skipped.files[rail]++;
		s->skipped.bytes[rail] = mem_add_sat(s->skipped.bytes[rail],
			s->picks[s->n_picks - 1].used_bytes);
		c->result.is_cut = true;
	}
}

static int select_victims(struct cleanup *c, const struct goal *goal);

/*
 * What was in use, or kept for another reason, is replaced by the next in
 * order: select again, for as much more, without those tried.
 * Returns true if there is something to go on with.
 */
static bool select_again(struct cleanup *c)
{
	struct goal goal = c->order.goal;

	if (!c->n_tried || c->order.is_plan || !goal.free_bytes ||
		c->n_selections++ >= MAX_SELECTIONS)
		return false;
	goal.free_bytes =
		mem_add_sat(mem_sub_sat(goal.free_bytes, towards_target(c)),
			c->tried_bytes);
	if (goal.max_files)
		goal.max_files = goal.max_files -
				 MIN_OF(goal.max_files - 1, c->result.files) +
				 c->n_tried;
	if (goal.max_bytes)
		goal.max_bytes = mem_add_sat(
			MAX_OF(mem_sub_sat(goal.max_bytes, c->taken_bytes), 1),
			c->tried_bytes);
	selection_fini(&c->selection);
	c->selection = (struct selection){0};
	if (select_victims(c, &goal) < 0)
		return false;
	uncount_known(c);
	drop_tried(c);
	keep_limit(c);
	begin_selection(c);
	if (!c->selection.n_picks)
		return false;
	c->result.estimated_bytes =
		mem_add_sat(c->result.freed_bytes, c->result.trashed_bytes);
	for (size_t i = 0; i < c->selection.n_picks; i++)
		c->result.estimated_bytes =
			mem_add_sat(c->result.estimated_bytes,
				c->selection.picks[i].used_bytes);
	return true;
}

/* Between two reapers: is there anything left to do? */
static bool is_over(struct cleanup *c)
{
	bool is_ahead = c->resolve || c->is_ahead_ready;
	size_t from = is_ahead ? c->ahead.from : c->next;

	if (c->is_stopped || is_enough(c, from))
		return true;
	return !is_ahead && from == c->selection.n_picks && !select_again(c);
}

static void finish_plan(struct cleanup *c)
{
	leave_missing(c, &c->ahead);
	c->result.files = c->ahead.found.plan.n_items;
	finish(c, c->result.error);
}

/* Does what can be done next. Returns false when that is nothing: names or
 * outcomes are awaited, or all is done. */
static bool step(struct cleanup *c)
{
	if (c->order.is_plan && c->is_ahead_ready) {
		finish_plan(c);
		return false;
	}
	if (!c->slice && has_rest(c) && !c->is_stopped &&
		!is_enough(c, c->at_work.from))
		return hand_over(c);
	if (!c->slice && is_over(c)) {
		drop_ahead(c);
		finish(c, c->result.error);
		return false;
	}
	if (!c->slice && c->is_ahead_ready)
		return begin_work(c);
	if (c->resolve || c->is_ahead_ready || c->is_stopped ||
		c->next == c->selection.n_picks)
		return false;
	look_ahead(c);
	return true;
}

void cleanup_resume(struct cleanup *c)
{
	while (!c->is_ended && step(c))
		;
}

static int select_probe(struct cleanup *c)
{
	c->selection.picks = calloc(1, sizeof(*c->selection.picks));
	if (!c->selection.picks)
		return -ENOMEM;
	c->selection.picks[0] = c->order.probe;
	c->selection.n_picks = c->selection.cap = 1;
	return 0;
}

static int select_victims(struct cleanup *c, const struct goal *goal)
{
	const struct policy *p = c->parts.policy;
	mem_autofree uint64_t *dev = calloc(p->n_roots + 1, sizeof(*dev));
	struct strategy_order order = {
		.index = feed_index(c->parts.feed),
		.rules = &p->rules,
		.goal = goal,
		.root_dev = dev,
		.n_roots = p->n_roots,
	};

	if (c->order.is_probe)
		return select_probe(c);
	if (!dev)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_roots; i++)
		dev[i] = feed_root(c->parts.feed, i)->id.dev;
	return c->order.strategy->select(&order, &c->selection);
}

static void describe(struct cleanup *c)
{
	static uint64_t last_id;
	const struct policy *p = c->parts.policy;
	struct cleanup_result *res = &c->result;

	res->id = ++last_id;
	snprintf(res->component, sizeof(res->component), "%s", p->component);
	res->strategy = c->order.strategy->name;
	res->mode = mode_name(p->mode);
	res->reason = c->order.goal.reason;
	/* A policy that only observes goes all the way but the last step. */
	res->is_dry_run = c->order.is_dry_run || p->mode == MODE_OBSERVE;
	res->started_real_s = clock_real_s(c->parts.clock);
	res->target_bytes = c->order.target_bytes;
	res->used_before = feed_counted_bytes(c->parts.feed);
	res->estimated_bytes = c->selection.estimated_bytes;

	res->is_cut = c->selection.is_cut;
}

int cleanup_start(const struct cleanup_parts *parts,
	const struct cleanup_order *order,
	const struct cleanup_handlers *handlers, struct cleanup **ret)
{
	struct cleanup *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->parts = *parts;
	c->order = *order;
	c->handlers = *handlers;
	c->ahead_fd = -1;
	c->blocking = blocking_new(); /* NULL: then without names */
	r = select_victims(c, &c->order.goal);
	if (r < 0) {
		cleanup_free(c);
		return r;
	}
	describe(c);
	begin_selection(c);
	*ret = c;
	return 0;
}

struct cleanup *cleanup_free(struct cleanup *c)
{
	if (!c)
		return NULL;
	/* Somebody waits for the answer to a probe. */
	if (c->order.is_probe && !c->is_done && c->result.strategy)
		c->handlers.done(c->handlers.ctx, c);
	slice_free(c->slice);
	blocking_free(c->blocking);
	drop_ahead(c);
	resolved_fini(&c->at_work.found);
	selection_fini(&c->selection);
	free(c->tried);
	free(c);
	return NULL;
}

const struct cleanup_result *cleanup_result(const struct cleanup *c)
{
	return &c->result;
}

const struct resolved *cleanup_victims(const struct cleanup *c)
{
	return &c->ahead.found;
}

bool cleanup_is_plan(const struct cleanup *c)
{
	return c->order.is_plan;
}

bool cleanup_is_done(const struct cleanup *c)
{
	return c->is_done;
}

void cleanup_set_parts(struct cleanup *c, const struct cleanup_parts *parts,
	void *handlers_ctx)
{
	c->parts = *parts;
	if (!c->order.is_probe) /* that one has a ctx of its own */
		c->handlers.ctx = handlers_ctx;
}

uint64_t cleanup_judged(const struct cleanup *c)
{
	return c->judged;
}
