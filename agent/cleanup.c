// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns one run. Hands over to: cleanup_choice.c (what goes, in which order),
 * resolve.c (names), the warden (a reaper a slice), cleanup_outcome.c (what
 * went). Deletes nothing.
 */
#include "cleanup_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "act/audit.h"
#include "base/fd.h"
#include "slice.h"

#define BATCH_TEXT ((size_t)1 << 20) /* tenfold in the audit, at worst */

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
void cleanup_stop(struct cleanup *c, enum reason reason, int error)
{
	if (c->is_ended || c->is_stopped)
		return;
	c->is_stopped = true;
	if (reason == REASON_REACHED) /* all is well */
		return;
	c->result.stop = reason;
	c->result.error = error;
	if (reason_is_cut(reason))
		c->result.is_cut = true;
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
		cleanup_stop(c, c->last_reason, 0);
	if (status)
		cleanup_stop(c, REASON_ERROR, status < 0 ? status : -EIO);
	if (!has_rest(c))
		resolved_fini(&c->at_work.found);
	if (c->handlers.progress)
		c->handlers.progress(c->handlers.ctx, c);
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
			cleanup_leave(c, part->from + i, REASON_GONE, 0);
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
		.free_bytes =
			g->free_bytes && !cleanup_is_due(c, c->at_work.from)
				? left(g->free_bytes, cleanup_towards_target(c))
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
		&(struct slice_handlers){cleanup_take_outcome, on_over, c},
		&c->slice);
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
		cleanup_stop(c, REASON_ERROR, error);
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
		cleanup_stop(c, REASON_ERROR, error);
}

static void look_ahead(struct cleanup *c)
{
	int r;

	cleanup_next_part(c, &c->ahead);
	r = resolve_start(c->parts.feed, c->selection.picks + c->ahead.from,
		c->ahead.to - c->ahead.from, on_names, c, &c->resolve);
	if (r < 0)
		cleanup_stop(c, REASON_ERROR, r);
}

/* What is past its retention goes, whatever the target is. */
static bool is_enough(const struct cleanup *c, size_t from)
{
	const struct goal *g = &c->order.goal;

	return g->free_bytes && cleanup_towards_target(c) >= g->free_bytes &&
	       (from >= c->selection.n_picks || !cleanup_is_due(c, from));
}

static void drop_ahead(struct cleanup *c)
{
	c->resolve = resolve_cancel(c->resolve);
	c->ahead_fd = fd_close(c->ahead_fd);
	resolved_fini(&c->ahead.found);
	c->is_ahead_ready = false;
}

/* Between two reapers: is there anything left to do? */
static bool is_over(struct cleanup *c)
{
	bool is_ahead = c->resolve || c->is_ahead_ready;
	size_t from = is_ahead ? c->ahead.from : c->next;

	if (c->is_stopped || is_enough(c, from))
		return true;
	return !is_ahead && from == c->selection.n_picks &&
	       !cleanup_choose_again(c);
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
	r = cleanup_choose(c, &c->order.goal);
	if (r < 0) {
		cleanup_free(c);
		return r;
	}
	describe(c);
	cleanup_begin_choice(c);
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
