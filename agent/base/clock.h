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

/* Nanoseconds since 1970 (wall) and since boot. c may be NULL: the real one. */
int64_t clock_real_ns(const struct clock *c);
int64_t clock_boot_ns(const struct clock *c);
static inline int64_t clock_real_s(const struct clock *c)
{
	return clock_real_ns(c) / CLOCK_NS_PER_S;
}

/* Moves a fake clock on, both times alike. */
void clock_advance(struct clock *c, int64_t ns);

/* RFC 3339 in UTC, "2026-11-23T03:16:00Z"; needs CLOCK_STAMP_SIZE bytes. */
#define CLOCK_STAMP_SIZE 32
const char *clock_stamp(int64_t real_s, char ret[CLOCK_STAMP_SIZE]);
/* The reverse. Returns 0 or -EINVAL. */
int clock_parse_stamp(const char *text, int64_t *ret_real_s);
