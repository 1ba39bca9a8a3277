// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Whether this host waits for its disks: "some avg10" of /proc/pressure/io,
 * the share of the last 10 s in which somebody did. What we read ourselves is
 * in it.
 */

#include <stdbool.h>
#include <stdint.h>

#define PRESSURE_PATH "/proc/pressure/io"
#define PRESSURE_HIGH 2000 /* hundredths of a percent: above, it is high */
#define PRESSURE_LOW  1000 /* and not again until it is below this */

struct pressure {
	const char *path; /* NULL: PRESSURE_PATH */
	int64_t due_boot_ns; /* not read again before this */
	bool is_high;
};

/* Reads it at most once a second. A kernel that does not tell has none. */
bool pressure_is_high(struct pressure *p, int64_t now_boot_ns);
/* Hundredths of a percent; -EBADMSG: that is no such text. */
int pressure_parse(const char *text);
