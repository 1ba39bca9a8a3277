// SPDX-License-Identifier: GPL-2.0-or-later
#include "emergency.h"

#include <stdlib.h>
#include <string.h>

#include "ballast.h"
#include "core.h"
#include "ledger.h"
#include "notice.h"
#include "order.h"
#include "trashing.h"

#define RETRY_NS (60 * CLOCK_NS_PER_S) /* all were asked, not enough came */
#define LOOK_NS	 (60 * CLOCK_NS_PER_S) /* between looks at what is held */

static bool is_cleaning_on(const struct agent *a, const struct filesystem *f)
{
	for (size_t i = 0; i < a->n_components; i++)
		if ((a->components[i].cleanup || a->components[i].errand) &&
			feed_is_on(a->components[i].feed, f->dev))
			return true;
	return false;
}

/* A look that is only routine wakes us if much has changed. */
static void make_quiet(
	const struct agent *a, struct filesystem *f, struct job *job)
{
	uint64_t bytes = filesystem_quiet_bytes(f, a->config);

	if (!bytes)
		return;
	f->is_watched = true;
	job->quiet_used_bytes = mem_add_sat(filesystem_used(f), bytes);
	job->quiet_available_bytes =
		mem_sub_sat(f->facts.available_bytes, bytes);
	job->quiet_health = f->health;
}

static void ask_filesystem(
	struct agent *a, struct filesystem *f, bool is_routine)
{
	struct job *job = job_new(JOB_STATFS);

	if (!job)
		return;
	job->root_path = strdup(f->root_path);
	job->tag = f->dev;
	job->is_health_asked =
		filesystem_wants_health(f, clock_boot_ns(a->clock));
	if (!job->root_path) {
		job_free(job);
		return;
	}
	f->is_watched = false;
	if (is_routine)
		make_quiet(a, f, job);
	if (measure_submit(a->measure, job) < 0) {
		f->is_watched = false;
		return;
	}
	f->is_asked = !f->is_watched;
	f->asked_boot_ns = clock_boot_ns(a->clock);
	f->due_boot_ns = f->asked_boot_ns + filesystem_pause_ns(f, a->config);
}

/* What a routine look saw is taken when the next one is due; one that is not
 * back by then is waited for, and may be found to hang. */
static void keep_looking(struct agent *a, struct filesystem *f, int64_t now)
{
	bool is_routine = f->due_boot_ns != 0; /* else somebody wants it */

	if (f->is_asked || now < f->due_boot_ns)
		return;
	if (is_routine && f->is_watched) {
		f->is_watched = false;
		f->is_asked = true;
	} else {
		ask_filesystem(a, f, is_routine);
	}
}

/* The next component in order of priority, low first, with a root on it. */
static struct component *next_in_emergency(
	struct agent *a, struct filesystem *f)
{
	struct component *c;

	while ((c = core_at_rank(a, &f->next_component)) &&
		!feed_is_on(c->feed, f->dev))
		f->next_component++;
	return c;
}

static void start_emergency(
	struct agent *a, struct filesystem *f, struct component *c)
{
	struct trigger_limits limits;
	struct cleanup_order order;

	filesystem_limits(f, a->config, &limits);
	order_make(a, c, GOAL_EMERGENCY, &order);
	order.strategy = strategy_find("priority");
	order.goal.dev = f->dev;
	order.goal.free_bytes = trigger_excess(&limits, filesystem_used(f));
	if (order.goal.free_bytes && order_start(a, c, &order) == 0)
		f->next_component++;
}

/*
 * One component at a time, and a fresh look at the free space between two:
 * what the first gave may be enough.
 */
static void move_emergency(struct agent *a, struct filesystem *f)
{
	struct trigger_limits limits;
	struct component *c;

	filesystem_limits(f, a->config, &limits);
	/* Under its warning level again, though others write on: the next
	 * component's files are worth more than the rest of the way. */
	if (f->level == LEVEL_OK || filesystem_used(f) <= limits.target_bytes) {
		f->is_emergency = false;
		return;
	}
	if (trashing_relieve(a, f, trigger_excess(&limits, filesystem_used(f))))
		return;
	c = next_in_emergency(a, f);
	/* What was enough when it was given may have been filled again. */
	if (!c && f->has_gained) {
		f->has_gained = false;
		f->next_component = f->next_trash = 0;
		f->due_boot_ns = 0;
		return;
	}
	/* Who holds what was deleted belongs to what is said then. */
	if (!c && ledger_is_owed(a->ledger))
		return;
	if (!c) {
		f->is_emergency = false;
		f->retry_boot_ns = clock_boot_ns(a->clock) + RETRY_NS;
		notice_emergency_missed(a, f);
		return;
	}
	if (c->cleanup || c->errand)
		return;
	if (!core_is_trusted(a, c)) {
		f->next_component++;
		return;
	}
	start_emergency(a, f, c);
	f->due_boot_ns = 0;
}

void emergency_judge(struct agent *a, struct filesystem *f)
{
	int64_t now = clock_boot_ns(a->clock);
	struct trigger_limits limits;
	enum level before = f->level;

	keep_looking(a, f, now);
	if (!f->is_known || f->is_asked)
		return;
	if (f->cleaned_boot_ns && f->asked_boot_ns <= f->cleaned_boot_ns &&
		!is_cleaning_on(a, f)) {
		ask_filesystem(a, f, false);
		return;
	}
	filesystem_limits(f, a->config, &limits);
	f->level = trigger_level(&limits, before, filesystem_used(f));
	if (f->is_fresh)
		notice_health(a, f);
	f->is_fresh = false;
	if (f->level != before || f->level != LEVEL_OK)
		notice_filesystem(a, f);
	/* By the time a cleanup misses its target this is known. */
	if (f->level != LEVEL_OK)
		ledger_look(a, LOOK_NS);
	if (f->level >= LEVEL_EMERGENCY && !f->is_emergency &&
		(f->level > before || now >= f->retry_boot_ns)) {
		f->is_emergency = true;
		f->has_gained = false;
		f->next_component = f->next_trash = 0;
	}
	/* What it gives may be enough, so a component's file waits for it. */
	if (ballast_keep(a, f))
		return;
	if (f->is_emergency && !a->is_panic && !is_cleaning_on(a, f))
		move_emergency(a, f);
}
