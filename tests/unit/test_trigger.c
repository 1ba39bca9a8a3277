// SPDX-License-Identifier: GPL-2.0-or-later
/* Thresholds at every boundary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/trigger.h"

static const struct trigger_limits component = {
	.warning_bytes = 800,
	.emergency_bytes = UINT64_MAX,
	.critical_bytes = 950,
	.target_bytes = 700,
	.hysteresis_bytes = 20,
};
static const struct trigger_limits filesystem = {
	.warning_bytes = 850,
	.emergency_bytes = 900,
	.critical_bytes = 950,
	.target_bytes = 800,
	.hysteresis_bytes = 20,
};

struct step {
	uint64_t used_bytes;
	enum level level;
};

/* Each step's level is what the next one held. */
static void walk(
	const struct trigger_limits *limits, const struct step *steps, size_t n)
{
	enum level held = LEVEL_OK;

	for (size_t i = 0; i < n; i++) {
		held = trigger_level(limits, held, steps[i].used_bytes);
		if (held != steps[i].level)
			fail_msg("step %zu: %d at %lu, not %d", i, (int)held,
				(unsigned long)steps[i].used_bytes,
				(int)steps[i].level);
	}
}

static void component_up_and_down(void **state)
{
	static const struct step steps[] = {{0, LEVEL_OK}, {799, LEVEL_OK},
		{800, LEVEL_WARNING}, {799, LEVEL_WARNING},
		{780, LEVEL_WARNING}, {779, LEVEL_OK}, {780, LEVEL_OK},
		{799, LEVEL_OK}, {949, LEVEL_WARNING}, {950, LEVEL_CRITICAL},
		{949, LEVEL_CRITICAL}, {930, LEVEL_CRITICAL},
		{929, LEVEL_WARNING}, {949, LEVEL_WARNING},
		{UINT64_MAX, LEVEL_CRITICAL},
		/* it was at warning all the time, so that one holds too */
		{785, LEVEL_WARNING}, {950, LEVEL_CRITICAL}, {0, LEVEL_OK}};

	(void)state;
	walk(&component, steps, ARRAY_SIZE(steps));
}

static void filesystem_has_an_emergency(void **state)
{
	static const struct step steps[] = {{849, LEVEL_OK},
		{850, LEVEL_WARNING}, {899, LEVEL_WARNING},
		{900, LEVEL_EMERGENCY}, {949, LEVEL_EMERGENCY},
		{950, LEVEL_CRITICAL}, {930, LEVEL_CRITICAL},
		{929, LEVEL_EMERGENCY}, {880, LEVEL_EMERGENCY},
		{879, LEVEL_WARNING}, {830, LEVEL_WARNING}, {829, LEVEL_OK},
		{960, LEVEL_CRITICAL}, {890, LEVEL_EMERGENCY}};

	(void)state;
	walk(&filesystem, steps, ARRAY_SIZE(steps));
}

static void the_target_ends_every_level(void **state)
{
	struct trigger_limits limits = component;

	(void)state;
	limits.hysteresis_bytes = 500;
	assert_int_equal(
		trigger_level(&limits, LEVEL_CRITICAL, 701), LEVEL_CRITICAL);
	assert_int_equal(trigger_level(&limits, LEVEL_CRITICAL, 700), LEVEL_OK);
	/* more hysteresis than limit must not hold a level for ever */
	limits.hysteresis_bytes = UINT64_MAX;
	limits.target_bytes = 0;
	assert_int_equal(
		trigger_level(&limits, LEVEL_CRITICAL, 1), LEVEL_CRITICAL);
	assert_int_equal(trigger_level(&limits, LEVEL_CRITICAL, 0), LEVEL_OK);
}

static void no_hysteresis(void **state)
{
	struct trigger_limits limits = component;

	(void)state;
	limits.hysteresis_bytes = 0;
	assert_int_equal(
		trigger_level(&limits, LEVEL_WARNING, 800), LEVEL_WARNING);
	assert_int_equal(trigger_level(&limits, LEVEL_WARNING, 799), LEVEL_OK);
}

static void unknown_limits_ask_for_nothing(void **state)
{
	const struct trigger_limits unknown = {0};

	(void)state;
	assert_int_equal(trigger_level(&unknown, LEVEL_OK, 0), LEVEL_OK);
	assert_int_equal(
		trigger_level(&unknown, LEVEL_CRITICAL, UINT64_MAX), LEVEL_OK);
	assert_int_equal(trigger_excess(&unknown, UINT64_MAX), 0);
}

static void largest_limits(void **state)
{
	const struct trigger_limits limits = {
		.warning_bytes = UINT64_MAX - 2,
		.emergency_bytes = UINT64_MAX,
		.critical_bytes = UINT64_MAX - 1,
		.target_bytes = UINT64_MAX - 3,
	};

	(void)state;
	assert_int_equal(
		trigger_level(&limits, LEVEL_OK, UINT64_MAX - 3), LEVEL_OK);
	assert_int_equal(trigger_level(&limits, LEVEL_OK, UINT64_MAX - 2),
		LEVEL_WARNING);
	/* no emergency, although used is at UINT64_MAX */
	assert_int_equal(
		trigger_level(&limits, LEVEL_OK, UINT64_MAX), LEVEL_CRITICAL);
	assert_int_equal(trigger_excess(&limits, UINT64_MAX), 3);
}

static void excess(void **state)
{
	(void)state;
	assert_int_equal(trigger_excess(&component, 701), 1);
	assert_int_equal(trigger_excess(&component, 700), 0);
	assert_int_equal(trigger_excess(&component, 0), 0);
	assert_int_equal(trigger_excess(&component, 950), 250);
}

static void poll_times(void **state)
{
	(void)state;
	assert_int_equal(trigger_poll_ms(1000, 0), 30000);
	assert_int_equal(trigger_poll_ms(0, 1), 50);
	assert_int_equal(trigger_poll_ms(0, 0), 30000);
	assert_int_equal(trigger_poll_ms(49, 1000), 50);
	assert_int_equal(trigger_poll_ms(51, 1000), 51);
	/* never later than the limit could be reached */
	assert_int_equal(trigger_poll_ms(1999, 20), 30000);
	assert_int_equal(trigger_poll_ms(599, 20), 29950);
	assert_int_equal(trigger_poll_ms(UINT64_MAX, 1), 30000);
	assert_int_equal(trigger_poll_ms(UINT64_MAX, UINT64_MAX), 1000);
	assert_int_equal(trigger_poll_ms(1, UINT64_MAX), 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(component_up_and_down),
		cmocka_unit_test(filesystem_has_an_emergency),
		cmocka_unit_test(the_target_ends_every_level),
		cmocka_unit_test(no_hysteresis),
		cmocka_unit_test(unknown_limits_ask_for_nothing),
		cmocka_unit_test(largest_limits),
		cmocka_unit_test(excess),
		cmocka_unit_test(poll_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
