// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The clock: wall time for stamps on files and records, boot time
 * (CLOCK_BOOTTIME, runs on in suspend, never steps) for every interval.
 * Tests put a fake one in; nothing else reads the kernel's clock.
 */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct clock {
	bool is_fake;
	int64_t fake_real_ns;
	int64_t fake_boot_ns;
};

#define CLOCK_NS_PER_S	INT64_C(1000000000)
#define CLOCK_NS_PER_MS INT64_C(1000000)

/* The wall clock moved by more than this against the boot clock: it was set. A
 * clock that is only slewed never is so far off between two looks. */
#define CLOCK_STEP_S INT64_C(5)
/* 2026-01-01: no clock that goes right tells a time before this program was. */
#define CLOCK_EPOCH_S INT64_C(1767225600)
/* The end of the year 2199: beyond, nanoseconds would run over in 64 bits. */
#define CLOCK_MAX_S INT64_C(7258118399)

/* Nanoseconds since 1970 (wall) and since boot. c may be NULL: the real one. */
int64_t clock_real_ns(const struct clock *c);
int64_t clock_boot_ns(const struct clock *c);
static inline int64_t clock_real_s(const struct clock *c)
{
	return clock_real_ns(c) / CLOCK_NS_PER_S;
}

/* How far the wall clock is ahead of the boot clock: changes only by a step. */
static inline int64_t clock_lead_ns(const struct clock *c)
{
	return clock_real_ns(c) - clock_boot_ns(c);
}

/* Moves a fake clock on, both times alike. */
void clock_advance(struct clock *c, int64_t ns);

/* RFC 3339 in UTC, "2026-11-23T03:16:00Z"; needs CLOCK_STAMP_SIZE bytes. */
#define CLOCK_STAMP_SIZE 32
const char *clock_stamp(int64_t real_s, char ret[CLOCK_STAMP_SIZE]);
/* The reverse. Returns 0 or -EINVAL. */
int clock_parse_stamp(const char *text, int64_t *ret_real_s);
