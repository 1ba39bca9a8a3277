// SPDX-License-Identifier: GPL-2.0-or-later
#include "trashing.h"

#include <stdio.h>

#include "base/log.h"
#include "core.h"
#include "errand.h"
#include "notice.h"
#include "order.h"

#define RETRY_NS (60 * CLOCK_NS_PER_S) /* it did not help, or did not work */
/* Looked at again by then, whatever was said: clocks step. */
#define LOOK_NS (3600 * CLOCK_NS_PER_S)

static bool has_trash(const struct component *c, uint64_t dev)
{
	struct index_totals t = feed_trash_totals(c->feed, dev);

	return t.files || t.used_bytes;
}

static bool can_empty(const struct agent *a, const struct component *c)
{
	return !c->cleanup && !c->errand && !a->is_panic &&
	       c->policy->mode != MODE_OBSERVE && core_is_trusted(a, c) &&
	       c->allocation_bytes && has_trash(c, 0);
}

/* What the trash takes beyond what the component may: 0 if nothing. */
static uint64_t pressure_on(const struct component *c)
{
	uint64_t used = index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT)
				.used_bytes;

	if (!c->limits.critical_bytes || used < c->limits.critical_bytes)
		return 0;
	return MAX_OF(mem_sub_sat(used, c->limits.warning_bytes), 1);
}

/* The component's shares are no measure for what is not counted with it. */
static uint64_t max_bytes(struct agent *a, const struct component *c)
{
	const struct filesystem *f = filesystems_find(
		&a->filesystems, feed_root(c->feed, 0)->id.dev);

	if (!f || !f->is_known)
		return UINT64_MAX;
	return MAX_OF(mem_mul_div(f->facts.total_bytes,
			      c->policy->limits.filesystem_ppm, 1000000),
		1);
}

void trashing_order(struct agent *a, struct component *c,
	enum goal_reason reason, bool is_forced, struct errand_order *ret)
{
	*ret = (struct errand_order){.action = TRASH_EMPTY,
		.reason = reason,
		.max_files = UINT64_MAX,
		.max_bytes = UINT64_MAX,
		.is_forced = is_forced};
	if (is_forced || reason == GOAL_CRITICAL || reason == GOAL_EMERGENCY)
		return;
	ret->max_files = c->policy->limits.files;
	ret->max_bytes = max_bytes(a, c);
}

static void on_done(void *ctx, const struct errand *e)
{
	trashing_note_emptied(ctx, e);
}

static bool start(struct agent *a, struct component *c, enum goal_reason reason,
	uint64_t free_bytes, uint64_t dev)
{
	struct errand_order order;
	struct cleanup_parts parts;
	int r;

	trashing_order(a, c, reason, false, &order);
	order.free_bytes = free_bytes;
	order_parts(c, &parts);
	r = errand_pick_roots(&parts, dev, &order);
	if (r == 0)
		r = errand_start(&parts, &order,
			&(struct errand_handlers){.done = on_done, .ctx = c},
			&c->errand);
	if (r < 0)
		c->trash_due_boot_ns = c->trash_retry_boot_ns =
			clock_boot_ns(a->clock) + RETRY_NS;
	return r == 0;
}

static bool relieve(struct agent *a, struct component *c)
{
	uint64_t bytes = pressure_on(c);

	if (clock_boot_ns(a->clock) < c->trash_retry_boot_ns)
		return false;
	if (bytes)
		return start(a, c, GOAL_CRITICAL, bytes, 0);
	bytes = c->trash_wanted_bytes;
	c->trash_wanted_bytes = 0;
	return bytes && start(a, c, GOAL_WARNING, bytes, 0);
}

void trashing_keep(struct agent *a, struct component *c)
{
	int64_t now = clock_boot_ns(a->clock);

	if (c->errand && errand_is_done(c->errand))
		c->errand = errand_free(c->errand);
	/* Where nothing lies, what comes is not expired for a while. (What a
	 * cleanup has just put there may not have been seen yet.) */
	if (now >= c->trash_due_boot_ns && core_is_trusted(a, c) &&
		!c->cleanup && !has_trash(c, 0))
		c->trash_due_boot_ns = now + LOOK_NS;
	if (!can_empty(a, c) || relieve(a, c))
		return;
	if (now >= c->trash_due_boot_ns)
		start(a, c, GOAL_SCHEDULED, 0, 0);
}

int64_t trashing_due(const struct agent *a, const struct component *c)
{
	/* What ended waits to be freed. */
	if (c->errand && errand_is_done(c->errand))
		return clock_boot_ns(a->clock);
	if (!can_empty(a, c))
		return INT64_MAX;
	return pressure_on(c)
		       ? MIN_OF(c->trash_due_boot_ns, c->trash_retry_boot_ns)
		       : c->trash_due_boot_ns;
}

/* ---- emergencies ---- */

/* The next component in order of priority, low first, with trash on it that
 * may go. */
static struct component *next_with_trash(
	const struct agent *a, struct filesystem *f)
{
	struct component *c;

	while ((c = core_at_rank(a, &f->next_trash)) &&
		(c->policy->mode == MODE_OBSERVE || !core_is_trusted(a, c) ||
			!has_trash(c, f->dev)))
		f->next_trash++;
	return c;
}

bool trashing_relieve(struct agent *a, struct filesystem *f, uint64_t bytes)
{
	struct component *c = next_with_trash(a, f);

	if (!c)
		return false;
	/* What is under way ends first. */
	if (c->cleanup || c->errand)
		return true;
	f->next_trash++;
	if (!start(a, c, GOAL_EMERGENCY, bytes, f->dev))
		return trashing_relieve(a, f, bytes);
	f->due_boot_ns = 0;
	return true;
}

/* ---- what happened ---- */

void trashing_note_cleanup(struct component *c, const struct cleanup_result *r)
{
	int64_t now = clock_boot_ns(c->agent->clock);
	bool is_missed =
		!r->is_reached && !r->is_cut && !r->is_dry_run && !r->error;

	if (r->trashed_files)
		c->trash_due_boot_ns = MIN_OF(c->trash_due_boot_ns,
			now + c->policy->trash_s * CLOCK_NS_PER_S);
	/* By hand, a target may be anybody's wish; what was told that it can
	 * be had back is not taken for it. */
	if (is_missed && r->reason != GOAL_EMERGENCY &&
		r->reason != GOAL_MANUAL)
		c->trash_wanted_bytes =
			mem_sub_sat(r->used_after, r->target_bytes);
}

static int64_t due_after(
	const struct component *c, const struct errand_result *r)
{
	const struct clock *clock = c->agent->clock;
	int64_t keep_s = c->policy->trash_s ? c->policy->trash_s : TRASH_LEFT_S;
	int64_t pause_ns = LOOK_NS;

	/* A guard rail ended it: as for a cleanup, until the next interval. */
	if (r->stop != REASON_DELETED || r->error)
		pause_ns = MAX_OF(
			c->policy->interval_s * CLOCK_NS_PER_S, RETRY_NS);
	else if (r->oldest_real_s)
		pause_ns = MIN_OF(LOOK_NS,
			MAX_OF(r->oldest_real_s + keep_s - clock_real_s(clock),
				1) *
				CLOCK_NS_PER_S);
	return clock_boot_ns(clock) + pause_ns;
}

static void add_record(struct component *c, const struct errand *e)
{
	const struct errand_result *r = errand_result(e);
	const struct errand_order *o = errand_order(e);
	uint64_t used = feed_counted_bytes(c->feed);
	struct cleanup_result record = {
		.strategy = "trash",
		.mode = mode_name(c->policy->mode),
		.reason = o->reason,
		.is_dry_run = o->is_dry_run,
		.is_reached = !r->error && r->stop == REASON_DELETED,
		.stop = r->stop,
		.error = r->error,
		.started_real_s = r->started_real_s,
		.ended_real_s = clock_real_s(c->agent->clock),
		.files = r->files,
		.freed_bytes = r->bytes,
		.estimated_bytes = r->bytes,
		.used_before = used,
		.used_after = used,
		.target_bytes = c->limits.target_bytes,
		.skipped = r->skipped,
	};

	snprintf(record.component, sizeof(record.component), "%s",
		c->policy->component);
	notice_emptied(c, &record);
}

void trashing_note_emptied(struct component *c, const struct errand *e)
{
	const struct errand_result *r = errand_result(e);
	struct agent *a = c->agent;

	if (!errand_order(e)->is_dry_run) {
		if (errand_order(e)->reason == GOAL_SCHEDULED)
			c->trash_due_boot_ns = due_after(c, r);
		else if (!r->files || r->stop != REASON_DELETED)
			c->trash_retry_boot_ns =
				clock_boot_ns(a->clock) + RETRY_NS;
		c->freed_bytes += r->bytes;
		order_note_freed(a, c, true);
	}
	if (r->files || r->error || errand_order(e)->reason == GOAL_MANUAL)
		add_record(c, e);
}
