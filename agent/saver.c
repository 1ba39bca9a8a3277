// SPDX-License-Identifier: GPL-2.0-or-later
#include "saver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

struct saver {
	int event_fd; /* written by the thread, as the last thing it does */
	bool is_busy; /* from saver_start to saver_take */
	pthread_t thread;
	saver_fn *fn;
	void *ctx;
	int result; /* the thread's until it has ended */
};

int saver_new(struct saver **ret)
{
	mem_autofree struct saver *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event_fd < 0)
		return -errno;
	*ret = mem_take(s);
	return 0;
}

static int join(struct saver *s)
{
	pthread_join(s->thread, NULL);
	s->is_busy = false;
	return s->result;
}

struct saver *saver_free(struct saver *s)
{
	if (!s)
		return NULL;
	if (s->is_busy)
		join(s);
	fd_close(s->event_fd);
	free(s);
	return NULL;
}

int saver_fd(const struct saver *s)
{
	return s->event_fd;
}

bool saver_is_busy(const struct saver *s)
{
	return s->is_busy;
}

static void *work(void *arg)
{
	struct saver *s = arg;
	uint64_t one = 1;

	s->result = s->fn(s->ctx);
	/* The counter of an eventfd cannot overflow here. */
	(void)!write(s->event_fd, &one, sizeof(one));
	return NULL;
}

int saver_start(struct saver *s, saver_fn *fn, void *ctx)
{
	sigset_t all, before;
	int r;

	if (s->is_busy)
		return -EBUSY;
	s->fn = fn;
	s->ctx = ctx;
	/* Signals are the loop's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->thread, NULL, work, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->is_busy = r == 0;
	return -r;
}

bool saver_take(struct saver *s, int *ret_result)
{
	uint64_t count;

	if (!s->is_busy || read(s->event_fd, &count, sizeof(count)) < 0)
		return false;
	*ret_result = join(s);
	return true;
}
