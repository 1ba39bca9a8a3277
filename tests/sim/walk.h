// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The walk through a simulated host: usage, level, goal, selection, alerts,
 * each told on standard output as it happens. */

#include "tests/sim/world.h"

struct walk_order {
	enum goal_reason reason;
	const struct strategy *strategy;
	uint64_t free_bytes;
	size_t disk; /* only there, if is_on_disk */
	bool is_on_disk, is_forced, is_dry_run;
};

/* Judges everything until nothing more follows from it. */
void walk_turn(struct world *w);
/* Lets time go by, from one thing that is due to the next. */
void walk_advance(struct world *w, int64_t ns);
/* The time, if it was not told of what happens now. */
void walk_tell_time(struct world *w);
/* One cleanup, whatever the levels are. */
void walk_cleanup(struct world *w, struct host_component *c,
	const struct walk_order *order);
/* What the rules say of one file, and its place in a plan to the target. */
void walk_why(struct world *w, struct host_component *c, const struct thing *t);
