// SPDX-License-Identifier: GPL-2.0-or-later
#include "order.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core.h"
#include "notice.h"
#include "trashing.h"

#define SETTLE_NS CLOCK_NS_PER_S /* after one that reached its target */
#define RETRY_NS  (60 * CLOCK_NS_PER_S) /* over a limit, not reached */

void order_limits(struct agent *a, struct component *c)
{
	const struct policy *p = c->policy;
	uint64_t whole = 0, allocation;

	if (p->allocation.is_share && p->n_roots) {
		struct filesystem *f = filesystems_find(
			&a->filesystems, feed_root(c->feed, 0)->id.dev);

		if (!f || !f->is_known)
			return;
		whole = f->facts.total_bytes;
	}
	allocation = amount_bytes(&p->allocation, whole);
	c->allocation_bytes = allocation;
	c->limits = (struct trigger_limits){
		.warning_bytes = amount_bytes(&p->warning, allocation),
		.emergency_bytes = UINT64_MAX,
		.critical_bytes = amount_bytes(&p->critical, allocation),
		.target_bytes = amount_bytes(&p->target, allocation),
		.hysteresis_bytes = mem_mul_div(
			allocation, a->config->hysteresis_ppm, 1000000),
	};
}

static void lower_files(struct goal *goal, uint64_t files, enum reason rail)
{
	if (files >= goal->max_files)
		return;
	goal->max_files = files;
	goal->files_rail = rail;
}

static void lower_bytes(struct goal *goal, uint64_t bytes, enum reason rail)
{
	if (bytes >= goal->max_bytes)
		return;
	goal->max_bytes = bytes;
	goal->bytes_rail = rail;
}

/* The lowest rail counts. None is 0: that would mean no limit. */
static void set_guard_rails(
	struct agent *a, struct component *c, struct goal *goal)
{
	const struct limits *l = &c->policy->limits;
	uint64_t used = feed_counted_bytes(c->feed);
	uint64_t files =
		index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT).files -
		feed_trash_totals(c->feed, 0).files;
	const struct filesystem *f =
		c->policy->n_roots ? filesystems_find(&a->filesystems,
					     feed_root(c->feed, 0)->id.dev)
				   : NULL;

	goal->max_files = goal->max_bytes = UINT64_MAX;
	lower_files(goal, l->files, REASON_LIMIT_FILES);
	lower_files(goal, MAX_OF(mem_mul_div(files, l->share_ppm, 1000000), 1),
		REASON_LIMIT_SHARE);
	lower_bytes(goal, MAX_OF(mem_mul_div(used, l->bytes_ppm, 1000000), 1),
		REASON_LIMIT_BYTES);
	if (f && f->is_known)
		lower_bytes(goal,
			MAX_OF(mem_mul_div(f->facts.total_bytes,
				       l->filesystem_ppm, 1000000),
				1),
			REASON_LIMIT_FILESYSTEM);
}

void order_make(struct agent *a, struct component *c, enum goal_reason reason,
	struct cleanup_order *ret)
{
	uint64_t used = feed_counted_bytes(c->feed);

	*ret = (struct cleanup_order){
		.strategy = strategy_find(c->policy->strategy),
		.target_bytes = c->limits.target_bytes,
		.goal = {.reason = reason, .now_s = clock_real_s(a->clock)},
	};
	/* A schedule takes what is due by age; usage under the warning level
	 * is nobody's fault. */
	if (reason != GOAL_SCHEDULED || used >= c->limits.warning_bytes)
		ret->goal.free_bytes = trigger_excess(&c->limits, used);
	if (reason == GOAL_CRITICAL || reason == GOAL_EMERGENCY)
		ret->is_forced = true; /* as far as the target */
	else
		set_guard_rails(a, c, &ret->goal);
}

static void on_progress(void *ctx, const struct cleanup *run)
{
	notice_cleanup_progress(ctx, run);
}

/*
 * Over a limit still, after a run: when it did what it set out to do, others
 * have written on, and the next may begin; what a guard rail cut waits for
 * the next interval, unless it becomes critical, as does what a policy that
 * only observes would have done; else a minute.
 */
static int64_t pause_after(
	const struct component *c, const struct cleanup_result *r)
{
	if (r->is_reached && !r->is_dry_run)
		return SETTLE_NS;
	if (r->is_dry_run || (r->is_cut && r->reason != GOAL_CRITICAL))
		return MAX_OF(c->policy->interval_s * CLOCK_NS_PER_S, RETRY_NS);
	return RETRY_NS;
}

/* What the filesystems of a component told before its cleanup ended is not
 * to be judged by. */
void order_note_freed(struct agent *a, struct component *c, bool has_gained)
{
	for (size_t i = 0; i < a->filesystems.n_items; i++) {
		struct filesystem *f = &a->filesystems.items[i];

		if (!feed_is_on(c->feed, f->dev))
			continue;
		f->cleaned_boot_ns = clock_boot_ns(a->clock);
		f->has_gained |= has_gained;
	}
}

static void count_skipped(struct component *c, const struct skipped *s)
{
	for (int i = 0; i < N_REASONS; i++)
		c->skipped_files[i] =
			mem_add_sat(c->skipped_files[i], s->files[i]);
}

static void on_done(void *ctx, struct cleanup *run)
{
	struct component *c = ctx;
	struct agent *a = c->agent;
	const struct cleanup_result *r = cleanup_result(run);

	/* A plan, or a dry run that was asked for, changes nothing. */
	if (!r->is_dry_run || r->reason != GOAL_MANUAL)
		c->retry_boot_ns = clock_boot_ns(a->clock) + pause_after(c, r);
	order_note_freed(a, c, r->freed_bytes && !r->is_dry_run && !r->is_cut);
	trashing_note_cleanup(c, r);
	notice_cleanup_done(c, run);
	if (!r->is_dry_run && !r->error) {
		c->n_cleanups++;
		c->freed_bytes += r->freed_bytes;
	}
	if (!cleanup_is_plan(run))
		count_skipped(c, &r->skipped);
}

void order_parts(struct component *c, struct cleanup_parts *ret)
{
	struct agent *a = c->agent;

	*ret = (struct cleanup_parts){
		.loop = a->loop,
		.wire = a->wire,
		.feed = c->feed,
		.policy = c->policy,
		.busy = &c->busy,
		.deletions = a->deletions,
		.clock = a->clock,
		.lead_ns = a->wallclock.real_ns - a->wallclock.boot_ns,
		.number = c->number,
		.digest = a->config->digest,
	};
}

/* A cleanup that may not even begin, counted as one file each time. */
static int refuse(struct component *c, enum reason reason, int error)
{
	c->skipped_files[reason]++;
	return error;
}

int order_start(
	struct agent *a, struct component *c, const struct cleanup_order *order)
{
	struct cleanup_parts parts;
	int r;

	if (c->cleanup || c->errand)
		return -EBUSY;
	if (!order->is_plan && !core_is_trusted(a, c))
		return refuse(c, REASON_UNTRUSTED, -EAGAIN);
	if (!order->is_plan && !order->is_dry_run && a->is_panic)
		return refuse(c, REASON_PANIC, -EPERM);
	order_parts(c, &parts);
	r = cleanup_start(&parts, order,
		&(struct cleanup_handlers){on_progress, on_done, c},
		&c->cleanup);
	if (r < 0)
		return r;
	if (!order->is_plan)
		dirty_reset(&c->busy);
	notice_cleanup_started(c, order);
	return 0;
}

static void stop_if_unsafe(struct component *c)
{
	const struct agent *a = c->agent;

	if (cleanup_is_plan(c->cleanup) || !core_must_stop(a, c))
		return;
	if (!wallclock_is_trusted(&a->wallclock))
		cleanup_stop(c->cleanup, REASON_CLOCK, 0);
	else
		cleanup_stop(c->cleanup, REASON_ERROR, -EIO);
}

/* A finished run is freed here, not from its own callback. */
void order_move(struct component *c)
{
	if (c->cleanup)
		stop_if_unsafe(c);
	if (c->cleanup && !cleanup_is_done(c->cleanup))
		cleanup_resume(c->cleanup);
	if (c->cleanup && cleanup_is_done(c->cleanup))
		c->cleanup = cleanup_free(c->cleanup);
}

void order_start_for(
	struct agent *a, struct component *c, enum goal_reason reason)
{
	struct cleanup_order order;
	int r;

	order_make(a, c, reason, &order);
	r = order_start(a, c, &order);
	if (r < 0) {
		c->retry_boot_ns = clock_boot_ns(a->clock) + RETRY_NS;
		log_event(MSG_CLEANUP_FAILED,
			LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component}),
			"cleanup of %s could not start: %s",
			c->policy->component, strerror(-r));
	}
}
