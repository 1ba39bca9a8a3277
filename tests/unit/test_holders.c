// SPDX-License-Identifier: GPL-2.0-or-later
/* Who holds a file: found by locks and by descriptors, as far as we may look;
 * and the sum of causes that is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/deleted.h"
#include "act/holders.h"
#include "base/fd.h"
#include "blockers.h"
#include "hostile/world.h"
#include "privs.h"

#define SOMEBODY 4321

static struct world w;
static char path[600];

static void set_up(void)
{
	assert_true(world_init(&w, "dir", 0));
	must(chmod(w.base, 0755) == 0);
	world_write(&w, "file", 10);
	must(fchmodat(w.fd, "file", 0666, 0) == 0);
	snprintf(path, sizeof(path), "%s/file", w.path);
}

/* In a mount namespace of its own, as in a container. */
static void see_elsewhere(void)
{
	must(unshare(CLONE_NEWNS) == 0);
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	must(mount(w.path, "/mnt", NULL, MS_BIND, NULL) == 0);
}

/* A process of uid that has it open, until it is killed. */
static pid_t hold_by(const char *name, uid_t uid, int lock)
{
	int ready[2];
	pid_t pid;
	char c;

	must(pipe(ready) == 0);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		int fd;

		if (name != path)
			see_elsewhere();
		fd = open(name, O_RDWR);
		must(fd >= 0);
		must(!lock || flock(fd, lock) == 0);
		prctl(PR_SET_NAME, "hold\"er\n");
		if (uid) {
			must(setgid(uid) == 0 && setuid(uid) == 0);
			/* as after an exec */
			prctl(PR_SET_DUMPABLE, 1);
		}
		must(write(ready[1], "x", 1) == 1);
		pause();
		_exit(0);
	}
	must(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static pid_t hold(uid_t uid, int lock)
{
	return hold_by(path, uid, lock);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* As the warden's child asks: with a warden's capabilities and no more. */
static void ask(char ret[HOLDERS_TEXT])
{
	const char *roots[] = {w.path};
	buf_auto struct buf question = {0};
	struct stat st;
	uint64_t dev, ino;
	int in, out = memfd_create("answer", MFD_CLOEXEC), status;
	pid_t pid;

	must(stat(path, &st) == 0);
	dev = st.st_dev;
	ino = st.st_ino;
	must(buf_put(&question, &dev, 8) == 0 &&
		buf_put(&question, &ino, 8) == 0 &&
		buf_put(&question, path, strlen(path) + 1) == 0);
	must(fd_memfile("question", question.data, question.len, &in) == 0);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0)
			must(privs_drop(NULL, PRIVS_WARDEN) == 0);
		_exit(holders_run(in, out, roots, 1));
	}
	must(waitpid(pid, &status, 0) == pid && status == 0);
	memset(ret, 0, HOLDERS_TEXT);
	must(pread(out, ret, HOLDERS_TEXT, 0) == HOLDERS_TEXT);
	close(in);
	close(out);
}

static void test_open(void **state)
{
	char by[HOLDERS_TEXT], wanted[64];
	pid_t pid;

	(void)state;
	set_up();
	ask(by);
	assert_string_equal(by, "");
	/* a service's own user; without root it can only be ours */
	pid = hold(geteuid() == 0 ? SOMEBODY : 0, 0);
	ask(by);
	snprintf(wanted, sizeof(wanted), "hold\"er (pid %d)", (int)pid);
	if (strstr(by, ".service") || strstr(by, ".scope"))
		snprintf(
			wanted, sizeof(wanted), "(hold\"er, pid %d)", (int)pid);
	assert_non_null(strstr(by, wanted));
	end(pid);
	ask(by);
	assert_string_equal(by, "");
	world_fini(&w);
}

static void test_in_a_container(void **state)
{
	char by[HOLDERS_TEXT];
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	set_up();
	pid = hold_by("/mnt/file", SOMEBODY, 0);
	ask(by);
	assert_non_null(strstr(by, "hold\"er"));
	end(pid);
	world_fini(&w);
}

static struct deleted_report report;

/* Others may hold files on the same filesystem: the row of component. */
static const struct deleted_row *find_deleted(
	const struct deleted_place *places, size_t n, uint32_t component)
{
	deleted_find(places, n, &report);
	for (uint32_t i = 0; i < report.n_rows; i++)
		if (report.rows[i].component == component)
			return &report.rows[i];
	return NULL;
}

/* Deleted and open: by whom, and of which place; not what still has a name, nor
 * what lies on another filesystem. */
static void test_deleted(void **state)
{
	uid_t uid = geteuid() == 0 ? SOMEBODY : 0;
	struct deleted_place places[] = {
		{.path = w.base, .component = 4},
		{.path = w.path, .component = 7},
	};
	const struct deleted_row *row;
	struct stat st;
	pid_t first, second;

	(void)state;
	set_up();
	must(stat(path, &st) == 0);
	places[0].dev = places[1].dev = st.st_dev;
	first = hold(uid, 0);
	second = hold(uid, 0);
	assert_null(find_deleted(places, 2, 7));
	must(unlink(path) == 0);
	row = find_deleted(places, 2, 7);
	assert_non_null(row);
	assert_int_equal(row->files, 1);
	assert_int_equal(row->bytes, st.st_blocks * 512);
	assert_true(row->pid == first || row->pid == second);
	assert_non_null(strstr(row->by, "hold\"er"));
	assert_non_null(find_deleted(places, 1, 4));
	places[0].path = "/nowhere";
	assert_null(find_deleted(places, 1, 4));
	assert_non_null(find_deleted(places, 1, DELETED_NOWHERE));
	places[0].dev++;
	assert_null(find_deleted(places, 1, DELETED_NOWHERE));
	deleted_find(places, 0, &report);
	assert_int_equal(report.n_rows, 0);
	end(first);
	end(second);
	world_fini(&w);
}

/* /proc/locks tells of it, whosever it is. */
static void test_locked(void **state)
{
	char by[HOLDERS_TEXT], wanted[32];
	pid_t pid;

	(void)state;
	set_up();
	pid = hold(0, LOCK_EX);
	ask(by);
	snprintf(wanted, sizeof(wanted), "pid %d)", (int)pid);
	assert_non_null(strstr(by, wanted));
	end(pid);
	world_fini(&w);
}

/* What has capabilities that a warden lacks is not to be seen, and no harm. */
static void test_not_visible(void **state)
{
	char by[HOLDERS_TEXT];
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("SKIPPED: needs root\n");
		skip();
		return;
	}
	set_up();
	pid = hold(0, 0);
	ask(by);
	assert_string_equal(by, "");
	end(pid);
	world_fini(&w);
}

static void run_on(const void *data, size_t len, size_t answers)
{
	const char *roots[] = {"/nonexistent/root"};
	int in, out = memfd_create("answer", MFD_CLOEXEC), status;
	struct stat st;
	pid_t pid;

	must(fd_memfile("question", data, len, &in) == 0);
	pid = fork();
	must(pid >= 0);
	if (pid == 0)
		_exit(holders_run(in, out, roots, 1));
	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	must(fstat(out, &st) == 0);
	assert_int_equal(st.st_size, answers * HOLDERS_TEXT);
	close(in);
	close(out);
}

/* Cut off, unended, too many, outside of the roots. */
static void test_nonsense(void **state)
{
	static char many[200 * 18];

	(void)state;
	run_on("", 0, 0);
	run_on("short", 5, 0);
	run_on("0123456701234567", 16, 0);
	run_on("0123456701234567/etc/passwd", 27, 0);
	run_on("0123456701234567/etc/passwd", 28, 1);
	for (size_t i = 0; i < 200; i++)
		many[i * 18 + 16] = '/';
	run_on(many, sizeof(many), HOLDERS_MAX);
}

/* ---- the sum of causes ---- */

static void test_causes(void **state)
{
	buf_auto struct buf text = {0};
	struct blockers b = {0}, other = {0};
	struct skipped s = {0};
	enum { K = 1024 };

	(void)state;
	s.files[REASON_PROTECTED] = 5;
	s.bytes[REASON_PROTECTED] = 500 * K;
	s.files[REASON_BUSY] = 1;
	s.bytes[REASON_BUSY] = 300 * K;
	s.files[REASON_SHARED] = 2;
	s.bytes[REASON_SHARED] = 200 * K;
	s.files[REASON_YOUNG] = 1;
	s.files[REASON_REACHED] = 9;
	s.files[REASON_GONE] = 9;
	blockers_add(&b, &(struct blocker){REASON_PROTECTED, "*.lock", 1, K});
	blockers_add(
		&b, &(struct blocker){REASON_PROTECTED, "keys/**", 2, 400 * K});
	blockers_add(&b, &(struct blocker){REASON_PROTECTED, "*.lock", 1, K});
	blockers_complete(&b, &s);
	assert_int_equal(blockers_describe(&b, &text), 0);
	assert_string_equal(text.data,
		"protected by keys/**: 2 files, 400 KiB; "
		"busy: 1 file, 300 KiB; shared: 2 files, 200 KiB; "
		"protected: 1 file, 98 KiB; "
		"protected by *.lock: 2 files, 2 KiB");
	/* more causes than places: the counts stay */
	for (int i = 0; i < 20; i++) {
		struct blocker one = {.reason = REASON_BUSY, .files = 1};

		snprintf(one.by, sizeof(one.by), "process %d", i);
		blockers_add(&other, &one);
	}
	assert_int_equal(other.n, BLOCKERS_MAX);
	blockers_merge(&b, &other);
	s.files[REASON_BUSY] = 0;
	for (size_t i = 0; i < b.n; i++)
		if (b.items[i].reason == REASON_BUSY)
			s.files[REASON_BUSY] += b.items[i].files;
	assert_int_equal(s.files[REASON_BUSY], 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_in_a_container),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_not_visible),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
