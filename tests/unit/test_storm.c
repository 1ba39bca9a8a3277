// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directories made faster than they can be watched: another process makes
 * chains of them with a file at the end, while this one follows with nothing
 * but the pool, the watch, and a table of what it has seen. In the end the
 * table must have every file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "watch/fanotify.h"
#include "watch/measure.h"
#include "watch/watch.h"

#define CHAINS	  3000
#define MAX_DIRS  (CHAINS * 5)
#define N_SLOTS	  (UINT32_C(1) << 16)
#define QUIET_MS  300
#define N_WRITERS 2

struct follower {
	char root[64];
	struct measure *m;
	const struct watch_ops *ops;
	struct watch *w;
	bool is_mounted;
	char *rels[MAX_DIRS]; /* by directory */
	uint32_t n_dirs;
	char *seen[N_SLOTS]; /* paths, by hash */
	size_t n_files, n_overflows, n_early;
};

/* True if rel was not seen before; it is taken over, or freed. */
static bool see(struct follower *f, char *rel)
{
	struct hash_key key = {1, 2};
	uint64_t at = hash_bytes(key, rel, strlen(rel));

	for (;; at++) {
		char **slot = &f->seen[at % N_SLOTS];

		if (!*slot) {
			*slot = rel;
			return true;
		}
		if (!strcmp(*slot, rel)) {
			free(rel);
			return false;
		}
	}
}

static struct job *dir_job(struct follower *f, enum job_kind kind, uint32_t dir)
{
	struct job *job = job_new(kind);

	assert_non_null(job);
	job->dir = dir;
	job->root_path = strdup(f->root);
	job->rel = strdup(f->rels[dir]);
	if (kind == JOB_LIST) {
		job->ops = f->ops;
		job->watch = f->w;
	}
	return job;
}

static void submit_list(struct follower *f, uint32_t dir)
{
	assert_int_equal(measure_submit(f->m, dir_job(f, JOB_LIST, dir)), 0);
}

static void on_event(void *ctx, const struct watch_event *e)
{
	struct follower *f = ctx;
	struct job *job;

	if (e->kind == WATCH_OVERFLOW) {
		f->n_overflows++;
		for (uint32_t dir = 0; dir < f->n_dirs; dir++)
			submit_list(f, dir);
	}
	if (e->kind != WATCH_LOOK)
		return;
	job = dir_job(f, JOB_LOOK, e->dir);
	buf_put(&job->names, e->name, e->name_len + 1);
	job->n_names = 1;
	assert_int_equal(measure_submit(f->m, job), 0);
}

static void apply(struct follower *f, const struct observation *o)
{
	char *rel = NULL;

	if (o->kind != OBS_DIR && o->kind != OBS_FILE)
		return;
	assert_true(asprintf(&rel, "%s%s%s", f->rels[o->dir],
			    *f->rels[o->dir] ? "/" : "", o->name) > 0);
	if (!see(f, rel))
		return;
	if (o->kind == OBS_FILE) {
		f->n_files++;
		return;
	}
	assert_true(f->n_dirs < MAX_DIRS);
	f->rels[f->n_dirs] = strdup(rel);
	submit_list(f, f->n_dirs++);
}

static void take_results(struct follower *f)
{
	struct result *next;

	for (struct result *r = measure_take(f->m); r; r = next) {
		next = r->next;
		assert_int_equal(r->error, 0);
		for (size_t i = 0; i < r->n_obs; i++)
			apply(f, &r->obs[i]);
		if (r->watch_key != WATCH_NO_KEY &&
			f->ops->bind(f->w, r->watch_key, r->job->dir)) {
			f->n_early++;
			submit_list(f, r->job->dir);
		}
		result_free(r);
	}
}

/* Until nothing has come for a while. */
static void follow(struct follower *f)
{
	for (;;) {
		struct pollfd fds[] = {
			{measure_fd(f->m), POLLIN, 0},
			{f->ops->fd(f->w), POLLIN, 0},
		};

		if (poll(fds, 2, QUIET_MS) == 0 && !measure_pending(f->m))
			return;
		assert_true(f->ops->read(f->w, 4) >= 0);
		take_results(f);
	}
}

static void make_chain(const char *root, int i)
{
	static const char *const below[] = {"", "/b", "/b/c", "/b/c/d"};
	char path[256];
	int fd;

	for (size_t n = 0; n < ARRAY_SIZE(below); n++) {
		snprintf(path, sizeof(path), "%s/a%d%s", root, i, below[n]);
		if (mkdir(path, 0700) < 0)
			_exit(1);
	}
	strcat(path, "/file");
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		_exit(1);
	close(fd);
}

static pid_t start_writer(const char *root, int number)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	for (int i = number; i < CHAINS; i += N_WRITERS)
		make_chain(root, i);
	_exit(0);
}

static void forget(struct follower *f)
{
	char command[128];

	assert_null(measure_free(f->m));
	assert_null(f->ops->close(f->w));
	for (uint32_t i = 0; i < f->n_dirs; i++)
		free(f->rels[i]);
	for (size_t i = 0; i < N_SLOTS; i++)
		free(f->seen[i]);
	if (f->is_mounted)
		assert_int_equal(umount(f->root), 0);
	snprintf(command, sizeof(command), "rm -rf %s", f->root);
	assert_int_equal(system(command), 0);
	test_free(f);
}

static void follow_storm(struct follower *f)
{
	pid_t writers[N_WRITERS];
	int status;

	assert_int_equal(measure_new(2, &f->m), 0);
	f->rels[f->n_dirs++] = strdup("");
	submit_list(f, 0);
	for (int i = 0; i < N_WRITERS; i++)
		writers[i] = start_writer(f->root, i);
	follow(f);
	for (int i = 0; i < N_WRITERS; i++) {
		assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
		assert_int_equal(status, 0);
	}
	follow(f);
	print_message("%zu overflows, %zu directories listed again\n",
		f->n_overflows, f->n_early);
	assert_int_equal(f->n_files, CHAINS);
	assert_int_equal(f->n_dirs, 1 + CHAINS * 4);
	assert_int_equal(f->ops->count(f->w), 1 + CHAINS * 4);
	forget(f);
}

static struct follower *follower_new(const struct watch_ops *ops)
{
	struct follower *f = test_calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/ullage-test.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->ops = ops;
	return f;
}

static void test_inotify(void **state)
{
	struct follower *f = follower_new(&watch_inotify);
	const struct watch_sink sink = {on_event, f};

	(void)state;
	assert_int_equal(watch_inotify_open(&sink, &f->w), 0);
	follow_storm(f);
}

/* A filesystem of its own, marked as a whole. */
static void test_fanotify(void **state)
{
	struct follower *f = follower_new(&watch_fanotify);
	const struct watch_sink sink = {on_event, f};
	struct fanotify_hub *hub;
	int fd = fanotify_init(FANOTIFY_FLAGS, O_RDONLY | O_CLOEXEC);

	(void)state;
	if (geteuid() != 0 || fd < 0 ||
		mount("none", f->root, "tmpfs", 0, "mode=700") < 0) {
		fprintf(stderr, "# SKIP: marks need CAP_SYS_ADMIN\n");
		skip();
	}
	f->is_mounted = true;
	assert_int_equal(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
				 FANOTIFY_MASK, AT_FDCWD, f->root),
		0);
	assert_int_equal(fanotify_hub_new(fd, false, &hub), 0);
	assert_int_equal(fanotify_port_new(hub, &sink, &f->w), 0);
	assert_null(fanotify_hub_free(hub));
	follow_storm(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inotify),
		cmocka_unit_test(test_fanotify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
