// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* One component as the agent holds it. */

#include "cleanup.h"
#include "dirty.h"
#include "feed.h"
#include "figures.h"
#include "model/alert.h"
#include "policy/trigger.h"

struct agent;
struct errand;
struct loop_source;

struct component {
	struct agent *agent;
	const struct policy *policy;
	uint32_t number;
	struct feed *feed;
	struct loop_source *source; /* of the feed's descriptor */
	bool has_results; /* for it came this turn */
	uint64_t allocation_bytes; /* 0: not known yet (a share) */
	struct trigger_limits limits;
	enum level level;
	uint64_t judged_bytes; /* usage at the last judgement */
	struct cleanup *cleanup; /* under way, or NULL */
	struct errand *errand; /* to its trash; never beside a cleanup */
	int64_t trash_due_boot_ns; /* when something in it may be expired */
	int64_t trash_retry_boot_ns; /* not emptied for room before this */
	uint64_t trash_wanted_bytes; /* a cleanup missed its target by these */
	struct dirty busy; /* names that the last cleanup found in use */
	struct control_call *caller; /* who waits for it, or NULL */
	int64_t scheduled_boot_ns; /* when the next scheduled one is due */
	int64_t retry_boot_ns; /* not before this while over a limit */
	int64_t recover_boot_ns; /* not again before; 0: was not needed yet */
	int64_t reconcile_boot_ns;
	int64_t retry_roots_boot_ns;
	int64_t nameless_boot_ns; /* see feed_keep_nameless, feed_keep_again */
	bool is_scanned; /* the first scan was announced */
	struct figures figures; /* the last exact ones */
	uint64_t n_cleanups, freed_bytes; /* since the start */
	uint64_t skipped_files[N_REASONS]; /* by its cleanups */
	/* What was said last, so that each change is said once. */
	uint64_t overflows_told, drift_told, unwatched_told;
	uint64_t reconciliations_told, orphans_told;
	bool is_overflow_open, is_root_lost;
	bool is_unsafe; /* the last reaper found that it cannot delete */
	enum goal_reason last_reason;
	struct blockers blockers; /* of its last emergency cleanup */
	/* At the reconciliation that was asked for last. */
	uint64_t drift_before;
	int64_t drift_bytes_before, drift_files_before;
};
