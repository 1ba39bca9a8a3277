// SPDX-License-Identifier: GPL-2.0-or-later
#include "window.h"

#include "base/mem.h"

/* In WINDOW_NS; more than that come thick. */
#define MANY_EVENTS 100
#define MANY_READS  4
/* Beyond so many events a second it is longer in proportion. */
#define FLOOD_PER_S 50000

bool window_is_shut(const struct window *w, int64_t now_boot_ns)
{
	return w->is_flooded && now_boot_ns < w->end_boot_ns;
}

void window_note(struct window *w, size_t n_events)
{
	w->n_events += n_events;
	w->n_reads += n_events > 0;
}

/* How long the next one is to be, by what came in this one. */
static int64_t next_ns(const struct window *w, int64_t took_ns)
{
	double per_ns = (double)w->n_events / (double)MAX_OF(took_ns, 1);
	double floods = per_ns * (double)CLOCK_NS_PER_S / FLOOD_PER_S;

	if (!w->is_flooded || floods <= 1)
		return WINDOW_NS;
	return MAX_OF(WINDOW_NS,
		(int64_t)MIN_OF(MIN_OF(WINDOW_NS * floods, WINDOW_MAX_NS),
			WINDOW_FULL / per_ns));
}

void window_turn(struct window *w, int64_t now_boot_ns)
{
	if (now_boot_ns < w->end_boot_ns)
		return;
	w->is_flooded = w->is_flooded ? w->n_events > 0
				      : w->n_events >= MANY_EVENTS ||
						w->n_reads >= MANY_READS;
	w->end_boot_ns =
		now_boot_ns + next_ns(w, now_boot_ns - w->began_boot_ns);
	w->began_boot_ns = now_boot_ns;
	w->n_events = w->n_reads = 0;
}
