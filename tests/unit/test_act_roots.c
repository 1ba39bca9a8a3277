// SPDX-License-Identifier: GPL-2.0-or-later
/* A component with two roots: each candidate goes in its own, the newest are
 * sought in both, and one that is not the known one takes nothing with it. */
#include <sys/mount.h>

#include "act/quarantine.h"
#include "policy/admit.h"
#include "unit/reaping.h"

static struct root roots[2];
static struct admitted known[2];
static char second[300];

static void use_both(enum stype type)
{
	roots[0] = w.root;
	roots[1] = (struct root){.path = second, .type = type};
	known[0] = w.known;
	must(admit_root(second, NULL, &known[1], NULL) == 0);
	w.policy.roots = roots;
	w.policy.n_roots = 2;
	w.order.known = known;
}

/* The second one beside the first, on the same filesystem. */
static void two_roots(enum stype type)
{
	snprintf(second, sizeof(second), "%s/second", w.top);
	must(mkdir(second, 0755) == 0);
	use_both(type);
}

/* In the root at that position, with a time of its own. */
static void add(uint16_t root, const char *name, time_t mtime_s)
{
	fd_auto int fd = open(roots[root].path, O_RDONLY | O_DIRECTORY);
	struct timespec times[2] = {{.tv_sec = mtime_s}, {.tv_sec = mtime_s}};
	struct candidate c = {.root = root,
		.type = (uint8_t)roots[root].type,
		.rule = PLAN_RULE_PRIORITY,
		.rel_dir = "",
		.name = name};
	struct beneath_stat st;
	int file;

	must(fd >= 0);
	file = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	must(file >= 0 && write(file, name, 4) == 4);
	must(futimens(file, times) == 0);
	close(file);
	must(beneath_stat(fd, name, &st) == 0);
	c.id = st.id;
	c.used_bytes = st.used_bytes;
	must(plan_add(&w.plan, &c) == 0);
}

static bool has(uint16_t root, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", roots[root].path, name);
	return access(path, F_OK) == 0;
}

static void assert_run(const char *const words[], size_t n_words)
{
	struct outcome *all;
	size_t n;

	assert_int_equal(world_run(&w, &all, &n), 0);
	assert_int_equal(n, n_words + 1);
	for (size_t i = 0; i < n_words; i++)
		assert_string_equal(word(all[i].reason), words[i]);
	free(all);
}

static void in_turn(void)
{
	two_roots(STYPE_CACHE);
	add(0, "one1", 1000);
	add(1, "one1", 1000);
	add(0, "two2", 1000);
	add(1, "two2", 1000);
	assert_run((const char *const[]){"deleted", "deleted", "deleted",
			   "deleted"},
		4);
	for (uint16_t root = 0; root < 2; root++) {
		assert_false(has(root, "one1"));
		assert_false(has(root, "two2"));
		assert_true(has(root, QUARANTINE_NAME));
	}
}
CASE(in_turn)

/* On another filesystem, which has its own measure. */
static void on_two_filesystems(void)
{
	snprintf(second, sizeof(second), "%s/second", w.base);
	must(mkdir(second, 0755) == 0);
	must(mount("none", second, "tmpfs", 0, "size=1m,mode=755") == 0);
	use_both(STYPE_CACHE);
	add(0, "one", 1000);
	add(1, "one", 1000);
	add(0, "two", 1000);
	assert_run((const char *const[]){"deleted", "deleted", "deleted"}, 3);
	assert_false(has(1, "one"));
	must(umount(second) == 0);
	must(rmdir(second) == 0);
}
CASE(on_two_filesystems)

/* The newest of a type may be in either; another type has its own. */
static void newest_of_both(void)
{
	two_roots(STYPE_CACHE);
	w.policy.rules.keep_newest[STYPE_CACHE] = 1;
	w.policy.rules.age_from = AGE_MODIFIED;
	add(0, "old1", 1000);
	add(0, "old2", 2000);
	add(1, "new1", 3000);
	assert_run(
		(const char *const[]){"deleted", "deleted", "keep-newest"}, 3);
	assert_true(has(1, "new1"));
}
CASE(newest_of_both)

static void newest_of_one_type(void)
{
	two_roots(STYPE_LOGS);
	w.policy.rules.keep_newest[STYPE_CACHE] = 1;
	w.policy.rules.age_from = AGE_MODIFIED;
	add(0, "old1", 1000);
	add(0, "new1", 2000);
	add(1, "log1", 3000);
	assert_run(
		(const char *const[]){"deleted", "keep-newest", "deleted"}, 3);
}
CASE(newest_of_one_type)

/* In whatever order they are found. */
static void newest_of_many(void)
{
	static const char *const words[] = {"deleted", "keep-newest", "deleted",
		"deleted", "keep-newest", "deleted", "keep-newest", "deleted",
		"deleted", "keep-newest", "deleted", "deleted"};
	static const time_t times_s[] = {
		3, 90, 5, 1, 80, 7, 95, 2, 6, 85, 4, 8};

	two_roots(STYPE_CACHE);
	w.policy.rules.keep_newest[STYPE_CACHE] = 4;
	w.policy.rules.age_from = AGE_MODIFIED;
	for (size_t i = 0; i < ARRAY_SIZE(times_s); i++) {
		char name[16];

		snprintf(name, sizeof(name), "file%zu", i);
		add(i % 2, name, 1000 + times_s[i]);
	}
	assert_run(words, ARRAY_SIZE(words));
}
CASE(newest_of_many)

static void one_replaced(void)
{
	two_roots(STYPE_CACHE);
	add(0, "one1", 1000);
	add(1, "one1", 1000);
	known[1].id.ino++;
	assert_run((const char *const[]){"deleted", "root-changed"}, 2);
	assert_true(has(1, "one1"));
}
CASE(one_replaced)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_turn),
		cmocka_unit_test(test_on_two_filesystems),
		cmocka_unit_test(test_newest_of_both),
		cmocka_unit_test(test_newest_of_one_type),
		cmocka_unit_test(test_newest_of_many),
		cmocka_unit_test(test_one_replaced),
	};

	return cmocka_run_group_tests_name("act_roots", tests, NULL, NULL);
}
