// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "window.h"

#define MS CLOCK_NS_PER_MS

static struct window w;
static int64_t now_ns;

static int set_up(void **state)
{
	(void)state;
	w = (struct window){0};
	now_ns = CLOCK_NS_PER_S;
	window_turn(&w, now_ns);
	return 0;
}

/* One window of an agent that is told of so many events a second. Returns how
 * long it was. */
static int64_t pass(int64_t per_s)
{
	int64_t length_ns = w.end_boot_ns - now_ns;

	now_ns = w.end_boot_ns;
	window_note(&w, (size_t)(per_s * length_ns / CLOCK_NS_PER_S));
	window_turn(&w, now_ns);
	return length_ns;
}

static void test_idle(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pass(10000), 5 * MS);
		assert_false(window_is_shut(&w, now_ns));
	}
}

/* Thick, and no flood: the window opens, stays short, and closes. */
static void test_load(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(pass(50000), 5 * MS);
		assert_true(window_is_shut(&w, now_ns));
		assert_true(window_is_shut(&w, w.end_boot_ns - 1));
		assert_false(window_is_shut(&w, w.end_boot_ns));
	}
	pass(400); /* two events: it stays */
	assert_true(window_is_shut(&w, now_ns));
	pass(0);
	assert_false(window_is_shut(&w, now_ns));
}

static void test_reads(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		window_note(&w, 1);
	window_note(&w, 0); /* found nothing */
	pass(0);
	assert_false(window_is_shut(&w, now_ns));
	for (int i = 0; i < 4; i++)
		window_note(&w, 1);
	pass(0);
	assert_true(window_is_shut(&w, now_ns));
}

/* In proportion, at most 20 ms, and as far as a quarter of a queue allows. */
static void test_flood(void **state)
{
	static const struct {
		int64_t per_s, length_ns;
	} rows[] = {
		{60000, 6 * MS},
		{100000, 10 * MS},
		{150000, 15 * MS},
		{200000, 20 * MS},
		{204800, 20 * MS},
		{300000, 13653333},
		{400000, 10240000},
		{819200, 5 * MS},
		{1000000, 5 * MS},
		{5000000, 5 * MS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_up(state);
		pass(rows[i].per_s);
		for (int n = 0; n < 5; n++) {
			int64_t length_ns = pass(rows[i].per_s);

			assert_in_range(length_ns, 5 * MS, 20 * MS);
			assert_in_range(length_ns, rows[i].length_ns - MS / 20,
				rows[i].length_ns + MS / 20);
			/* of a part of an event, the one */
			assert_true(
				length_ns == 5 * MS ||
				rows[i].per_s * length_ns / CLOCK_NS_PER_S <=
					WINDOW_FULL + 1);
		}
		/* and back */
		pass(1000);
		assert_int_equal(pass(1000), 5 * MS);
	}
}

/* Of a loop that was held up for 100 ms, the rate counts, not how much came. */
static void test_late(void **state)
{
	static const struct {
		size_t n_events;
		int64_t length_ns;
	} rows[] = {{2000, 5 * MS}, {15000, 14285714}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_up(state);
		pass(40000);
		now_ns = w.end_boot_ns + 100 * MS;
		window_note(&w, rows[i].n_events);
		window_turn(&w, now_ns);
		assert_in_range(w.end_boot_ns - now_ns, rows[i].length_ns,
			rows[i].length_ns + 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_idle, set_up),
		cmocka_unit_test_setup(test_load, set_up),
		cmocka_unit_test_setup(test_reads, set_up),
		cmocka_unit_test_setup(test_flood, set_up),
		cmocka_unit_test_setup(test_late, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
