// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * When a filesystem's ballast goes, and when it comes back. Made when there is
 * room for it below the target, with the hysteresis as a margin; given up as
 * soon as the filesystem is at its emergency level, before a component's file
 * goes. Between the two lies more than its own size, so it never flaps; after
 * a release it waits a little all the same.
 *
 * One that has gone without us is not made again while we run: whoever owns a
 * root may move our directory away, and would fill the disk with them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "act/ballast.h"
#include "model/alert.h"
#include "policy/trigger.h"

struct agent;
struct filesystem;
struct wire;

struct ballast { /* of one filesystem */
	struct wire *wire; /* that an answer comes over, while one is owed */
	struct agent *agent;
	uint64_t dev;
	bool is_known; /* somebody has looked */
	bool is_lost; /* it was there, and nobody has given it up; until it is
			 there again */
	enum ballast_op asked; /* BALLAST_NONE: nothing is owed */
	int64_t asked_boot_ns;
	int64_t look_boot_ns; /* look again then */
	int64_t rest_boot_ns; /* nothing is made before */
	uint64_t bytes; /* there now */
	uint64_t n_releases; /* since the start */
};

/* What the decision rests on; a plain value. */
struct ballast_view {
	uint64_t wanted_bytes;
	uint64_t used_bytes; /* of the filesystem, the ballast too */
	const struct trigger_limits *limits;
	enum level level;
	int64_t now_boot_ns;
};

/* Pure. */
enum ballast_op ballast_decide(
	const struct ballast *b, const struct ballast_view *view);

/* Has it gone without us, by what a look says? */
bool ballast_is_lost(
	const struct ballast *b, const struct ballast_report *report);

/* The rest works on an agent. */
struct ballast *ballast_free(struct ballast *b);
/*
 * Once a turn, for a filesystem whose level is known. Returns true while its
 * emergency is to wait: the ballast is on its way out.
 */
bool ballast_keep(struct agent *a, struct filesystem *f);
/* The configuration is another: look anew. has_moved: its roots are others, so
 * that the ballast may have been left behind. */
void ballast_forget(struct ballast *b, bool has_moved);
uint64_t ballast_bytes(const struct filesystem *f);
