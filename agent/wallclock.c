// SPDX-License-Identifier: GPL-2.0-or-later
#include "wallclock.h"

#include "base/mem.h"

#define SETTLE_NS   (60 * CLOCK_NS_PER_S)
#define LONG_DOWN_S INT64_C(86400) /* time servers may have to be asked first */

static void distrust(struct wallclock *w, int64_t stepped_ns)
{
	w->stepped_ns = stepped_ns;
	w->settled_boot_ns = w->boot_ns + SETTLE_NS;
}

static int64_t clamp_s(int64_t s)
{
	return MAX_OF(MIN_OF(s, CLOCK_MAX_S), -CLOCK_MAX_S);
}

void wallclock_restore(struct wallclock *w, const struct clock *clock,
	const struct wallclock_seen *seen)
{
	int64_t away_s, step_s;

	w->boot_ns = clock_boot_ns(clock);
	w->real_ns = clock_real_ns(clock);
	if (!seen->real_s)
		return;
	w->floor_real_s = clamp_s(seen->real_s);
	away_s = w->real_ns / CLOCK_NS_PER_S - w->floor_real_s;
	step_s = away_s - (w->boot_ns / CLOCK_NS_PER_S - clamp_s(seen->boot_s));
	if (seen->is_same_boot &&
		(step_s > CLOCK_STEP_S || step_s < -CLOCK_STEP_S))
		distrust(w, clamp_s(step_s) * CLOCK_NS_PER_S);
	else if (!seen->is_same_boot && away_s > LONG_DOWN_S)
		distrust(w, clamp_s(away_s) * CLOCK_NS_PER_S);
}

void wallclock_seen(const struct wallclock *w, const struct clock *clock,
	struct wallclock_seen *ret)
{
	ret->real_s = clock_real_s(clock);
	ret->boot_s = clock_boot_ns(clock) / CLOCK_NS_PER_S;
	/* A clock that is behind does not make the one before forgotten. */
	if (wallclock_behind_s(w)) {
		ret->real_s = MAX_OF(ret->real_s, w->floor_real_s);
		ret->boot_s += ret->real_s - clock_real_s(clock);
	}
}

bool wallclock_look(struct wallclock *w, const struct clock *clock)
{
	int64_t boot = clock_boot_ns(clock), real = clock_real_ns(clock);
	int64_t step = (real - w->real_ns) - (boot - w->boot_ns);
	bool is_first = !w->boot_ns;

	w->boot_ns = boot;
	w->real_ns = real;
	if (is_first || (step <= CLOCK_STEP_S * CLOCK_NS_PER_S &&
				step >= -CLOCK_STEP_S * CLOCK_NS_PER_S))
		return false;
	/* Set before our eyes: what was saved before says nothing now. */
	w->floor_real_s = 0;
	distrust(w, step);
	return true;
}

int64_t wallclock_behind_s(const struct wallclock *w)
{
	int64_t floor_s = MAX_OF(w->floor_real_s - CLOCK_STEP_S, CLOCK_EPOCH_S);

	return MAX_OF(floor_s - w->real_ns / CLOCK_NS_PER_S, INT64_C(0));
}

bool wallclock_is_trusted(const struct wallclock *w)
{
	return w->boot_ns >= w->settled_boot_ns && !wallclock_behind_s(w);
}

int64_t wallclock_due(const struct wallclock *w)
{
	int64_t behind_s = wallclock_behind_s(w), due = INT64_MAX;

	if (behind_s)
		due = w->boot_ns +
		      MIN_OF(behind_s, INT64_C(60)) * CLOCK_NS_PER_S;
	if (w->settled_boot_ns > w->boot_ns)
		due = MIN_OF(due, w->settled_boot_ns);
	return due;
}

void wallclock_accept(struct wallclock *w)
{
	w->floor_real_s = 0;
	w->settled_boot_ns = MIN_OF(w->settled_boot_ns, w->boot_ns);
}
