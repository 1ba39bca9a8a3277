// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * When news are read. An idle agent reacts at once; but so many events in a
 * window (also those of strangers on a marked filesystem), or so many reads
 * that found some, are read together from then on, or most of the time would
 * go into waking up. Until a window brings nothing: the kernel merges what
 * waits, so that of a flood of writes to one file hardly an event is left.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define WINDOW_NS (5 * CLOCK_NS_PER_MS)
/* On floods it grows with what comes to so much, as far as it then brings no
 * more events than a quarter of a queue (16,384 by default). */
#define WINDOW_MAX_NS (20 * CLOCK_NS_PER_MS)
#define WINDOW_FULL   4096

struct window { /* zeroed: nothing was read yet */
	bool is_flooded; /* read at its end, not at once */
	int64_t began_boot_ns, end_boot_ns;
	size_t n_events, n_reads; /* so many came, in so many reads */
};

/* Is reading to wait for the end of the window? */
bool window_is_shut(const struct window *w, int64_t now_boot_ns);
/* A read that brought n events. */
void window_note(struct window *w, size_t n_events);
/* Begins the next one, if this is over. */
void window_turn(struct window *w, int64_t now_boot_ns);
