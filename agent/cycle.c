// SPDX-License-Identifier: GPL-2.0-or-later
#include "cycle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "beat.h"
#include "core.h"
#include "deliver.h"
#include "loop.h"
#include "emergency.h"
#include "methods.h"
#include "notice.h"
#include "order.h"
#include "state.h"
#include "trashing.h"

#define RETRY_ROOTS_NS	 (10 * CLOCK_NS_PER_S)
#define POLL_UNWATCHED_S 60 /* without a watch: list again this often */
#define HUNG_NS		 (30 * CLOCK_NS_PER_S) /* a look takes no longer */
#define JUMP_NS		 (5 * CLOCK_NS_PER_S) /* wall against boot clock */
#define DISTRUST_NS	 (60 * CLOCK_NS_PER_S)

/* News in. */

static void take_facts(struct agent *a, const struct result *result)
{
	struct filesystem *f =
		filesystems_find(&a->filesystems, result->job->tag);

	if (!f)
		return;
	filesystem_take(f, result->error ? NULL : &result->fs, a->config,
		clock_boot_ns(a->clock));
	for (size_t i = 0; i < a->n_components; i++)
		if (a->components[i].policy->allocation.is_share)
			order_limits(a, &a->components[i]);
}

static void feed_results(struct agent *a, const struct result *result)
{
	for (size_t i = 0; i < a->n_components; i++)
		if (feed_id(a->components[i].feed) == result->job->component)
			feed_result(a->components[i].feed, result);
}

static void take_results(struct agent *a)
{
	struct result *list = measure_take(a->measure), *next;

	for (; list; list = next) {
		next = list->next;
		if (list->job->kind == JOB_STATFS)
			take_facts(a, list);
		else
			feed_results(a, list);
		result_free(list);
	}
}

static bool move_feeds(struct agent *a)
{
	int64_t now_s = clock_real_s(a->clock);
	bool is_more = false;

	for (size_t i = 0; i < a->n_components; i++) {
		feed_read(a->components[i].feed, now_s);
		is_more |= feed_dispatch(a->components[i].feed);
	}
	return is_more;
}

/* Judgement of a component. */

static void note_growth(struct agent *a, struct component *c, uint64_t used)
{
	uint64_t grown = mem_sub_sat(used, c->judged_bytes);

	if (!grown)
		return;
	/* Which root grew is not asked: any filesystem of it may have. */
	for (size_t i = 0; i < c->policy->n_roots; i++) {
		struct filesystem *f = filesystems_find(
			&a->filesystems, feed_root(c->feed, i)->id.dev);

		if (f)
			filesystem_grew(f, grown, a->config);
	}
}

static bool can_clean(const struct agent *a, const struct component *c)
{
	return !c->cleanup && !c->errand && !a->is_panic &&
	       core_is_trusted(a, c);
}

static void judge_component(struct agent *a, struct component *c)
{
	uint64_t used = feed_counted_bytes(c->feed);
	enum level before = c->level;

	if (!c->allocation_bytes)
		order_limits(a, c);
	note_growth(a, c, used);
	c->judged_bytes = used;
	if (!c->allocation_bytes)
		return;
	/* Totals still being gathered are a lower bound: a limit they cross
	 * is crossed. What is over is only known when they are whole. */
	if (feed_is_trusted(c->feed) || used >= c->limits.warning_bytes)
		c->level = trigger_level(&c->limits, before, used);
	if (c->level != before || c->level != LEVEL_OK)
		notice_usage(c, used);
	if (c->level > before)
		c->retry_boot_ns = 0;
	if (can_clean(a, c) && c->level != LEVEL_OK &&
		clock_boot_ns(a->clock) >= c->retry_boot_ns)
		order_start_for(a, c,
			c->level == LEVEL_CRITICAL ? GOAL_CRITICAL
						   : GOAL_WARNING);
}

static void keep_schedule(struct agent *a, struct component *c)
{
	int64_t now = clock_boot_ns(a->clock);

	if (!c->policy->interval_s || now < c->scheduled_boot_ns ||
		!c->allocation_bytes || !can_clean(a, c))
		return;
	c->scheduled_boot_ns = now + c->policy->interval_s * CLOCK_NS_PER_S;
	order_start_for(a, c, GOAL_SCHEDULED);
}

static void keep_true(struct agent *a, struct component *c)
{
	int64_t now = clock_boot_ns(a->clock);
	int64_t period_s = a->config->reconcile_s;

	if (feed_counters(c->feed)->unwatched || feed_fd(c->feed) < 0)
		period_s = period_s ? MIN_OF(period_s, POLL_UNWATCHED_S)
				    : POLL_UNWATCHED_S;
	/* The period may have become shorter since. */
	if (c->reconcile_boot_ns && period_s)
		c->reconcile_boot_ns = MIN_OF(
			c->reconcile_boot_ns, now + period_s * CLOCK_NS_PER_S);
	if (period_s && now >= c->reconcile_boot_ns) {
		if (c->reconcile_boot_ns)
			feed_reconcile(c->feed);
		c->reconcile_boot_ns = now + period_s * CLOCK_NS_PER_S;
	}
	for (size_t i = 0; i < c->policy->n_roots; i++) {
		const struct feed_root *root = feed_root(c->feed, i);

		if (root->state == ROOT_HERE)
			filesystems_add(&a->filesystems, root->id.dev,
				c->policy->roots[i].path, now);
	}
	if (now >= c->retry_roots_boot_ns) {
		feed_retry_roots(c->feed);
		c->retry_roots_boot_ns = now + RETRY_ROOTS_NS;
	}
	notice_feed(c);
}

/* A look that does not come back: the disk under it hangs. */
static void watch_disks(struct agent *a)
{
	char root[256];
	int64_t ns =
		measure_oldest_ns(a->measure, clock_boot_ns(a->clock), root);

	notice_hung(a, ns >= HUNG_NS ? root : NULL);
}

/* A step of the wall clock: ages are wrong until it is settled. */
static void watch_clock(struct agent *a)
{
	int64_t boot = clock_boot_ns(a->clock);
	int64_t real = clock_real_ns(a->clock);
	int64_t jump = (real - a->last_real_ns) - (boot - a->last_boot_ns);

	if (a->last_boot_ns && (jump > JUMP_NS || jump < -JUMP_NS)) {
		a->distrust_until_boot_ns = boot + DISTRUST_NS;
		log_note(LOG_WARNING,
			"the wall clock moved by %" PRId64
			" s; nothing is deleted for a minute",
			jump / CLOCK_NS_PER_S);
	}
	a->last_boot_ns = boot;
	a->last_real_ns = real;
}

void cycle_deliver(struct agent *a)
{
	struct alert alert;
	bool is_silenced;

	alerts_tick(a->alerts, core_now(a), &a->alerts_due_boot_ns);
	while (alerts_take(a->alerts, &alert, &is_silenced)) {
		notice_alert(a, &alert, is_silenced);
		alert_fini(&alert);
	}
}

static void take_samples(struct agent *a)
{
	int64_t now = clock_boot_ns(a->clock);

	if (now < a->sample_due_boot_ns)
		return;
	a->sample_due_boot_ns = now + HISTORY_SAMPLE_S * CLOCK_NS_PER_S;
	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];
		struct index_totals t =
			index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);
		struct sample s = {.at_real_s = clock_real_s(a->clock),
			.used_bytes = t.used_bytes,
			.files = t.files};

		if (!feed_is_trusted(c->feed))
			continue;
		snprintf(s.component, sizeof(s.component), "%s",
			c->policy->component);
		history_add_sample(&a->history, &s);
		a->is_dirty = true;
	}
}

/* When the loop has to come back by itself. */
static int64_t next_due(const struct agent *a)
{
	int64_t due = MIN_OF(a->alerts_due_boot_ns, a->sample_due_boot_ns);

	due = MIN_OF(due, deliver_due(a->deliver));
	due = MIN_OF(due, beat_due(a));
	due = MIN_OF(due, methods_due(a));
	if (measure_pending(a->measure))
		due = MIN_OF(due, a->last_boot_ns + HUNG_NS / 3);
	due = MIN_OF(due, state_due(a));
	if (a->distrust_until_boot_ns > a->last_boot_ns)
		due = MIN_OF(due, a->distrust_until_boot_ns);
	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		/* What cannot start now is looked at when that changes, which
		 * is a turn of its own. */
		if (c->policy->interval_s && c->allocation_bytes &&
			can_clean(a, c))
			due = MIN_OF(due, c->scheduled_boot_ns);
		due = MIN_OF(due, trashing_due(a, c));
		if (c->reconcile_boot_ns)
			due = MIN_OF(due, c->reconcile_boot_ns);
		if (c->level != LEVEL_OK && can_clean(a, c))
			due = MIN_OF(due, c->retry_boot_ns);
		if (feed_has_lost_roots(c->feed))
			due = MIN_OF(due, c->retry_roots_boot_ns);
	}
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		if (!a->filesystems.items[i].is_asked)
			due = MIN_OF(due, a->filesystems.items[i].due_boot_ns);
	return due;
}

static void arm(struct agent *a, bool is_more)
{
	int64_t now = clock_boot_ns(a->clock), due = next_due(a);
	int64_t ms = due == INT64_MAX
			     ? -1
			     : MAX_OF((due - now + CLOCK_NS_PER_MS - 1) /
					       CLOCK_NS_PER_MS,
				       1);

	loop_arm(a->timer, is_more ? 0 : ms);
}

void cycle_turn(struct agent *a)
{
	bool is_more;

	watch_clock(a);
	take_results(a);
	is_more = move_feeds(a);
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		order_move(c);
		keep_true(a, c);
		trashing_keep(a, c);
		judge_component(a, c);
		keep_schedule(a, c);
		order_move(c);
	}
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		emergency_judge(a, &a->filesystems.items[i]);
	watch_disks(a);
	methods_turn(a);
	take_samples(a);
	cycle_deliver(a);
	deliver_run(a->deliver);
	state_keep(a);
	beat_keep(a);
	arm(a, is_more);
}
