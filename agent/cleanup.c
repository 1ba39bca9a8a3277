// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns one run. Hands over to: the strategy (selection), resolve.c (names),
 * the warden (a reaper a slice), the feed (what went). Deletes nothing.
 */
#include "cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "loop.h"
#include "wire.h"

#define MAX_SELECTIONS 8 /* of one run */

enum stage {
	STAGE_NEXT, /* take the next slice */
	STAGE_NAMES, /* waiting for names */
	STAGE_REAP, /* a reaper is at work */
	STAGE_DONE,
};

struct cleanup {
	struct cleanup_parts parts;
	struct cleanup_order order;
	struct cleanup_handlers handlers;
	struct cleanup_result result;
	struct selection selection;
	enum stage stage;
	size_t from, to; /* the slice in the selection */
	struct skipped left; /* by the reapers' judgement */
	uint32_t *tried; /* entries that they left */
	size_t n_tried, cap_tried;
	uint64_t tried_bytes;
	int n_selections;
	struct resolve *resolve;
	struct resolved found;
	int outcome_fd;
	struct loop_source *source;
	bool is_reaper_gone; /* the warden said so */
	enum reason last_reason; /* of this slice's last candidate */
	int reaper_status; /* of its process */
	bool is_stopped; /* the reaper ended the run early */
	unsigned char part[sizeof(struct outcome)]; /* of one cut in reading */
	size_t part_len;
	uint64_t judged;
};

/* What the component is smaller by, be it by what the trash holds now. */
static uint64_t taken_bytes(const struct cleanup *c)
{
	return mem_add_sat(c->result.freed_bytes, c->result.trashed_bytes);
}

/* A pick that did not go: why, and not again in this run. */
static void leave(
	struct cleanup *c, size_t pick, enum reason reason, uint64_t used_bytes)
{
	c->left.files[reason]++;
	c->left.bytes[reason] += used_bytes;
	if (mem_grow((void **)&c->tried, &c->cap_tried, c->n_tried + 1,
		    sizeof(*c->tried)) < 0)
		return;
	c->tried[c->n_tried++] = c->selection.picks[pick].entry;
	c->tried_bytes = mem_add_sat(c->tried_bytes, used_bytes);
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
	uint64_t freed =
		c->order.is_plan ? res->estimated_bytes : taken_bytes(c);
	uint64_t after = c->order.is_plan || res->is_dry_run
				 ? mem_sub_sat(res->used_before, freed)
				 : res->used_after;

	if (g->dev)
		return freed >= g->free_bytes;
	return after <= res->target_bytes ||
	       (!g->free_bytes && !res->error && !res->is_cut);
}

/* No further slice; the first cause is the one that is told. */
static void stop(struct cleanup *c, enum reason reason, int error)
{
	if (c->is_stopped)
		return;
	c->is_stopped = true;
	if (reason == REASON_REACHED) /* all is well */
		return;
	c->result.stop = reason;
	c->result.error = error;
	if (reason == REASON_LIMIT_FILES || reason == REASON_LIMIT_BYTES ||
		reason == REASON_CANARY)
		c->result.is_cut = true;
}

static void finish(struct cleanup *c, int error)
{
	struct cleanup_result *res = &c->result;

	if (c->stage == STAGE_DONE)
		return;
	feed_reaping(c->parts.feed, false);
	c->stage = STAGE_DONE;
	res->error = error;
	res->ended_real_s = clock_real_s(c->parts.clock);
	res->used_after = feed_counted_bytes(c->parts.feed);
	sum_skipped(c);
	res->is_reached = is_reached(c);
	c->handlers.done(c->handlers.ctx, c);
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

/* One outcome of the slice under way. */
static void note_deleted(struct cleanup *c, const struct candidate *item,
	uint32_t at, const struct outcome *o)
{
	const struct pick *pick =
		&c->selection.picks[c->from + c->found.picks[at]];
	struct observation gone = {.dir = c->found.dirs[at],
		.kind = OBS_GONE,
		.name = item->name,
		.name_len = (uint16_t)strlen(item->name)};
	struct index_change change;

	c->result.files++;
	if (o->reason == REASON_TRASHED) {
		c->result.trashed_files++;
		c->result.trashed_bytes += o->freed_bytes;
	} else {
		c->result.freed_bytes += o->freed_bytes;
	}
	if (pick->step < CLEANUP_STEPS) {
		c->result.step_files[pick->step]++;
		c->result.step_bytes[pick->step] += o->freed_bytes;
	}
	if (c->result.is_dry_run)
		return;
	index_apply(feed_index(c->parts.feed), &gone, 0, &change);
	/* A look that was under way may still bring it back. */
	feed_look(c->parts.feed, gone.dir, item->name);
	remember(c, item, o->reason == REASON_TRASHED);
}

static void note_outcome(struct cleanup *c, const struct outcome *o)
{
	const struct candidate *item;

	if (o->is_end) {
		if (o->reason != REASON_DELETED && o->reason < N_REASONS)
			stop(c, (enum reason)o->reason, -o->error);
		return;
	}
	if (o->item >= c->found.plan.n_items || o->reason >= N_REASONS)
		return;
	item = &c->found.plan.items[o->item];
	c->last_reason = (enum reason)o->reason;
	c->judged++;
	if (o->reason == REASON_DELETED || o->reason == REASON_TRASHED ||
		o->reason == REASON_WOULD_DELETE) {
		note_deleted(c, item, o->item, o);
		return;
	}
	leave(c, c->from + c->found.picks[o->item], (enum reason)o->reason,
		item->used_bytes);
	/* Too many errors before it: the run is broken, not this file. */
	if (o->reason == REASON_ERROR && o->error == ECANCELED)
		stop(c, REASON_ERROR, -ECANCELED);
	if (o->reason == REASON_BUSY)
		dirty_add(c->parts.busy, c->found.dirs[o->item], item->name,
			strlen(item->name));
	/* What the index believed of it may be wrong. */
	if (o->reason == REASON_GONE || o->reason == REASON_CHANGED ||
		o->reason == REASON_ORPHANED || o->reason == REASON_LINKED)
		feed_look(c->parts.feed, c->found.dirs[o->item], item->name);
}

/* A reaper that stopped says the same of every candidate that is left: the
 * last one's reason is the reason, and the next would say it again. */
static bool is_final(enum reason reason)
{
	switch (reason) {
	case REASON_LIMIT_FILES:
	case REASON_LIMIT_BYTES:
	case REASON_CANARY:
	case REASON_FUTILE:
	case REASON_REACHED:
	case REASON_PANIC:
	case REASON_UNSUPPORTED:
		return true;
	default:
		return false;
	}
}

static void end_slice(struct cleanup *c)
{
	if (is_final(c->last_reason))
		stop(c, c->last_reason, 0);
	if (c->reaper_status)
		stop(c, REASON_ERROR,
			c->reaper_status < 0 ? c->reaper_status : -EIO);
	c->reaper_status = 0;
	c->source = loop_remove(c->source);
	c->outcome_fd = fd_close(c->outcome_fd);
	resolved_fini(&c->found);
	if (c->handlers.progress)
		c->handlers.progress(c->handlers.ctx, c);
	c->from = c->to;
	c->stage = STAGE_NEXT;
}

/* The slice is through once the stream has ended and the reaper was waited
 * for; whichever comes last ends it. */
static void maybe_end_slice(struct cleanup *c)
{
	if (c->outcome_fd < 0 && c->is_reaper_gone && c->stage == STAGE_REAP)
		end_slice(c);
}

static void take_outcomes(
	struct cleanup *c, const unsigned char *data, size_t len)
{
	while (len) {
		size_t want = sizeof(c->part) - c->part_len;
		size_t n = MIN_OF(len, want);
		struct outcome o;

		memcpy(c->part + c->part_len, data, n);
		c->part_len += n;
		data += n;
		len -= n;
		if (c->part_len < sizeof(c->part))
			return;
		memcpy(&o, c->part, sizeof(o));
		c->part_len = 0;
		note_outcome(c, &o);
	}
}

static void on_outcomes(void *ctx)
{
	struct cleanup *c = ctx;
	unsigned char data[64 * sizeof(struct outcome)];
	ssize_t n = read(c->outcome_fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		take_outcomes(c, data, (size_t)n);
		return;
	}
	c->source = loop_remove(c->source);
	c->outcome_fd = fd_close(c->outcome_fd);
	maybe_end_slice(c);
}

static void on_reaper_gone(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct cleanup *c = ctx;

	(void)fds;
	c->is_reaper_gone = true;
	c->reaper_status = msg->status;
	maybe_end_slice(c);
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

static int send_reap(struct cleanup *c, int plan_fd, int outcome_fd)
{
	const struct goal *g = &c->order.goal;
	struct channel_message msg = {
		.kind = CHANNEL_REAP,
		.number = c->parts.number,
		.digest = c->parts.digest,
		.free_bytes = g->free_bytes && !is_due(c, c->from)
				      ? left(g->free_bytes, taken_bytes(c))
				      : 0,
		.max_files = left(g->max_files, c->result.files),
		.max_bytes = left(g->max_bytes, taken_bytes(c)),
		.reason = (uint8_t)g->reason,
		.is_forced = c->order.is_forced,
		.is_dry_run = c->result.is_dry_run,
	};

	return wire_request(c->parts.wire, &msg, (int[]){plan_fd, outcome_fd},
		2, on_reaper_gone, c);
}

static int start_reaper(struct cleanup *c)
{
	buf_auto struct buf bytes = {0};
	fd_auto int plan_fd = -1;
	fd_auto int theirs = -1;
	int pair[2], r;

	r = plan_encode(&c->found.plan, 0, c->found.plan.n_items, &bytes);
	if (r == 0)
		r = fd_memfile("ullage-plan", bytes.data, bytes.len, &plan_fd);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	c->outcome_fd = pair[0];
	theirs = pair[1];
	r = loop_add_fd(
		c->parts.loop, c->outcome_fd, on_outcomes, c, &c->source);
	if (r < 0)
		return r;
	c->is_reaper_gone = false;
	c->last_reason = REASON_DELETED;
	c->part_len = 0;
	c->stage = STAGE_REAP;
	feed_reaping(c->parts.feed, true);
	return send_reap(c, plan_fd, theirs);
}

/* Picks of the slice whose names were not found. */
static void leave_missing(struct cleanup *c)
{
	size_t n = c->to - c->from;
	mem_autofree bool *is_found =
		c->found.n_missing ? calloc(n, sizeof(*is_found)) : NULL;

	if (!is_found)
		return;
	for (size_t i = 0; i < c->found.plan.n_items; i++)
		is_found[c->found.picks[i]] = true;
	for (size_t i = 0; i < n; i++)
		if (!is_found[i])
			leave(c, c->from + i, REASON_GONE, 0);
}

static void on_names(void *ctx, struct resolved *found, int error)
{
	struct cleanup *c = ctx;

	c->resolve = NULL;
	if (error) {
		finish(c, error);
		return;
	}
	c->found = *found;
	*found = (struct resolved){0};
	leave_missing(c);
	if (c->order.is_plan) {
		c->result.files = c->found.plan.n_items;
		finish(c, 0);
		return;
	}
	error = c->found.plan.n_items ? start_reaper(c) : 0;
	if (error)
		finish(c, error);
	else if (!c->found.plan.n_items)
		end_slice(c);
}

/* What is past its retention goes, whatever the target is. */
static bool is_enough(const struct cleanup *c)
{
	const struct goal *g = &c->order.goal;

	return g->free_bytes && taken_bytes(c) >= g->free_bytes &&
	       (c->from >= c->selection.n_picks || !is_due(c, c->from));
}

/* The end of the slice that begins at from: all due, or none. */
static size_t slice_end(const struct cleanup *c)
{
	size_t end = c->selection.n_picks, at = c->from;

	if (c->order.is_plan)
		return end;
	end = MIN_OF(end, at + CLEANUP_SLICE);
	while (at < end && is_due(c, at) == is_due(c, c->from))
		at++;
	return at;
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void drop_tried(struct cleanup *c)
{
	struct selection *s = &c->selection;
	size_t n = 0;

	qsort(c->tried, c->n_tried, sizeof(*c->tried), by_id);
	for (size_t i = 0; i < s->n_picks; i++)
		if (!bsearch(&s->picks[i].entry, c->tried, c->n_tried,
			    sizeof(*c->tried), by_id))
			s->picks[n++] = s->picks[i];
	s->n_picks = n;
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
	goal.free_bytes = mem_add_sat(
		mem_sub_sat(goal.free_bytes, taken_bytes(c)), c->tried_bytes);
	if (goal.max_files)
		goal.max_files = goal.max_files -
				 MIN_OF(goal.max_files - 1, c->result.files) +
				 c->n_tried;
	if (goal.max_bytes)
		goal.max_bytes = mem_add_sat(
			MAX_OF(mem_sub_sat(goal.max_bytes, taken_bytes(c)), 1),
			c->tried_bytes);
	selection_fini(&c->selection);
	c->selection = (struct selection){0};
	c->from = c->to = 0;
	if (select_victims(c, &goal) < 0)
		return false;
	drop_tried(c);
	return c->selection.n_picks > 0;
}

static void next_slice(struct cleanup *c)
{
	int r;

	if (c->is_stopped || is_enough(c) ||
		(c->from == c->selection.n_picks && !select_again(c))) {
		finish(c, c->result.error);
		return;
	}
	c->to = slice_end(c);
	c->stage = STAGE_NAMES;
	r = resolve_start(c->parts.feed, c->selection.picks + c->from,
		c->to - c->from, on_names, c, &c->resolve);
	if (r < 0)
		finish(c, r);
}

void cleanup_resume(struct cleanup *c)
{
	if (c->stage == STAGE_NEXT)
		next_slice(c);
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
	c->outcome_fd = -1;
	r = select_victims(c, &c->order.goal);
	if (r < 0) {
		cleanup_free(c);
		return r;
	}
	describe(c);
	*ret = c;
	return 0;
}

struct cleanup *cleanup_free(struct cleanup *c)
{
	if (!c)
		return NULL;
	/* Somebody waits for the answer to a probe. */
	if (c->order.is_probe && c->stage != STAGE_DONE && c->result.strategy)
		c->handlers.done(c->handlers.ctx, c);
	wire_forget(c->parts.wire, c);
	resolve_cancel(c->resolve);
	c->source = loop_remove(c->source);
	fd_close(c->outcome_fd);
	resolved_fini(&c->found);
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
	return &c->found;
}

bool cleanup_is_plan(const struct cleanup *c)
{
	return c->order.is_plan;
}

bool cleanup_is_done(const struct cleanup *c)
{
	return c->stage == STAGE_DONE;
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
