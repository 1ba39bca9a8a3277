// SPDX-License-Identifier: GPL-2.0-or-later
/* What the policy says of a file: protection, age, the newest, config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "act/quarantine.h"
#include "base/clock.h"
#include "unit/reaping.h"

/* ---- what the policy says ---- */

static void protect(void)
{
	char *patterns[] = {(char *)"*.lock", (char *)"keys/**"};

	w.policy.rules.protect = patterns;
	w.policy.rules.n_protect = ARRAY_SIZE(patterns);
	w.order.is_forced = true; /* lifts no protection */
	world_mkdir(&w, "keys");
	world_write(&w, "keys/file", 1);
	world_write(&w, "my.lock", 1);
	world_write(&w, "file", 1);
	assert_keeps("keys/file", "protected");
	assert_keeps("my.lock", "protected");
	assert_reaps("file", "deleted");
	/* our own directory */
	assert_true(world_has(&w, QUARANTINE_NAME));
	world_write(&w, QUARANTINE_NAME "/file", 1);
	assert_keeps(QUARANTINE_NAME "/file", "protected");
}

static void set_times(const char *rel, int64_t atime_s, int64_t mtime_s)
{
	struct timespec times[2] = {
		{.tv_sec = atime_s},
		{.tv_sec = mtime_s},
	};

	must(utimensat(w.fd, rel, times, AT_SYMLINK_NOFOLLOW) == 0);
}

/* Old stamps are easily forged; the change of the inode is not. */
static void young(void)
{
	int64_t now_s = clock_real_s(NULL);

	w.policy.rules.min_age_s = 600;
	w.order.is_forced = true; /* lifts no minimum age */
	world_write(&w, "file", 1);
	assert_keeps("file", "young");
	set_times("file", 1, 1);
	assert_keeps("file", "young");
	/* in the future is now */
	set_times("file", now_s + 100000, now_s + 100000);
	w.policy.rules.min_age_s = 1;
	sleep(2);
	assert_keeps("file", "young");
	set_times("file", 1, 1);
	/* born long enough ago, but changed just now */
	assert_keeps("file", "young");
	sleep(2);
	assert_reaps("file", "deleted");
}

static enum reason reap_by_age(const char *rel)
{
	world_plan(&w, rel, PLAN_RULE_RETENTION);
	return world_reap(&w, NULL);
}

static void retained(void)
{
	int64_t now_s = clock_real_s(NULL);
	struct rules *rules = &w.policy.rules;

	world_write(&w, "file", 1);
	/* no retention for this type: nothing is ever due by age */
	assert_string_equal(word(reap_by_age("file")), "retained");
	rules->retention_s[STYPE_CACHE] = 3600;
	set_times("file", now_s, now_s - 7200);
	/* created now, whatever the stamp says: an unpacked archive */
	rules->age_from = AGE_BORN;
	assert_string_equal(word(reap_by_age("file")), "retained");
	rules->age_from = AGE_ACCESSED;
	assert_string_equal(word(reap_by_age("file")), "retained");
	rules->age_from = AGE_MODIFIED;
	set_times("file", now_s, now_s - 3000);
	assert_string_equal(word(reap_by_age("file")), "retained");
	/* an observed use in the plan only makes it younger */
	rules->age_from = AGE_ACCESSED;
	set_times("file", now_s - 7200, now_s - 7200);
	world_plan(&w, "file", PLAN_RULE_RETENTION);
	w.plan.items[0].used_real_s = now_s;
	assert_reaps(NULL, "retained");
	assert_string_equal(word(reap_by_age("file")), "deleted");
}

/* By the age that the policy counts: all are born now, and read now. */
static void newest_by_age(void)
{
	int64_t now_s = clock_real_s(NULL);
	char rel[64];

	w.policy.rules.keep_newest[STYPE_CACHE] = 2;
	for (int i = 1; i <= 4; i++) {
		snprintf(rel, sizeof(rel), "backup-%d", i);
		world_write(&w, rel, 1);
		set_times(rel, now_s + 1000 * i, now_s - 1000 * i);
	}
	w.policy.rules.age_from = AGE_MODIFIED;
	assert_keeps("backup-1", "keep-newest");
	assert_reaps("backup-3", "deleted");
	w.policy.rules.age_from = AGE_ACCESSED;
	assert_keeps("backup-4", "keep-newest");
	assert_reaps("backup-1", "deleted");
}

/* Two newest stay: of the type, over all directories, and no stranger's, no
 * protected and no linked file takes their place. */
static void newest(void)
{
	char *patterns[] = {(char *)"*.keep"};
	char rel[64];

	w.policy.rules.keep_newest[STYPE_CACHE] = 2;
	w.policy.rules.protect = patterns;
	w.policy.rules.n_protect = 1;
	world_mkdir(&w, "dir");
	for (int i = 1; i <= 4; i++) {
		snprintf(rel, sizeof(rel), "%sbackup-%d", i % 2 ? "dir/" : "",
			i);
		world_write(&w, rel, 1);
		set_times(rel, 1, clock_real_s(NULL) + 1000 * i);
	}
	world_write(&w, "new.keep", 1);
	world_write(&w, "foreign", 1);
	give("foreign", ANOTHER);
	world_write(&w, "linked", 1);
	assert_int_equal(linkat(w.fd, "linked", w.fd, "linked-2", 0), 0);
	set_times("new.keep", 1, clock_real_s(NULL) + 90000);
	set_times("foreign", 1, clock_real_s(NULL) + 90000);
	set_times("linked", 1, clock_real_s(NULL) + 90000);
	assert_keeps("backup-4", "keep-newest");
	assert_keeps("dir/backup-3", "keep-newest");
	assert_reaps("backup-2", "deleted");
	assert_reaps("dir/backup-1", "deleted");
	assert_keeps("dir/backup-3", "keep-newest");
}

/* Among equals those that the plan spares are kept. */
static void newest_equal(void)
{
	mem_autofree struct outcome *o = NULL;
	char rel[64];
	size_t n;

	w.policy.rules.keep_newest[STYPE_CACHE] = 3;
	for (int i = 0; i < 5; i++) {
		snprintf(rel, sizeof(rel), "backup-%d", i);
		world_write(&w, rel, 1);
		set_times(rel, 1, clock_real_s(NULL) + 5000);
	}
	world_plan(&w, "backup-1", PLAN_RULE_LARGEST);
	world_plan(&w, "backup-3", PLAN_RULE_LARGEST);
	assert_int_equal(world_run(&w, &o, &n), 0);
	assert_string_equal(word(o[0].reason), "deleted");
	assert_string_equal(word(o[1].reason), "deleted");
	free(o);
	o = NULL;
	/* a plan that wants all of them gets none */
	for (int i = 0; i < 5; i += 2) {
		snprintf(rel, sizeof(rel), "backup-%d", i);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
	}
	assert_int_equal(world_run(&w, &o, &n), 0);
	for (int i = 0; i < 3; i++)
		assert_string_equal(word(o[i].reason), "keep-newest");
}

/* The type is that of the policy's root, whatever the plan says. */
static void config(void)
{
	world_write(&w, "file", 1);
	w.root.type = STYPE_CONFIG;
	w.order.reason = GOAL_EMERGENCY;
	assert_keeps("file", "config");
	w.policy.rules.is_config_allowed = true;
	w.order.reason = GOAL_CRITICAL;
	w.order.is_forced = true;
	assert_keeps("file", "config");
	w.order.reason = GOAL_EMERGENCY;
	assert_reaps("file", "deleted");
}

CASE(protect)
CASE(young)
CASE(retained)
CASE(newest)
CASE(newest_by_age)
CASE(newest_equal)
CASE(config)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_protect),
		cmocka_unit_test(test_young),
		cmocka_unit_test(test_retained),
		cmocka_unit_test(test_newest),
		cmocka_unit_test(test_newest_by_age),
		cmocka_unit_test(test_newest_equal),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
