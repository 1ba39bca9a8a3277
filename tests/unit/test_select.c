// SPDX-License-Identifier: GPL-2.0-or-later
/* What stays whatever the strategy is, and where a selection ends. */
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

static void config_needs_emergency_and_permission(void **state)
{
	struct bed *b = *state;

	FILL(b, {"conf", STYPE_CONFIG, K, 99 * D});
	b->goal.reason = GOAL_EMERGENCY;
	bed_expect(b, "priority", "");
	b->rules.is_config_allowed = true;
	bed_expect(b, "priority", "conf");
	bed_expect(b, "adaptive", "conf");
	bed_expect(b, "size", "");
	bed_expect(b, "lru", "");
	for (int r = GOAL_SCHEDULED; r <= GOAL_MANUAL; r++) {
		b->goal.reason = (enum goal_reason)r;
		bed_expect(b, "priority", r == GOAL_EMERGENCY ? "conf" : "");
	}
}

static void some_never_go(void **state)
{
	struct bed *b = *state;

	for (int t = 0; t < N_STYPES; t++)
		b->rules.retention_s[t] = 0;
	FILL(b,
		{"protected", STYPE_TEMP, 2 * K, 9 * D,
			.flags = INDEX_PROTECTED},
		{"foreign", STYPE_TEMP, 3 * K, 9 * D, .flags = INDEX_FOREIGN},
		{"linked", STYPE_TEMP, 4 * K, 9 * D, .is_linked = true},
		{"socket", STYPE_TEMP, 5 * K, 9 * D, .is_other = true},
		{"trashed", STYPE_TEMP, 7 * K, 9 * D, .flags = INDEX_TRASHED},
		{"plain", STYPE_TEMP, 6 * K, 9 * D});
	b->goal.reason = GOAL_EMERGENCY;
	for (size_t i = 0; i < n_strategies; i++) {
		bed_expect(b, strategies[i]->name, "plain");
		bed_expect_left(b, REASON_PROTECTED, 1, 2 * K);
		bed_expect_left(b, REASON_OWNER, 1, 3 * K);
		bed_expect_left(b, REASON_LINKED, 1, 4 * K);
		bed_expect_left(b, REASON_SPECIAL, 1, 5 * K);
		bed_expect_left(b, REASON_TRASHED, 1, 7 * K);
		assert_int_equal(bed_count(b), 6);
	}
}

static void min_age_is_by_any_stamp(void **state)
{
	struct bed *b = *state;

	b->rules.min_age_s = 10 * MIN;
	b->rules.age_from = AGE_MODIFIED;
	FILL(b, {"written", STYPE_TEMP, K, .age = 10 * MIN - 1, .born = 9 * D},
		{"born", STYPE_TEMP, K, .age = 9 * D, .born = 10 * MIN - 1},
		{"read", STYPE_TEMP, K, .age = 9 * D, .read = 10 * MIN - 1},
		{"ripe", STYPE_TEMP, K, .age = 10 * MIN, .read = 10 * MIN});
	b->goal.reason = GOAL_EMERGENCY;
	bed_expect(b, "priority", "ripe");
	bed_expect_left(b, REASON_YOUNG, 3, 3 * K);
}

static void newest_stay(void **state)
{
	struct bed *b = *state;

	b->rules.keep_newest[STYPE_BACKUP] = 2;
	FILL(b, {"b3", STYPE_BACKUP, K, 3 * D}, {"b1", STYPE_BACKUP, K, 1 * D},
		{"b4", STYPE_BACKUP, K, 4 * D},
		{"touched", STYPE_BACKUP, K, .age = 9 * D, .born = 2 * D},
		{"log", STYPE_LOGS, K, 1 * D});
	bed_expect(b, "priority", "log b4 b3");
	bed_expect_left(b, REASON_NEWEST, 2, 2 * K);
	/* By the policy's age: "touched" is the oldest by its mtime. */
	b->rules.age_from = AGE_MODIFIED;
	bed_expect(b, "priority", "log touched b4");
	b->rules.age_from = AGE_BORN;
	/* What stays in any case takes nobody's place. */
	FILL(b, {"p0", STYPE_BACKUP, K, 1 * H, .flags = INDEX_PROTECTED},
		{"f0", STYPE_BACKUP, K, 1 * H, .flags = INDEX_FOREIGN},
		{"k0", STYPE_BACKUP, K, 1 * H, .is_linked = true},
		{"o0", STYPE_BACKUP, K, 1 * H, .is_other = true});
	bed_expect(b, "priority", "log b4 b3");
	/* A young one is among the newest, and the rule is of the whole
	 * component, on whatever filesystem. */
	b->rules.min_age_s = 1 * D;
	FILL(b, {"b0", STYPE_BACKUP, K, 1 * H, .is_second_root = true});
	bed_expect(b, "priority", "log b4 b3 touched");
	bed_expect_left(b, REASON_NEWEST, 1, K);
	bed_expect_left(b, REASON_YOUNG, 1, K);
	b->goal.dev = 10;
	bed_expect(b, "priority", "log b4 b3 touched");
	b->rules.keep_newest[STYPE_BACKUP] = UINT32_MAX;
	bed_expect(b, "priority", "log");
	assert_int_equal(bed_count(b), 10);
}

static void other_filesystems_are_left(void **state)
{
	struct bed *b = *state;

	FILL(b, {"here", STYPE_TEMP, K, 9 * D},
		{"there", STYPE_TEMP, 2 * K, 9 * D, .is_second_root = true});
	b->goal.dev = 10;
	bed_expect(b, "size", "here");
	bed_expect_left(b, REASON_MOUNT, 1, 2 * K);
	b->goal.dev = 11;
	bed_expect(b, "size", "there");
	b->order.n_roots = 1; /* a root nobody knows the device of */
	bed_expect(b, "size", "");
	b->goal.dev = 0;
	bed_expect(b, "size", "there here");
}

static void limits_cut(void **state)
{
	struct bed *b = *state;

	FILL(b, {"t4", STYPE_TEMP, 4 * K, 4 * D},
		{"t3", STYPE_TEMP, 3 * K, 3 * D},
		{"t2", STYPE_TEMP, 2 * K, 2 * D},
		{"t1", STYPE_TEMP, 1 * K, 1 * D});
	b->goal.max_files = 2;
	bed_expect(b, "priority", "t4 t3");
	assert_true(b->got.is_cut);
	bed_expect_left(b, REASON_LIMIT_FILES, 2, 3 * K);
	b->goal.free_bytes = 7 * K; /* as much as the limit allows: no cut */
	bed_expect(b, "priority", "t4 t3");
	assert_false(b->got.is_cut);
	bed_expect_left(b, REASON_REACHED, 2, 3 * K);
	b->goal.free_bytes = UINT64_MAX;
	b->goal.max_files = 0; /* no limit */
	b->goal.max_bytes = 0;
	bed_expect(b, "priority", "t4 t3 t2 t1");
	assert_false(b->got.is_cut);
	b->goal.max_bytes = 7 * K;
	bed_expect(b, "priority", "t4 t3");
	assert_true(b->got.is_cut);
	bed_expect_left(b, REASON_LIMIT_BYTES, 2, 3 * K);
	b->goal.max_bytes = 9 * K - 1; /* in order: t1 does not jump ahead */
	bed_expect(b, "priority", "t4 t3");
	b->goal.max_bytes = 10 * K;
	bed_expect(b, "priority", "t4 t3 t2 t1");
	assert_false(b->got.is_cut);
}

static void one_file_over_the_limit_does_not_end_it(void **state)
{
	struct bed *b = *state;

	FILL(b, {"huge", STYPE_TEMP, 9 * K, 4 * D},
		{"small", STYPE_TEMP, 1 * K, 3 * D});
	b->goal.max_bytes = 8 * K;
	bed_expect(b, "size", "small");
	assert_true(b->got.is_cut);
	bed_expect_left(b, REASON_LIMIT_BYTES, 1, 9 * K);
	b->goal.free_bytes = K;
	bed_expect(b, "size", "small");
	assert_false(b->got.is_cut);
}

static void sums_saturate(void **state)
{
	struct bed *b = *state;

	FILL(b, {"a", STYPE_TEMP, UINT64_MAX / 512 * 512, 4 * D},
		{"b", STYPE_TEMP, UINT64_MAX / 512 * 512, 3 * D},
		{"c", STYPE_TEMP, K, 2 * D});
	bed_expect(b, "priority", "a b");
	assert_int_equal(b->got.estimated_bytes, UINT64_MAX);
	bed_expect_left(b, REASON_REACHED, 1, 0);
}

static enum reason judge(struct bed *b, const char *name, int64_t *ret_age)
{
	struct index_item item = bed_find(b, name);

	return strategy_judge(&b->order, &item, ret_age);
}

static void judge_says_why(void **state)
{
	struct bed *b = *state;
	int64_t age;

	b->rules.retention_s[STYPE_LOGS] = 3 * D;
	b->rules.keep_newest[STYPE_BACKUP] = 1;
	b->rules.min_age_s = 10 * MIN;
	FILL(b, {"due", STYPE_LOGS, K, 3 * D}, {"log", STYPE_LOGS, K, 2 * D},
		{"young", STYPE_TEMP, K, 1 * MIN},
		{"conf", STYPE_CONFIG, K, 9 * D},
		{"prot", STYPE_LOGS, K, 9 * D, .flags = INDEX_PROTECTED},
		{"own", STYPE_LOGS, K, 9 * D, .flags = INDEX_FOREIGN},
		{"link", STYPE_LOGS, K, 9 * D, .is_linked = true},
		{"fifo", STYPE_LOGS, K, 9 * D, .is_other = true},
		{"b1", STYPE_BACKUP, K, 1 * D}, {"b2", STYPE_BACKUP, K, 2 * D},
		{"far", STYPE_LOGS, K, 9 * D, .is_second_root = true});
	b->goal.free_bytes = 0;
	b->goal.dev = 10;
	assert_int_equal(judge(b, "due", &age), REASON_DELETED);
	assert_int_equal(age, 3 * D);
	assert_int_equal(judge(b, "log", &age), REASON_RETAINED);
	assert_int_equal(judge(b, "young", &age), REASON_YOUNG);
	assert_int_equal(age, MIN);
	assert_int_equal(judge(b, "conf", &age), REASON_CONFIG);
	assert_int_equal(judge(b, "prot", &age), REASON_PROTECTED);
	assert_int_equal(judge(b, "own", &age), REASON_OWNER);
	assert_int_equal(judge(b, "link", &age), REASON_LINKED);
	assert_int_equal(judge(b, "fifo", &age), REASON_SPECIAL);
	assert_int_equal(judge(b, "far", &age), REASON_MOUNT);
	assert_int_equal(judge(b, "b1", &age), REASON_NEWEST);
	assert_int_equal(judge(b, "b2", &age), REASON_RETAINED);
	b->goal.free_bytes = 1; /* under pressure */
	assert_int_equal(judge(b, "log", &age), REASON_DELETED);
	assert_int_equal(judge(b, "b2", &age), REASON_DELETED);
	assert_int_equal(judge(b, "b1", &age), REASON_NEWEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(config_needs_emergency_and_permission),
		BED_TEST(some_never_go),
		BED_TEST(min_age_is_by_any_stamp),
		BED_TEST(newest_stay),
		BED_TEST(other_filesystems_are_left),
		BED_TEST(limits_cut),
		BED_TEST(one_file_over_the_limit_does_not_end_it),
		BED_TEST(sums_saturate),
		BED_TEST(judge_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
