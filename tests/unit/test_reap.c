// SPDX-License-Identifier: GPL-2.0-or-later
/* What a file is, whose, and who uses it: each brought about by a real one, and
 * judged by a confined reaper in its own process. The words of the policy are
 * in test_judge.c, those of a run in test_guard.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/quarantine.h"
#include "unit/reaping.h"

/* ---- in use ---- */

static void busy_open(void)
{
	int fd;

	world_write(&w, "file", 10);
	fd = open_file("file", O_RDONLY);
	assert_keeps("file", "busy");
	/* locked is open */
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_keeps("file", "busy");
	close(fd);
	fd = open_file("file", O_WRONLY);
	assert_keeps("file", "busy");
	close(fd);
	assert_reaps("file", "deleted");
}

static void busy_mapped(void)
{
	void *map;
	int fd;

	world_write(&w, "file", 10);
	fd = open_file("file", O_RDONLY);
	map = mmap(NULL, 10, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(map != MAP_FAILED);
	close(fd);
	assert_keeps("file", "busy");
	munmap(map, 10);
	assert_reaps("file", "deleted");
}

/* Nobody has it in a table of descriptors: it is in a socket's queue. */
static void busy_in_flight(void)
{
	int pair[2], fd;

	world_write(&w, "file", 10);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	fd = open_file("file", O_RDONLY);
	assert_int_equal(fd_send(pair[0], "x", 1, &fd, 1), 0);
	close(fd);
	assert_keeps("file", "busy");
	close(pair[0]);
	close(pair[1]);
	assert_reaps("file", "deleted");
}

static void busy_executing(void)
{
	char path[512];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/sleeper", w.path);
	assert_int_equal(world_command("cp", "/bin/sleep", path), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl(path, "sleeper", "100", NULL);
		_exit(127);
	}
	/* until it runs, somebody else's image is mapped */
	for (int i = 0; i < 500; i++) {
		char exe[64], target[512];
		ssize_t n;

		snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
		n = readlink(exe, target, sizeof(target) - 1);
		if (n > 0 && strncmp(target, path, (size_t)n) == 0)
			break;
		usleep(2000);
	}
	assert_keeps("sleeper", "busy");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_reaps("sleeper", "deleted");
}

static void busy_loop(void)
{
	char command[512];

	world_write(&w, "image", 1 << 20);
	snprintf(command, sizeof(command),
		"losetup -f --show %s/image > %s/device", w.path, w.base);
	if (world_command("sh", "-c", command) != 0) {
		printf("SKIPPED: no loop device\n");
		return;
	}
	assert_keeps("image", "busy");
	snprintf(command, sizeof(command), "losetup -d $(cat %s/device)",
		w.base);
	assert_int_equal(world_command("sh", "-c", command), 0);
	for (int i = 0; i < 100; i++) {
		int fd = open_file("image", O_RDONLY);
		int r = fcntl(fd, F_SETLEASE, F_WRLCK);

		close(fd);
		if (r == 0)
			break;
		usleep(10000); /* detached in the background */
	}
	assert_reaps("image", "deleted");
}

/* The convention of systemd-tmpfiles, for the directory and all below it. */
static void busy_directory(void)
{
	static const char *const dirs[] = {".", "a", "a/b"};

	world_mkdir(&w, "a");
	world_mkdir(&w, "a/b");
	world_write(&w, "a/b/file", 10);
	world_write(&w, "other", 10);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		for (int how = LOCK_SH; how <= LOCK_EX; how++) {
			int fd = open_file(dirs[i], O_RDONLY | O_DIRECTORY);

			assert_int_equal(flock(fd, how), 0);
			assert_keeps("a/b/file", "busy");
			close(fd);
		}
	assert_reaps("a/b/file", "deleted");
	assert_reaps("other", "deleted");
}

/* ---- what it is ---- */

static void changed(void)
{
	world_write(&w, "file", 10);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	assert_int_equal(unlinkat(w.fd, "file", 0), 0);
	/* ext4 gives it the same inode number */
	world_write(&w, "file", 10);
	assert_reaps(NULL, "changed");
	assert_true(world_has(&w, "file"));
}

static void changed_parent(void)
{
	world_mkdir(&w, "dir");
	world_write(&w, "dir/file", 10);
	world_plan(&w, "dir/file", PLAN_RULE_LARGEST);
	assert_int_equal(renameat(w.fd, "dir", w.fd, "real"), 0);
	assert_int_equal(symlinkat("real", w.fd, "dir"), 0);
	assert_reaps(NULL, "changed");
	assert_true(world_has(&w, "real/file"));
}

static void gone(void)
{
	world_mkdir(&w, "dir");
	world_write(&w, "file", 10);
	world_write(&w, "dir/file", 10);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	unlinkat(w.fd, "file", 0);
	assert_reaps(NULL, "gone");
	world_plan(&w, "dir/file", PLAN_RULE_LARGEST);
	unlinkat(w.fd, "dir/file", 0);
	unlinkat(w.fd, "dir", AT_REMOVEDIR);
	assert_reaps(NULL, "gone");
}

static void bind_socket(const char *rel)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", w.path, rel) <
		(int)sizeof(to.sun_path));
	must(fd >= 0);
	must(bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	close(fd);
}

static void special(void)
{
	world_mkdir(&w, "dir");
	world_write(&w, "target", 1);
	assert_int_equal(mkfifoat(w.fd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("target", w.fd, "link"), 0);
	bind_socket("socket");
	assert_keeps("dir", "special");
	assert_keeps("fifo", "special");
	assert_keeps("link", "special");
	assert_keeps("socket", "special");
	if (mknodat(w.fd, "null", S_IFCHR | 0600, makedev(1, 3)) == 0)
		assert_keeps("null", "special");
}

static void mounts(void)
{
	char path[512];

	world_mkdir(&w, "dir");
	snprintf(path, sizeof(path), "%s/dir", w.path);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
	snprintf(path, sizeof(path), "%s/dir/file", w.path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	/* world_plan cannot look beyond the mount either */
	must(plan_add(&w.plan, &(struct candidate){
				       .rel_dir = "dir", .name = "file"}) == 0);
	assert_reaps(NULL, "mount");
	must(plan_add(&w.plan,
		     &(struct candidate){.rel_dir = "", .name = "dir"}) == 0);
	assert_reaps(NULL, "mount");
	assert_true(access(path, F_OK) == 0);
	snprintf(path, sizeof(path), "%s/dir", w.path);
	umount(path);
}

/* A file mounted over a file. */
static void mounted_file(void)
{
	char from[512], to[512];

	world_write(&w, "from", 1);
	world_write(&w, "to", 1);
	snprintf(from, sizeof(from), "%s/from", w.path);
	snprintf(to, sizeof(to), "%s/to", w.path);
	world_plan(&w, "to", PLAN_RULE_LARGEST);
	assert_int_equal(mount(from, to, NULL, MS_BIND, NULL), 0);
	assert_reaps(NULL, "mount");
	umount(to);
	assert_true(world_has(&w, "to"));
}

static void linked(void)
{
	world_write(&w, "file", 1);
	assert_int_equal(linkat(w.fd, "file", w.fd, "other", 0), 0);
	assert_keeps("file", "linked");
	unlinkat(w.fd, "other", 0);
	assert_reaps("file", "deleted");
}

static void immutable(void)
{
	static const int flags[] = {FS_IMMUTABLE_FL, FS_APPEND_FL};
	int fd, old, flag;

	world_write(&w, "file", 1);
	fd = open_file("file", O_RDONLY);
	assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &old), 0);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		flag = old | flags[i];
		assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flag), 0);
		assert_keeps("file", "immutable");
	}
	assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &old), 0);
	close(fd);
	assert_reaps("file", "deleted");
}

/* ---- whose it is ---- */

static void owners(void)
{
	uid_t named[] = {ANOTHER};

	give(".", SOMEBODY);
	world_write(&w, "own", 1);
	world_write(&w, "foreign", 1);
	give("own", SOMEBODY);
	give("foreign", ANOTHER);
	assert_keeps("foreign", "owner");
	assert_reaps("own", "deleted");
	w.policy.rules.owners = named;
	w.policy.rules.n_owners = 1;
	world_write(&w, "own", 1);
	give("own", SOMEBODY);
	assert_keeps("own", "owner");
	assert_reaps("foreign", "deleted");
	w.policy.rules.is_any_owner = true;
	assert_reaps("own", "deleted");
}

/* Root's file is bait where others may write, even if root may be named. */
static void bait(void)
{
	static const struct {
		uid_t uid;
		mode_t mode;
		const char *word;
	} cases[] = {
		{0, 0755, "deleted"},
		{0, 0775, "owner"},
		{0, 01777, "owner"},
		{SOMEBODY, 0755, "owner"},
	};
	uid_t named[] = {0};

	w.policy.rules.owners = named;
	w.policy.rules.n_owners = 1;
	world_mkdir(&w, "dir");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unlinkat(w.fd, "dir/file", 0);
		give("dir", cases[i].uid);
		must(fchmodat(w.fd, "dir", cases[i].mode, 0) == 0);
		world_write(&w, "dir/file", 1);
		assert_reaps("dir/file", cases[i].word);
		/* and so it is where they may move the directory */
		world_mkdir(&w, "dir/own");
		give("dir/own", 0);
		world_write(&w, "dir/own/file", 1);
		assert_reaps("dir/own/file", cases[i].word);
		unlinkat(w.fd, "dir/own/file", 0);
		must(unlinkat(w.fd, "dir/own", AT_REMOVEDIR) == 0);
	}
	w.policy.rules.is_any_owner = true;
	assert_reaps("dir/file", "deleted");
}

static void root_changed(void)
{
	char path[512];

	world_write(&w, "file", 1);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	snprintf(path, sizeof(path), "%s/moved", w.top);
	assert_int_equal(rename(w.path, path), 0);
	assert_int_equal(mkdir(w.path, 0755), 0);
	assert_reaps(NULL, "root-changed");
	rmdir(w.path);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	assert_reaps(NULL, "root-changed");
	/* the same by a link */
	assert_int_equal(symlink(path, w.path), 0);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	assert_reaps(NULL, "root-changed");
	unlink(w.path);
	assert_int_equal(rename(path, w.path), 0);
	assert_reaps("file", "deleted");
	/* no such root in the policy */
	world_write(&w, "file", 1);
	world_plan(&w, "file", PLAN_RULE_LARGEST);
	w.plan.items[0].root = 7;
	assert_reaps(NULL, "root-changed");
}

/* ---- the quarantine ---- */

static void bad_quarantine(void)
{
	world_write(&w, "file", 1);
	assert_int_equal(symlinkat("/tmp", w.fd, QUARANTINE_NAME), 0);
	assert_keeps("file", "error");
	unlinkat(w.fd, QUARANTINE_NAME, 0);
	world_write(&w, QUARANTINE_NAME, 1);
	assert_keeps("file", "error");
	unlinkat(w.fd, QUARANTINE_NAME, 0);
	assert_int_equal(mkdirat(w.fd, QUARANTINE_NAME, 0755), 0);
	assert_keeps("file", "error");
	assert_int_equal(fchmodat(w.fd, QUARANTINE_NAME, 0700, 0), 0);
	give(QUARANTINE_NAME, SOMEBODY);
	assert_keeps("file", "error");
	assert_int_equal(errno, EPERM);
	give(QUARANTINE_NAME, geteuid());
	assert_reaps("file", "deleted");
}

/* P1: one reaper a root. */
static void one_reaper(void)
{
	int fd;

	assert_int_equal(mkdirat(w.fd, QUARANTINE_NAME, 0700), 0);
	world_write(&w, "file", 1);
	fd = open_file(QUARANTINE_NAME, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_keeps("file", "busy");
	close(fd);
	assert_reaps("file", "deleted");
}

CASE(busy_open)
CASE(busy_mapped)
CASE(busy_in_flight)
CASE(busy_executing)
CASE(busy_loop)
CASE(busy_directory)
CASE(changed)
CASE(changed_parent)
CASE(gone)
CASE(special)
CASE(mounts)
CASE(mounted_file)
CASE(linked)
CASE(immutable)
CASE(owners)
CASE(bait)
CASE(root_changed)
CASE(bad_quarantine)
CASE(one_reaper)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy_open),
		cmocka_unit_test(test_busy_mapped),
		cmocka_unit_test(test_busy_in_flight),
		cmocka_unit_test(test_busy_executing),
		cmocka_unit_test(test_busy_loop),
		cmocka_unit_test(test_busy_directory),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_parent),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_mounted_file),
		cmocka_unit_test(test_linked),
		cmocka_unit_test(test_immutable),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_bait),
		cmocka_unit_test(test_root_changed),
		cmocka_unit_test(test_bad_quarantine),
		cmocka_unit_test(test_one_reaper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
