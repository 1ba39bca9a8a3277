// SPDX-License-Identifier: GPL-2.0-or-later
/* The order of each strategy, on small indexes filled by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/bed.h"

static void table_is_complete(void **state mem_unused)
{
	static const char *const wanted[] = {
		"time", "size", "lru", "priority", "adaptive"};

	assert_int_equal(n_strategies, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < n_strategies; i++) {
		assert_string_equal(strategies[i]->name, wanted[i]);
		assert_string_equal(strategy_names[i], wanted[i]);
		assert_ptr_equal(strategy_find(wanted[i]), strategies[i]);
		assert_true(strlen(strategies[i]->summary) > 20);
	}
	assert_null(strategy_names[n_strategies]);
	assert_null(strategy_find("fifo"));
	assert_null(strategy_find(""));
	for (int i = 1; i < N_STEPS; i++) {
		assert_true(*strategy_steps[i].name);
		assert_int_equal(
			strategy_steps[i].is_active, i != STEP_COMPRESS);
	}
}

static void time_takes_all_that_is_due(void **state)
{
	struct bed *b = *state;

	b->rules.retention_s[STYPE_LOGS] = 3 * D;
	b->rules.retention_s[STYPE_CACHE] = 6 * H;
	FILL(b, {"l4", STYPE_LOGS, K, 4 * D}, {"l9", STYPE_LOGS, K, 9 * D},
		{"exact", STYPE_LOGS, K, 3 * D},
		{"almost", STYPE_LOGS, K, 3 * D - 1},
		{"c7h", STYPE_CACHE, K, 7 * H}, {"c5h", STYPE_CACHE, K, 5 * H},
		{"data", STYPE_DATA, 9 * K, 999 * D});
	b->goal.free_bytes = K; /* no matter how little is wanted */
	bed_expect(b, "time", "l9 l4 exact c7h");
	assert_int_equal(b->got.estimated_bytes, 4 * K);
	assert_int_equal(b->got.picks[2].age_s, 3 * D);
	assert_int_equal(b->got.picks[0].rule, PLAN_RULE_RETENTION);
	assert_false(b->got.is_cut);
	bed_expect_left(b, REASON_RETAINED, 3, 11 * K);
	/* Without a target every strategy does just that. */
	b->goal.free_bytes = 0;
	for (size_t i = 0; i < n_strategies; i++) {
		bed_expect(b, strategies[i]->name, "l9 l4 exact c7h");
		bed_expect_left(b, REASON_RETAINED, 3, 11 * K);
	}
}

static void age_has_three_measures(void **state)
{
	struct bed *b = *state;

	b->rules.retention_s[STYPE_DATA] = 10 * D;
	FILL(b,
		{"unpacked", STYPE_DATA, K, .age = 90 * D, .born = 1 * D,
			.read = 12 * D},
		{"renamed", STYPE_DATA, K, .age = 20 * D, .born = 30 * D,
			.read = 1 * D},
		{"unborn", STYPE_DATA, K, .age = 11 * D, .born = -1,
			.read = 12 * D});
	bed_expect(b, "time", "renamed unborn");
	b->rules.age_from = AGE_MODIFIED;
	bed_expect(b, "time", "unpacked renamed unborn");
	assert_int_equal(b->got.picks[0].age_s, 90 * D);
	b->rules.age_from = AGE_ACCESSED; /* use is the newer of both */
	bed_expect(b, "time", "unpacked unborn");
	assert_int_equal(b->got.picks[0].age_s, 12 * D);
	assert_int_equal(b->got.picks[1].age_s, 11 * D);
}

static void future_stamps_count_as_now(void **state)
{
	struct bed *b = *state;

	b->rules.retention_s[STYPE_TEMP] = 0;
	FILL(b, {"tomorrow", STYPE_TEMP, K, -1 * D},
		{"now", STYPE_TEMP, 2 * K, 0}, {"past", STYPE_TEMP, K, 1});
	bed_expect(b, "time", "past now tomorrow");
	assert_int_equal(b->got.picks[2].age_s, 0);
	bed_expect(b, "lru", "past now tomorrow");
	b->rules.min_age_s = 1;
	bed_expect(b, "time", "past");
	bed_expect_left(b, REASON_YOUNG, 2, 3 * K);
}

static void size_takes_the_largest(void **state)
{
	struct bed *b = *state;

	FILL(b, {"s", STYPE_TEMP, 1 * K, 9 * D},
		{"l", STYPE_DATA, 5 * K, 1 * D},
		{"m", STYPE_BACKUP, 3 * K, 1 * D},
		{"m-older", STYPE_LOGS, 3 * K, 2 * D},
		{"conf", STYPE_CONFIG, 99 * K, 9 * D},
		{"empty", STYPE_CACHE, 0, 99 * D});
	bed_expect(b, "size", "l m-older m s");
	assert_int_equal(b->got.picks[0].rule, PLAN_RULE_LARGEST);
	bed_expect_left(b, REASON_CONFIG, 1, 99 * K);
	bed_expect_left(b, REASON_FUTILE, 1, 0);
	b->goal.free_bytes = 8 * K; /* reached exactly by the second */
	bed_expect(b, "size", "l m-older");
	bed_expect_left(b, REASON_REACHED, 2, 4 * K);
	assert_false(b->got.is_cut);
	b->goal.free_bytes = 8 * K + 1;
	bed_expect(b, "size", "l m-older m");
	b->goal.free_bytes = 1;
	bed_expect(b, "size", "l");
}

static void lru_takes_the_least_recently_used(void **state)
{
	struct bed *b = *state;

	FILL(b, {"old-but-read", STYPE_DATA, K, .age = 99 * D, .read = 1 * H},
		{"read-long-ago", STYPE_CACHE, K, .age = 30 * D, .read = 9 * D},
		/* noatime: the stamp of reading is older than the writing */
		{"written", STYPE_LOGS, K, .age = 2 * D, .read = 50 * D},
		{"never", STYPE_TEMP, K, 20 * D},
		{"conf", STYPE_CONFIG, K, 99 * D});
	bed_expect(b, "lru", "never read-long-ago written old-but-read");
	assert_int_equal(b->got.picks[3].age_s, 99 * D);
	assert_int_equal(b->got.picks[0].rule, PLAN_RULE_LEAST_RECENT);
	/* What is seen to be used goes last. */
	index_touch(b->ix, b->roots[STYPE_TEMP], "never", 5, NOW - 60);
	bed_expect(b, "lru", "read-long-ago written old-but-read never");
}

static void priority_goes_by_type(void **state)
{
	struct bed *b = *state;

	FILL(b, {"conf", STYPE_CONFIG, K, 99 * D},
		{"backup", STYPE_BACKUP, K, 98 * D},
		{"data", STYPE_DATA, K, 97 * D},
		{"logs", STYPE_LOGS, K, 96 * D}, {"c1", STYPE_CACHE, K, 1 * D},
		{"c2", STYPE_CACHE, K, 2 * D}, {"temp", STYPE_TEMP, K, 1 * H});
	bed_expect(b, "priority", "temp c2 c1 logs data backup");
	bed_expect_left(b, REASON_CONFIG, 1, K);
	assert_int_equal(b->got.picks[0].rule, PLAN_RULE_PRIORITY);
	b->goal.free_bytes = 2 * K;
	bed_expect(b, "priority", "temp c2");
}

static void fill_adaptive(struct bed *b)
{
	b->rules.retention_s[STYPE_DATA] = 30 * D;
	FILL(b, {"due", STYPE_DATA, K, 31 * D},
		{"t", STYPE_TEMP, 9 * K, .age = 3 * D, .read = 1 * D},
		{"c", STYPE_CACHE, K, .age = 2 * D, .read = 2 * D},
		{"log-s", STYPE_LOGS, 2 * K, 9 * D},
		{"log-l", STYPE_LOGS, 5 * K, 1 * D},
		{"data", STYPE_DATA, 8 * K, 29 * D},
		{"backup", STYPE_BACKUP, 99 * K, 99 * D});
}

static void adaptive_escalates(void **state)
{
	static const uint8_t steps[] = {STEP_TIME, STEP_LRU, STEP_LRU,
		STEP_SIZE, STEP_SIZE, STEP_PRIORITY, STEP_PRIORITY};
	struct bed *b = *state;
	struct strategy_yield yield;

	fill_adaptive(b);
	bed_expect(b, "adaptive", "due c t log-l log-s data backup");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		assert_int_equal(b->got.picks[i].step, steps[i]);
	selection_yield(&b->got, &yield);
	assert_int_equal(yield.files[STEP_COMPRESS], 0);
	assert_int_equal(yield.bytes[STEP_TIME], K);
	assert_int_equal(yield.bytes[STEP_LRU], 10 * K);
	assert_int_equal(yield.files[STEP_SIZE], 2);
	assert_int_equal(yield.bytes[STEP_SIZE], 7 * K);
	assert_int_equal(yield.bytes[STEP_PRIORITY], 107 * K);
	b->goal.free_bytes = 3 * K; /* step by step, no further than needed */
	bed_expect(b, "adaptive", "due c t");
	b->goal.free_bytes = K;
	bed_expect(b, "adaptive", "due");
}

static void adaptive_takes_all_that_is_due(void **state)
{
	struct bed *b = *state;

	fill_adaptive(b);
	FILL(b, {"due2", STYPE_DATA, K, 40 * D},
		{"due3", STYPE_DATA, K, 30 * D});
	b->goal.free_bytes = 1;
	bed_expect(b, "adaptive", "due2 due due3");
	b->goal.max_files = 2;
	bed_expect(b, "adaptive", "due2 due");
	assert_true(b->got.is_cut);
	bed_expect_left(b, REASON_LIMIT_FILES, 7, 125 * K);
}

static void ties_are_settled(void **state)
{
	struct bed *b = *state;

	FILL(b, {"b", STYPE_TEMP, K, 5 * D}, {"a", STYPE_TEMP, K, 5 * D},
		{"large", STYPE_TEMP, 2 * K, 5 * D},
		{"older", STYPE_TEMP, K, .age = 5 * D, .born = 9 * D});
	/* equal in age: the larger, then the lower entry */
	bed_expect(b, "priority", "large b a older");
	bed_expect(b, "size", "large b a older");
	b->rules.age_from = AGE_ACCESSED;
	bed_expect(b, "lru", "large b a older");
}

static void an_empty_index_gives_nothing(void **state)
{
	struct bed *b = *state;

	for (size_t i = 0; i < n_strategies; i++) {
		bed_expect(b, strategies[i]->name, "");
		assert_int_equal(bed_count(b), 0);
		assert_false(b->got.is_cut);
	}
	assert_int_equal(selection_rank(&b->got, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_complete),
		BED_TEST(time_takes_all_that_is_due),
		BED_TEST(age_has_three_measures),
		BED_TEST(future_stamps_count_as_now),
		BED_TEST(size_takes_the_largest),
		BED_TEST(lru_takes_the_least_recently_used),
		BED_TEST(priority_goes_by_type),
		BED_TEST(adaptive_escalates),
		BED_TEST(adaptive_takes_all_that_is_due),
		BED_TEST(ties_are_settled),
		BED_TEST(an_empty_index_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
