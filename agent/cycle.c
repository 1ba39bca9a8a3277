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
#include "emergency.h"
#include "ledger.h"
#include "loop.h"
#include "methods.h"
#include "notice.h"
#include "order.h"
#include "recovering.h"
#include "scan.h"
#include "sources.h"
#include "state.h"
#include "state_access.h"
#include "trashing.h"

#define RETRY_ROOTS_NS	 (10 * CLOCK_NS_PER_S)
#define POLL_UNWATCHED_S 60 /* without a watch: list again this often */
#define HUNG_NS		 (30 * CLOCK_NS_PER_S) /* a look takes no longer */
#define HOLD_NEWS_AT	 16 /* directories that are still to be listed */

/* News in. */

static void take_facts(struct agent *a, const struct result *result)
{
	struct filesystem *f =
		filesystems_find(&a->filesystems, result->job->tag);
	int64_t now = clock_boot_ns(a->clock);
	bool is_it;

	if (!f)
		return;
	/* Where it was mounted may be another's place by now. */
	is_it = !result->error && result->fs.dev == f->dev;
	if (is_it && result->job->is_health_asked)
		filesystem_take_health(f, &result->health, now);
	if (result->fault)
		filesystem_note_fault(f, result->fault);
	filesystem_take(f, is_it ? &result->fs : NULL, a->config,
		result->looked_boot_ns ? result->looked_boot_ns : now);
	notice_nonsense(a, f);
	for (size_t i = 0; i < a->n_components; i++)
		if (a->components[i].policy->allocation.is_share)
			order_limits(a, &a->components[i]);
}

static void feed_results(struct agent *a, const struct result *result)
{
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		if (feed_id(c->feed) != result->job->component)
			continue;
		feed_result(c->feed, result);
		c->has_results = true;
		return;
	}
	feed_forget(result);
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

/* A scan raises an event for each directory that it opens, a reaper two for
 * each file, and both tell of them anyway: that wakes us often enough. */
static bool brings_news(struct component *c)
{
	bool is_scanning =
		c->has_results && feed_backlog(c->feed) >= HOLD_NEWS_AT;

	c->has_results = false;
	return is_scanning || feed_is_reaping(c->feed);
}

/* What does not wake the loop waits in the kernel, which merges it. */
static void hold_news(struct agent *a, bool is_held)
{
	if (is_held == a->is_news_held)
		return;
	a->is_news_held = is_held;
	for (size_t i = 0; i < a->n_components; i++)
		if (a->components[i].source)
			loop_pause(a->components[i].source, is_held);
	sources_hold(a, is_held);
}

static bool move_feeds(struct agent *a)
{
	int64_t now = clock_boot_ns(a->clock);
	bool is_more = false, is_held = false;

	scan_share(a);
	if (!window_is_shut(&a->window, now))
		window_note(&a->window, sources_read(a));
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		is_more |= feed_dispatch(c->feed);
		is_held |= brings_news(c);
	}
	window_turn(&a->window, now);
	hold_news(a, is_held || a->window.is_flooded);
	a->news_due_boot_ns = a->window.is_flooded ? a->window.end_boot_ns
			      : is_held		   ? now + WINDOW_NS
						   : INT64_MAX;
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
	if (c->level > before) {
		c->retry_boot_ns = 0;
		ledger_look(a, CLOCK_NS_PER_S);
	}
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

static void keep_roots(struct agent *a, struct component *c)
{
	int64_t now = clock_boot_ns(a->clock);

	for (size_t i = 0; i < c->policy->n_roots; i++) {
		const struct feed_root *root = feed_root(c->feed, i);
		int fault = feed_take_fault(c->feed, i);
		struct filesystem *f;

		if (root->state == ROOT_HERE)
			filesystems_add(&a->filesystems, root->id.dev,
				c->policy->roots[i].path, now);
		f = filesystems_find(&a->filesystems, root->id.dev);
		if (f && fault)
			filesystem_note_fault(f, fault);
	}
	if (now >= c->retry_roots_boot_ns) {
		feed_retry_roots(c->feed);
		c->retry_roots_boot_ns = now + RETRY_ROOTS_NS;
	}
}

static void keep_true(struct agent *a, struct component *c)
{
	int64_t now = clock_boot_ns(a->clock);
	int64_t period_s = a->config->reconcile_s;

	if (feed_is_polled(c->feed))
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
	keep_roots(a, c);
	c->nameless_boot_ns = MIN_OF(feed_keep_nameless(c->feed, now),
		feed_keep_again(c->feed, now));
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

/* While ages cannot be trusted nothing is deleted: core_is_trusted. */
static void watch_clock(struct agent *a)
{
	bool is_step = wallclock_look(&a->wallclock, a->clock);

	notice_clock(a, is_step);
}

/* Something was mounted or unmounted, or mounted otherwise, somewhere. */
static void watch_mounts(struct agent *a)
{
	if (!a->is_mounts_changed)
		return;
	a->is_mounts_changed = false;
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		filesystem_remounted(&a->filesystems.items[i]);
	for (size_t i = 0; i < a->n_components; i++) {
		feed_check_roots(a->components[i].feed);
		a->components[i].retry_roots_boot_ns = 0;
	}
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

/* Looks that wake us only if much has changed. */
static size_t n_watched(const struct agent *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->filesystems.n_items; i++)
		n += a->filesystems.items[i].is_watched;
	return n;
}

/* When the loop has to come back by itself. */
static int64_t next_due(const struct agent *a)
{
	int64_t due = MIN_OF(a->alerts_due_boot_ns, a->sample_due_boot_ns);

	due = MIN_OF(due, a->news_due_boot_ns);
	due = MIN_OF(due, deliver_due(a->deliver));
	due = MIN_OF(due, beat_due(a));
	due = MIN_OF(due, methods_due(a));
	if (measure_pending(a->measure) > n_watched(a))
		due = MIN_OF(due, a->wallclock.boot_ns + HUNG_NS / 3);
	due = MIN_OF(due, state_due(a));
	due = MIN_OF(due, state_access_due(a));
	due = MIN_OF(due, wallclock_due(&a->wallclock));
	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		/* What cannot start now is looked at when that changes, which
		 * is a turn of its own. */
		if (c->policy->interval_s && c->allocation_bytes &&
			can_clean(a, c))
			due = MIN_OF(due, c->scheduled_boot_ns);
		due = MIN_OF(due, trashing_due(a, c));
		due = MIN_OF(due, recovering_due(a, c));
		if (c->reconcile_boot_ns)
			due = MIN_OF(due, c->reconcile_boot_ns);
		due = MIN_OF(due, c->nameless_boot_ns);
		due = MIN_OF(due, feed_links_due(c->feed));
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
	watch_mounts(a);
	take_results(a);
	sources_turn(a);
	is_more = move_feeds(a);
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		order_move(c);
		keep_true(a, c);
		recovering_keep(a, c);
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
	is_more |= state_access_keep(a);
	beat_keep(a);
	arm(a, is_more);
}
