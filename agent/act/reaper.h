// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The reaper: the only process that deletes. Fresh for every run, confined to
 * the roots of one component, it reads the plan (which it does not trust) and
 * judges every candidate again by the policy that the warden read itself.
 *
 * The protocol, by the numbers of docs/safety.md:
 *   P1 lock, P2 confinement, P4 candidate, P5 age, P6 in use, P7 move into
 *   the quarantine, P8 verify, P9 unlink, P10 what is found there at start,
 *   P11 audit.
 *
 * Of a plan it takes places and identities. Judged again by what is on disk:
 * root, type (the policy's, for that root), owner, links, protection, minimum
 * age, retention where the plan says that this is the rule, keepNewest, the
 * limits of the policy that do not need the index. An empty directory stays.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/plan.h"
#include "policy/admit.h"
#include "policy/policy.h"

struct reaper_order {
	const struct policy *policy;
	const struct admitted *known; /* n_roots of them, from the warden */
	enum goal_reason reason;
	uint64_t free_bytes; /* stop when so much is freed; 0: take all */
	uint64_t max_files, max_bytes; /* of this run, from the agent; the
		reaper takes the lower of these and the policy's own */
	bool is_forced; /* an operator lifted the policy's caps; then, and at
		the critical and emergency levels, nothing goes to the trash */
	bool is_dry_run; /* every check, no move and no unlink */
	int plan_fd; /* sealed memory file of plan_encode */
	int outcome_fd; /* stream socket: struct outcome, one each */
	int audit_fd; /* records of P11, one line each; -1: none */
	const char *panic_path; /* while this exists nothing is deleted */
	int64_t lead_ns; /* of the clock the plan was made by, clock_lead_ns;
			    another one now: it was set meanwhile. 0: any */
	const struct clock *clock; /* NULL: the kernel's */
};

/*
 * Runs to the end in this process, which is to do nothing else afterwards:
 * closes every other descriptor, drops capabilities, no_new_privs, Landlock,
 * seccomp, rlimits. Sends one outcome for every candidate and a last one with
 * is_end: how many there were, all bytes freed, and DELETED or why nothing
 * could begin (the audit has a record "refused" that names what is missing).
 * Words that need a remark:
 *   BUSY       also: another reaper is at work in this root
 *   ERROR      with ECANCELED: too many errors before it
 *   OBSERVE    would have been deleted; other words as in a dry run
 *   CLOCK      the file changed later than now is, or the clock was set since
 *              the plan was made, or is before this program was
 *   ORPHANED   it lies in the quarantine, and is tried again at every start
 * freed_bytes of WOULD_DELETE and OBSERVE: what would have been freed.
 * Returns the process's exit status: 0 ran (whatever came of the
 * candidates), 1 could not run (the end outcome says why).
 */
int reaper_run(const struct reaper_order *order);
