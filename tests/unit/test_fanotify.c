// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "scratch.h"
#include "watch/fanotify.h"
#include "watch/fanotify_record.h"

/* A filesystem of its own for each test, marked, with two ports. */
struct place {
	struct scratch dir;
	int fd; /* the top */
	struct fanotify_hub *hub;
	struct watch *w, *other;
	struct buf log; /* what was read, one word an event */
	struct buf other_log;
};

static const char kinds[] = "LTS*OU"; /* by enum watch_kind */

static void note(void *ctx, const struct watch_event *e)
{
	struct buf *log = ctx;

	assert_int_equal(strlen(e->name), e->name_len);
	assert_int_equal(buf_printf(log, "%s%c%s%d/%s", log->len ? " " : "",
				 kinds[e->kind], e->is_dir ? "d" : "",
				 (int)e->dir, e->name),
		0);
}

static int set_up_group(void **state, bool is_by_dir)
{
	struct place *p = test_calloc(1, sizeof(*p));
	int fd = fanotify_init(FANOTIFY_FLAGS, O_RDONLY | O_CLOEXEC);

	scratch_init(&p->dir);
	*state = p;
	if (geteuid() != 0 || fd < 0 ||
		mount("none", p->dir.path, "tmpfs", 0, "mode=700") < 0)
		return -1;
	p->fd = open(p->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!is_by_dir)
		assert_int_equal(
			fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				FANOTIFY_MASK, p->fd, NULL),
			0);
	assert_int_equal(fanotify_hub_new(fd, is_by_dir, &p->hub), 0);
	assert_int_equal(fanotify_port_new(p->hub,
				 &(struct watch_sink){note, &p->log}, &p->w),
		0);
	assert_int_equal(
		fanotify_port_new(p->hub,
			&(struct watch_sink){note, &p->other_log}, &p->other),
		0);
	return 0;
}

static int set_up(void **state)
{
	return set_up_group(state, false);
}

static int set_up_by_dir(void **state)
{
	return set_up_group(state, true);
}

static int tear_down(void **state)
{
	struct place *p = *state;

	assert_null(watch_fanotify.close(p->w));
	assert_null(watch_fanotify.close(p->other));
	assert_null(fanotify_hub_free(p->hub));
	fd_close(p->fd);
	/* A mark holds no filesystem. */
	assert_int_equal(umount(p->dir.path), 0);
	scratch_fini(&p->dir);
	buf_fini(&p->log);
	buf_fini(&p->other_log);
	test_free(p);
	return 0;
}

/* Everything queued for the first port, as text. */
static const char *drain(struct place *p)
{
	buf_reset(&p->log);
	buf_reset(&p->other_log);
	while (watch_fanotify.read(p->w, 4) > 0)
		;
	return p->log.len ? p->log.data : "";
}

static const char *of_other(const struct place *p)
{
	return p->other_log.len ? p->other_log.data : "";
}

static uint64_t add(struct watch *w, int fd)
{
	uint64_t key = WATCH_NO_KEY;

	assert_int_equal(watch_fanotify.add(w, fd, &key), 0);
	assert_true(key != WATCH_NO_KEY);
	return key;
}

static int make_dir(int at, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(at, name, 0700), 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void touch(int at, const char *name)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void test_names(void **state)
{
	struct place *p = *state;
	int sub;

	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, p->fd), 7), 0);
	assert_int_equal(watch_fanotify.count(p->w), 1);
	touch(p->fd, "a");
	/* One event: the kernel has merged creating, opening, closing. */
	assert_string_equal(drain(p), "L7/a T7/a");
	assert_int_equal(renameat(p->fd, "a", p->fd, "b"), 0);
	assert_string_equal(drain(p), "L7/a L7/b");
	assert_int_equal(unlinkat(p->fd, "b", 0), 0);
	assert_string_equal(drain(p), "L7/b");
	sub = make_dir(p->fd, "d");
	assert_string_equal(drain(p), "Ld7/d");
	assert_int_equal(fchmod(p->fd, 0755), 0);
	assert_string_equal(drain(p), "Sd7/");
	/* Nobody has asked for news of it. */
	touch(sub, "deep");
	assert_string_equal(drain(p), "");
	close(sub);
}

/* What happens between the add and the bind is not a stranger's. */
static void test_early(void **state)
{
	struct place *p = *state;
	uint64_t key = add(p->w, p->fd);

	touch(p->fd, "a");
	assert_string_equal(drain(p), "");
	assert_int_equal(watch_fanotify.bind(p->w, key, 1), 1);
	touch(p->fd, "b");
	assert_string_equal(drain(p), "L1/b T1/b");
	/* Listed again: its news come as before, and are no early ones. */
	key = add(p->w, p->fd);
	touch(p->fd, "c");
	assert_string_equal(drain(p), "L1/c T1/c");
	assert_int_equal(watch_fanotify.bind(p->w, key, 1), 0);
	assert_int_equal(watch_fanotify.count(p->w), 1);
	key = add(p->w, p->fd);
	watch_fanotify.forget(p->w, key);
	touch(p->fd, "d");
	assert_string_equal(drain(p), "L1/d T1/d");
}

/* A directory that another component has now does not come back by what the
 * first one still believes. */
static void test_two_ports(void **state)
{
	struct place *p = *state;
	int a = make_dir(p->fd, "a"), b = make_dir(p->fd, "b");

	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, a), 3), 0);
	assert_int_equal(watch_fanotify.bind(p->other, add(p->other, b), 3), 0);
	drain(p);
	touch(a, "x");
	touch(b, "y");
	assert_string_equal(drain(p), "L3/x T3/x");
	assert_string_equal(of_other(p), "L3/y T3/y");
	assert_int_equal(watch_fanotify.bind(p->other, add(p->other, a), 9), 0);
	watch_fanotify.drop(p->w, 3);
	touch(a, "z");
	assert_string_equal(drain(p), "");
	assert_string_equal(of_other(p), "L9/z T9/z");
	assert_int_equal(watch_fanotify.count(p->w), 0);
	watch_fanotify.drop(p->other, 9);
	touch(a, "z2");
	assert_string_equal(drain(p), "");
	assert_string_equal(of_other(p), "");
	close(a);
	close(b);
}

/* One directory's id given to another, as the index does. */
static void test_rebinding(void **state)
{
	struct place *p = *state;
	int a = make_dir(p->fd, "a"), b = make_dir(p->fd, "b");

	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, a), 3), 0);
	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, b), 3), 0);
	assert_int_equal(watch_fanotify.count(p->w), 1);
	drain(p);
	touch(a, "x");
	touch(b, "y");
	assert_string_equal(drain(p), "L3/y T3/y");
	close(a);
	close(b);
}

static void test_many(void **state)
{
	struct place *p = *state;
	char name[16];

	for (int i = 0; i < 5000; i++) {
		int fd;

		snprintf(name, sizeof(name), "%d", i);
		fd = make_dir(p->fd, name);
		assert_int_equal(
			watch_fanotify.bind(p->w, add(p->w, fd), (uint32_t)i),
			0);
		close(fd);
	}
	drain(p);
	for (int i = 0; i < 5000; i += 2)
		watch_fanotify.drop(p->w, (uint32_t)i);
	assert_int_equal(watch_fanotify.count(p->w), 2500);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%d/f", 4000 + i);
		touch(p->fd, name);
	}
	assert_string_equal(drain(p), "L4001/f T4001/f");
}

static void test_overflow(void **state)
{
	struct place *p = *state;
	char name[16];

	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, p->fd), 1), 0);
	for (int i = 0; i < 40000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		touch(p->fd, name);
		unlinkat(p->fd, name, 0);
	}
	drain(p);
	assert_non_null(strstr(p->log.data, " O-1/"));
	/* Of the other port's directories as well. */
	assert_string_equal(of_other(p), "O-1/");
	touch(p->fd, "after");
	assert_string_equal(drain(p), "L1/after T1/after");
}

/* Marks of directories that were moved away would use up what there is. */
static void test_marks_anew(void **state)
{
	struct place *p = *state;
	int fd, keeps = make_dir(p->fd, "keeps");

	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, keeps), 1), 0);
	/* A mark goes with its directory: these come to nothing. */
	for (int i = 0; i < 10010; i++) {
		fd = make_dir(p->fd, "gone");
		assert_int_equal(
			watch_fanotify.bind(p->w, add(p->w, fd), 2), 0);
		close(fd);
		assert_int_equal(unlinkat(p->fd, "gone", AT_REMOVEDIR), 0);
		if (i % 1000 == 0)
			assert_null(strstr(drain(p), "O-1/"));
		watch_fanotify.drop(p->w, 2);
	}
	assert_null(strstr(drain(p), "O-1/"));
	for (int i = 0; i < 10010; i++) {
		char name[16];

		snprintf(name, sizeof(name), "away%d", i);
		fd = make_dir(p->fd, name);
		assert_int_equal(
			watch_fanotify.bind(p->w, add(p->w, fd), 2), 0);
		close(fd);
		watch_fanotify.drop(p->w, 2);
	}
	assert_non_null(strstr(drain(p), "O-1/"));
	assert_string_equal(of_other(p), "O-1/");
	touch(keeps, "unseen");
	assert_string_equal(drain(p), "");
	assert_int_equal(watch_fanotify.bind(p->w, add(p->w, keeps), 1), 0);
	touch(keeps, "seen");
	assert_string_equal(drain(p), "L1/seen T1/seen");
	close(keeps);
}

static bool put_line(const char *path, const char *text)
{
	fd_auto int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) > 0;
}

/* In a user namespace, whose limit is its own. Returns how many directories
 * were marked until one was refused for want of marks, or -1. */
static int mark_until_refused(const struct place *p)
{
	struct fanotify_hub *hub;
	struct watch *w;
	uint64_t key;
	int fd, n = 0, r = 0;

	if (unshare(CLONE_NEWUSER) < 0 ||
		!put_line("/proc/self/uid_map", "0 0 1") ||
		!put_line("/proc/sys/user/max_fanotify_marks", "12"))
		return -1;
	fd = fanotify_init(FANOTIFY_FLAGS, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fanotify_hub_new(fd, true, &hub) < 0 ||
		fanotify_port_new(hub, &(struct watch_sink){0}, &w) < 0)
		return -1;
	for (; r == 0 && n < 50; n++) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", n);
		fd = make_dir(p->fd, name);
		r = watch_fanotify.add(w, fd, &key);
		close(fd);
	}
	return r == -ENOSPC ? n - 1 : -1;
}

static void test_out_of_marks(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit((unsigned char)mark_until_refused(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 255)
		skip(); /* no user namespaces here */
	assert_int_equal(WEXITSTATUS(status), 12);
}

/* The kernel's records are believed no further than they reach. */
static void test_malformed(void **state)
{
	_Alignas(struct fanotify_event_metadata) char data[4096];
	struct fanotify_record record;
	size_t at = 0, was;
	char *copy;
	ssize_t n;
	int fd = fanotify_init(FANOTIFY_FLAGS, O_RDONLY | O_CLOEXEC);
	struct place *p = *state;

	assert_int_equal(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				 FANOTIFY_MASK, p->fd, NULL),
		0);
	touch(p->fd, "name");
	n = read(fd, data, sizeof(data));
	assert_true(n > 0);
	close(fd);
	assert_int_equal(
		fanotify_record_next(data, (size_t)n, &at, &record), 1);
	assert_string_equal(record.name, "name");
	assert_true(record.handle_len > sizeof(int));
	/* Cut anywhere, and with any byte changed: no read beyond the end. */
	for (size_t len = 1; len < at; len++) {
		copy = test_malloc(len);
		memcpy(copy, data, len);
		was = 0;
		assert_int_equal(fanotify_record_next(copy, len, &was, &record),
			-EBADMSG);
		assert_int_equal(was, 0);
		test_free(copy);
	}
	for (size_t i = 0; i < at; i++)
		for (int bit = 0; bit < 8; bit++) {
			copy = test_malloc(at);
			memcpy(copy, data, at);
			copy[i] ^= (char)(1 << bit);
			was = 0;
			if (fanotify_record_next(copy, at, &was, &record) == 1)
				assert_true(record.name_len < at);
			test_free(copy);
		}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define BY_DIR(f)                                                     \
	{                                                             \
#		f " by directory", f, set_up_by_dir, tear_down, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names),
		CASE(test_early),
		CASE(test_two_ports),
		CASE(test_rebinding),
		CASE(test_many),
		CASE(test_overflow),
		CASE(test_malformed),
		BY_DIR(test_names),
		BY_DIR(test_early),
		BY_DIR(test_two_ports),
		BY_DIR(test_rebinding),
		BY_DIR(test_many),
		BY_DIR(test_overflow),
		BY_DIR(test_marks_anew),
		BY_DIR(test_out_of_marks),
	};

	if (geteuid() != 0) {
		printf("1..0 # SKIP marking a filesystem needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
