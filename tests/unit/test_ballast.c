// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that looks after a ballast, on each filesystem: whole or not
 * there, never two, and giving it up frees what it held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/ballast.h"
#include "act/quarantine.h"
#include "base/fd.h"
#include "hostile/world.h"

#define MIB   (UINT64_C(1) << 20)
#define SIZE  (32 * MIB)
#define WHOLE QUARANTINE_NAME "/~ballast"
#define HALF  QUARANTINE_NAME "/~ballast.new"

/* xfs takes no less. */
#define WORLD_MIB 320

static struct world w;
static struct config config;

/* What the next calls say instead of being made. */
static struct {
	int error; /* 0: done, and nothing is */
	unsigned int n;
} no_fallocate, no_unlink;

int __real_fallocate(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate(int fd, int mode, off_t at, off_t len);
int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);

int __wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	if (!no_fallocate.n)
		return __real_fallocate(fd, mode, at, len);
	no_fallocate.n--;
	errno = no_fallocate.error;
	return errno ? -1 : 0;
}

/* Of the whole one alone. */
int __wrap_unlinkat(int fd, const char *name, int flags)
{
	if (!no_unlink.n || strcmp(name, "~ballast") != 0)
		return __real_unlinkat(fd, name, flags);
	no_unlink.n--;
	errno = no_unlink.error;
	return -1;
}

static const char *const kinds[] = {"tmpfs", "ext4", "xfs", "btrfs"};

static void first(size_t n_kinds, void (*test)(void))
{
	unsigned int n = 0;

	for (size_t i = 0; i < n_kinds; i++) {
		if (!world_init(&w, kinds[i], WORLD_MIB))
			continue;
		print_message("on %s\n", kinds[i]);
		config = (struct config){
			.ballast = {.bytes = SIZE},
			.fs_target = {.is_share = true, .ppm = 800000},
		};
		must(quarantine_prepare(w.fd) == 0);
		test();
		world_fini(&w);
		n++;
	}
	if (!n)
		skip();
}

#define CASE(name)                              \
	static void test_##name(void **state)   \
	{                                       \
		(void)state;                    \
		first(ARRAY_SIZE(kinds), name); \
	}
/* Where it does not matter on which. */
#define ONE_CASE(name)                        \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		first(1, name);               \
	}

static bool has_home = true;

static pid_t start(
	const struct ballast_root *roots, size_t n, enum ballast_op op, int fd)
{
	const struct ballast_order order = {.roots = roots,
		.n_roots = n,
		.has_home = has_home,
		.config = &config,
		.op = op,
		.report_fd = fd};
	pid_t pid;

	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		_exit(ballast_run(&order));
	return pid;
}

static struct ballast_report run_on(
	const struct ballast_root *roots, size_t n, enum ballast_op op)
{
	struct ballast_report report = {0};
	int fd = memfd_create("report", MFD_CLOEXEC);
	int status = world_wait(start(roots, n, op, fd));

	must(pread(fd, &report, sizeof(report), 0) == sizeof(report));
	must((status == 0) == (report.error == 0));
	close(fd);
	return report;
}

static struct ballast_report run(enum ballast_op op)
{
	const struct ballast_root root = {.path = w.path, .known = w.known};

	return run_on(&root, 1, op);
}

static uint64_t free_bytes(void)
{
	struct statfs fs;

	must(fstatfs(w.fd, &fs) == 0);
	return (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize;
}

static void comes_and_goes(void)
{
	struct ballast_report r = run(BALLAST_LOOK);
	struct stat st;
	uint64_t before;

	assert_int_equal(r.bytes, 0);
	assert_int_equal(r.error, 0);
	r = run(BALLAST_MAKE);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.bytes, SIZE);
	must(fstatat(w.fd, WHOLE, &st, AT_SYMLINK_NOFOLLOW) == 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, 0);
	assert_true((uint64_t)st.st_blocks * 512 >= SIZE);
	assert_false(world_has(&w, HALF));
	/* it stays the same one */
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE);
	assert_int_equal(run(BALLAST_LOOK).bytes, SIZE);
	must(fstatat(w.fd, WHOLE, &st, AT_SYMLINK_NOFOLLOW) == 0);
	syncfs(w.fd);
	before = free_bytes();
	r = run(BALLAST_RELEASE);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.bytes, 0);
	assert_int_equal(r.released_bytes, SIZE);
	assert_true(r.freed_bytes >= SIZE / 2);
	assert_true(free_bytes() - before >= SIZE / 2);
	assert_false(world_has(&w, WHOLE));
	assert_int_equal(run(BALLAST_RELEASE).released_bytes, 0);
}
CASE(comes_and_goes)

/* Not a byte is left, and where a name takes a block, no name. */
static void fill_up(void)
{
	static const char some[65536];
	int fd = openat(w.fd, "fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char name[32];

	must(fd >= 0);
	for (size_t n = sizeof(some); n; n /= 4)
		while (write(fd, some, n) > 0)
			;
	must(errno == ENOSPC);
	fsync(fd);
	while (write(fd, some, 1) > 0)
		;
	close(fd);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "empty-%d", i);
		fd = openat(w.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
}

static void goes_when_full(void)
{
	struct ballast_report r;

	must(run(BALLAST_MAKE).bytes == SIZE);
	fill_up();
	/* btrfs counts as free what it keeps for itself */
	assert_true(free_bytes() < SIZE / 2 || strcmp(w.kind, "btrfs") == 0);
	r = run(BALLAST_RELEASE);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.released_bytes, SIZE);
	assert_true(r.freed_bytes >= SIZE / 2);
	/* and others can use it */
	world_write(&w, "written", SIZE / 4);
}
CASE(goes_when_full)

static void no_room(void)
{
	struct ballast_report r;

	config.ballast.bytes = WORLD_MIB * MIB * 9 / 10;
	r = run(BALLAST_MAKE);
	assert_int_equal(r.error, ENOSPC);
	assert_int_equal(r.bytes, 0);
	assert_false(world_has(&w, WHOLE));
	assert_false(world_has(&w, HALF));
}
CASE(no_room)

/* Filesystems that cannot allocate ahead are written to. */
static void written(void)
{
	no_fallocate.error = EOPNOTSUPP;
	no_fallocate.n = 1;
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE);
	no_fallocate.n = 0;
	assert_int_equal(run(BALLAST_LOOK).bytes, SIZE);
}
ONE_CASE(written)

static void interrupted(void)
{
	no_fallocate.error = EINTR;
	no_fallocate.n = 3;
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE);
	no_fallocate.n = 0;
}
ONE_CASE(interrupted)

/* Compressed, it would keep nothing. */
static void only_looks_like_it(void)
{
	no_fallocate.error = 0;
	no_fallocate.n = 1;
	assert_int_equal(run(BALLAST_MAKE).error, EOPNOTSUPP);
	no_fallocate.n = 0;
	assert_false(world_has(&w, WHOLE));
	assert_false(world_has(&w, HALF));
}
ONE_CASE(only_looks_like_it)

/* A full btrfs may have to end what it is at first. */
static void goes_at_the_third_try(void)
{
	must(run(BALLAST_MAKE).bytes == SIZE);
	no_unlink.error = ENOSPC;
	no_unlink.n = 2;
	assert_int_equal(run(BALLAST_RELEASE).released_bytes, SIZE);
	assert_false(world_has(&w, WHOLE));
	must(run(BALLAST_MAKE).bytes == SIZE);
	no_unlink.error = EIO;
	assert_int_equal(run(BALLAST_RELEASE).error, EIO);
	no_unlink.n = 0;
	assert_int_equal(run(BALLAST_LOOK).bytes, SIZE);
}
ONE_CASE(goes_at_the_third_try)

static void other_size(void)
{
	must(run(BALLAST_MAKE).bytes == SIZE);
	config.ballast.bytes = SIZE / 2 + 100;
	/* a look changes nothing about that */
	assert_int_equal(run(BALLAST_LOOK).bytes, SIZE);
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE / 2);
	config.ballast = (struct amount){.is_share = true, .ppm = 100000};
	assert_in_range(run(BALLAST_MAKE).bytes, WORLD_MIB * MIB / 20,
		WORLD_MIB * MIB / 10);
	/* wanted no more */
	config.ballast = (struct amount){0};
	assert_int_equal(run(BALLAST_LOOK).bytes, 0);
	assert_false(world_has(&w, WHOLE));
}
CASE(other_size)

static void put(const char *rel, bool is_sparse)
{
	int fd = openat(w.fd, rel, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0);
	must(is_sparse ? ftruncate(fd, (off_t)SIZE) == 0
		       : fallocate(fd, 0, 0, (off_t)SIZE) == 0);
	close(fd);
}

/* What a kill or somebody's hand left: completed or removed, never two. */
static void put_right(void)
{
	must(run(BALLAST_MAKE).bytes == SIZE);
	put(HALF, false);
	assert_int_equal(run(BALLAST_LOOK).bytes, SIZE);
	assert_false(world_has(&w, HALF));
	must(unlinkat(w.fd, WHOLE, 0) == 0);
	put(HALF, false);
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE);
	assert_false(world_has(&w, HALF));
	/* one that keeps nothing */
	must(unlinkat(w.fd, WHOLE, 0) == 0);
	put(WHOLE, true);
	assert_int_equal(run(BALLAST_LOOK).bytes, 0);
	assert_false(world_has(&w, WHOLE));
	/* one with another name elsewhere would keep what it has */
	must(run(BALLAST_MAKE).bytes == SIZE);
	must(linkat(w.fd, WHOLE, w.fd, "link", 0) == 0);
	assert_int_equal(run(BALLAST_LOOK).bytes, 0);
	must(unlinkat(w.fd, "link", 0) == 0);
	/* a directory is none of ours: told, and left alone */
	must(mkdirat(w.fd, WHOLE, 0700) == 0);
	assert_int_equal(run(BALLAST_MAKE).error, EISDIR);
}
CASE(put_right)

/* In one root of a filesystem, and it moves with the configuration. */
static void one_home(void)
{
	struct ballast_root roots[2];
	char path[300];
	int fd;

	roots[0] = (struct ballast_root){.path = w.path, .known = w.known};
	snprintf(path, sizeof(path), "%s/other", w.top);
	must(mkdir(path, 0755) == 0);
	roots[1].path = path;
	must(admit_root(path, NULL, &roots[1].known, &fd) == 0);
	must(quarantine_prepare(fd) == 0);
	assert_int_equal(run_on(roots, 2, BALLAST_MAKE).bytes, SIZE);
	assert_true(world_has(&w, WHOLE));
	assert_int_equal(faccessat(fd, WHOLE, F_OK, 0), -1);
	roots[1] = roots[0];
	roots[0].path = path;
	must(admit_root(path, NULL, &roots[0].known, NULL) == 0);
	assert_int_equal(run_on(roots, 2, BALLAST_LOOK).bytes, 0);
	assert_false(world_has(&w, WHOLE));
	assert_int_equal(run_on(roots, 2, BALLAST_MAKE).bytes, SIZE);
	assert_int_equal(faccessat(fd, WHOLE, F_OK, 0), 0);
	assert_false(world_has(&w, WHOLE));
	/* nowhere any more; and where there is no quarantine, there is none */
	has_home = false;
	assert_int_equal(run_on(roots, 2, BALLAST_MAKE).bytes, 0);
	assert_int_equal(faccessat(fd, WHOLE, F_OK, 0), -1);
	has_home = true;
	if (unlinkat(w.fd, QUARANTINE_NAME, AT_REMOVEDIR) == 0)
		assert_int_equal(run_on(roots, 2, BALLAST_MAKE).bytes, SIZE);
	close(fd);
}
CASE(one_home)

/* What is no ballast, in the quarantine of another root: left alone, and none
 * was spoilt. */
static void none_elsewhere(void)
{
	struct ballast_root roots[2];
	struct ballast_report r;
	char path[300];
	int fd;

	roots[0] = (struct ballast_root){.path = w.path, .known = w.known};
	snprintf(path, sizeof(path), "%s/other", w.top);
	must(mkdir(path, 0755) == 0);
	roots[1].path = path;
	must(admit_root(path, NULL, &roots[1].known, &fd) == 0);
	must(quarantine_prepare(fd) == 0);
	must(mkdirat(fd, WHOLE, 0700) == 0);
	r = run_on(roots, 2, BALLAST_MAKE);
	assert_int_equal(r.bytes, SIZE);
	assert_int_equal(r.error, 0);
	assert_false(r.is_spoilt);
	assert_int_equal(faccessat(fd, WHOLE, F_OK, 0), 0);
	close(fd);
}
ONE_CASE(none_elsewhere)

/* Another directory stands there, or a quarantine that is not ours. */
static void not_ours(void)
{
	struct ballast_root root = {.path = w.path, .known = w.known};

	root.known.id.ino++;
	assert_int_equal(run_on(&root, 1, BALLAST_MAKE).error, ESTALE);
	assert_false(world_has(&w, WHOLE));
	must(fchownat(w.fd, QUARANTINE_NAME, 1234, 1234, 0) == 0);
	assert_int_equal(run(BALLAST_MAKE).error, EPERM);
	assert_false(world_has(&w, WHOLE));
	must(unlinkat(w.fd, QUARANTINE_NAME, AT_REMOVEDIR) == 0 ||
		strcmp(w.kind, "xfs") == 0);
	if (!world_has(&w, QUARANTINE_NAME)) {
		assert_int_equal(run(BALLAST_LOOK).error, 0);
		assert_int_equal(run(BALLAST_MAKE).error, ENOENT);
	}
}
CASE(not_ours)

/* Killed at any moment it leaves a whole one or what the next look removes. */
static void killed(void)
{
	const struct ballast_root root = {.path = w.path, .known = w.known};
	unsigned int n_whole = 0, n_none = 0;

	for (unsigned int i = 0; i < 30; i++) {
		enum ballast_op op = i % 2 ? BALLAST_RELEASE : BALLAST_MAKE;
		pid_t pid = start(&root, 1, op, -1);
		uint64_t bytes;

		usleep(i * 150);
		kill(pid, SIGKILL);
		world_wait(pid);
		assert_false(world_has(&w, WHOLE) && world_has(&w, HALF));
		bytes = run(BALLAST_LOOK).bytes;
		assert_true(bytes == 0 || bytes == SIZE);
		assert_int_equal(world_has(&w, WHOLE), bytes != 0);
		assert_false(world_has(&w, HALF));
		n_whole += bytes != 0;
		n_none += bytes == 0;
	}
	print_message(
		"killed: %u times whole, %u times none\n", n_whole, n_none);
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE);
}
CASE(killed)

/* A reaper finds it in its quarantine, and lets it lie. */
static void left_alone(void)
{
	must(run(BALLAST_MAKE).bytes == SIZE);
	put(HALF, false);
	world_write(&w, "file", 1);
	assert_string_equal(reason_word(world_reap(&w, "file")), "deleted");
	assert_true(world_has(&w, WHOLE));
	assert_true(world_has(&w, HALF));
	assert_int_equal(world_audited(&w, "orphan"), 0);
	/* not even when a plan names it */
	world_plan(&w, WHOLE, PLAN_RULE_LARGEST);
	assert_string_equal(reason_word(world_reap(&w, NULL)), "protected");
	assert_true(world_has(&w, WHOLE));
}
CASE(left_alone)

/* A snapshot that holds its blocks makes it worth nothing: made anew. */
static void test_snapshot(void **state)
{
	char command[1024];

	(void)state;
	if (!world_init(&w, "btrfs", WORLD_MIB)) {
		skip();
		return;
	}
	config = (struct config){.ballast = {.bytes = SIZE},
		.fs_target = {.is_share = true, .ppm = 800000}};
	must(quarantine_prepare(w.fd) == 0);
	must(run(BALLAST_MAKE).bytes == SIZE);
	snprintf(command, sizeof(command),
		"btrfs subvolume snapshot -r %s %s/snapshot", w.top, w.top);
	must(world_command("sh", "-c", command) == 0);
	assert_int_equal(run(BALLAST_LOOK).bytes, 0);
	assert_int_equal(run(BALLAST_MAKE).bytes, SIZE);
	assert_true(run(BALLAST_RELEASE).freed_bytes >= SIZE / 2);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_goes_when_full),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_only_looks_like_it),
		cmocka_unit_test(test_goes_at_the_third_try),
		cmocka_unit_test(test_other_size),
		cmocka_unit_test(test_put_right),
		cmocka_unit_test(test_one_home),
		cmocka_unit_test(test_none_elsewhere),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_left_alone),
		cmocka_unit_test(test_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
