// SPDX-License-Identifier: GPL-2.0-or-later
/* When the wall clock is believed: steps by days and years in both directions,
 * before our eyes and while nobody looked; suspend; a machine without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wallclock.h"

#define NOW    INT64_C(1800000000)
#define DAY_S  INT64_C(86400)
#define YEAR_S (365 * DAY_S)

static struct clock the_clock;

static struct wallclock begin(void)
{
	struct wallclock w = {0};

	the_clock = (struct clock){
		.is_fake = true,
		.fake_real_ns = NOW * CLOCK_NS_PER_S,
		.fake_boot_ns = 5000 * CLOCK_NS_PER_S,
	};
	assert_false(wallclock_look(&w, &the_clock));
	assert_true(wallclock_is_trusted(&w));
	return w;
}

static void set_clock(int64_t by_s)
{
	the_clock.fake_real_ns += by_s * CLOCK_NS_PER_S;
}

/* Looks as the agent does, some times a minute. */
static void pass(struct wallclock *w, int64_t s)
{
	for (; s > 0; s -= 10) {
		clock_advance(
			&the_clock, MIN_OF(s, INT64_C(10)) * CLOCK_NS_PER_S);
		assert_false(wallclock_look(w, &the_clock));
	}
}

static const int64_t steps_s[] = {
	6, -6, DAY_S, -DAY_S, YEAR_S, -YEAR_S / 2, 100 * YEAR_S};

static void test_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps_s); i++) {
		struct wallclock w = begin();

		set_clock(steps_s[i]);
		assert_true(wallclock_look(&w, &the_clock));
		assert_int_equal(w.stepped_ns, steps_s[i] * CLOCK_NS_PER_S);
		assert_false(wallclock_is_trusted(&w));
		assert_int_equal(wallclock_due(&w),
			the_clock.fake_boot_ns + 60 * CLOCK_NS_PER_S);
		pass(&w, 59);
		assert_false(wallclock_is_trusted(&w));
		/* Another one begins the minute anew. */
		set_clock(-7);
		assert_true(wallclock_look(&w, &the_clock));
		pass(&w, 59);
		assert_false(wallclock_is_trusted(&w));
		pass(&w, 1);
		assert_true(wallclock_is_trusted(&w));
		assert_int_equal(wallclock_due(&w), INT64_MAX);
	}
}

/* Time servers slew; both clocks run on in suspend, and looks may be rare. */
static void test_no_step(void **state)
{
	struct wallclock w = begin();

	(void)state;
	set_clock(4);
	assert_false(wallclock_look(&w, &the_clock));
	set_clock(-4);
	assert_false(wallclock_look(&w, &the_clock));
	clock_advance(&the_clock, 30 * DAY_S * CLOCK_NS_PER_S);
	assert_false(wallclock_look(&w, &the_clock));
	assert_true(wallclock_is_trusted(&w));
}

/* A machine whose clock stands in 1970 tells no ages, however stable it is. */
static void test_no_clock(void **state)
{
	struct wallclock w = {0};

	(void)state;
	begin();
	the_clock.fake_real_ns = 1000 * CLOCK_NS_PER_S;
	wallclock_look(&w, &the_clock);
	assert_false(wallclock_is_trusted(&w));
	pass(&w, 600);
	assert_false(wallclock_is_trusted(&w));
	/* Nor if somebody insists. */
	wallclock_accept(&w);
	assert_false(wallclock_is_trusted(&w));
	set_clock(NOW);
	assert_true(wallclock_look(&w, &the_clock));
	pass(&w, 60);
	assert_true(wallclock_is_trusted(&w));
}

/* Saves, is away for so long, and comes back with a clock set by so much. */
static struct wallclock come_back(int64_t away_s, int64_t set_s, bool is_same)
{
	struct wallclock before = begin(), w = {0};
	struct wallclock_seen seen = {0};

	wallclock_seen(&before, &the_clock, &seen);
	assert_int_equal(seen.real_s, NOW);
	seen.is_same_boot = is_same;
	clock_advance(&the_clock, away_s * CLOCK_NS_PER_S);
	if (!is_same)
		the_clock.fake_boot_ns = 20 * CLOCK_NS_PER_S;
	set_clock(set_s);
	wallclock_restore(&w, &the_clock, &seen);
	assert_false(wallclock_look(&w, &the_clock));
	return w;
}

static void test_restart(void **state)
{
	struct wallclock w = come_back(3600, 0, true);

	(void)state;
	assert_true(wallclock_is_trusted(&w));
	w = come_back(3600, 0, false);
	assert_true(wallclock_is_trusted(&w));
	/* In the same boot a long absence is no riddle. */
	w = come_back(30 * DAY_S, 0, true);
	assert_true(wallclock_is_trusted(&w));
	/* After another, time servers are given their minute. */
	w = come_back(30 * DAY_S, 0, false);
	assert_false(wallclock_is_trusted(&w));
	pass(&w, 60);
	assert_true(wallclock_is_trusted(&w));
}

static void test_set_forward_while_away(void **state)
{
	struct wallclock w = come_back(60, YEAR_S, true);

	(void)state;
	assert_false(wallclock_is_trusted(&w));
	assert_int_equal(w.stepped_ns, YEAR_S * CLOCK_NS_PER_S);
	pass(&w, 60);
	assert_true(wallclock_is_trusted(&w));
	w = come_back(60, YEAR_S, false);
	assert_false(wallclock_is_trusted(&w));
}

static void test_set_back_while_away(void **state)
{
	(void)state;
	for (int is_same = 0; is_same < 2; is_same++) {
		struct wallclock w = come_back(60, -DAY_S, is_same);

		assert_int_equal(wallclock_behind_s(&w), DAY_S - 60 - 5);
		/* Stable, and still not to be believed. */
		pass(&w, 3600);
		assert_false(wallclock_is_trusted(&w));
		assert_true(wallclock_due(&w) < INT64_MAX);
		/* Until it has caught up, */
		pass(&w, DAY_S - 3600);
		assert_true(wallclock_is_trusted(&w));
		/* is accepted, */
		w = come_back(60, -DAY_S, is_same);
		wallclock_accept(&w);
		assert_true(wallclock_is_trusted(&w));
		/* or is set. */
		w = come_back(60, -DAY_S, is_same);
		set_clock(DAY_S);
		assert_true(wallclock_look(&w, &the_clock));
		assert_false(wallclock_is_trusted(&w));
		pass(&w, 60);
		assert_true(wallclock_is_trusted(&w));
	}
}

/* One that is behind does not make the last good time forgotten, over any
 * number of restarts. */
static void test_behind_is_remembered(void **state)
{
	struct wallclock w = come_back(60, -DAY_S, false);
	struct wallclock_seen seen = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		wallclock_seen(&w, &the_clock, &seen);
		assert_int_equal(seen.real_s, NOW);
		seen.is_same_boot = true;
		w = (struct wallclock){0};
		clock_advance(&the_clock, 30 * CLOCK_NS_PER_S);
		wallclock_restore(&w, &the_clock, &seen);
		wallclock_look(&w, &the_clock);
		assert_false(wallclock_is_trusted(&w));
	}
}

/* Whatever a damaged state says. */
static void test_nonsense(void **state)
{
	static const int64_t odd[] = {
		INT64_MIN, -1, 0, 1, INT64_MAX, INT64_MAX / 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		for (size_t j = 0; j < ARRAY_SIZE(odd); j++)
			for (int is_same = 0; is_same < 2; is_same++) {
				struct wallclock w = begin();
				struct wallclock_seen seen = {.real_s = odd[i],
					.boot_s = odd[j],
					.is_same_boot = is_same};

				wallclock_restore(&w, &the_clock, &seen);
				wallclock_look(&w, &the_clock);
				wallclock_due(&w);
				wallclock_accept(&w);
				assert_true(wallclock_is_trusted(&w));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_no_step),
		cmocka_unit_test(test_no_clock),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_set_forward_while_away),
		cmocka_unit_test(test_set_back_while_away),
		cmocka_unit_test(test_behind_is_remembered),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
