// SPDX-License-Identifier: GPL-2.0-or-later
/* What the policy says of a file: protection, age, the newest, config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "act/keep.h"
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
	w.policy.rules.min_age_s = 2; /* one may pass while we look */
	sleep(3);
	assert_keeps("file", "young");
	set_times("file", 1, 1);
	/* born long enough ago, but changed just now */
	assert_keeps("file", "young");
	sleep(3);
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
 * protected and no linked file takes their place, nor what is none. */
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
	must(mkfifoat(w.fd, "fifo", 0644) == 0);
	set_times("fifo", 1, clock_real_s(NULL) + 90000);
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

/* ---- how far the roots are walked for it ---- */

struct walked {
	struct keep keep;
	unsigned int n_all;
};

static int walk_again(void *ctx, struct keep *k)
{
	struct walked *walked = ctx;
	int r = keep_walk(k, &w.policy.rules, STYPE_CACHE, w.fd);

	walked->n_all++;
	keep_seal(k);
	return r;
}

static int walk_not(void *ctx, struct keep *k)
{
	(void)k;
	++*(unsigned int *)ctx;
	return -ENOMEM;
}

/* Walks for a plan whose newest candidate is so old. */
static void walk_for(struct walked *walked, int64_t now_s, int64_t age_s)
{
	struct candidate c = {.type = STYPE_CACHE, .age_s = age_s};
	const struct plan plan = {.items = &c, .n_items = 1};

	*walked = (struct walked){.n_all = 0};
	assert_int_equal(keep_init(&walked->keep, &plan, now_s), 0);
	walked->keep.walk_all = walk_again;
	walked->keep.ctx = walked;
	assert_int_equal(
		keep_walk(&walked->keep, &w.policy.rules, STYPE_CACHE, w.fd),
		0);
	keep_seal(&walked->keep);
}

static bool is_kept(struct walked *walked, const char *rel)
{
	struct beneath_stat st;

	assert_int_equal(beneath_stat(w.fd, rel, &st), 0);
	return keep_has(&walked->keep, STYPE_CACHE, &st.id, st.mtime_s);
}

/* Ten files, one a day older than the other; two stay. */
static void make_days(int64_t now_s)
{
	char rel[16];

	w.policy.rules.keep_newest[STYPE_CACHE] = 2;
	w.policy.rules.age_from = AGE_MODIFIED;
	for (int i = 0; i < 10; i++) {
		snprintf(rel, sizeof(rel), "day-%d", i);
		world_write(&w, rel, 1);
		set_times(rel, 1, now_s - 86400 * i);
	}
}

/* Any two newer ones will do. */
static void newest_walk_ends_early(void)
{
	int64_t now_s = clock_real_s(NULL);
	struct walked walked;

	make_days(now_s);
	walk_for(&walked, now_s, 86400 * 9);
	assert_true(walked.keep.is_partial[STYPE_CACHE]);
	assert_int_equal(walked.keep.n[STYPE_CACHE], 2);
	assert_false(is_kept(&walked, "day-9"));
	assert_int_equal(walked.n_all, 0);
	/* The plan did not name these as what they are. */
	assert_true(is_kept(&walked, "day-0"));
	assert_int_equal(walked.n_all, 1);
	assert_true(is_kept(&walked, "day-1"));
	for (char rel[] = "day-2"; rel[4] <= '9'; rel[4]++)
		assert_false(is_kept(&walked, rel));
	assert_int_equal(walked.n_all, 1);
	keep_fini(&walked.keep);
}

static void newest_walk_to_the_end(void)
{
	int64_t now_s = clock_real_s(NULL);
	struct walked walked;

	make_days(now_s);
	/* One that is newer than all but one might be the second. */
	walk_for(&walked, now_s, 86400);
	assert_false(walked.keep.is_partial[STYPE_CACHE]);
	assert_true(is_kept(&walked, "day-1"));
	assert_false(is_kept(&walked, "day-2"));
	keep_fini(&walked.keep);
	/* A plan of nonsense: everything is walked. */
	walk_for(&walked, now_s, INT64_MIN);
	assert_false(walked.keep.is_partial[STYPE_CACHE]);
	assert_false(is_kept(&walked, "day-9"));
	keep_fini(&walked.keep);
	/* Fewer than are to stay. */
	w.policy.rules.keep_newest[STYPE_CACHE] = 11;
	walk_for(&walked, now_s, 86400 * 9);
	assert_true(is_kept(&walked, "day-9"));
	keep_fini(&walked.keep);
}

/* What cannot be found out is kept. */
static void newest_walk_fails(void)
{
	int64_t now_s = clock_real_s(NULL);
	unsigned int n = 0;
	struct walked walked;

	make_days(now_s);
	walk_for(&walked, now_s, 86400 * 9);
	walked.keep.walk_all = walk_not;
	walked.keep.ctx = &n;
	assert_false(is_kept(&walked, "day-9"));
	assert_true(is_kept(&walked, "day-0"));
	assert_true(is_kept(&walked, "day-9"));
	assert_int_equal(n, 1);
	keep_fini(&walked.keep);
	walk_for(&walked, now_s, 86400 * 9);
	walked.keep.walk_all = NULL;
	assert_true(is_kept(&walked, "day-0"));
	keep_fini(&walked.keep);
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
CASE(newest_walk_ends_early)
CASE(newest_walk_to_the_end)
CASE(newest_walk_fails)
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
		cmocka_unit_test(test_newest_walk_ends_early),
		cmocka_unit_test(test_newest_walk_to_the_end),
		cmocka_unit_test(test_newest_walk_fails),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
