// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "cleanup.h"
#include "tests/sim/bin.h"

#define RETRY_NS (60 * CLOCK_NS_PER_S)
#define SIZE	 32

/* Exact, in the largest unit that divides it. */
static const char *size(uint64_t bytes, char ret[SIZE])
{
	static const char *const units[] = {"B", "KB", "MB", "GB"};
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) - 1 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(ret, SIZE, "%" PRIu64 "%s", bytes, units[i]);
	return ret;
}

/* The level of a thing changed, or lasts; tells it and reports it. */
static void tell_level(
	const char *what, enum level from, enum level to, uint64_t used_bytes)
{
	char used[SIZE];

	if (from != to)
		printf("  %s: %s -> %s at %s\n", what, level_word(from),
			level_word(to), size(used_bytes, used));
}

static struct alerts_now now(const struct world *w)
{
	return (struct alerts_now){world_now_ns(w), world_now_s(w)};
}

static void report(struct world *w, enum alert_kind kind, const char *part,
	const char *name, enum level level)
{
	char scope[128];
	struct alert_condition c = {
		.kind = kind,
		.level = level,
		.scope = scope,
		.message = "",
	};

	snprintf(scope, sizeof(scope), "%s/%s", part, name);
	if (alerts_report(w->alerts, &c, now(w)) < 0)
		abort();
}

static void deliver(struct world *w)
{
	struct alert a;
	bool is_silenced;

	while (alerts_take(w->alerts, &a, &is_silenced)) {
		printf("  ALERT %s %s %s %s%s\n", alert_event_word(a.event),
			level_word(a.level), alert_kind_word(a.kind), a.scope,
			is_silenced ? " (silenced)" : "");
		alert_fini(&a);
	}
}

static struct goal make_goal(const struct world *w,
	const struct host_component *c, const struct walk_order *order)
{
	struct index_totals t = index_totals(c->index, INDEX_NODE_COMPONENT);
	struct index_totals lying = world_lying(c);
	struct goal g = {
		.reason = order->reason,
		.free_bytes = order->free_bytes,
		.dev = order->is_on_disk ? world_dev(order->disk) : 0,
		.now_s = world_now_s(w),
	};

	if (order->is_forced)
		return g;
	g.max_files = MIN_OF(
		c->rails.files, MAX_OF(mem_mul_div(t.files - lying.files,
					       c->rails.share_ppm, 1000000),
					1));
	g.max_bytes = MIN_OF(mem_mul_div(t.used_bytes - lying.used_bytes,
				     c->rails.bytes_ppm, 1000000),
		mem_mul_div(w->disks[c->disk[STYPE_DATA]].total_bytes,
			c->rails.filesystem_ppm, 1000000));
	return g;
}

static void plan(const struct host_component *c, const struct goal *goal,
	const struct strategy *strategy, struct selection *ret)
{
	uint64_t dev[N_STYPES];
	struct strategy_order order = {
		.index = c->index,
		.rules = &c->rules,
		.goal = goal,
		.root_dev = dev,
		.n_roots = N_STYPES,
	};

	for (size_t t = 0; t < N_STYPES; t++)
		dev[t] = world_dev(c->disk[t]);
	if (strategy->select(&order, ret) < 0)
		abort();
}

static void tell_goal(const struct host_component *c, const struct goal *g,
	const struct strategy *strategy)
{
	char bytes[SIZE];

	printf("  cleanup %s by %s, %s: ", c->name, strategy->name,
		goal_reason_name(g->reason));
	if (g->free_bytes)
		printf("free %s", size(g->free_bytes, bytes));
	else
		printf("what is due");
	if (g->max_files)
		printf(", at most %" PRIu64 " files", g->max_files);
	if (g->max_bytes)
		printf(", %s", size(g->max_bytes, bytes));
	puts("");
}

static void tell_picks(struct host_component *c, const struct selection *s)
{
	char bytes[SIZE], age[UNITS_SIZE];

	for (size_t i = 0; i < s->n_picks; i++) {
		const struct pick *p = &s->picks[i];

		printf("    %zu %s %s %s, age %s%s%s\n", i + 1,
			world_behind(c, p->entry)->path,
			size(p->used_bytes, bytes),
			plan_rule_word((enum plan_rule)p->rule),
			units_duration(p->age_s, age), p->step ? ", step " : "",
			strategy_steps[p->step].name);
	}
}

static void tell_left(const struct selection *s)
{
	const char *before = s->n_picks ? "    left: " : "    nothing; left: ";
	char bytes[SIZE];

	for (int r = 0; r < N_REASONS; r++) {
		if (!s->skipped.files[r])
			continue;
		printf("%s%" PRIu64 " %s (%s)", before, s->skipped.files[r],
			reason_word((enum reason)r),
			size(s->skipped.bytes[r], bytes));
		before = ", ";
	}
	if (before[0] == ',')
		puts("");
}

static void tell_steps(const struct selection *s)
{
	struct strategy_yield y;
	char bytes[SIZE];

	selection_yield(s, &y);
	for (int i = 1; i < N_STEPS; i++)
		if (!strategy_steps[i].is_active)
			printf("    step %s: not active yet\n",
				strategy_steps[i].name);
		else if (y.files[i])
			printf("    step %s: %" PRIu64 " files, %s\n",
				strategy_steps[i].name, y.files[i],
				size(y.bytes[i], bytes));
}

/* What is in no hurry can be undone. */
static bool is_trashing(
	const struct host_component *c, const struct walk_order *order)
{
	return c->trash_s && !order->is_forced &&
	       order->reason != GOAL_CRITICAL &&
	       order->reason != GOAL_EMERGENCY;
}

static void remove_picks(struct world *w, struct host_component *c,
	const struct selection *s, bool is_trashed)
{
	for (size_t i = 0; i < s->n_picks; i++) {
		struct thing *t = world_behind(c, s->picks[i].entry);

		if (is_trashed)
			bin_put(w, c, t, (enum plan_rule)s->picks[i].rule);
		else
			world_remove_thing(c, t);
	}
}

static void note_run(struct world *w, struct host_component *c,
	const struct walk_order *order, const struct selection *s, bool is_done)
{
	bin_note_cleanup(w, c,
		&(struct cleanup_result){
			.reason = order->reason,
			.is_dry_run = order->is_dry_run,
			.is_reached = is_done,
			.is_cut = s->is_cut,
			.trashed_files =
				is_trashing(c, order) && !order->is_dry_run
					? s->n_picks
					: 0,
			.used_after = world_used(c),
			.target_bytes = c->limits.target_bytes,
		});
}

static void tell_run(const struct host_component *c,
	const struct walk_order *order, const struct selection *s, bool is_done)
{
	bool is_moving = s->n_picks && is_trashing(c, order);
	char freed[SIZE], used[SIZE];

	printf("    %s%s %s%s, uses %s: %s%s\n",
		order->is_dry_run ? "would " : "",
		is_moving ? (order->is_dry_run ? "move" : "moved")
			  : (order->is_dry_run ? "free" : "freed"),
		size(s->estimated_bytes, freed),
		is_moving ? " to the trash" : "", size(world_used(c), used),
		is_done ? "reached" : "MISSED",
		s->is_cut ? ", cut by a guard rail" : "");
}

static bool is_reached(const struct selection *s, const struct goal *g)
{
	return g->free_bytes ? s->estimated_bytes >= g->free_bytes : !s->is_cut;
}

static bool run(struct world *w, struct host_component *c,
	const struct walk_order *order, bool *ret_is_cut)
{
	struct goal goal = make_goal(w, c, order);
	struct selection s = {0};
	bool is_done;

	plan(c, &goal, order->strategy, &s);
	is_done = is_reached(&s, &goal);
	*ret_is_cut = s.is_cut;
	if (!s.n_picks && c->is_idle) {
		printf("  cleanup %s by %s: nothing again\n", c->name,
			order->strategy->name);
		selection_fini(&s);
		return is_done;
	}
	tell_goal(c, &goal, order->strategy);
	tell_picks(c, &s);
	tell_left(&s);
	if (order->strategy == &strategy_adaptive && s.n_picks)
		tell_steps(&s);
	c->is_idle = !s.n_picks && !order->is_dry_run;
	if (!order->is_dry_run)
		remove_picks(w, c, &s, is_trashing(c, order));
	if (s.n_picks || !is_done)
		tell_run(c, order, &s, is_done);
	note_run(w, c, order, &s, is_done);
	selection_fini(&s);
	return is_done;
}

static enum level level_now(const struct host_component *c)
{
	return trigger_level(&c->limits, c->level, world_used(c));
}

void walk_cleanup(struct world *w, struct host_component *c,
	const struct walk_order *order)
{
	bool is_cut;
	bool is_done = run(w, c, order, &is_cut);
	int64_t wait_ns = RETRY_NS;

	if (order->is_dry_run)
		return;
	/* What a guard rail cut waits for the next interval. */
	if (is_cut && order->reason != GOAL_CRITICAL)
		wait_ns = MAX_OF(c->interval_s * CLOCK_NS_PER_S, RETRY_NS);
	c->retry_ns = world_now_ns(w) + wait_ns;
	report(w, ALERT_KIND_TARGET_MISSED, "component", c->name,
		is_done ? LEVEL_OK : level_now(c));
}

static bool judge_component(struct world *w, struct host_component *c)
{
	uint64_t used = world_used(c);
	enum level before = c->level;
	struct walk_order order = {.strategy = c->strategy,
		.free_bytes = trigger_excess(&c->limits, used)};

	c->level = level_now(c);
	tell_level(c->name, before, c->level, used);
	report(w, ALERT_KIND_USAGE, "component", c->name, c->level);
	if (c->level == LEVEL_OK) {
		report(w, ALERT_KIND_TARGET_MISSED, "component", c->name,
			LEVEL_OK);
		return false;
	}
	if (c->level > before) {
		c->retry_ns = 0;
		c->is_idle = false;
	}
	if (world_now_ns(w) < c->retry_ns)
		return false;
	order.reason =
		c->level == LEVEL_CRITICAL ? GOAL_CRITICAL : GOAL_WARNING;
	order.is_forced = c->level == LEVEL_CRITICAL;
	walk_cleanup(w, c, &order);
	return true;
}

static bool keep_schedule(struct world *w, struct host_component *c)
{
	struct walk_order order = {
		.reason = GOAL_SCHEDULED, .strategy = c->strategy};

	if (!c->interval_s || world_now_ns(w) < c->scheduled_ns)
		return false;
	c->scheduled_ns = world_now_ns(w) + c->interval_s * CLOCK_NS_PER_S;
	if (world_used(c) >= c->limits.warning_bytes)
		order.free_bytes = trigger_excess(&c->limits, world_used(c));
	walk_cleanup(w, c, &order);
	return true;
}

/* The trash before any component's files; low priority first, and only as far
 * as it is needed. */
static void emergency(struct world *w, struct disk *d)
{
	size_t disk = (size_t)(d - w->disks);
	struct walk_order order = {
		.reason = GOAL_EMERGENCY,
		.strategy = &strategy_priority,
		.disk = disk,
		.is_on_disk = true,
		.is_forced = true,
	};
	bool is_cut;

	bin_relieve(w, d);
	for (int p = PRIORITY_LOW; p <= PRIORITY_CRITICAL; p++)
		for (size_t i = 0; i < w->n_components; i++) {
			struct host_component *c = &w->components[i];

			order.free_bytes = trigger_excess(
				&d->limits, world_disk_used(w, d));
			if ((int)c->priority == p && world_is_on(c, disk) &&
				order.free_bytes)
				run(w, c, &order, &is_cut);
		}
	d->retry_ns = world_now_ns(w) + RETRY_NS;
}

static bool judge_disk(struct world *w, struct disk *d)
{
	uint64_t used = world_disk_used(w, d);
	enum level before = d->level, after;

	d->level = trigger_level(&d->limits, before, used);
	tell_level(d->name, before, d->level, used);
	report(w, ALERT_KIND_FILESYSTEM, "filesystem", d->name, d->level);
	if (d->level < LEVEL_EMERGENCY)
		report(w, ALERT_KIND_TARGET_MISSED, "filesystem", d->name,
			LEVEL_OK);
	if (d->level < LEVEL_EMERGENCY ||
		(d->level <= before && world_now_ns(w) < d->retry_ns))
		return false;
	emergency(w, d);
	after = trigger_level(&d->limits, d->level, world_disk_used(w, d));
	if (after >= LEVEL_EMERGENCY)
		report(w, ALERT_KIND_TARGET_MISSED, "filesystem", d->name,
			after);
	return true;
}

void walk_turn(struct world *w)
{
	bool is_more = true;

	while (is_more) {
		is_more = false;
		for (size_t i = 0; i < w->n_components; i++) {
			is_more |= bin_keep(w, &w->components[i]);
			is_more |= judge_component(w, &w->components[i]);
			is_more |= keep_schedule(w, &w->components[i]);
		}
		for (size_t i = 0; i < w->n_disks; i++)
			is_more |= judge_disk(w, &w->disks[i]);
		deliver(w);
	}
	/* Last: what is over by now needs no reminder. */
	if (alerts_tick(w->alerts, now(w), &w->alerts_due_ns) < 0)
		abort();
	deliver(w);
}

static int64_t next_due_ns(const struct world *w)
{
	int64_t due = w->alerts_due_ns;

	for (size_t i = 0; i < w->n_components; i++) {
		const struct host_component *c = &w->components[i];

		if (c->level != LEVEL_OK)
			due = MIN_OF(due, c->retry_ns);
		if (c->interval_s)
			due = MIN_OF(due, c->scheduled_ns);
	}
	for (size_t i = 0; i < w->n_disks; i++)
		if (w->disks[i].level >= LEVEL_EMERGENCY)
			due = MIN_OF(due, w->disks[i].retry_ns);
	return due;
}

void walk_tell_time(struct world *w)
{
	int64_t s = (world_now_ns(w) - w->start_ns) / CLOCK_NS_PER_S;

	if (w->is_time_told)
		return;
	w->is_time_told = true;
	printf(" +%" PRId64 "d %02d:%02d:%02d\n", s / 86400,
		(int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

void walk_advance(struct world *w, int64_t ns)
{
	int64_t end_ns = world_now_ns(w) + ns;

	for (;;) {
		int64_t other = next_due_ns(w), due = MIN_OF(other, bin_due(w));

		if (due > end_ns)
			break;
		clock_advance(&w->clock, MAX_OF(due - world_now_ns(w), 0));
		w->is_time_told = false;
		/* Mostly nothing comes of a look at the trash. */
		if (other <= due)
			walk_tell_time(w);
		walk_turn(w);
		w->is_time_told = true;
	}
	clock_advance(&w->clock, end_ns - world_now_ns(w));
	walk_turn(w);
}

void walk_why(struct world *w, struct host_component *c, const struct thing *t)
{
	struct goal goal = {.reason = GOAL_WARNING, .now_s = world_now_s(w)};
	struct strategy_order order = {
		.index = c->index, .rules = &c->rules, .goal = &goal};
	struct selection s = {0};
	struct index_item item;
	char age[UNITS_SIZE];
	enum reason due, pressed;
	int64_t age_s;

	if (!index_find(c->index, c->roots[t->type], t->name, strlen(t->name),
		    &item))
		abort();
	due = strategy_judge_by(c->strategy, &order, &item, &age_s);
	goal.free_bytes = UINT64_MAX;
	pressed = strategy_judge_by(c->strategy, &order, &item, &age_s);
	plan(c, &goal, c->strategy, &s);
	printf("  %s: age %s; %s; under pressure %s, rank %zu of %zu\n",
		t->path, units_duration(age_s, age),
		due == REASON_DELETED ? "due" : reason_word(due),
		pressed == REASON_DELETED ? "a candidate"
					  : reason_word(pressed),
		selection_rank(&s, item.entry), s.n_picks);
	selection_fini(&s);
}
