// SPDX-License-Identifier: GPL-2.0-or-later
/* Base directories, in places where odd things stand already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prepare.h"

#define OTHER 65534

static char place[64];
static char path[256];

static const char *at(const char *rel)
{
	snprintf(path, sizeof(path), "%s/%s", place, rel);
	return path;
}

static int setup(void **state)
{
	(void)state;
	umask(077); /* must not matter */
	strcpy(place, "/tmp/test_prepare.XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static int remove_one(
	const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(name);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void assert_dir(const char *rel, mode_t mode, uid_t uid)
{
	struct stat st;

	assert_int_equal(lstat(at(rel), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, mode);
	assert_int_equal(st.st_uid, uid);
}

static int make_base(const char *rel, uid_t uid, struct buf *note)
{
	char name[256];
	const struct root root = {.path = name, .is_base = true};

	snprintf(name, sizeof(name), "%s", at(rel));
	return prepare_root(&root, uid, uid, note);
}

static void test_no_quarantine_where_nothing_goes(void **state)
{
	struct policy p = {.mode = MODE_OBSERVE};
	struct root root = {.path = place};
	buf_auto struct buf note = {0};

	(void)state;
	prepare_quarantine(&p, &root, &note);
	p.mode = MODE_ENFORCE;
	root.type = STYPE_CONFIG;
	prepare_quarantine(&p, &root, &note);
	assert_int_equal(access(at(".ullage-quarantine"), F_OK), -1);
	assert_int_equal(note.len, 0);
}

static void test_quarantine_is_there_early(void **state)
{
	struct policy p = {
		.mode = MODE_CANARY, .rules.is_config_allowed = true};
	struct root root = {.path = place, .type = STYPE_CONFIG};
	buf_auto struct buf note = {0};

	(void)state;
	prepare_quarantine(&p, &root, &note);
	assert_dir(".ullage-quarantine", 0700, geteuid());
	prepare_quarantine(&p, &root, &note);
	assert_int_equal(note.len, 0);
	assert_int_equal(chmod(at(".ullage-quarantine"), 0755), 0);
	prepare_quarantine(&p, &root, &note);
	assert_non_null(strstr(note.data, "is there, and not ours alone"));
	assert_int_equal(rmdir(at(".ullage-quarantine")), 0);
}

/* The trash that a policy wants too; config goes in an emergency only. */
static void test_trash_is_there_early(void **state)
{
	struct policy p = {.mode = MODE_ENFORCE,
		.trash_s = 60,
		.rules.is_config_allowed = true};
	struct root root = {.path = place, .type = STYPE_CONFIG};
	buf_auto struct buf note = {0};

	(void)state;
	prepare_quarantine(&p, &root, &note);
	assert_int_equal(access(at(".ullage-trash"), F_OK), -1);
	root.type = STYPE_LOGS;
	prepare_quarantine(&p, &root, &note);
	assert_dir(".ullage-trash", 0700, geteuid());
	assert_int_equal(note.len, 0);
	assert_int_equal(chmod(at(".ullage-trash"), 0755), 0);
	prepare_quarantine(&p, &root, &note);
	assert_non_null(strstr(
		note.data, ".ullage-trash is there, and not ours alone"));
	assert_int_equal(rmdir(at(".ullage-trash")), 0);
	assert_int_equal(rmdir(at(".ullage-quarantine")), 0);
}

/* As an ordinary user whose agent may only read: a note, and it goes on. */
static void test_quarantine_where_we_only_read(void **state)
{
	struct policy p = {.mode = MODE_ENFORCE};
	struct root root = {.path = place};
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(chmod(place, 0555), 0);
	pid = fork();
	if (pid == 0) {
		struct buf note = {0};

		if (geteuid() == 0 && setresuid(OTHER, OTHER, OTHER) < 0)
			_exit(2);
		prepare_quarantine(&p, &root, &note);
		_exit(!note.len ||
			!strstr(note.data,
				"cannot be made: Permission denied"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(place, 0700), 0);
}

static uid_t other(void)
{
	return geteuid() == 0 ? OTHER : geteuid();
}

/* What we call it until it has its name. */
static const char *aside(const char *dir, const char *name)
{
	char rel[128];

	snprintf(rel, sizeof(rel), "%s/.%s.%d.new", dir, name, (int)getpid());
	return at(rel);
}

static void test_makes_all_levels(void **state)
{
	buf_auto struct buf note = {0};

	(void)state;
	assert_int_equal(make_base("base/logs/feeds", other(), &note), 0);
	assert_int_equal(note.len, 0);
	assert_dir("base", 0755, geteuid());
	assert_dir("base/logs", 0755, geteuid());
	assert_dir("base/logs/feeds", 0750, other());
	assert_int_equal(access(aside("base/logs", "feeds"), F_OK), -1);
}

static void test_keeps_what_is_there(void **state)
{
	buf_auto struct buf note = {0};

	(void)state;
	assert_int_equal(make_base("base/logs/feeds", geteuid(), &note), 0);
	assert_int_equal(chmod(at("base/logs/feeds"), 02770), 0);
	assert_int_equal(chmod(at("base/logs"), 0711), 0);
	assert_int_equal(make_base("base/logs/feeds", other(), &note), 0);
	assert_dir("base/logs/feeds", 02770, geteuid());
	assert_dir("base/logs", 0711, geteuid());
	assert_int_equal(note.len, 0);
}

static void test_after_a_kill(void **state)
{
	buf_auto struct buf note = {0};

	(void)state;
	/* Killed between making and naming it, by the same number. */
	assert_int_equal(mkdir(at("logs"), 0755), 0);
	assert_int_equal(chmod(at("logs"), 0755), 0);
	assert_int_equal(mkdir(aside("logs", "feeds"), 0700), 0);
	assert_int_equal(make_base("logs/feeds", other(), &note), 0);
	assert_dir("logs/feeds", 0750, other());
	assert_int_equal(access(aside("logs", "feeds"), F_OK), -1);
}

static int n_entries(const char *rel)
{
	DIR *dir = opendir(at(rel));
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void test_many_at_once(void **state)
{
	enum { N = 8, ROUNDS = 40 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char base[32], rel[96];
		int gate[2];

		snprintf(base, sizeof(base), "base%d", round);
		assert_int_equal(pipe(gate), 0);
		for (int i = 0; i < N; i++) {
			struct buf note = {0};
			char byte;

			if (fork())
				continue;
			close(gate[1]);
			snprintf(rel, sizeof(rel), "%s/logs/c%d", base, i / 2);
			if (read(gate[0], &byte, 1) != 0) /* all start now */
				_exit(2);
			_exit(make_base(rel, other(), &note) != 0);
		}
		close(gate[0]);
		close(gate[1]);
		for (int i = 0; i < N; i++) {
			int status;

			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		snprintf(rel, sizeof(rel), "%s/logs", base);
		assert_int_equal(n_entries(rel), N / 2);
		assert_int_equal(n_entries(base), 1);
		assert_dir(rel, 0755, geteuid());
	}
	assert_int_equal(n_entries("."), ROUNDS);
}

static void test_refuses_links(void **state)
{
	buf_auto struct buf note = {0};

	(void)state;
	assert_int_equal(mkdir(at("elsewhere"), 0755), 0);
	assert_int_equal(symlink("elsewhere", at("logs")), 0);
	assert_int_equal(make_base("logs/feeds", other(), &note), -ELOOP);
	assert_non_null(strstr(note.data, "/logs is a symbolic link"));
	assert_int_equal(access(at("elsewhere/feeds"), F_OK), -1);

	/* and as the last one, dangling or not */
	assert_int_equal(mkdir(at("cache"), 0755), 0);
	assert_int_equal(symlink("../elsewhere", at("cache/feeds")), 0);
	assert_int_equal(make_base("cache/feeds", other(), &note), -ELOOP);
	assert_int_equal(symlink("../gone", at("cache/wallet")), 0);
	assert_int_equal(make_base("cache/wallet", other(), &note), -ELOOP);
	assert_int_equal(access(at("gone"), F_OK), -1);
	assert_dir("elsewhere", 0700, geteuid());
}

static void test_refuses_other_things(void **state)
{
	buf_auto struct buf note = {0};
	int fd = open(at("data"), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(make_base("data/feeds", other(), &note), -ENOTDIR);
	assert_non_null(strstr(note.data, "/data is no directory"));
	/* A FIFO in its place must not hold us up. */
	assert_int_equal(mkdir(at("temp"), 0755), 0);
	assert_int_equal(mkfifo(at("temp/feeds"), 0666), 0);
	assert_int_equal(make_base("temp/feeds", other(), &note), -ENOTDIR);
	/* In the way of the name that we use meanwhile. */
	assert_int_equal(mkfifo(aside("temp", "wallet"), 0666), 0);
	assert_int_equal(make_base("temp/wallet", other(), &note), -EEXIST);
	assert_int_equal(access(at("temp/wallet"), F_OK), -1);
}

static void test_refuses_where_others_can_rename(void **state)
{
	buf_auto struct buf note = {0};

	(void)state;
	assert_int_equal(mkdir(at("open"), 0777), 0);
	assert_int_equal(chmod(at("open"), 0777), 0);
	assert_int_equal(make_base("open/feeds", other(), &note), -EOPNOTSUPP);
	assert_non_null(strstr(note.data, "others could replace it"));
	assert_int_equal(access(at("open/feeds"), F_OK), -1);
	/* What is there already is as it is: admission judges it. */
	assert_int_equal(mkdir(at("open/there"), 0755), 0);
	assert_int_equal(make_base("open/there", other(), &note), 0);
	/* The sticky bit keeps others from it. */
	assert_int_equal(chmod(at("open"), 01777), 0);
	assert_int_equal(make_base("open/feeds", other(), &note), 0);
	assert_dir("open/feeds", 0750, other());

	if (geteuid() != 0)
		return;
	assert_int_equal(chown(at("open"), OTHER, OTHER), 0);
	assert_int_equal(make_base("open/more", other(), &note), -EOPNOTSUPP);
}

static void test_only_looks_for_named_places(void **state)
{
	buf_auto struct buf note = {0};
	struct root root = {.path = (char *)at("srv")};

	(void)state;
	assert_int_equal(prepare_root(&root, other(), other(), &note), -ENOENT);
	assert_non_null(strstr(note.data, "/srv does not exist"));
	assert_int_equal(access(at("srv"), F_OK), -1);
	assert_int_equal(mkdir(at("srv"), 0700), 0);
	buf_reset(&note);
	assert_int_equal(prepare_root(&root, other(), other(), &note), 0);
	assert_int_equal(note.len, 0);
	assert_dir("srv", 0700, geteuid());
}

static void test_sticky_directory_of_the_state(void **state)
{
	const struct prepare_owner owner = {
		.uid = geteuid(), .gid = other(), .mode = 01770};
	buf_auto struct buf why = {0};
	struct stat st;

	(void)state;
	assert_int_equal(prepare_dir(at("lib/ullage"), &owner, &why), 0);
	assert_dir("lib/ullage", 01770, geteuid());
	assert_int_equal(stat(at("lib/ullage"), &st), 0);
	assert_int_equal(st.st_gid, other());
	assert_dir("lib", 0755, geteuid());
}

#define PREPARE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PREPARE_TEST(test_makes_all_levels),
		PREPARE_TEST(test_keeps_what_is_there),
		PREPARE_TEST(test_after_a_kill),
		PREPARE_TEST(test_many_at_once),
		PREPARE_TEST(test_refuses_links),
		PREPARE_TEST(test_refuses_other_things),
		PREPARE_TEST(test_refuses_where_others_can_rename),
		PREPARE_TEST(test_only_looks_for_named_places),
		PREPARE_TEST(test_sticky_directory_of_the_state),
		PREPARE_TEST(test_no_quarantine_where_nothing_goes),
		PREPARE_TEST(test_quarantine_is_there_early),
		PREPARE_TEST(test_trash_is_there_early),
		PREPARE_TEST(test_quarantine_where_we_only_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
