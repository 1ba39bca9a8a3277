// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * P11: one line of JSON for every intent, written before the file goes, and
 * for every result. Names are escaped (base/escape.h): one record is one line
 * of valid UTF-8, whatever somebody called his file.
 *
 *   {"at","event":"intent|result|restored|orphan|refused","component","root","path",
 *    "pathBytes","dev","ino","btime","usedBytes","rule","trash",
 *    "reason","error"}
 *
 * An intent that has no result was cut off: the file is gone, in the trash, or
 * back at its place after the next run. trash: it came out of the trash. A
 * result waits for the next intent, so that both are one write; an intent
 * never waits. What cannot be written (a full disk, a full pipe) is counted
 * and left out: the disk must be emptied all the same.
 *
 * Paths longer than AUDIT_PATH_MAX are cut in the middle, and pathBytes says
 * how long they are: whoever makes the names shall not fill the disk with them,
 * nor drive what others did out of the rotation.
 */

#define AUDIT_PATH_MAX 4096 /* bytes, below the root, before escaping */

#include <stdbool.h>
#include <stdint.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/plan.h"

struct audit_stamp { /* a second, and its text: mostly asked for again */
	int64_t real_s;
	char text[CLOCK_STAMP_SIZE]; /* "": none yet */
};

struct audit {
	int fd; /* borrowed; -1: nothing is recorded */
	const char *component;
	const char *root; /* path of the root at hand; set by the caller */
	bool is_trash; /* what is recorded lies in the trash; path is where it
			  was from */
	struct buf line;
	struct audit_stamp at, btime;
	bool is_torn; /* the last write broke off within a line */
	uint64_t n_lost; /* records that could not be written */
	uint64_t n_pending; /* records in line */
};

void audit_fini(struct audit *a);
/* Returns when the intent (and whatever waited) is written or counted. */
void audit_intent(struct audit *a, const struct candidate *c,
	const struct beneath_stat *st);
/* Nothing is recorded of candidates that were not touched. */
void audit_result(struct audit *a, const struct candidate *c,
	const struct beneath_stat *st, const struct outcome *o);
/* P10: a file of an interrupted run. */
void audit_found(struct audit *a, const char *path, bool is_restored);
/* The run cannot begin: what is missing, in place of a path. */
void audit_refused(struct audit *a, const char *why, int error);
void audit_flush(struct audit *a);
