// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What a cleanup is to achieve: the trigger's answer, the strategy's order. */

#include <stdbool.h>
#include <stdint.h>

#include "model/reason.h"

enum goal_reason {
	GOAL_SCHEDULED, /* the component's interval is over */
	GOAL_WARNING, /* the component crossed its warning level */
	GOAL_CRITICAL, /* ... its critical level */
	GOAL_EMERGENCY, /* the filesystem is at its emergency level */
	GOAL_MANUAL, /* somebody asked */
};

/* "scheduled", "warning", ... */
const char *goal_reason_name(enum goal_reason reason);

struct goal {
	enum goal_reason reason;
	uint64_t free_bytes; /* stop when this much is freed; 0: only what is
				due by age */
	uint64_t dev; /* only roots on this filesystem; 0: all */
	uint64_t max_files; /* guard rails of this run */
	uint64_t max_bytes;
	/* Which rail each of the two is; REASON_DELETED: LIMIT_FILES and
	 * LIMIT_BYTES. */
	enum reason files_rail, bytes_rail;
	int64_t now_s; /* wall clock at planning */
};

/* What cuts a run of this goal at that many files, or bytes. */
static inline enum reason goal_files_rail(const struct goal *g)
{
	return g->files_rail ? g->files_rail : REASON_LIMIT_FILES;
}
static inline enum reason goal_bytes_rail(const struct goal *g)
{
	return g->bytes_rail ? g->bytes_rail : REASON_LIMIT_BYTES;
}
