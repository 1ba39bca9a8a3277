// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * One errand of reapers to the trashes of a component: list, restore, empty.
 * What a run of the reaper leaves for the next is asked for again, until there
 * is nothing more, or something ends it. Runs on the loop, never blocks it;
 * when it is due, and for whom, others decide (trashing.h, methods_trash.c).
 */

#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "model/trash.h"

struct errand;

struct errand_order {
	enum trash_action action;
	enum goal_reason reason; /* EMPTY, SCHEDULED: only what is expired */
	uint64_t free_bytes; /* EMPTY: the oldest, until so much; 0: all */
	uint64_t max_files, max_bytes; /* guard rails; UINT64_MAX: none */
	bool is_forced, is_dry_run;
	struct trash_pick *picks; /* taken: whole roots, or files */
	size_t n_picks;
};

struct errand_result {
	uint64_t files, bytes; /* emptied or restored */
	struct skipped skipped; /* of the last reaper */
	int error; /* -errno if it could not run to its end */
	enum reason stop; /* why it ended early; REASON_DELETED: it did not */
	int64_t oldest_real_s; /* of those not expired, when it came; 0: none */
	int64_t started_real_s;
};

struct errand_handlers {
	/* What came of a file; path (below its root) ends with a NUL. May be
	 * NULL. */
	void (*file)(void *ctx, const struct trash_record *r, const char *path);
	/* Called once; the errand may not be freed from there. */
	void (*done)(void *ctx, const struct errand *e);
	void *ctx;
};

/* Picks of every root of the policy on this filesystem (0: any) in which there
 * is something for the order's action. Returns 0 or -ENOMEM. */
int errand_pick_roots(const struct cleanup_parts *parts, uint64_t dev,
	struct errand_order *ret);
/* parts: those of a cleanup; borrowed for the errand's life. Returns 0 or
 * -errno; the order's picks are taken in any case. */
int errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret);
/* Ends it without a word to the handlers. NULL is fine. Returns NULL. */
struct errand *errand_free(struct errand *e);
bool errand_is_done(const struct errand *e);
const struct errand_order *errand_order(const struct errand *e);
const struct errand_result *errand_result(const struct errand *e);
