// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "watch/watch.h"
#include "watch/wdmap.h"

/* A directory of its own for each test, opened, and a watch. */
struct place {
	char path[64];
	int fd;
	struct watch *w;
	struct buf log; /* what was read, one word an event */
	/* NULL: note */
	void (*on_event)(struct place *p, const struct watch_event *e);
	int n_overflows;
};

static const char kinds[] = "LTS*OU"; /* by enum watch_kind */

static void note(struct place *p, const struct watch_event *e)
{
	assert_int_equal(strlen(e->name), e->name_len);
	assert_int_equal(buf_printf(&p->log, "%s%c%s%d/%s",
				 p->log.len ? " " : "", kinds[e->kind],
				 e->is_dir ? "d" : "", (int)e->dir, e->name),
		0);
}

static void take(void *ctx, const struct watch_event *e)
{
	struct place *p = ctx;

	(p->on_event ? p->on_event : note)(p, e);
}

static int open_watch(struct place *p)
{
	return watch_inotify_open(&(struct watch_sink){take, p}, &p->w);
}

static int set_up(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/ullage-test.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	assert_int_equal(open_watch(p), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[128];

	fd_close(p->fd);
	assert_null(watch_inotify.close(p->w));
	snprintf(command, sizeof(command), "rm -rf %s", p->path);
	assert_int_equal(system(command), 0);
	buf_fini(&p->log);
	test_free(p);
	return 0;
}

/* Everything queued, as text. */
static const char *drain(struct place *p)
{
	buf_reset(&p->log);
	while (watch_inotify.read(p->w, 4) > 0)
		;
	return p->log.len ? p->log.data : "";
}

static uint64_t add(struct place *p, int fd)
{
	uint64_t key = WATCH_NO_KEY;

	assert_int_equal(watch_inotify.add(p->w, fd, &key), 0);
	return key;
}

static void touch(struct place *p, const char *name)
{
	int fd = openat(p->fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int make_dir(struct place *p, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(p->fd, name, 0700), 0);
	fd = openat(p->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void test_names(void **state)
{
	struct place *p = *state;

	assert_int_equal(watch_inotify.bind(p->w, add(p, p->fd), 7), 0);
	assert_int_equal(watch_inotify.count(p->w), 1);
	touch(p, "a");
	assert_string_equal(drain(p), "L7/a T7/a");
	/* Opened for reading: an access, and nothing to look at. */
	close(openat(p->fd, "a", O_RDONLY | O_CLOEXEC));
	assert_string_equal(drain(p), "T7/a");
	renameat(p->fd, "a", p->fd, "b");
	assert_string_equal(drain(p), "L7/a L7/b");
	mkdirat(p->fd, "d", 0700);
	assert_string_equal(drain(p), "Ld7/d");
	unlinkat(p->fd, "d", AT_REMOVEDIR);
	unlinkat(p->fd, "b", 0);
	assert_string_equal(drain(p), "Ld7/d L7/b");
}

static void test_merging(void **state)
{
	struct place *p = *state;
	int fd;

	watch_inotify.bind(p->w, add(p, p->fd), 1);
	fd = openat(p->fd, "log", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(write(fd, "x", 1), 1);
		fchmod(fd, 0600 + (mode_t)(i % 2));
	}
	close(fd);
	assert_string_equal(drain(p), "L1/log T1/log");
}

static void test_noise(void **state)
{
	struct place *p = *state;
	int sub = make_dir(p, "d");

	watch_inotify.bind(p->w, add(p, p->fd), 1);
	watch_inotify.bind(p->w, add(p, sub), 2);
	/* What our own listing raises. */
	close(openat(p->fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	close(openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_string_equal(drain(p), "");
	fchmod(sub, 0711);
	assert_string_equal(drain(p), "Ld1/d Sd2/");
	close(sub);
}

static void test_early(void **state)
{
	struct place *p = *state;
	uint64_t key = add(p, p->fd);

	touch(p, "a");
	assert_string_equal(drain(p), "");
	assert_int_equal(watch_inotify.bind(p->w, key, 3), 1);
	/* Told once. */
	assert_int_equal(watch_inotify.bind(p->w, key, 3), 0);
	touch(p, "b");
	assert_string_equal(drain(p), "L3/b T3/b");
}

/* The directory goes while its listing is on its way to the loop. */
static void test_dead_before_bound(void **state)
{
	struct place *p = *state;
	int sub = make_dir(p, "d");
	uint64_t key = add(p, sub);

	close(sub);
	unlinkat(p->fd, "d", AT_REMOVEDIR);
	assert_string_equal(drain(p), "");
	assert_int_equal(watch_inotify.bind(p->w, key, 3), 1);
	assert_int_equal(watch_inotify.count(p->w), 0);
}

/* Given up by its old node while a worker asks for it anew. */
static void test_dropped_before_bound(void **state)
{
	struct place *p = *state;
	uint64_t key = add(p, p->fd), again;

	watch_inotify.bind(p->w, key, 1);
	assert_int_equal(add(p, p->fd), key);
	watch_inotify.drop(p->w, 1);
	assert_int_equal(watch_inotify.bind(p->w, key, 2), 1);
	again = add(p, p->fd);
	assert_int_not_equal(again, key);
	assert_int_equal(watch_inotify.bind(p->w, again, 2), 0);
	touch(p, "a");
	assert_string_equal(drain(p), "L2/a T2/a");
}

static void test_rebinding(void **state)
{
	struct place *p = *state;
	int sub = make_dir(p, "d");
	uint64_t key = add(p, sub);

	watch_inotify.bind(p->w, key, 1);
	renameat(p->fd, "d", p->fd, "e");
	assert_int_equal(add(p, sub), key);
	assert_string_equal(drain(p), "Sd1/");
	assert_int_equal(watch_inotify.bind(p->w, key, 9), 0);
	assert_int_equal(watch_inotify.count(p->w), 1);
	close(openat(p->fd, "e/x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_string_equal(drain(p), "L9/x T9/x");
	/* The old node's end must not take the watch along. */
	watch_inotify.drop(p->w, 1);
	unlinkat(p->fd, "e/x", 0);
	assert_string_equal(drain(p), "L9/x");
	/* Another directory takes the node's place. */
	assert_int_equal(watch_inotify.bind(p->w, add(p, p->fd), 9), 0);
	assert_int_equal(watch_inotify.count(p->w), 1);
	fchmod(sub, 0700);
	assert_string_equal(drain(p), "Ld9/e");
	close(sub);
}

static void test_drop(void **state)
{
	struct place *p = *state;

	watch_inotify.bind(p->w, add(p, p->fd), 5);
	touch(p, "a");
	watch_inotify.drop(p->w, 5);
	watch_inotify.drop(p->w, 5);
	watch_inotify.drop(p->w, 4711);
	assert_int_equal(watch_inotify.count(p->w), 0);
	touch(p, "b");
	assert_string_equal(drain(p), "");
	watch_inotify.forget(p->w, add(p, p->fd));
	touch(p, "c");
	assert_string_equal(drain(p), "");
}

static void test_self(void **state)
{
	struct place *p = *state;
	int sub = make_dir(p, "d");

	watch_inotify.bind(p->w, add(p, sub), 2);
	close(sub);
	unlinkat(p->fd, "d", AT_REMOVEDIR);
	assert_string_equal(drain(p), "Sd2/");
	assert_int_equal(watch_inotify.count(p->w), 0);
}

static int queue_limit(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	int n = 16384;

	if (f) {
		assert_int_equal(fscanf(f, "%d", &n), 1);
		fclose(f);
	}
	return n;
}

static void count_overflow(struct place *p, const struct watch_event *e)
{
	p->n_overflows += e->kind == WATCH_OVERFLOW;
}

static void test_overflow(void **state)
{
	struct place *p = *state;
	int limit = queue_limit();

	watch_inotify.bind(p->w, add(p, p->fd), 1);
	for (int i = 0; i <= limit / 2; i++) {
		touch(p, i % 2 ? "a" : "b");
		unlinkat(p->fd, i % 2 ? "a" : "b", 0);
	}
	p->on_event = count_overflow;
	while (watch_inotify.read(p->w, 1) > 0)
		;
	p->on_event = NULL;
	assert_int_equal(p->n_overflows, 1);
	touch(p, "c");
	assert_string_equal(drain(p), "L1/c T1/c");
}

/* A callback that gives up the directory whose events are being read. */
static void drop_it(struct place *p, const struct watch_event *e)
{
	note(p, e);
	watch_inotify.drop(p->w, e->dir);
}

static void test_drop_while_reading(void **state)
{
	struct place *p = *state;

	watch_inotify.bind(p->w, add(p, p->fd), 1);
	renameat(p->fd, "none", p->fd, "none");
	mkdirat(p->fd, "a", 0700);
	mkdirat(p->fd, "b", 0700);
	buf_reset(&p->log);
	p->on_event = drop_it;
	while (watch_inotify.read(p->w, 1) > 0)
		;
	assert_string_equal(p->log.data, "Ld1/a");
}

/* In a user namespace the limit of watches is ours to set. */
static int exhaust(struct place *p)
{
	int fd, sub = make_dir(p, "d");
	uint64_t key = 4711;

	if (unshare(CLONE_NEWUSER) < 0)
		return 77;
	fd = open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return 77;
	watch_inotify.close(p->w);
	if (open_watch(p) < 0 || watch_inotify.add(p->w, p->fd, &key) < 0)
		return 1;
	key = 4711;
	if (watch_inotify.add(p->w, sub, &key) != -ENOSPC || key != 4711)
		return 2;
	/* A directory that is watched already needs no further watch. */
	return watch_inotify.add(p->w, p->fd, &key) == 0 ? 0 : 3;
}

static void test_exhausted(void **state)
{
	struct place *p = *state;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(exhaust(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("needs user namespaces\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_not_a_directory(void **state)
{
	struct place *p = *state;
	uint64_t key = 4711;
	int file = openat(p->fd, "f", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	/* Not a directory: never watched. */
	assert_int_equal(watch_inotify.add(p->w, file, &key), -ENOTDIR);
	assert_int_equal(key, 4711);
	assert_int_equal(watch_inotify.bind(p->w, WATCH_NO_KEY, 1), -EINVAL);
	close(file);
}

/* Churn far beyond any number of directories: pages go when they die. */
static void test_map_memory(void **state)
{
	struct wdmap m = {0};
	size_t held;
	int old;

	(void)state;
	assert_int_equal(wdmap_bind(&m, 1, 0, &old), 0);
	for (int wd = 2; wd < 4 * 1000 * 1000; wd++) {
		assert_int_equal(
			wdmap_bind(&m, wd, 1 + (uint32_t)wd % 100, &old), 0);
		assert_int_equal(old, wd > 101 ? wd - 100 : WDMAP_NO_WD);
	}
	held = wdmap_memory(&m);
	assert_in_range(held, 1, 100 * 1000);
	assert_int_equal(m.n_bound, 101);
	assert_int_equal(wdmap_dir(&m, 1), 0);
	assert_int_equal(wdmap_wd(&m, 0), 1);
	wdmap_fini(&m);
}

static void test_map_costs(void **state)
{
	struct wdmap m = {0};
	int old;

	(void)state;
	for (int wd = 1; wd <= 100000; wd++)
		wdmap_bind(&m, wd, (uint32_t)wd, &old);
	assert_in_range(wdmap_memory(&m), 1, 100000 * 16);
	wdmap_fini(&m);
}

/* After 2^31 descriptors the kernel begins anew. */
static void test_map_new_round(void **state)
{
	struct wdmap m = {0};
	int old;

	(void)state;
	for (int wd = 1; wd < 5000; wd++) {
		wdmap_bind(&m, wd, 1, &old);
		wdmap_kill(&m, wd);
	}
	wdmap_bind(&m, INT32_MAX - 5, 1, &old);
	wdmap_note(&m, INT32_MAX - 4);
	/* Dead, as far as anyone knows: look again, twice, then it lives. */
	assert_int_equal(wdmap_bind(&m, 3, 2, &old), 1);
	assert_int_equal(wdmap_dir(&m, 3), WDMAP_NO_DIR);
	assert_int_equal(wdmap_bind(&m, 3, 2, &old), 1);
	assert_int_equal(wdmap_dir(&m, 3), 2);
	assert_int_equal(wdmap_bind(&m, 3, 2, &old), 0);
	assert_int_equal(wdmap_dir(&m, INT32_MAX - 5), 1);
	assert_int_equal(wdmap_bind(&m, INT32_MAX - 4, 4, &old), 1);
	wdmap_fini(&m);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names),
		CASE(test_merging),
		CASE(test_noise),
		CASE(test_early),
		CASE(test_dead_before_bound),
		CASE(test_dropped_before_bound),
		CASE(test_rebinding),
		CASE(test_drop),
		CASE(test_self),
		CASE(test_overflow),
		CASE(test_drop_while_reading),
		CASE(test_exhausted),
		CASE(test_not_a_directory),
		cmocka_unit_test(test_map_memory),
		cmocka_unit_test(test_map_costs),
		cmocka_unit_test(test_map_new_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
