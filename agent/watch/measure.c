// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The pool of workers: who does which job when, and how results come back.
 * The lock is held for list operations only, never across a call that a disk
 * could hang. A job waits in the result that will end it, so that it cannot
 * be lost for want of memory.
 */

#include "watch/measure.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "watch/job.h"
#include "watch/look.h"
#include "watch/watch.h"

/* Observations (and pieces) that may wait to be taken before the workers
 * wait: some 4 MB. */
#define UNTAKEN_OBS    32768
#define UNTAKEN_PIECES 512

/* Listings are told to the loop together, which else would wake for each
 * small directory: at the latest when so many jobs are left to the workers
 * (a few milliseconds), or so many observations wait. And so are looks, as
 * long as there are more to be made. */
#define TELL_QUEUED 64
#define TELL_OBS    8192

/* Without a sign of life for so long, a job is taken for hung. */
#define HUNG_NS	     CLOCK_NS_PER_S

#define FREE_WAIT_NS (2 * CLOCK_NS_PER_S)

enum rank { RANK_FIRST, RANK_LIST, RANK_SLOW, N_RANKS };

enum wait { WAIT_NOT, WAIT_WORK, WAIT_ROOM };

/* A worker sleeps on a semaphore of its own: whoever calls it never waits, as
 * one that signals a condition may for those that were called before. */
struct worker {
	struct measure *m;
	pthread_t thread;
	sem_t called;
	enum wait wait; /* what it wants to be called for */
	struct job *job; /* at hand, else NULL */
	_Atomic int64_t alive_boot_ns; /* its last sign of life */
	bool is_low; /* has idle I/O priority, */
	int usual_priority; /* and this one else */
	struct look look;
};

struct measure {
	pthread_mutex_t lock;
	pthread_cond_t gone;
	int event_fd;
	atomic_bool is_stopping;
	struct job_queue queues[N_RANKS];
	struct job_queue done;
	bool is_loud; /* something of what is done is to be told */
	size_t n_done_obs, n_done;
	bool has_looks; /* and so are looks, before anything that may last */
	bool is_due; /* somebody waits for what is done, or it is enough */
	bool is_told; /* the event descriptor is readable, or about to be */
	size_t n_pending; /* loop thread */
	size_t n_threads; /* wanted, beside those that hang */
	size_t n_started, n_ended, n_idle, n_slow, n_queued;
	size_t max_workers;
	struct worker workers[];
};

static enum rank rank_of(const struct job *job)
{
	if (job->is_slow)
		return RANK_SLOW;
	return job->kind == JOB_LIST ? RANK_LIST : RANK_FIRST;
}

static bool is_observing(const struct job *job)
{
	return job->kind == JOB_LOOK || job->kind == JOB_LIST;
}

static bool is_hung(const struct worker *w, int64_t now_boot_ns)
{
	return w->job && now_boot_ns - w->alive_boot_ns > HUNG_NS;
}

/* Must job wait for what another worker does? */
static bool is_held_up(
	const struct measure *m, const struct job *job, int64_t now)
{
	for (size_t i = 0; i < m->n_started; i++) {
		const struct job *other = m->workers[i].job;

		if (!other)
			continue;
		if (is_observing(job) && is_observing(other) &&
			other->dir == job->dir &&
			other->component == job->component)
			return true;
		if (is_hung(&m->workers[i], now) &&
			!strcmp(other->root_path, job->root_path))
			return true;
	}
	return false;
}

/* The next job that may be done now, or NULL. */
static struct result *pick(struct measure *m, int64_t now)
{
	for (int rank = 0; rank < N_RANKS; rank++) {
		struct job_queue *q = &m->queues[rank];

		if (rank == RANK_SLOW && m->n_slow &&
			m->n_slow + 1 >= m->n_threads)
			break;
		for (struct result **at = &q->head; *at; at = &(*at)->next)
			if (!is_held_up(m, (*at)->job, now)) {
				m->n_queued--;
				return job_queue_cut(q, at);
			}
	}
	return NULL;
}

/*
 * Under the lock, which it gives up for the call: whoever wakes wants it.
 * Returns true if it did. The counter of an eventfd cannot overflow here.
 */
static bool tell(struct measure *m)
{
	uint64_t one = 1;

	m->is_due = m->has_looks = false;
	if (!m->is_loud || m->is_told)
		return false;
	m->is_told = true;
	pthread_mutex_unlock(&m->lock);
	(void)!write(m->event_fd, &one, sizeof(one));
	pthread_mutex_lock(&m->lock);
	return true;
}

static bool is_full(const struct measure *m)
{
	return m->n_done >= UNTAKEN_PIECES || m->n_done_obs >= UNTAKEN_OBS;
}

/* More of the same kind comes soon. */
static bool is_bulk(const struct measure *m, const struct job *job)
{
	if (job->kind == JOB_LOOK)
		return m->queues[RANK_FIRST].head;
	return job->kind == JOB_LIST && m->n_queued > TELL_QUEUED;
}

/* Under the lock. */
static void put_done(struct measure *m, struct result *r)
{
	job_queue_put(&m->done, r);
	m->n_done++;
	m->n_done_obs += r->n_obs;
	m->is_loud |= !r->is_quiet;
	m->has_looks |= r->job->kind == JOB_LOOK;
	if (!is_bulk(m, r->job) || m->n_done_obs >= TELL_OBS || is_full(m))
		m->is_due = true;
}

/* Under the lock, which it gives up meanwhile. */
static void wait_for(struct worker *w, enum wait what)
{
	w->wait = what;
	w->m->n_idle += what == WAIT_WORK;
	pthread_mutex_unlock(&w->m->lock);
	while (sem_wait(&w->called) < 0)
		; /* EINTR */
	pthread_mutex_lock(&w->m->lock);
}

/* Under the lock: one that waits for this, to be called, or NULL. */
static struct worker *take_waiting(struct measure *m, enum wait what)
{
	for (size_t i = 0; i < m->n_started; i++) {
		struct worker *w = &m->workers[i];

		if (w->wait != what)
			continue;
		w->wait = WAIT_NOT;
		m->n_idle -= what == WAIT_WORK;
		return w;
	}
	return NULL;
}

/* Under the lock. */
static void call_all(struct measure *m, enum wait what)
{
	struct worker *w;

	while ((w = take_waiting(m, what)))
		sem_post(&w->called);
}

/* Under the lock, which it gives up. Calls one that is idle, if there is work
 * for it; that calls the next. */
static void call_one(struct measure *m)
{
	struct worker *idle = m->n_queued ? take_waiting(m, WAIT_WORK) : NULL;

	pthread_mutex_unlock(&m->lock);
	if (idle)
		sem_post(&idle->called);
}

/* Waits until the loop has taken enough of what is done. */
static void wait_for_room(struct worker *w)
{
	struct measure *m = w->m;

	while (is_full(m) && !m->is_stopping)
		wait_for(w, WAIT_ROOM);
	w->alive_boot_ns = clock_boot_ns(NULL);
}

static int worker_emit(void *ctx, struct result *piece)
{
	struct worker *w = ctx;

	pthread_mutex_lock(&w->m->lock);
	put_done(w->m, piece);
	if (w->m->is_due)
		tell(w->m);
	wait_for_room(w);
	pthread_mutex_unlock(&w->m->lock);
	return w->m->is_stopping ? -ECANCELED : 0;
}

static bool worker_is_stopping(void *ctx)
{
	struct worker *w = ctx;

	w->alive_boot_ns = clock_boot_ns(NULL);
	return atomic_load_explicit(&w->m->is_stopping, memory_order_relaxed);
}

static const struct look_ops worker_ops = {
	.emit = worker_emit,
	.is_stopping = worker_is_stopping,
};

/* Of the calling thread alone. Where it is refused, as in our unit, all that is
 * read has the priority that the agent was started with. */
static void set_priority(struct worker *w, bool is_low)
{
	const int idle = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0);

	if (w->is_low == is_low)
		return;
	if (is_low)
		w->usual_priority =
			(int)syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		is_low ? idle : w->usual_priority);
	w->is_low = is_low;
}

/* Under the lock, which it gives up meanwhile. */
static void do_job(struct worker *w, struct result *last, int64_t now)
{
	struct measure *m = w->m;
	struct job *job = last->job;
	bool is_slow = job->is_slow;

	job->started_boot_ns = now;
	w->alive_boot_ns = now;
	w->job = job;
	m->n_slow += is_slow;
	/* The disk of another root may hang. */
	if (m->is_due || (m->has_looks && job->kind != JOB_LOOK) ||
		!look_is_at(&w->look, job))
		tell(m);
	/* For what else there is: this disk may hang. */
	call_one(m);
	set_priority(w, is_slow);
	look_run(&w->look, job, last);
	pthread_mutex_lock(&m->lock);
	m->n_slow -= is_slow;
	w->job = NULL;
	put_done(m, last);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct measure *m = w->m;

	pthread_mutex_lock(&m->lock);
	while (!m->is_stopping) {
		int64_t now = clock_boot_ns(NULL);
		struct result *next = is_full(m) ? NULL : pick(m, now);

		if (next) {
			do_job(w, next, now);
			continue;
		}
		/* Work may come meanwhile: ask again. What is told was seen
		 * through a root that is let go by then. */
		if (w->look.root_fd >= 0) {
			pthread_mutex_unlock(&m->lock);
			look_rest(&w->look);
			pthread_mutex_lock(&m->lock);
			continue;
		}
		if (tell(m))
			continue;
		wait_for(w, is_full(m) ? WAIT_ROOM : WAIT_WORK);
	}
	look_fini(&w->look);
	m->n_ended++;
	pthread_cond_signal(&m->gone);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static int init_conds(struct measure *m)
{
	pthread_condattr_t attr;

	if (pthread_condattr_init(&attr) != 0)
		return -ENOMEM;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->gone, &attr);
	pthread_condattr_destroy(&attr);
	return 0;
}

int measure_new(size_t n_threads, struct measure **ret)
{
	size_t max = n_threads + MEASURE_SPARE;
	mem_autofree struct measure *m = NULL;

	if (!n_threads || n_threads > 256)
		return -EINVAL;
	m = calloc(1, sizeof(*m) + max * sizeof(struct worker));
	if (!m)
		return -ENOMEM;
	m->n_threads = n_threads;
	m->max_workers = max;
	for (int i = 0; i < N_RANKS; i++)
		job_queue_init(&m->queues[i]);
	job_queue_init(&m->done);
	m->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->event_fd < 0)
		return -errno;
	if (init_conds(m) < 0) {
		fd_close(m->event_fd);
		return -ENOMEM;
	}
	*ret = mem_take(m);
	return 0;
}

/* Under the lock. Returns true when every worker has ended. */
static bool wait_for_workers(struct measure *m)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FREE_WAIT_NS / CLOCK_NS_PER_S;
	while (m->n_ended < m->n_started && r == 0)
		r = pthread_cond_timedwait(&m->gone, &m->lock, &until);
	return m->n_ended == m->n_started;
}

struct measure *measure_free(struct measure *m)
{
	bool have_all_ended;

	if (!m)
		return NULL;
	pthread_mutex_lock(&m->lock);
	m->is_stopping = true;
	call_all(m, WAIT_WORK);
	call_all(m, WAIT_ROOM);
	have_all_ended = wait_for_workers(m);
	pthread_mutex_unlock(&m->lock);
	for (size_t i = 0; i < m->n_started; i++) {
		if (have_all_ended)
			pthread_join(m->workers[i].thread, NULL);
		else
			pthread_detach(m->workers[i].thread);
	}
	/* Whoever still hangs in there will want the lock one day. */
	if (!have_all_ended)
		return NULL;
	for (int i = 0; i < N_RANKS; i++)
		job_queue_free(&m->queues[i]);
	job_queue_free(&m->done);
	fd_close(m->event_fd);
	for (size_t i = 0; i < m->n_started; i++)
		sem_destroy(&m->workers[i].called);
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->gone);
	free(m);
	return NULL;
}

int measure_fd(const struct measure *m)
{
	return m->event_fd;
}

/* Under the lock: one worker more. Signals are the loop's business. */
static int start_worker(struct measure *m)
{
	struct worker *w = &m->workers[m->n_started];
	sigset_t all, before;
	int r;

	w->m = m;
	sem_init(&w->called, 0, 0);
	look_init(&w->look, &worker_ops, w);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return -r;
	pthread_setname_np(w->thread, "measure");
	m->n_started++;
	return 0;
}

/* Under the lock: a worker for one job more, one way or another; those that
 * are idle have to be woken still. */
static int need_worker(struct measure *m)
{
	size_t n_hung = 0;
	int64_t now;
	int r;

	if (m->n_idle > m->n_queued)
		return 0;
	now = clock_boot_ns(NULL);
	for (size_t i = 0; i < m->n_started; i++)
		n_hung += is_hung(&m->workers[i], now);
	if (m->n_started >= m->n_threads + n_hung ||
		m->n_started >= m->max_workers)
		return 0;
	r = start_worker(m);
	return m->n_started ? 0 : r;
}

int measure_queue(struct measure *m, struct job *job)
{
	struct result *last = calloc(1, sizeof(*last));
	int r;

	if (!last || !job->root_path) {
		r = last ? -EINVAL : -ENOMEM;
		free(last);
		job_free(job);
		return r;
	}
	if (job->ops && !job->has_watch_ref) {
		job->watch = job->ops->ref(job->watch);
		job->has_watch_ref = true;
	}
	last->job = job;
	last->is_last = true;
	pthread_mutex_lock(&m->lock);
	r = need_worker(m);
	if (r == 0) {
		job_queue_put(&m->queues[rank_of(job)], last);
		m->n_queued++;
	}
	pthread_mutex_unlock(&m->lock);
	if (r < 0)
		result_free(last);
	else
		m->n_pending++;
	return r;
}

void measure_go(struct measure *m)
{
	pthread_mutex_lock(&m->lock);
	call_one(m);
}

int measure_submit(struct measure *m, struct job *job)
{
	int r = measure_queue(m, job);

	if (r == 0)
		measure_go(m);
	return r;
}

/* Under the lock: the first of what is done. */
static struct result *take_some(struct measure *m)
{
	struct result *list = m->done.head, **at = &m->done.head;
	size_t n_obs = 0;

	for (; *at && n_obs < MEASURE_TAKE; at = &(*at)->next) {
		n_obs += (*at)->n_obs;
		m->n_done--;
		m->n_pending -= (*at)->is_last;
	}
	m->n_done_obs -= n_obs;
	if (*at) {
		m->done.head = *at;
		*at = NULL;
	} else {
		job_queue_init(&m->done);
	}
	return list;
}

struct result *measure_take(struct measure *m)
{
	struct result *list;
	uint64_t count;

	pthread_mutex_lock(&m->lock);
	list = take_some(m);
	call_all(m, WAIT_ROOM);
	m->is_loud = m->n_done > 0;
	if (m->is_loud)
		tell(m);
	/* Nothing there to be read: the call that tells is on its way. */
	else if (m->is_told && read(m->event_fd, &count, sizeof(count)) > 0)
		m->is_told = false;
	pthread_mutex_unlock(&m->lock);
	return list;
}

size_t measure_pending(const struct measure *m)
{
	return m->n_pending;
}

int64_t measure_oldest_ns(
	struct measure *m, int64_t now_boot_ns, char ret_root[256])
{
	int64_t oldest = 0;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n_started; i++) {
		const struct worker *w = &m->workers[i];
		int64_t age = now_boot_ns - w->alive_boot_ns;

		if (!w->job || age <= oldest)
			continue;
		oldest = age;
		strncpy(ret_root, w->job->root_path, 255);
		ret_root[255] = '\0';
	}
	pthread_mutex_unlock(&m->lock);
	return oldest;
}
