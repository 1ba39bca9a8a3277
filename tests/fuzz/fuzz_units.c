// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sizes, durations, shares and times as people write them, against a second
 * reading that is as plain as it can be, and around: what is written by us is
 * read by us, and means the same to the precision it is shown in.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"

/* Digits from *text; false if there are none, or more than fit. */
static bool plain_number(const char **text, unsigned __int128 *ret)
{
	const char *start = *text;

	*ret = 0;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		if (*ret > (unsigned __int128)1 << 70)
			return false;
		*ret = *ret * 10 + (unsigned)(**text - '0');
	}
	return *text != start;
}

/* A size without a fraction: "10 MiB". False: it is not for this reading. */
static bool plain_size(const char *text, unsigned __int128 *ret)
{
	static const char letters[] = "KMGTP";
	const char *letter;

	if (!plain_number(&text, ret))
		return false;
	text += strspn(text, " ");
	letter = *text ? strchr(letters, *text) : NULL;
	if (letter) {
		*ret <<= 10 * (letter - letters + 1);
		text++;
	}
	return !*text || strcmp(text, "B") == 0 ||
	       (letter && strcmp(text, "iB") == 0);
}

static void around_size(const char *text)
{
	unsigned __int128 plain;
	uint64_t bytes = 77, again = 0;
	char shown[UNITS_SIZE];
	int r = units_parse_size(text, &bytes);

	must(r == 0 || ((r == -EINVAL || r == -ERANGE) && bytes == 77));
	if (plain_size(text, &plain))
		must(plain > INT64_MAX ? r == -ERANGE
				       : r == 0 && bytes == plain);
	if (r < 0)
		return;
	must(bytes <= INT64_MAX);
	units_size(bytes, shown);
	/* Three digits: within half a hundredth. (8 EiB has no letter.) */
	if (units_parse_size(shown, &again) == 0)
		must(again / 200 + 1 >=
			(again > bytes ? again - bytes : bytes - again));
	else
		must(bytes >> 60);
}

static void around_duration(const char *text)
{
	int64_t s = -77, again = -1;
	char shown[UNITS_SIZE];
	int r = units_parse_duration(text, &s);

	must(r == 0 || ((r == -EINVAL || r == -ERANGE) && s == -77));
	if (r < 0)
		return;
	must(s >= 0 && s <= INT64_C(1000) * 365 * 86400);
	/* The two largest units: cut, never more than a day in a year. */
	must(units_parse_duration(units_duration(s, shown), &again) == 0);
	must(again <= s && s - again < (s >= 365 * 86400 ? 86400 : 3600));
}

static void around_percent(const char *text)
{
	uint32_t ppm = 77, again;
	char shown[UNITS_SIZE];
	int r = units_parse_percent(text, &ppm);

	must(r == 0 || ((r == -EINVAL || r == -ERANGE) && ppm == 77));
	if (r < 0)
		return;
	must(ppm <= 1000000);
	units_share(ppm, 1000000, shown);
	must(units_parse_percent(shown, &again) == 0);
	must(again <= ppm && ppm - again < 1000);
}

static void around_stamp(const char *text)
{
	char again[CLOCK_STAMP_SIZE];
	int64_t s = -77;
	int r = clock_parse_stamp(text, &s);

	must(r == 0 || (r == -EINVAL && s == -77));
	if (r == 0)
		must(strcmp(clock_stamp(s, again), text) == 0);
}

/* Any number is written in the room there is. */
static void write_all(uint64_t n, uint64_t of)
{
	char shown[UNITS_SIZE], stamp[CLOCK_STAMP_SIZE];
	int64_t s;

	must(strlen(units_size(n, shown)) < UNITS_SIZE);
	must(strlen(units_duration((int64_t)n, shown)) < UNITS_SIZE);
	must(strlen(units_share(n, of, shown)) < UNITS_SIZE);
	must(clock_parse_stamp(clock_stamp((int64_t)n, stamp), &s) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	mem_autofree char *text = input_string(&in, 64);
	uint64_t n[2] = {0};
	size_t len;
	const void *rest = input_run(&in, sizeof(n), &len);

	if (len)
		memcpy(n, rest, len);
	around_size(text);
	around_duration(text);
	around_percent(text);
	around_stamp(text);
	write_all(n[0], n[1]);
	return 0;
}
