// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The guard rails of one run: what may still be taken, and whether to go on
 * at all. Knows numbers, the panic latch and the clock, no files.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/plan.h"

struct reaper_order;

struct guard {
	const char *panic_path; /* or NULL */
	const struct clock *clock; /* or NULL */
	int64_t lead_ns; /* of the clock that the run began with */
	uint64_t max_files, max_bytes;
	uint64_t free_bytes; /* target; 0: none */
	uint64_t canary_files; /* UINT64_MAX unless canary */
	uint64_t max_errors;
	uint32_t max_errors_ppm;
	bool is_dry_run;
	uint64_t n_files, bytes; /* taken */
	uint64_t towards_bytes; /* the target */
	bool is_emergency; /* it is about what comes free */
	uint64_t n_judged, n_errors;
	uint64_t n_to_panic_look;
	int64_t panic_look_ns;
	bool is_panic;
	bool is_broken; /* too many errors, or one that is the disk's */
	bool is_clock_wrong;
};

/*
 * The lower of the order's limits and the policy's own count. The policy's do
 * not count for a forced run, nor for one at the critical or emergency level
 * that has a target; the order's always do, and 0 there is nothing at all.
 */
bool guard_has_no_caps(const struct reaper_order *order);
void guard_init(struct guard *g, const struct reaper_order *order);

/* From now on SIGTERM is a reason not to go on; the file at hand is finished.
 * For the process. */
void guard_hear_stop(void);
/* May another one be tried? REASON_DELETED, or why not. */
enum reason guard_ask(struct guard *g);
/*
 * What came of it (in a dry run: would have). The limits are about what is
 * taken. So is the target of a component, which is one of usage; an
 * emergency's is about what comes free.
 */
void guard_note(struct guard *g, const struct outcome *o);
/* What may still be taken, of a run in which free_bytes is left. */
uint64_t guard_bytes_left(const struct guard *g);
