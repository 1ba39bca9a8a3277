// SPDX-License-Identifier: GPL-2.0-or-later
/* When a ballast is made and when it goes: views in, words out; a disk that
 * fills and empties, by a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ballast.h"
#include "base/clock.h"

#define S CLOCK_NS_PER_S
#define G (UINT64_C(1) << 30)

static const struct trigger_limits limits = {
	.warning_bytes = 85 * G,
	.emergency_bytes = 90 * G,
	.critical_bytes = 95 * G,
	.target_bytes = 80 * G,
	.hysteresis_bytes = 2 * G,
};

/* A filesystem of 100 GiB at 1,000 s of boot time. */
static struct ballast_view view_of(uint64_t used_g, enum level level)
{
	return (struct ballast_view){
		.wanted_bytes = 5 * G,
		.used_bytes = used_g * G,
		.limits = &limits,
		.level = level,
		.now_boot_ns = 1000 * S,
	};
}

static struct ballast there(uint64_t bytes)
{
	return (struct ballast){
		.is_known = true, .bytes = bytes, .look_boot_ns = 4600 * S};
}

static enum ballast_op decide(
	const struct ballast *b, uint64_t used_g, enum level level)
{
	struct ballast_view view = view_of(used_g, level);

	return ballast_decide(b, &view);
}

static void test_looks_first(void **state)
{
	struct ballast b = {0};

	(void)state;
	assert_int_equal(decide(&b, 10, LEVEL_OK), BALLAST_LOOK);
	assert_int_equal(decide(&b, 99, LEVEL_CRITICAL), BALLAST_LOOK);
	/* that failed: later */
	b.look_boot_ns = 1001 * S;
	assert_int_equal(decide(&b, 10, LEVEL_OK), BALLAST_NONE);
	/* and again after an hour */
	b = there(5 * G);
	b.look_boot_ns = 1000 * S;
	assert_int_equal(decide(&b, 10, LEVEL_OK), BALLAST_LOOK);
	/* one thing at a time */
	b.asked = BALLAST_LOOK;
	assert_int_equal(decide(&b, 10, LEVEL_OK), BALLAST_NONE);
}

static void test_makes(void **state)
{
	struct ballast b = there(0);

	(void)state;
	/* 5 for it and 2 as a margin stay below 80 */
	assert_int_equal(decide(&b, 73, LEVEL_OK), BALLAST_MAKE);
	assert_int_equal(decide(&b, 74, LEVEL_OK), BALLAST_NONE);
	/* a level that is not over yet */
	assert_int_equal(decide(&b, 73, LEVEL_WARNING), BALLAST_NONE);
	b.rest_boot_ns = 1001 * S;
	assert_int_equal(decide(&b, 73, LEVEL_OK), BALLAST_NONE);
	/* there, and counted in what is used */
	b = there(5 * G);
	assert_int_equal(decide(&b, 78, LEVEL_OK), BALLAST_NONE);
	/* of another size: what it has makes room for the new one */
	b = there(4 * G);
	assert_int_equal(decide(&b, 77, LEVEL_OK), BALLAST_MAKE);
	assert_int_equal(decide(&b, 78, LEVEL_OK), BALLAST_NONE);
}

static void test_releases(void **state)
{
	struct ballast b = there(5 * G);

	(void)state;
	assert_int_equal(decide(&b, 89, LEVEL_WARNING), BALLAST_NONE);
	assert_int_equal(decide(&b, 91, LEVEL_EMERGENCY), BALLAST_RELEASE);
	assert_int_equal(decide(&b, 96, LEVEL_CRITICAL), BALLAST_RELEASE);
	/* at once, whatever came before */
	b.rest_boot_ns = 2000 * S;
	b.look_boot_ns = 0;
	assert_int_equal(decide(&b, 91, LEVEL_EMERGENCY), BALLAST_RELEASE);
	b = there(0);
	assert_int_equal(decide(&b, 91, LEVEL_EMERGENCY), BALLAST_NONE);
}

static void test_not_wanted(void **state)
{
	struct ballast b = there(5 * G);
	struct ballast_view view = view_of(10, LEVEL_OK);

	(void)state;
	view.wanted_bytes = 0;
	assert_int_equal(ballast_decide(&b, &view), BALLAST_LOOK);
	/* that failed: later */
	b.rest_boot_ns = 1001 * S;
	assert_int_equal(ballast_decide(&b, &view), BALLAST_NONE);
	b.bytes = b.rest_boot_ns = 0;
	b.look_boot_ns = 0;
	assert_int_equal(ballast_decide(&b, &view), BALLAST_NONE);
}

/* What nobody gave up has been taken away, and would be again. */
static void test_lost(void **state)
{
	struct ballast b = there(5 * G);
	struct ballast_report report = {0};

	(void)state;
	assert_true(ballast_is_lost(&b, &report));
	report.is_spoilt = true;
	assert_false(ballast_is_lost(&b, &report));
	report = (struct ballast_report){.released_bytes = 5 * G};
	assert_false(ballast_is_lost(&b, &report));
	report = (struct ballast_report){.bytes = 5 * G};
	assert_false(ballast_is_lost(&b, &report));
	b = there(0);
	report = (struct ballast_report){0};
	assert_false(ballast_is_lost(&b, &report));
	b.is_lost = true;
	assert_true(ballast_is_lost(&b, &report));
	assert_int_equal(decide(&b, 10, LEVEL_OK), BALLAST_NONE);
	b.look_boot_ns = 1000 * S;
	assert_int_equal(decide(&b, 10, LEVEL_OK), BALLAST_LOOK);
	/* a reload changes nothing about it; that it is there does */
	ballast_forget(&b, true);
	assert_true(b.is_lost);
	report.bytes = 1 * G;
	assert_false(ballast_is_lost(&b, &report));
}

/* What a warden would do. */
static void obey(struct ballast *b, uint64_t *used, enum ballast_op op,
	const struct ballast_view *view)
{
	if (op == BALLAST_MAKE) {
		*used += view->wanted_bytes - b->bytes;
		b->bytes = view->wanted_bytes;
	} else if (op == BALLAST_RELEASE) {
		*used -= b->bytes;
		b->bytes = 0;
		b->rest_boot_ns = view->now_boot_ns + 10 * S;
	} else if (op == BALLAST_LOOK) {
		b->is_known = true;
		b->look_boot_ns = view->now_boot_ns + 3600 * S;
	}
}

/* Whatever the ballast's own size does to the level, it does not flap: others'
 * usage stands still, everywhere between empty and full. */
static void test_never_flaps(void **state)
{
	(void)state;
	for (uint64_t others_g = 0; others_g < 95; others_g++) {
		struct ballast b = {0};
		uint64_t used = others_g * G;
		enum level level = LEVEL_OK;
		unsigned int n_made = 0, n_released = 0;

		for (int64_t t = 0; t < 1000; t++) {
			struct ballast_view view = view_of(0, level);
			enum ballast_op op;

			level = trigger_level(&limits, level, used);
			view.level = level;
			view.used_bytes = used;
			view.now_boot_ns = t * S;
			op = ballast_decide(&b, &view);
			obey(&b, &used, op, &view);
			n_made += op == BALLAST_MAKE;
			n_released += op == BALLAST_RELEASE;
		}
		assert_int_equal(n_made, others_g <= 73);
		assert_int_equal(n_released, 0);
	}
}

/* A disk that fills by 1 GiB a second and empties again, five times. */
static void test_comes_back(void **state)
{
	struct ballast b = {0};
	uint64_t used = 10 * G;
	enum level level = LEVEL_OK;
	unsigned int n_made = 0, n_released = 0;

	(void)state;
	for (int64_t t = 0; t < 5 * 200; t++) {
		struct ballast_view view = view_of(0, level);
		enum ballast_op op;

		if (t % 200 < 85)
			used += G;
		else if (t % 200 < 170)
			used -= G;
		level = trigger_level(&limits, level, used);
		view.level = level;
		view.used_bytes = used;
		view.now_boot_ns = t * S;
		op = ballast_decide(&b, &view);
		/* never while it is needed */
		assert_true(op != BALLAST_MAKE || used <= 73 * G);
		obey(&b, &used, op, &view);
		n_made += op == BALLAST_MAKE;
		n_released += op == BALLAST_RELEASE;
	}
	assert_int_equal(n_released, 5);
	assert_int_equal(n_made, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_looks_first),
		cmocka_unit_test(test_makes),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_not_wanted),
		cmocka_unit_test(test_never_flaps),
		cmocka_unit_test(test_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
