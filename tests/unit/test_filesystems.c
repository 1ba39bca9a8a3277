// SPDX-License-Identifier: GPL-2.0-or-later
/* What a filesystem is called, and by which device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filesystems.h"

#define SKIPPED 77

static void named_by_its_mount(void **state)
{
	struct filesystems fs = {0};
	struct stat st;

	(void)state;
	assert_int_equal(stat("/proc", &st), 0);
	assert_int_equal(filesystems_add(&fs, st.st_dev, "/proc/sys/fs", 0), 0);
	assert_string_equal(fs.items[0].path, "/proc");
	assert_string_equal(fs.items[0].device, "proc");
	filesystems_fini(&fs);
}

/* Who mounts chooses the words: they are shown so that a line stays a line,
 * and JSON is valid. */
static int look_at_odd(const char *top)
{
	struct filesystems fs = {0};
	char point[64], path[128], shown[64];
	struct stat st;
	int r = 1;

	snprintf(point, sizeof(point), "%s/a b\t\\", top);
	snprintf(path, sizeof(path), "%s/feeds", point);
	snprintf(shown, sizeof(shown), "%s/a b\\x09\\\\", top);
	if (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", top, "tmpfs", 0, NULL) < 0 ||
		mkdir(point, 0755) < 0 ||
		mount("\x1b \xff#", point, "tmpfs", 0, NULL) < 0 ||
		stat(point, &st) < 0)
		return SKIPPED;
	if (filesystems_add(&fs, st.st_dev, path, 0) == 0)
		r = strcmp(fs.items[0].path, shown) != 0 ||
		    strcmp(fs.items[0].device, "\\x1b \\xff#") != 0;
	filesystems_fini(&fs);
	return r;
}

/* Below a "/" that is no mount point, with a /proc of its own. */
static int look_in(const char *top)
{
	struct filesystems fs = {0};
	char proc[64];
	struct stat st;
	int r = 1;

	snprintf(proc, sizeof(proc), "%s/proc", top);
	if (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mkdir(proc, 0755) < 0 ||
		mount("/proc", proc, NULL, MS_BIND, NULL) < 0 ||
		chroot(top) < 0 || chdir("/") < 0 || stat("/", &st) < 0)
		return SKIPPED;
	if (filesystems_add(&fs, st.st_dev, "/srv/data/feeds", 0) == 0)
		r = strcmp(fs.items[0].path, "/") != 0 ||
		    !fs.items[0].device[0];
	filesystems_fini(&fs);
	return r;
}

static void in_child(int (*look)(const char *top))
{
	char top[] = "/tmp/test_filesystems.XXXXXX";
	char proc[64];
	int status;
	pid_t pid;

	assert_non_null(mkdtemp(top));
	pid = fork();
	if (pid == 0)
		_exit(look(top));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(proc, sizeof(proc), "%s/proc", top);
	rmdir(proc);
	assert_int_equal(rmdir(top), 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_int_equal(status, 0);
}

static void named_in_a_chroot(void **state)
{
	(void)state;
	in_child(look_in);
}

static void shown_escaped(void **state)
{
	(void)state;
	in_child(look_at_odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_by_its_mount),
		cmocka_unit_test(named_in_a_chroot),
		cmocka_unit_test(shown_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
