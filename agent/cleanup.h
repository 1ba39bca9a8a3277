// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * One cleanup of one component, from the strategy's selection to the last
 * outcome: select, find the names, hand slices to fresh reapers, apply what
 * came of each to the index. Runs on the loop, never blocks it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "blockers.h"
#include "deletions.h"
#include "dirty.h"
#include "feed.h"
#include "policy/policy.h"
#include "resolve.h"
#include "strategies/strategies.h"

struct cleanup;
struct loop;
struct wire;

#define CLEANUP_SLICE 4096 /* candidates a reaper gets at once */
#define CLEANUP_STEPS 8

struct cleanup_parts { /* borrowed for the cleanup's life */
	struct dirty *busy; /* (dir, name) found in use are put here */
	struct deletions *deletions; /* and what went, here */
	struct loop *loop;
	struct wire *wire;
	struct feed *feed;
	const struct policy *policy;
	const struct clock *clock;
	int64_t lead_ns; /* of the wall clock that it is planned by */
	uint32_t number; /* of the component, as the warden counts */
	uint64_t digest; /* of the configuration */
};

struct cleanup_order {
	struct goal goal;
	const struct strategy *strategy;
	uint64_t target_bytes; /* what usage is to come down to */
	bool is_forced; /* the policy's caps are lifted */
	bool is_dry_run; /* everything but the deletion */
	bool is_plan; /* only the plan: names, no reaper */
	bool is_probe; /* no selection, this one entry */
	struct pick probe;
};

struct cleanup_result {
	uint64_t id;
	char component[80];
	const char *strategy; /* static */
	const char *mode; /* static */
	enum goal_reason reason;
	bool is_dry_run;
	bool is_reached; /* the target, or all that was due */
	bool is_cut; /* a guard rail ended it */
	int error; /* -errno if it could not run to its end */
	enum reason stop; /* why it ended early; REASON_DELETED: it did not */
	int64_t started_real_s, ended_real_s;
	uint64_t files; /* that went, be it to the trash */
	uint64_t freed_bytes, estimated_bytes;
	uint64_t trashed_files, trashed_bytes; /* of files; nothing is freed */
	uint64_t used_before, used_after; /* without the trash */
	uint64_t target_bytes;
	struct skipped skipped;
	struct blockers blockers; /* of a target that was missed */
	uint64_t step_files[CLEANUP_STEPS], step_bytes[CLEANUP_STEPS];
};

struct cleanup_handlers {
	/* A slice is through, or many outcomes came. May be NULL. */
	void (*progress)(void *ctx, const struct cleanup *c);
	/* Called once; the cleanup may be freed from there. */
	void (*done)(void *ctx, struct cleanup *c);
	void *ctx;
};

/* Selects at once; an untrusted index is the caller's matter. Returns 0 or
 * -errno; done is called later, from the loop or from cleanup_resume. */
int cleanup_start(const struct cleanup_parts *parts,
	const struct cleanup_order *order,
	const struct cleanup_handlers *handlers, struct cleanup **ret);
/* Once a turn: goes on with what could not be done from a callback. */
void cleanup_resume(struct cleanup *c);
/* No further slice; the one under way comes to its end. error: -errno. */
void cleanup_stop(struct cleanup *c, enum reason reason, int error);
struct cleanup *cleanup_free(struct cleanup *c);
const struct cleanup_result *cleanup_result(const struct cleanup *c);
/* The victims, in order, of an order with is_plan. */
const struct resolved *cleanup_victims(const struct cleanup *c);
bool cleanup_is_plan(const struct cleanup *c);
bool cleanup_is_done(const struct cleanup *c);
/* The configuration changed under way: what follows goes by the new one. */
void cleanup_set_parts(struct cleanup *c, const struct cleanup_parts *parts,
	void *handlers_ctx);
uint64_t cleanup_judged(const struct cleanup *c);
