// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * May the wall clock be believed? Ages are told by it, so a step forward of a
 * year makes every file a year older. Intervals never ask it: they stand on
 * the boot clock, which runs on in suspend as the wall clock does, so that a
 * suspend is no step.
 *
 * A step that is seen is believed after a minute without another. One that
 * came while nobody looked is found by what was saved: in the same boot by
 * both clocks; after another by a clock that is behind the last one seen,
 * which is not believed until it has caught up, is set, or is accepted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* What is saved, and looked at after a restart. */
struct wallclock_seen {
	int64_t real_s; /* the latest time that was seen; 0: nothing saved */
	int64_t boot_s; /* when that was by the boot clock */
	bool is_same_boot; /* the machine has not been started anew since */
};

struct wallclock {
	int64_t boot_ns, real_ns; /* of the last look; 0: none yet */
	int64_t floor_real_s; /* the clock was there before it was ours */
	int64_t settled_boot_ns; /* not believed before this */
	int64_t stepped_ns; /* by how much the last step went */
};

/* At the start: is the clock where it should be? */
void wallclock_restore(struct wallclock *w, const struct clock *clock,
	const struct wallclock_seen *seen);
/* To save. is_same_boot is left alone. */
void wallclock_seen(const struct wallclock *w, const struct clock *clock,
	struct wallclock_seen *ret);
/* A look, once a turn. True: a step was seen, stepped_ns tells which. */
bool wallclock_look(struct wallclock *w, const struct clock *clock);
/* As of the last look. */
bool wallclock_is_trusted(const struct wallclock *w);
/* It is behind, by this many seconds; 0: it is not. */
int64_t wallclock_behind_s(const struct wallclock *w);
/* When to look again for its own sake, on the boot clock; INT64_MAX: not. */
int64_t wallclock_due(const struct wallclock *w);
/* The operator says that the time is right. */
void wallclock_accept(struct wallclock *w);
