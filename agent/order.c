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

	goal->max_files = MIN_OF(
		l->files, MAX_OF(mem_mul_div(files, l->share_ppm, 1000000), 1));
	/* 0 would mean: no limit. */
	goal->max_bytes = MAX_OF(mem_mul_div(used, l->bytes_ppm, 1000000), 1);
	if (f && f->is_known)
		goal->max_bytes = MIN_OF(goal->max_bytes,
			MAX_OF(mem_mul_div(f->facts.total_bytes,
				       l->filesystem_ppm, 1000000),
				1));
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
void order_note_freed(struct agent *a, struct component *c)
{
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		if (feed_is_on(c->feed, a->filesystems.items[i].dev))
			a->filesystems.items[i].cleaned_boot_ns =
				clock_boot_ns(a->clock);
}

static void on_done(void *ctx, struct cleanup *run)
{
	struct component *c = ctx;
	struct agent *a = c->agent;
	const struct cleanup_result *r = cleanup_result(run);

	/* A plan, or a dry run that was asked for, changes nothing. */
	if (!r->is_dry_run || r->reason != GOAL_MANUAL)
		c->retry_boot_ns = clock_boot_ns(a->clock) + pause_after(c, r);
	order_note_freed(a, c);
	trashing_note_cleanup(c, r);
	notice_cleanup_done(c, run);
	if (!r->is_dry_run && !r->error) {
		c->n_cleanups++;
		c->freed_bytes += r->freed_bytes;
	}
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
		.number = c->number,
		.digest = a->config->digest,
	};
}

int order_start(
	struct agent *a, struct component *c, const struct cleanup_order *order)
{
	struct cleanup_parts parts;
	int r;

	if (c->cleanup || c->errand)
		return -EBUSY;
	if (!order->is_plan && !core_is_trusted(a, c))
		return -EAGAIN;
	if (!order->is_plan && !order->is_dry_run && a->is_panic)
		return -EPERM;
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

/* A finished run is freed here, not from its own callback. */
void order_move(struct component *c)
{
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
