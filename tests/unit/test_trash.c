// SPDX-License-Identifier: GPL-2.0-or-later
/* The trash: names and numbers, there and back, what may be emptied, and what
 * lies there that is not ours. */
#include "unit/reaping.h"

#include <dirent.h>

#include "act/quarantine.h"
#include "act/trash.h"
#include "hostile/lying.h"
#include "model/trash.h"

#define NS INT64_C(1000000000)

static const char zeros[65536];

static void numbers(void **state)
{
	const int64_t at = INT64_C(1790000000) * NS + 123456789;
	uint64_t n = trash_number(at, PLAN_RULE_PRIORITY);

	(void)state;
	assert_int_equal(trash_number_at(n), at / NS);
	assert_int_equal(trash_number_rule(n), PLAN_RULE_PRIORITY);
	/* The order of the numbers is that of the times, whatever the rule. */
	assert_true(trash_number(at + 16, PLAN_RULE_RETENTION) > n);
	assert_true(trash_number_next(n) > n);
	assert_true(trash_number_next(n) <=
		    trash_number(at + 16, PLAN_RULE_RETENTION));
	/* Clocks that are nowhere near. */
	assert_true(trash_number(INT64_MIN, PLAN_RULE_RETENTION) > 0);
	assert_true(trash_number_at(
			    trash_number(INT64_MAX, PLAN_RULE_RETENTION)) > 0);
	assert_int_equal(trash_number_rule(UINT64_MAX), PLAN_RULE_RETENTION);
}

static void picks(void **state)
{
	struct trash_pick in[] = {{7, 1, 0}, {0, 0, 0}}, *out;
	size_t n;

	(void)state;
	assert_int_equal(trash_picks_decode(in, sizeof(in), 2, &out, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(out[0].number, 7);
	free(out);
	assert_int_equal(trash_picks_decode(NULL, 0, 2, &out, &n), 0);
	assert_int_equal(n, 0);
	free(out);
	assert_int_equal(
		trash_picks_decode(in, sizeof(in), 1, &out, &n), -EBADMSG);
	assert_int_equal(
		trash_picks_decode(in, sizeof(in) - 1, 2, &out, &n), -EBADMSG);
	in[1].reserved = 1;
	assert_int_equal(
		trash_picks_decode(in, sizeof(in), 2, &out, &n), -EBADMSG);
}

static void records(void **state)
{
	struct trash_record r = {.root = 1, .reason = REASON_DELETED};

	(void)state;
	assert_true(trash_record_is_sound(&r, 2));
	assert_false(trash_record_is_sound(&r, 1));
	r.is_end = 1;
	assert_true(trash_record_is_sound(&r, 1));
	r.reason = N_REASONS;
	assert_false(trash_record_is_sound(&r, 2));
	r.reason = REASON_DELETED;
	r.path_len = TRASH_PATH_MAX + 1;
	assert_false(trash_record_is_sound(&r, 2));
	r.path_len = 0;
	r.error = INT32_MIN;
	assert_false(trash_record_is_sound(&r, 2));
	r.error = EIO;
	assert_true(trash_record_is_sound(&r, 2));
}

/* ---- with a reaper ---- */

/* Every file of every kind but tmpfs costs a filesystem: one world a test. */
static void use_trash(void)
{
	w.policy.trash_s = 3600;
	w.order.reason = GOAL_WARNING;
	w.order.max_files = w.order.max_bytes = UINT64_MAX;
	w.policy.limits.files = UINT64_MAX;
}

static unsigned int count_in_trash(void)
{
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;
	int fd = openat(w.fd, TRASH_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	must(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static ino_t inode_of(const char *rel)
{
	struct stat st;

	must(fstatat(w.fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return st.st_ino;
}

/* Empties for this reason; how many went. */
static unsigned int empty(enum goal_reason reason, uint64_t free_bytes)
{
	unsigned int n = 0;
	struct told t;

	w.order.reason = reason;
	w.order.free_bytes = free_bytes;
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	for (size_t i = 0; i < t.n; i++)
		n += t.files[i].r.reason == REASON_DELETED;
	told_fini(&t);
	w.order.free_bytes = 0;
	return n;
}

static void there_and_back(void)
{
	struct told t;
	const struct lying *f;
	ino_t ino;

	use_trash();
	world_mkdir(&w, "a");
	world_write(&w, "a/file", 5000);
	ino = inode_of("a/file");
	assert_reaps("a/file", "trashed");
	assert_false(world_has(&w, "a/file"));
	assert_int_equal(world_audited(&w, "\"reason\":\"trashed\""), 1);
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	assert_int_equal(t.n, 1);
	f = told_find(&t, "a/file");
	assert_non_null(f);
	assert_int_equal(f->r.size_bytes, 5000);
	assert_int_equal(trash_number_rule(f->r.number), PLAN_RULE_LARGEST);
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_RESTORE, NULL, 0, &t), 0);
	assert_string_equal(word(t.files[0].r.reason), "restored");
	told_fini(&t);
	assert_int_equal(inode_of("a/file"), ino);
	assert_int_equal(count_in_trash(), 0);
}
CASE(there_and_back)

/* A path of 6000 bytes has no room in a name, nor in one link. Its links come
 * and go with it. */
static void long_paths(void)
{
	char rel[8192] = "", part[202];
	struct told t;
	int fd = dup(w.fd);

	use_trash();
	memset(part, 'd', 200);
	part[200] = '\0';
	for (int i = 0; i < 30; i++) {
		int next;

		must(mkdirat(fd, part, 0755) == 0);
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		must(next >= 0);
		close(fd);
		fd = next;
		strcat(strcat(rel, part), "/");
	}
	strcat(rel, "file");
	close(openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_reaps(rel, "trashed");
	assert_int_equal(faccessat(fd, "file", F_OK, 0), -1);
	assert_int_equal(count_in_trash(), 1 + 7); /* links of 1000 bytes */
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	assert_non_null(told_find(&t, rel));
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_RESTORE, NULL, 0, &t), 0);
	told_fini(&t);
	assert_int_equal(faccessat(fd, "file", F_OK, 0), 0);
	assert_int_equal(count_in_trash(), 0);
	assert_reaps(rel, "trashed");
	assert_int_equal(empty(GOAL_CRITICAL, 0), 1);
	assert_int_equal(count_in_trash(), 0);
	close(fd);
}
CASE(long_paths)

/* Neither the critical level nor an emergency waits for an undo. */
static void who_is_in_a_hurry_deletes(void)
{
	static const struct {
		enum goal_reason reason;
		bool is_forced;
		const char *word;
	} cases[] = {{GOAL_SCHEDULED, false, "trashed"},
		{GOAL_WARNING, false, "trashed"},
		{GOAL_MANUAL, false, "trashed"}, {GOAL_MANUAL, true, "deleted"},
		{GOAL_CRITICAL, false, "deleted"},
		{GOAL_EMERGENCY, false, "deleted"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		use_trash();
		w.order.reason = cases[i].reason;
		w.order.is_forced = cases[i].is_forced;
		world_write(&w, "file", 1);
		assert_reaps("file", cases[i].word);
		assert_false(world_has(&w, "file"));
	}
	w.policy.trash_s = 0;
	w.order.reason = GOAL_SCHEDULED;
	w.order.is_forced = false;
	world_write(&w, "file", 1);
	assert_reaps("file", "deleted");
	assert_int_equal(count_in_trash(), 3);
}
CASE(who_is_in_a_hurry_deletes)

static void restores_over_nothing(void)
{
	struct told t;
	ino_t ino;

	use_trash();
	world_mkdir(&w, "gone");
	world_mkdir(&w, "link");
	world_mkdir(&w, "elsewhere");
	world_write(&w, "file", 1);
	world_write(&w, "gone/file", 1);
	world_write(&w, "link/file", 1);
	assert_reaps("file", "trashed");
	assert_reaps("gone/file", "trashed");
	assert_reaps("link/file", "trashed");
	world_write(&w, "file", 2);
	ino = inode_of("file");
	must(unlinkat(w.fd, "gone", AT_REMOVEDIR) == 0);
	must(unlinkat(w.fd, "link", AT_REMOVEDIR) == 0);
	must(symlinkat("elsewhere", w.fd, "link") == 0);
	assert_int_equal(world_errand(&w, TRASH_RESTORE, NULL, 0, &t), 0);
	assert_int_equal(t.n, 3);
	assert_int_equal(told_find(&t, "file")->r.error, EEXIST);
	assert_int_equal(told_find(&t, "gone/file")->r.error, ENOENT);
	assert_int_equal(told_find(&t, "link/file")->r.error, ELOOP);
	told_fini(&t);
	assert_int_equal(inode_of("file"), ino);
	assert_false(world_has(&w, "gone"));
	assert_false(world_has(&w, "elsewhere/file"));
	assert_int_equal(count_in_trash(), 3);
}
CASE(restores_over_nothing)

/* Names by hand, as of this time ago. */
static void plant(int64_t age_s, const char *path)
{
	struct timespec now;
	char name[256];

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(name, sizeof(name), TRASH_NAME "/%llx=%s",
		(unsigned long long)trash_number(
			(now.tv_sec - age_s) * NS, PLAN_RULE_RETENTION),
		path);
	world_write(&w, name, 4096);
}

static void expires(void)
{
	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	plant(3500, "young");
	plant(3700, "old");
	plant(-100000, "future");
	plant(90000, "older");
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 2);
	assert_int_equal(count_in_trash(), 2);
	/* Of a policy that has none any more: a day. */
	plant(86000, "young too");
	w.policy.trash_s = 0;
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 0);
	plant(87000, "old too");
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 1);
	assert_int_equal(empty(GOAL_CRITICAL, 0), 3);
}
CASE(expires)

static void the_oldest_first(void)
{
	struct told t;

	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	for (int i = 0; i < 10; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%d", i);
		plant(100 * (i % 2 ? i : 10 - i), path);
	}
	assert_int_equal(empty(GOAL_EMERGENCY, 3 * 4096), 3);
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	assert_null(told_find(&t, "0"));
	assert_null(told_find(&t, "9"));
	assert_null(told_find(&t, "2"));
	told_fini(&t);
	assert_int_equal(count_in_trash(), 7);
}
CASE(the_oldest_first)

static void rules_hold(void)
{
	char *protect[] = {(char[]){"keep*"}};
	struct told t;
	int fd = -1;

	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	plant(9000, "keep%smine");
	plant(9001, "linked");
	plant(9002, "open");
	plant(9003, "goes");
	w.policy.rules.protect = protect;
	w.policy.rules.n_protect = 1;
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	for (size_t i = 0; i < t.n; i++) {
		char name[256];

		snprintf(name, sizeof(name), TRASH_NAME "/%llx=%s",
			(unsigned long long)t.files[i].r.number,
			t.files[i].path);
		if (strcmp(t.files[i].path, "linked") == 0)
			must(linkat(w.fd, name, w.fd, "other", 0) == 0);
		if (strcmp(t.files[i].path, "open") == 0)
			fd = open_file(name, O_RDONLY);
	}
	told_fini(&t);
	w.order.reason = GOAL_SCHEDULED;
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_string_equal(
		word(told_find(&t, "keep/mine")->r.reason), "protected");
	assert_string_equal(word(told_find(&t, "linked")->r.reason), "linked");
	assert_string_equal(word(told_find(&t, "open")->r.reason), "busy");
	assert_string_equal(word(told_find(&t, "goes")->r.reason), "deleted");
	told_fini(&t);
	close(fd);
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 1);
	w.policy.rules.n_protect = 0;
	w.policy.rules.protect = NULL;
}
CASE(rules_hold)

static void modes_hold(void)
{
	struct told t;

	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	for (int i = 0; i < 15; i++) {
		char path[16];

		snprintf(path, sizeof(path), "%d", i);
		plant(9000 + i, path);
	}
	w.policy.mode = MODE_OBSERVE;
	w.order.reason = GOAL_SCHEDULED;
	assert_int_equal(world_errand(&w, TRASH_EMPTY, NULL, 0, &t), 0);
	assert_string_equal(word(t.files[0].r.reason), "observe");
	told_fini(&t);
	assert_int_equal(count_in_trash(), 15);
	w.policy.mode = MODE_CANARY;
	assert_int_equal(empty(GOAL_SCHEDULED, 0), POLICY_CANARY_FILES);
	w.policy.mode = MODE_ENFORCE;
	w.order.max_files = 2;
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 2);
	w.order.max_files = UINT64_MAX;
	w.policy.limits.files = 1;
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 1);
	w.order.panic_path = w.path; /* is there */
	assert_int_equal(empty(GOAL_EMERGENCY, 0), 0);
	w.order.panic_path = NULL;
	assert_int_equal(empty(GOAL_MANUAL, 0), 1);
	assert_int_equal(count_in_trash(), 1);
}
CASE(modes_hold)

static void only_what_is_meant(void)
{
	struct trash_pick pick = {0};
	struct told t;

	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	plant(10, "one");
	plant(20, "two");
	assert_int_equal(world_errand(&w, TRASH_LIST, NULL, 0, &t), 0);
	pick.number = told_find(&t, "two")->r.number;
	told_fini(&t);
	assert_int_equal(world_errand(&w, TRASH_RESTORE, &pick, 1, &t), 0);
	assert_int_equal(t.n, 1);
	told_fini(&t);
	assert_true(world_has(&w, "two"));
	assert_false(world_has(&w, "one"));
	assert_int_equal(world_errand(&w, TRASH_RESTORE, &pick, 1, &t), 0);
	assert_int_equal(t.n, 0);
	told_fini(&t);
}
CASE(only_what_is_meant)

/* What lies there that no reaper made leads nowhere, and stays. */
static void hostile_names(void)
{
	static const char *const names[] = {"1=..%s..%setc%spasswd",
		"2=%sabsolute", "3=a%", "4=", "5=..", "6=.", "7=a%s", "8~file",
		"zz", "9=dir%s..%sx"};
	struct told t;
	char rel[256];

	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(rel, sizeof(rel), TRASH_NAME "/%s", names[i]);
		world_write(&w, rel, 1);
	}
	must(symlinkat("/etc/passwd", w.fd, TRASH_NAME "/a=link") == 0);
	must(mkdirat(w.fd, TRASH_NAME "/b=dir", 0755) == 0);
	must(mkfifoat(w.fd, TRASH_NAME "/c=fifo", 0644) == 0);
	assert_int_equal(world_errand(&w, TRASH_RESTORE, NULL, 0, &t), 0);
	for (size_t i = 0; i < t.n; i++)
		assert_string_not_equal(word(t.files[i].r.reason), "restored");
	told_fini(&t);
	assert_int_equal(count_in_trash(), ARRAY_SIZE(names) + 3);
	assert_false(world_has(&w, "x"));
	assert_false(world_has(&w, "link"));
}
CASE(hostile_names)

/* Put there by somebody else, or reachable by others: not used. */
static void not_ours(void)
{
	struct told t;

	use_trash();
	world_write(&w, "file", 1);
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	must(fchmodat(w.fd, TRASH_NAME, 0755, 0) == 0);
	assert_keeps("file", "error");
	assert_int_equal(errno, EPERM);
	must(world_errand(&w, TRASH_EMPTY, NULL, 0, &t) == 0);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.files[0].r.number, 0);
	assert_int_equal(t.files[0].r.error, EPERM);
	told_fini(&t);
	must(unlinkat(w.fd, TRASH_NAME, AT_REMOVEDIR) == 0);
	must(symlinkat("/tmp", w.fd, TRASH_NAME) == 0);
	assert_keeps("file", "error");
	/* Who is in a hurry needs no trash. */
	w.order.reason = GOAL_CRITICAL;
	assert_reaps("file", "deleted");
}
CASE(not_ours)

/* A cut between the links of a long path and its move, on either side. */
static void stale_links(void)
{
	use_trash();
	must(mkdirat(w.fd, TRASH_NAME, 0700) == 0);
	must(symlinkat("a/b", w.fd, TRASH_NAME "/12345~path.0") == 0);
	must(symlinkat("a/c", w.fd, TRASH_NAME "/12346~path.0") == 0);
	world_write(&w, TRASH_NAME "/12346~file", 1);
	/* Who only looks has no lock: a move may be under way. */
	w.order.is_dry_run = true;
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 0);
	assert_int_equal(count_in_trash(), 3);
	w.order.is_dry_run = false;
	assert_int_equal(empty(GOAL_SCHEDULED, 0), 1);
	assert_int_equal(count_in_trash(), 0);
}
CASE(stale_links)

/* The trash's directory cannot grow on a full disk: then what was to go goes.
 * Names as long as these need blocks soon. */
static void full_disk(void)
{
	mem_autofree struct outcome *o = NULL;
	unsigned int n_deleted = 0;
	char rel[256];
	size_t n;
	int fd;

	use_trash();
	for (int i = 0; i < 300; i++) {
		snprintf(rel, sizeof(rel), "%0230d", i);
		world_write(&w, rel, 1024);
		world_plan(&w, rel, PLAN_RULE_LARGEST);
	}
	must(quarantine_prepare(w.fd) == 0 && trash_prepare(w.fd) == 0);
	world_write(&w, "fill", 0);
	fd = open_file("fill", O_WRONLY);
	for (size_t piece = sizeof(zeros); piece; piece /= 2)
		while (write(fd, zeros, piece) == (ssize_t)piece)
			continue;
	close(fd);
	assert_int_equal(world_run(&w, &o, &n), 0);
	for (size_t i = 0; i + 1 < n; i++) {
		bool is_deleted = o[i].reason == REASON_DELETED;

		n_deleted += is_deleted;
		if (!is_deleted)
			assert_string_equal(word(o[i].reason), "trashed");
	}
	assert_int_equal(count_in_trash() + n_deleted, 300);
	if (strcmp(w.kind, "ext4") == 0)
		assert_true(n_deleted > 0);
}
CASE(full_disk)

/* Nor can it be made there. */
static void full_disk_at_first(void)
{
	int fd;

	if (strcmp(w.kind, "ext4") != 0)
		return; /* tmpfs makes directories of nothing */
	w.policy.trash_s = 3600;
	world_write(&w, "file", 1024);
	must(quarantine_prepare(w.fd) == 0);
	world_write(&w, "fill", 0);
	fd = open_file("fill", O_WRONLY);
	for (size_t piece = sizeof(zeros); piece; piece /= 2)
		while (write(fd, zeros, piece) == (ssize_t)piece)
			continue;
	close(fd);
	assert_reaps("file", "deleted");
	assert_false(world_has(&w, TRASH_NAME));
}
CASE(full_disk_at_first)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(picks),
		cmocka_unit_test(records),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_who_is_in_a_hurry_deletes),
		cmocka_unit_test(test_restores_over_nothing),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_the_oldest_first),
		cmocka_unit_test(test_rules_hold),
		cmocka_unit_test(test_modes_hold),
		cmocka_unit_test(test_only_what_is_meant),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_stale_links),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_full_disk_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
