// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "act/reaper.h"
#include "base/beneath.h"
#include "base/clock.h"
#include "base/mem.h"

#define PANIC_EVERY_FILES 64
#define PANIC_EVERY_NS	  (200 * CLOCK_NS_PER_MS)

bool guard_has_no_caps(const struct reaper_order *order)
{
	if (order->is_forced)
		return true;
	return order->free_bytes && (order->reason == GOAL_CRITICAL ||
					    order->reason == GOAL_EMERGENCY);
}

void guard_init(struct guard *g, const struct reaper_order *order)
{
	const struct policy *policy = order->policy;

	*g = (struct guard){
		.panic_path = order->panic_path,
		.clock = order->clock,
		.lead_ns = order->lead_ns ? order->lead_ns
					  : clock_lead_ns(order->clock),
		.max_files = order->max_files,
		.max_bytes = order->max_bytes,
		.free_bytes = order->free_bytes,
		.canary_files = UINT64_MAX,
		.max_errors = MAX_OF(policy->limits.errors, 1u),
		.max_errors_ppm = policy->limits.errors_ppm,
		.is_emergency = order->reason == GOAL_EMERGENCY,
		.is_dry_run = order->is_dry_run,
	};
	if (!guard_has_no_caps(order))
		g->max_files = MIN_OF(g->max_files, policy->limits.files);
	if (policy->mode == MODE_CANARY)
		g->canary_files = POLICY_CANARY_FILES;
}

/* A latch that cannot be looked at holds. */
static bool look_panic(const struct guard *g)
{
	struct stat st;

	return fstatat(AT_FDCWD, g->panic_path, &st, AT_SYMLINK_NOFOLLOW) ==
		       0 ||
	       (errno != ENOENT && errno != ENOTDIR);
}

static void watch_panic(struct guard *g)
{
	int64_t now_ns = clock_boot_ns(g->clock);

	if (!g->panic_path || g->is_panic || g->is_dry_run)
		return;
	if (g->n_to_panic_look && now_ns - g->panic_look_ns < PANIC_EVERY_NS) {
		g->n_to_panic_look--;
		return;
	}
	g->is_panic = look_panic(g);
	g->n_to_panic_look = PANIC_EVERY_FILES - 1;
	g->panic_look_ns = now_ns;
}

/* Once wrong, it stays so for this run. */
static void watch_clock(struct guard *g)
{
	int64_t step_ns = clock_lead_ns(g->clock) - g->lead_ns;

	if (step_ns > CLOCK_STEP_S * CLOCK_NS_PER_S ||
		step_ns < -CLOCK_STEP_S * CLOCK_NS_PER_S ||
		clock_real_s(g->clock) < CLOCK_EPOCH_S)
		g->is_clock_wrong = true;
}

static volatile sig_atomic_t is_told_to_stop;

static void on_stop(int signo)
{
	(void)signo;
	is_told_to_stop = 1;
}

void guard_hear_stop(void)
{
	const struct sigaction action = {
		.sa_handler = on_stop, .sa_flags = SA_RESTART};

	sigaction(SIGTERM, &action, NULL);
}

enum reason guard_ask(struct guard *g)
{
	if (is_told_to_stop)
		return REASON_STOPPED;
	watch_panic(g);
	watch_clock(g);
	if (g->is_panic)
		return REASON_PANIC;
	if (g->is_clock_wrong)
		return REASON_CLOCK;
	if (g->is_broken)
		return REASON_ERRORS;
	if (g->free_bytes && g->towards_bytes >= g->free_bytes)
		return REASON_REACHED;
	if (g->n_files >= g->max_files)
		return REASON_LIMIT_FILES;
	if (g->bytes >= g->max_bytes)
		return REASON_LIMIT_BYTES;
	if (g->n_files >= g->canary_files)
		return REASON_CANARY;
	return REASON_DELETED;
}

void guard_note(struct guard *g, const struct outcome *o)
{
	g->n_judged++;
	switch (o->reason) {
	case REASON_DELETED:
	case REASON_TRASHED:
	case REASON_WOULD_DELETE:
	case REASON_OBSERVE:
		g->n_files++;
		g->bytes = mem_add_sat(g->bytes, o->used_bytes);
		g->towards_bytes = mem_add_sat(g->towards_bytes,
			g->is_emergency ? o->freed_bytes : o->used_bytes);
		break;
	case REASON_ERROR:
	case REASON_ORPHANED:
		g->n_errors++;
		if (beneath_is_fault(-o->error))
			g->is_broken = true;
		if (g->n_errors >= g->max_errors &&
			g->n_errors * 1000000 > g->n_judged * g->max_errors_ppm)
			g->is_broken = true;
		break;
	default:
		break;
	}
}

uint64_t guard_bytes_left(const struct guard *g)
{
	return mem_sub_sat(g->max_bytes, g->bytes);
}
