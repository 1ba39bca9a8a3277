// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/account.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/units.h"

static const char *const nobody[] = {
	"", "-1", "4294967295", "99999999999", "no such", "1x", " 1"};

static void users_and_groups(void **state)
{
	struct account a = {.uid = 7};
	gid_t gid = 7;

	(void)state;
	assert_int_equal(account_find_user("root", &a), 0);
	assert_int_equal(a.uid, 0);
	assert_string_equal(a.name, "root");
	assert_int_equal(account_find_user("0", &a), 0);
	assert_string_equal(a.name, "root");
	assert_int_equal(account_find_user("4000000017", &a), 0);
	assert_int_equal(a.uid, 4000000017);
	assert_int_equal(a.gid, 4000000017);
	assert_string_equal(a.name, "");
	assert_int_equal(account_find_user("4294967294", &a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
		assert_int_equal(account_find_user(nobody[i], &a), -ENOENT);
		assert_int_equal(account_find_group(nobody[i], &gid), -ENOENT);
	}
	assert_int_equal(a.uid, 4294967294);
	assert_int_equal(gid, 7);
	assert_int_equal(account_find_group("root", &gid), 0);
	assert_int_equal(gid, 0);
	assert_int_equal(account_find_group("12", &gid), 0);
	assert_int_equal(gid, 12);
}

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = {
		{"0", 0},
		{"512", 512},
		{"512B", 512},
		{"3000MB", UINT64_C(3000) << 20},
		{"3000MiB", UINT64_C(3000) << 20},
		{"3000M", UINT64_C(3000) << 20},
		{"1.5G", UINT64_C(3) << 29},
		{"10 KiB", 10240},
		{"10k", 10240},
		{"007K", 7168},
		{"0.000000001P", 1125899},
		{"0.1T", 109951162777},
		{"8191P", UINT64_C(8191) << 50},
		{"8191.999999999P", UINT64_C(9223372036853649908)},
		{"9223372036854775807", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bytes = 42;

		if (units_parse_size(rows[i].text, &bytes) != 0 ||
			bytes != rows[i].bytes)
			fail_msg("'%s' gave %ju", rows[i].text,
				(uintmax_t)bytes);
	}
}

static void other_sizes_are_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{"", EINVAL},
		{" 1M", EINVAL},
		{"1M ", EINVAL},
		{"1\tM", EINVAL},
		{"-1", EINVAL},
		{"+1", EINVAL},
		{"M", EINVAL},
		{".5G", EINVAL},
		{"1.G", EINVAL},
		{"1.5", EINVAL}, /* half a byte */
		{"1.5B", EINVAL},
		{"1e3", EINVAL},
		{"0x10", EINVAL},
		{"1,5G", EINVAL},
		{"1iB", EINVAL},
		{"1E", EINVAL},
		{"1MM", EINVAL},
		{"1MBB", EINVAL},
		{"1Mi", EINVAL},
		{"80%", EINVAL},
		{"1.0000000001P", EINVAL},
		{"\xd9\xa1", EINVAL}, /* an Arabic digit */
		{"9223372036854775808", ERANGE},
		{"18446744073709551616", ERANGE},
		{"99999999999999999999999999", ERANGE},
		{"8192P", ERANGE},
		{"16384P", ERANGE},
		{"18014398509481985K", ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bytes = 42;
		int r = units_parse_size(rows[i].text, &bytes);

		if (r != -rows[i].error || bytes != 42)
			fail_msg("'%s' gave %d", rows[i].text, r);
	}
}

static void durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
	} rows[] = {
		{"0s", 0},
		{"45s", 45},
		{"10min", 600},
		{"48h", 172800},
		{"90d", 7776000},
		{"1w2d", 777600},
		{"1y", 31536000},
		{"2d 3h", 183600},
		{"1000y", INT64_C(31536000000)},
		{"31536000000s", INT64_C(31536000000)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t s = -42;

		if (units_parse_duration(rows[i].text, &s) != 0 ||
			s != rows[i].s)
			fail_msg("'%s' gave %jd", rows[i].text, (intmax_t)s);
	}
}

static void other_durations_are_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{"", EINVAL},
		{"0", EINVAL},
		{"10", EINVAL},
		{"10m", EINVAL}, /* minutes or months? */
		{"10 s", EINVAL},
		{"1h ", EINVAL},
		{"1h  2s", EINVAL},
		{" 1h", EINVAL},
		{"-1h", EINVAL},
		{"1.5h", EINVAL},
		{"1H", EINVAL},
		{"1hour", EINVAL},
		{"h", EINVAL},
		{"1001y", ERANGE},
		{"1000y1s", ERANGE},
		{"31536000001s", ERANGE},
		{"18446744073709551615w", ERANGE},
		{"18446744073709551616s", ERANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t s = 42;
		int r = units_parse_duration(rows[i].text, &s);

		if (r != -rows[i].error || s != 42)
			fail_msg("'%s' gave %d", rows[i].text, r);
	}
}

static void percents_are_read(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint32_t ppm;
	} rows[] = {
		{"80%", 0, 800000},
		{"12.5%", 0, 125000},
		{"0%", 0, 0},
		{"100%", 0, 1000000},
		{"100.0000%", 0, 1000000},
		{"0.0001%", 0, 1},
		{"33.3333%", 0, 333333},
		{"100.0001%", -ERANGE, 42},
		{"101%", -ERANGE, 42},
		{"18446744073709551615%", -ERANGE, 42},
		{"18446744073709551616%", -ERANGE, 42},
		{"0.00001%", -EINVAL, 42},
		{"80", -EINVAL, 42},
		{"%", -EINVAL, 42},
		{"-1%", -EINVAL, 42},
		{"80 %", -EINVAL, 42},
		{"80%%", -EINVAL, 42},
		{"", -EINVAL, 42},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t ppm = 42;

		if (units_parse_percent(rows[i].text, &ppm) != rows[i].result ||
			ppm != rows[i].ppm)
			fail_msg("'%s' gave %u", rows[i].text, ppm);
	}
}

static void sizes_are_written(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0 B"},
		{1, "1 B"},
		{1023, "1023 B"},
		{1024, "1 KiB"},
		{1029, "1 KiB"}, /* 1.0049 */
		{1030, "1.01 KiB"},
		{1536, "1.5 KiB"},
		{10229, "9.99 KiB"},
		{10235, "10 KiB"}, /* 9.995 rounds up to another length */
		{102348, "99.9 KiB"},
		{102400, "100 KiB"},
		{1024 * 1023, "1023 KiB"},
		{1024 * 1024 - 1, "1 MiB"}, /* never "1024 KiB" */
		{1048576, "1 MiB"},
		{2040109465, "1.9 GiB"},
		{UINT64_C(3000) << 20, "2.93 GiB"},
		{UINT64_MAX, "16 EiB"},
		{(UINT64_C(1) << 60) - 1, "1 EiB"},
	};
	char text[UNITS_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			units_size(rows[i].bytes, text), rows[i].text);
}

static void durations_are_written(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} rows[] = {
		{0, "0s"},
		{45, "45s"},
		{60, "1min"},
		{61, "1min 1s"},
		{3600, "1h"},
		{3605, "1h"},
		{86399, "23h 59min"},
		{183600, "2d 3h"},
		{183659, "2d 3h"},
		{86400 * 364, "364d"},
		{86400 * 400, "1y 35d"},
		{-5, "-5s"},
		{-183600, "-2d 3h"},
		{INT64_MAX, "292471208677y 195d"},
		{INT64_MIN, "-292471208677y 195d"},
	};
	char text[UNITS_SIZE];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			units_duration(rows[i].s, text), rows[i].text);
	assert_int_equal(
		units_parse_duration(units_duration(183600, text), &back), 0);
	assert_true(back == 183600);
}

static void shares_are_written(void **state)
{
	char text[UNITS_SIZE];

	(void)state;
	assert_string_equal(units_share(934, 1000, text), "93.4%");
	assert_string_equal(units_share(1, 3, text), "33.3%");
	assert_string_equal(units_share(0, 7, text), "0.0%");
	assert_string_equal(units_share(7, 7, text), "100.0%");
	assert_string_equal(units_share(15, 10, text), "150.0%");
	assert_string_equal(units_share(5, 0, text), "-");
	/* What has not reached a limit does not look as if it had. */
	assert_string_equal(units_share(8999, 10000, text), "89.9%");
	assert_string_equal(
		units_share(UINT64_MAX - 1, UINT64_MAX, text), "99.9%");
	assert_true(strlen(units_share(UINT64_MAX, 1, text)) < UNITS_SIZE);
}

static void names_are_escaped(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"", ""},
		{"plain name", "plain name"},
		{"a\nb", "a\\x0ab"},
		{"a\\b", "a\\\\b"},
		{"\x1b[31m", "\\x1b[31m"},
		{"\x7f", "\\x7f"},
		{"h\xc3\xa9", "h\xc3\xa9"},
		{"\xe2\x82\xac\xf0\x9f\x98\x80",
			"\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"\xc2\x85", "\\xc2\\x85"}, /* C1: next line */
		{"\xc2\x9b", "\\xc2\\x9b"}, /* C1: as good as ESC [ */
		{"\xc2\xa0", "\xc2\xa0"},
		{"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, /* U+2028 */
		{"\xe2\x80\xa9", "\\xe2\\x80\\xa9"},
		{"\xe2\x80\x8e", "\\xe2\\x80\\x8e"}, /* U+200E */
		{"\xe2\x80\x8f", "\\xe2\\x80\\x8f"},
		{"\xe2\x80\xaa", "\\xe2\\x80\\xaa"}, /* U+202A */
		{"gpj.\xe2\x80\xae"
		 "exe",
			"gpj.\\xe2\\x80\\xaeexe"},
		{"\xe2\x80\xaf", "\xe2\x80\xaf"}, /* U+202F: a space */
		{"\xe2\x81\xa5", "\\xe2\\x81\\xa5"},
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6"}, /* U+2066 */
		{"\xe2\x81\xa9", "\\xe2\\x81\\xa9"},
		{"\xd8\x9c", "\\xd8\\x9c"}, /* U+061C */
		{"\xef\xbb\xbf", "\\xef\\xbb\\xbf"}, /* U+FEFF */
		/* Not seen at all. */
		{"a\xc2\xad", "a\\xc2\\xad"}, /* U+00AD */
		{"\xe1\x85\x9f", "\\xe1\\x85\\x9f"}, /* U+115F */
		{"\xe2\x80\x8b", "\\xe2\\x80\\x8b"}, /* U+200B */
		{"\xe3\x85\xa4", "\\xe3\\x85\\xa4"}, /* U+3164 */
		{"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"}, /* U+E0041 */
		{"\xc2\xac", "\xc2\xac"}, /* beside them */
		{"\xe2\x80\x90", "\xe2\x80\x90"},
		{"\xf3\xa1\x80\x80", "\xf3\xa1\x80\x80"},
		/* No UTF-8: cut short, overlong, surrogates, too large. */
		{"\xff", "\\xff"},
		{"\x80", "\\x80"},
		{"\xc3", "\\xc3"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\xe2\x82x", "\\xe2\\x82x"},
		{"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
		{"\xc0\xaf", "\\xc0\\xaf"},
		{"\xc1\xbf", "\\xc1\\xbf"},
		{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
		{"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xed\x9f\xbf", "\xed\x9f\xbf"},
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
		{"\xc3\xc3\xa9", "\\xc3\xc3\xa9"},
	};
	struct buf b = {0}, back = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].name);

		buf_reset(&b);
		buf_reset(&back);
		assert_int_equal(escape_name(&b, rows[i].name, len), 0);
		assert_string_equal(b.data, rows[i].text);
		assert_int_equal(escape_undo(&back, b.data), 0);
		assert_string_equal(back.data, rows[i].name);
	}
	buf_fini(&b);
	buf_fini(&back);
}

static bool is_printable(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->data[i] < 0x20 || b->data[i] == 0x7f)
			return false;
	return true;
}

/* Every name of three bytes out of those that matter comes back. */
static void escaping_loses_nothing(void **state)
{
	static const unsigned char bytes[] = {0, 1, '\n', 0x1b, 'a', '\\', 'x',
		'0', '/', 0x7f, 0x80, 0x85, 0x9b, 0xa0, 0xae, 0xbf, 0xc0, 0xc2,
		0xc3, 0xd8, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xff};
	size_t n = sizeof(bytes);
	struct buf b = {0}, back = {0};

	(void)state;
	for (size_t i = 0; i < n * n * n; i++) {
		char name[3] = {(char)bytes[i % n], (char)bytes[i / n % n],
			(char)bytes[i / n / n]};

		buf_reset(&b);
		buf_reset(&back);
		assert_int_equal(escape_name(&b, name, sizeof(name)), 0);
		assert_int_equal(strlen(b.data), b.len);
		assert_true(is_printable(&b));
		assert_int_equal(escape_undo(&back, b.data), 0);
		assert_int_equal(back.len, sizeof(name));
		assert_memory_equal(back.data, name, sizeof(name));
	}
	buf_fini(&b);
	buf_fini(&back);
}

static void texts_are_cut_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *expected;
	} rows[] = {{"abc", 4, "abc"}, {"abc", 3, "ab"}, {"abc", 1, ""},
		{"a\xc3\xa9", 4, "a\xc3\xa9"}, {"a\xc3\xa9", 3, "a"},
		{"a\xf0\x9f\x98\x80", 5, "a"}, {"\xf0\x9f\x98\x80", 2, ""},
		{"", 1, ""}};
	char got[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		escape_fit(got, rows[i].size, rows[i].text);
		assert_string_equal(got, rows[i].expected);
	}
}

static void bad_escapes_are_refused(void **state)
{
	static const char *const rows[] = {"a\\", "\\", "\\x", "\\x1", "\\xg0",
		"\\x0g", "\\n", "\\X41", "ok\\\\\\"};
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_puts(&b, "before"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(escape_undo(&b, rows[i]), -EINVAL);
		assert_string_equal(b.data, "before");
		assert_int_equal(b.len, 6);
	}
	assert_int_equal(escape_undo(&b, "\\x2Fa\\x2f"), 0);
	assert_string_equal(b.data, "before/a/");
	buf_fini(&b);
}

static void lines_keep_their_backslashes(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(escape_line(&b, "a\\x0a\nb\xff", 8), 0);
	assert_string_equal(b.data, "a\\x0a\\x0ab\\xff");
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_and_groups),
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(other_sizes_are_refused),
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(other_durations_are_refused),
		cmocka_unit_test(percents_are_read),
		cmocka_unit_test(sizes_are_written),
		cmocka_unit_test(durations_are_written),
		cmocka_unit_test(shares_are_written),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(escaping_loses_nothing),
		cmocka_unit_test(texts_are_cut_between_characters),
		cmocka_unit_test(bad_escapes_are_refused),
		cmocka_unit_test(lines_keep_their_backslashes),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
