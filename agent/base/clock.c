// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int64_t kernel_ns(clockid_t id)
{
	struct timespec ts;

	/* Fails only for a bad clock id. */
	clock_gettime(id, &ts);
	return ts.tv_sec * CLOCK_NS_PER_S + ts.tv_nsec;
}

int64_t clock_real_ns(const struct clock *c)
{
	return c && c->is_fake ? c->fake_real_ns : kernel_ns(CLOCK_REALTIME);
}

int64_t clock_boot_ns(const struct clock *c)
{
	return c && c->is_fake ? c->fake_boot_ns : kernel_ns(CLOCK_BOOTTIME);
}

void clock_advance(struct clock *c, int64_t ns)
{
	c->fake_real_ns += ns;
	c->fake_boot_ns += ns;
}

const char *clock_stamp(int64_t real_s, char ret[CLOCK_STAMP_SIZE])
{
	time_t t = (time_t)real_s;
	struct tm tm;
	int year;

	/* strftime writes the year 7 as "7". */
	if (gmtime_r(&t, &tm) && tm.tm_year >= -1900 && tm.tm_year < 8100) {
		year = tm.tm_year + 1900;
		snprintf(ret, CLOCK_STAMP_SIZE,
			"%04d-%02d-%02dT%02d:%02d:%02dZ", year % 10000,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			tm.tm_sec);
		return ret;
	}
	strcpy(ret,
		real_s < 0 ? "0000-01-01T00:00:00Z" : "9999-12-31T23:59:59Z");
	return ret;
}

int clock_parse_stamp(const char *text, int64_t *ret_real_s)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	char again[CLOCK_STAMP_SIZE];
	int64_t real_s;

	if (!end || *end)
		return -EINVAL;
	/* strptime takes blanks, short numbers and 30 February. */
	real_s = (int64_t)timegm(&tm);
	if (strcmp(clock_stamp(real_s, again), text) != 0)
		return -EINVAL;
	*ret_real_s = real_s;
	return 0;
}
