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
		assert_int_equal(pass(150000), 5 * MS);
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

/* As long as a quarter of a queue allows, and not beyond 20 ms. */
static void test_flood(void **state)
{
	static const int64_t per_s[] = {
		200000, 300000, 400000, 819200, 1000000, 5000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(per_s); i++) {
		int64_t length_ns;

		set_up(state);
		pass(per_s[i]);
		for (int n = 0; n < 5; n++) {
			length_ns = pass(per_s[i]);
			assert_in_range(length_ns, 5 * MS, 20 * MS);
			/* of a part of an event, the one */
			assert_true(length_ns == 5 * MS ||
				    per_s[i] * length_ns / CLOCK_NS_PER_S <=
					    WINDOW_FULL + 1);
		}
		if (per_s[i] <= 200000)
			assert_int_equal(length_ns, 20 * MS);
		if (per_s[i] == 400000)
			assert_in_range(length_ns, 10 * MS, 10.5 * MS);
		/* and back */
		pass(1000);
		assert_int_equal(pass(1000), 5 * MS);
	}
}

/* Of a loop that was held up, the rate counts, not how much came. */
static void test_late(void **state)
{
	(void)state;
	pass(150000);
	now_ns = w.end_boot_ns + 100 * MS;
	window_note(&w, 15000);
	window_turn(&w, now_ns);
	assert_int_equal(w.end_boot_ns - now_ns, 5 * MS);
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
