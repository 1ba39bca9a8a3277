// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* Digits after the point that count; a ninth of a byte of a GiB is enough. */
#define MAX_DECIMALS 9

static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000,
	10000000, 100000000, 1000000000};

/* A decimal number as it stands: whole + decimals / 10^n_decimals. */
struct number {
	uint64_t whole;
	uint64_t decimals;
	int n_decimals;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Own reading: strtoull takes signs, blanks and other bases. */
static int read_whole(const char **at, uint64_t *ret)
{
	uint64_t value = 0;

	if (!is_digit(**at))
		return -EINVAL;
	for (; is_digit(**at); ++*at)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(
				value, (uint64_t)(**at - '0'), &value))
			return -ERANGE;
	*ret = value;
	return 0;
}

static int read_number(const char **at, int max_decimals, struct number *ret)
{
	struct number n = {0};
	int r = read_whole(at, &n.whole);

	if (r < 0)
		return r;
	if (**at == '.') {
		++*at;
		if (!is_digit(**at))
			return -EINVAL;
		for (; is_digit(**at); ++*at) {
			if (n.n_decimals == max_decimals)
				return -EINVAL;
			n.decimals = n.decimals * 10 + (uint64_t)(**at - '0');
			n.n_decimals++;
		}
	}
	*ret = n;
	return 0;
}

/* "K", "kB", "KiB", "B", "": the power of 1024, or -EINVAL. */
static int read_size_unit(const char *text)
{
	static const char prefixes[] = "KMGTP";
	int power = 0;

	if (*text)
		for (int i = 0; prefixes[i]; i++)
			if ((*text & ~0x20) == prefixes[i])
				power = i + 1;
	if (power)
		text++;
	if (!*text || strcasecmp(text, "B") == 0)
		return power;
	return power && strcasecmp(text, "iB") == 0 ? power : -EINVAL;
}

int units_parse_size(const char *text, uint64_t *ret_bytes)
{
	struct number n;
	uint64_t unit, bytes;
	int r = read_number(&text, MAX_DECIMALS, &n), power;

	if (r < 0)
		return r;
	while (*text == ' ')
		text++;
	power = read_size_unit(text);
	if (power < 0 || (power == 0 && n.n_decimals))
		return -EINVAL;
	unit = UINT64_C(1) << (10 * power);
	if (__builtin_mul_overflow(n.whole, unit, &bytes))
		return -ERANGE;
	bytes = mem_add_sat(
		bytes, mem_mul_div(n.decimals, unit, tens[n.n_decimals]));
	if (bytes > INT64_MAX)
		return -ERANGE;
	*ret_bytes = bytes;
	return 0;
}

static const struct {
	const char *name;
	int64_t s;
	bool is_written; /* units_duration uses it; weeks only confuse */
} spans[] = {
	{"y", 365 * 86400, true},
	{"w", 7 * 86400, false},
	{"d", 86400, true},
	{"h", 3600, true},
	{"min", 60, true},
	{"s", 1, true},
};

#define MAX_DURATION_S (INT64_C(1000) * 365 * 86400)

static int read_span(const char **at, int64_t *ret_s)
{
	size_t len = strspn(*at, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
		if (strlen(spans[i].name) == len &&
			memcmp(spans[i].name, *at, len) == 0) {
			*at += len;
			*ret_s = spans[i].s;
			return 0;
		}
	return -EINVAL;
}

int units_parse_duration(const char *text, int64_t *ret_s)
{
	int64_t total = 0;

	do {
		uint64_t count;
		int64_t span;
		int r = read_whole(&text, &count);

		if (r < 0)
			return r;
		r = read_span(&text, &span);
		if (r < 0)
			return r;
		if (count > (uint64_t)(MAX_DURATION_S / span))
			return -ERANGE;
		total += (int64_t)count * span;
		if (total > MAX_DURATION_S)
			return -ERANGE;
		/* As units_duration writes it. */
		if (text[0] == ' ' && text[1])
			text++;
	} while (*text);
	*ret_s = total;
	return 0;
}

int units_parse_percent(const char *text, uint32_t *ret_ppm)
{
	struct number n;
	uint64_t ppm;
	/* Four decimals of a percent are one part per million. */
	int r = read_number(&text, 4, &n);

	if (r < 0)
		return r;
	if (strcmp(text, "%") != 0)
		return -EINVAL;
	if (n.whole > 100)
		return -ERANGE;
	ppm = n.whole * 10000 + n.decimals * 10000 / tens[n.n_decimals];
	if (ppm > 1000000)
		return -ERANGE;
	*ret_ppm = (uint32_t)ppm;
	return 0;
}

/* bytes / unit with n_decimals, without zeros at the end. */
static void write_size(
	uint64_t bytes, int power, int n_decimals, char ret[UNITS_SIZE])
{
	static const char *const names[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned __int128 unit = (unsigned __int128)1 << (10 * power);
	uint64_t scaled =
		(uint64_t)((bytes * (unsigned __int128)tens[n_decimals] +
				   unit / 2) /
			   unit);

	if (scaled == 1024 && n_decimals == 0 && power) {
		snprintf(ret, UNITS_SIZE, "1 %s", names[power + 1]);
		return;
	}
	while (n_decimals && scaled % 10 == 0) {
		scaled /= 10;
		n_decimals--;
	}
	if (!n_decimals)
		snprintf(ret, UNITS_SIZE, "%" PRIu64 " %s", scaled,
			names[power]);
	else
		snprintf(ret, UNITS_SIZE, "%" PRIu64 ".%0*" PRIu64 " %s",
			scaled / tens[n_decimals], n_decimals,
			scaled % tens[n_decimals], names[power]);
}

const char *units_size(uint64_t bytes, char ret[UNITS_SIZE])
{
	int power = 0, n_decimals = 0;
	uint64_t whole;

	while (power < 6 && bytes >> (10 * (power + 1)))
		power++;
	whole = bytes >> (10 * power);
	if (power)
		n_decimals = whole < 10 ? 2 : whole < 100 ? 1 : 0;
	write_size(bytes, power, n_decimals, ret);
	return ret;
}

const char *units_duration(int64_t s, char ret[UNITS_SIZE])
{
	uint64_t rest = s < 0 ? -(uint64_t)s : (uint64_t)s;
	int at = 0, n_units = 0;

	if (s < 0)
		ret[at++] = '-';
	for (size_t i = 0; i < ARRAY_SIZE(spans) && n_units < 2; i++) {
		uint64_t span = (uint64_t)spans[i].s;
		uint64_t count = rest / span;

		if (!spans[i].is_written)
			continue;
		rest %= span;
		/* A unit of nothing in between is counted, not written:
		 * one day and five seconds are "1d". */
		if (n_units)
			n_units++;
		else if (count || span == 1)
			n_units = 1;
		if (!n_units || (n_units == 2 && !count))
			continue;
		at += snprintf(ret + at, (size_t)(UNITS_SIZE - at),
			"%s%" PRIu64 "%s", n_units == 2 ? " " : "", count,
			spans[i].name);
	}
	return ret;
}

const char *units_share(uint64_t a, uint64_t b, char ret[UNITS_SIZE])
{
	uint64_t tenths;

	if (!b)
		return strcpy(ret, "-");
	/* Cut, not rounded: 89.96 % has not reached a limit of 90 %. */
	tenths = mem_mul_div(a, 1000, b);
	snprintf(ret, UNITS_SIZE, "%" PRIu64 ".%" PRIu64 "%%", tenths / 10,
		tenths % 10);
	return ret;
}
