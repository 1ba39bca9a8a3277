// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "measure_place.h"
#include "watch/watch.h"

/* Do all threads sleep, but for the one that asks? */
static bool are_others_asleep(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *d;
	size_t n_awake = 0;

	assert_non_null(tasks);
	while ((d = readdir(tasks))) {
		char path[300], line[512] = "";
		FILE *stat;

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/stat",
			d->d_name);
		stat = fopen(path, "re");
		if (!stat)
			continue;
		n_awake += fgets(line, sizeof(line), stat) &&
			   strncmp(strrchr(line, ')'), ") S", 3) != 0;
		fclose(stat);
	}
	closedir(tasks);
	return n_awake <= 1;
}

static bool is_told(struct place *p)
{
	struct pollfd poll_fd = {measure_fd(p->m), POLLIN, 0};

	return poll(&poll_fd, 1, 0) == 1;
}

/* Lists the directory, and goes on when the workers do not any more. */
static void list_big(struct place *p)
{
	assert_int_equal(
		measure_submit(p->m, place_job(p, JOB_LIST, "big")), 0);
	place_wait(p);
	while (!are_others_asleep())
		usleep(1000);
}

/* Takes all that is done, and what follows it. Returns the observations. */
static size_t drain(struct place *p)
{
	bool is_over = false;
	size_t n = 0;

	while (!is_over) {
		assert_int_equal(measure_pending(p->m), 1);
		place_forget(p);
		place_wait(p);
		p->results = measure_take(p->m);
		assert_in_range(
			place_count(p), 0, MEASURE_TAKE + MEASURE_PIECE - 1);
		n += place_count(p);
		for (struct result *r = p->results; r; r = r->next) {
			assert_false(is_over);
			assert_in_range(r->n_obs, 0, MEASURE_PIECE);
			assert_int_equal(r->error, 0);
			is_over = r->is_last;
		}
	}
	assert_int_equal(measure_pending(p->m), 0);
	return n;
}

static bool is_at_work(struct place *p)
{
	char root[256];

	return measure_oldest_ns(p->m, clock_boot_ns(NULL), root) > 0;
}

/* A directory bigger than what may wait for the loop. */
static void test_backpressure(void **state)
{
	struct place *p = *state;
	enum { N = 60000 };

	mkdirat(p->fd, "big", 0700);
	place_links(p, "big", N);
	list_big(p);
	assert_true(is_at_work(p));
	assert_int_equal(drain(p), N + 1);
	/* So many were looked at when there was no room for more; the rest is
	 * not there any more. */
	list_big(p);
	assert_true(is_at_work(p));
	place_unlink(p, "big", N);
	assert_in_range(drain(p), 30000, 40000);
}

/* Of much that is done the loop takes a part, and is called for the rest. */
static void test_taken_in_turns(void **state)
{
	struct place *p = *state;
	enum { N = 20000 };

	mkdirat(p->fd, "big", 0700);
	place_links(p, "big", N);
	list_big(p);
	assert_false(is_at_work(p));
	assert_int_equal(drain(p), N + 1);
	assert_false(is_told(p));
}

/* Stopped in the middle: no wait, nothing lost (the sanitizer looks). */
static void test_free_at_work(void **state)
{
	struct place *p = *state;
	int64_t start = clock_boot_ns(NULL);

	mkdirat(p->fd, "big", 0700);
	place_links(p, "big", 60000);
	for (int i = 0; i < 20; i++) {
		struct job *job = place_job(p, JOB_LIST, "big");

		job->dir = (uint32_t)i;
		assert_int_equal(measure_submit(p->m, job), 0);
	}
	place_wait(p);
	start = clock_boot_ns(NULL);
	p->m = measure_free(p->m);
	assert_true(clock_boot_ns(NULL) - start < CLOCK_NS_PER_S);
}

/* A source of news whose answers the test decides. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_open, is_reached;
	int answer, n_refs;
	int io_priority; /* of the last caller */
};

static int gate_add(struct watch *w, int dir_fd, uint64_t *ret_key)
{
	struct gate *g = (void *)w;

	(void)dir_fd;
	pthread_mutex_lock(&g->lock);
	g->io_priority = (int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	g->is_reached = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->is_open)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
	if (g->answer == 0)
		*ret_key = 77;
	return g->answer;
}

static void gate_wait(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (!g->is_reached)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->is_open = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

static struct watch *gate_ref(struct watch *w)
{
	((struct gate *)(void *)w)->n_refs++;
	return w;
}

static struct watch *gate_unref(struct watch *w)
{
	((struct gate *)(void *)w)->n_refs--;
	return NULL;
}

static const struct watch_ops gate_ops = {
	.add = gate_add,
	.ref = gate_ref,
	.unref = gate_unref,
};

static struct job *gated_job(struct place *p, struct gate *g, const char *rel)
{
	struct job *job = place_job(p, JOB_LIST, rel);

	job->ops = &gate_ops;
	job->watch = (void *)g;
	return job;
}

#define GATE                                        \
	{                                           \
		.lock = PTHREAD_MUTEX_INITIALIZER,  \
		.changed = PTHREAD_COND_INITIALIZER \
	}

static void test_out_of_watches(void **state)
{
	struct place *p = *state;
	struct gate g = GATE;
	struct result *r;

	place_file(p, "a", 1);
	g.is_open = true;
	r = place_run(p, gated_job(p, &g, ""));
	assert_int_equal(r->error, 0);
	assert_true(r->watch_key == 77);
	g.answer = -ENOMEM;
	r = place_run(p, gated_job(p, &g, ""));
	assert_int_equal(r->error, -ENOSPC);
	assert_int_equal(r->watch_error, -ENOMEM);
	assert_true(r->watch_key == WATCH_NO_KEY);
	/* Listed all the same. */
	assert_non_null(place_find(p, "a"));
	assert_int_equal(g.n_refs, 1);
	place_forget(p);
	assert_int_equal(g.n_refs, 0);
}

/* Takes the next finished job; its tag. */
static uint64_t next_tag(struct place *p)
{
	uint64_t tag;

	if (!p->results) {
		place_wait(p);
		p->results = measure_take(p->m);
	}
	assert_non_null(p->results);
	tag = p->results->job->tag;
	assert_true(p->results->is_last);
	{
		struct result *next = p->results->next;

		result_free(p->results);
		p->results = next;
	}
	return tag;
}

static void submit_tagged(
	struct place *p, struct job *job, uint32_t dir, uint64_t tag)
{
	job->dir = dir;
	job->tag = tag;
	assert_int_equal(measure_submit(p->m, job), 0);
}

/* A look may not overtake a listing of the same directory. */
static void test_same_directory(void **state)
{
	struct place *p = *state;
	struct gate g = GATE;
	struct job *other;

	submit_tagged(p, gated_job(p, &g, ""), 5, 1);
	gate_wait(&g);
	submit_tagged(p, place_job(p, JOB_LOOK, ""), 5, 2);
	submit_tagged(p, place_job(p, JOB_LOOK, ""), 6, 3);
	/* The same number, but in another component. */
	other = place_job(p, JOB_LOOK, "");
	other->component = 1;
	submit_tagged(p, other, 5, 4);
	assert_int_equal(next_tag(p), 3);
	assert_int_equal(next_tag(p), 4);
	usleep(20 * 1000);
	assert_null(measure_take(p->m));
	gate_open(&g);
	assert_int_equal(next_tag(p), 1);
	assert_int_equal(next_tag(p), 2);
}

static void test_priorities(void **state)
{
	struct place *p = *state;
	struct gate g = GATE;
	struct job *slow = place_job(p, JOB_LIST, "");

	measure_free(p->m);
	assert_int_equal(measure_new(1, &p->m), 0);
	submit_tagged(p, gated_job(p, &g, ""), 1, 1);
	gate_wait(&g);
	slow->is_slow = true;
	submit_tagged(p, slow, 2, 5);
	submit_tagged(p, place_job(p, JOB_LIST, ""), 3, 4);
	submit_tagged(p, place_job(p, JOB_LOOK, ""), 4, 2);
	submit_tagged(p, place_job(p, JOB_NAMES, ""), 4, 3);
	assert_int_equal(measure_pending(p->m), 5);
	gate_open(&g);
	for (uint64_t tag = 1; tag <= 5; tag++)
		assert_int_equal(next_tag(p), tag);
	assert_int_equal(measure_pending(p->m), 0);
}

/* Of many queued at once each has a worker, as far as there are any, also if
 * only one was started before, and though the first hangs. */
static void test_queued_together(void **state)
{
	struct place *p = *state;

	place_run(p, place_job(p, JOB_LOOK, ""));
	place_forget(p);
	for (int n_idle = 1; n_idle <= 2; n_idle++) {
		struct gate g[3] = {GATE, GATE, GATE};

		usleep(20 * 1000);
		for (uint32_t i = 0; i < ARRAY_SIZE(g); i++) {
			struct job *job = gated_job(p, &g[i], "");

			job->dir = i;
			assert_int_equal(measure_queue(p->m, job), 0);
		}
		measure_go(p->m);
		gate_wait(&g[0]);
		gate_wait(&g[1]);
		for (size_t i = 0; i < ARRAY_SIZE(g); i++)
			gate_open(&g[i]);
		for (size_t i = 0; i < ARRAY_SIZE(g); i++)
			(void)next_tag(p);
	}
}

/* Reconciliation never has all workers. */
static void test_slow_leaves_one(void **state)
{
	struct place *p = *state;
	struct gate g = GATE;
	struct job *job = gated_job(p, &g, "");

	job->is_slow = true;
	submit_tagged(p, job, 1, 1);
	gate_wait(&g);
	job = gated_job(p, &g, "");
	job->is_slow = true;
	submit_tagged(p, job, 2, 2);
	usleep(20 * 1000);
	submit_tagged(p, place_job(p, JOB_LOOK, ""), 3, 3);
	assert_int_equal(next_tag(p), 3);
	gate_open(&g);
	assert_int_equal(next_tag(p), 1);
	assert_int_equal(next_tag(p), 2);
}

/* Idle for a slow job, and what it was before for the next one. */
static void test_io_priority(void **state)
{
	const int usual = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7);
	struct place *p = *state;
	struct gate g = GATE;
	struct job *job;

	assert_int_equal(
		syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, usual), 0);
	measure_free(p->m);
	assert_int_equal(measure_new(1, &p->m), 0);
	g.is_open = true;
	for (int i = 0; i < 4; i++) {
		job = gated_job(p, &g, "");
		job->is_slow = i % 2;
		assert_int_equal(place_run(p, job)->error, 0);
		if (i % 2)
			assert_int_equal(IOPRIO_PRIO_CLASS(g.io_priority),
				IOPRIO_CLASS_IDLE);
		else
			assert_int_equal(g.io_priority, usual);
	}
	place_forget(p);
}

/* A worker that does not come back is left behind, with what it needs. */
static void test_free_while_hung(void **state)
{
	static struct gate g = GATE;
	static struct measure *left_behind;
	struct place *p = *state;
	int64_t start = clock_boot_ns(NULL), took;

	submit_tagged(p, gated_job(p, &g, ""), 1, 1);
	gate_wait(&g);
	left_behind = p->m;
	p->m = measure_free(p->m);
	took = clock_boot_ns(NULL) - start;
	assert_in_range(took / CLOCK_NS_PER_MS, 1900, 5000);
	/* It comes back late, and finds what it used. */
	gate_open(&g);
	usleep(100 * 1000);
	assert_non_null(left_behind);
}

static size_t take_all(struct place *p)
{
	struct result *r = measure_take(p->m), *next;
	size_t n = 0;

	for (; r; r = next, n++) {
		next = r->next;
		result_free(r);
	}
	return n;
}

static void submit_lists(struct place *p, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		submit_tagged(p, place_job(p, JOB_LIST, ""), from, from);
}

/* One worker, held by first; then thirty listings, one that stops at second,
 * and a hundred more, so that there is work enough. */
static void run_to_second(
	struct place *p, struct gate *first, struct gate *second, bool is_other)
{
	struct job *job = gated_job(p, second, "");

	measure_free(p->m);
	assert_int_equal(measure_new(1, &p->m), 0);
	submit_tagged(p, gated_job(p, first, ""), 1, 1);
	gate_wait(first);
	submit_lists(p, 2, 32);
	if (is_other) {
		free(job->root_path);
		job->root_path = strdup("/tmp");
	}
	submit_tagged(p, job, 32, 32);
	submit_lists(p, 33, 133);
	gate_open(first);
	gate_wait(second);
}

/* Listings do not wake the loop one by one; in the end it knows of all. */
static void test_told_together(void **state)
{
	struct place *p = *state;
	struct gate first = GATE, second = GATE;

	run_to_second(p, &first, &second, false);
	assert_false(is_told(p));
	assert_int_equal(take_all(p), 31);
	gate_open(&second);
	for (size_t n = 0; n < 101; n += take_all(p))
		place_wait(p);
	assert_false(is_told(p));
	assert_int_equal(measure_pending(p->m), 0);
}

/* A disk that hangs does not keep what was seen on another. */
static void test_told_before_another_root(void **state)
{
	struct place *p = *state;
	struct gate first = GATE, second = GATE;

	run_to_second(p, &first, &second, true);
	assert_true(is_told(p));
	assert_int_equal(take_all(p), 31);
	/* What somebody waits for is told at once. */
	gate_open(&second);
	submit_tagged(p, place_job(p, JOB_LOOK, ""), 133, 133);
	for (size_t n = 0; n < 102; n += take_all(p))
		place_wait(p);
}

/* Two workers hang on one disk: another root goes on, and it is told. */
static void test_hung_root(void **state)
{
	struct place *p = *state;
	struct gate g = GATE;
	char root[256] = "";
	struct job *job;
	int64_t now;

	submit_tagged(p, gated_job(p, &g, ""), 1, 1);
	submit_tagged(p, gated_job(p, &g, ""), 2, 2);
	gate_wait(&g);
	usleep(1100 * 1000);
	now = clock_boot_ns(NULL);
	assert_true(measure_oldest_ns(p->m, now, root) > CLOCK_NS_PER_S);
	assert_string_equal(root, p->path);
	submit_tagged(p, place_job(p, JOB_LOOK, ""), 3, 3);
	job = place_job(p, JOB_STATFS, "");
	free(job->root_path);
	job->root_path = strdup("/");
	submit_tagged(p, job, 4, 4);
	assert_int_equal(next_tag(p), 4);
	/* The hung root got no third worker. */
	assert_null(measure_take(p->m));
	gate_open(&g);
	assert_int_equal(next_tag(p) + next_tag(p) + next_tag(p), 6);
	now = clock_boot_ns(NULL);
	usleep(1000);
	assert_int_equal(measure_oldest_ns(p->m, now, root), 0);
}

/* A watch outlives its owner while jobs have it. */
static void test_watch_closed_early(void **state)
{
	struct place *p = *state;
	struct job *job = place_job(p, JOB_LIST, "");
	const struct watch_sink nobody = {0};
	struct watch *w;

	assert_int_equal(watch_inotify_open(&nobody, &w), 0);
	job->ops = &watch_inotify;
	job->watch = w;
	submit_tagged(p, job, 1, 1);
	watch_inotify.close(w);
	assert_int_equal(next_tag(p), 1);
}

/* A look at the filesystem that says what was expected: found without being
 * told of, and not in the way of what is told. */
static void test_quiet(void **state)
{
	struct place *p = *state;
	struct job *job = place_job(p, JOB_STATFS, "");
	struct result *r = NULL;

	job->quiet_used_bytes = UINT64_MAX;
	assert_int_equal(measure_submit(p->m, job), 0);
	for (int i = 0; i < 10000 && !r; i++) {
		assert_false(is_told(p));
		usleep(1000);
		r = measure_take(p->m);
	}
	assert_non_null(r);
	assert_true(r->is_quiet && r->looked_boot_ns);
	result_free(r);
	place_file(p, "used", 1); /* an empty tmpfs uses nothing at all */
	job = place_job(p, JOB_STATFS, "");
	job->quiet_used_bytes = 1;
	assert_false(place_run(p, job)->is_quiet);
	job = place_job(p, JOB_STATFS, "");
	job->quiet_used_bytes = job->quiet_available_bytes = UINT64_MAX;
	assert_false(place_run(p, job)->is_quiet);
	job = place_job(p, JOB_STATFS, "");
	job->quiet_used_bytes = UINT64_MAX;
	assert_int_equal(measure_submit(p->m, job), 0);
	assert_int_equal(place_run(p, place_job(p, JOB_LOOK, ""))->error, 0);
	while (measure_pending(p->m)) {
		place_forget(p);
		p->results = measure_take(p->m);
	}
	job = place_job(p, JOB_STATFS, "");
	job->quiet_used_bytes = UINT64_MAX;
	job->root_path[0] = '\0';
	assert_true(place_run(p, job)->error < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_CASE(test_quiet),
		PLACE_CASE(test_backpressure),
		PLACE_CASE(test_free_at_work),
		PLACE_CASE(test_out_of_watches),
		PLACE_CASE(test_same_directory),
		PLACE_CASE(test_priorities),
		PLACE_CASE(test_queued_together),
		PLACE_CASE(test_slow_leaves_one),
		PLACE_CASE(test_taken_in_turns),
		PLACE_CASE(test_told_together),
		PLACE_CASE(test_told_before_another_root),
		PLACE_CASE(test_hung_root),
		PLACE_CASE(test_io_priority),
		PLACE_CASE(test_free_while_hung),
		PLACE_CASE(test_watch_closed_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
