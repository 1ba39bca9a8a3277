// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_saver.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "state_file.h"

#define WAIT_MS 5000 /* at the end, for a disk that is only slow */

struct state_saver {
	int event_fd;
	bool is_busy;
	pthread_t thread;
	/* The thread's while it runs. */
	char *path, *text;
	state_saver_fn *work; /* or NULL: text */
	void *ctx;
	int error;
	atomic_bool is_over;
};

int state_saver_new(struct state_saver **ret)
{
	mem_autofree struct state_saver *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event_fd < 0)
		return -errno;
	*ret = mem_take(s);
	return 0;
}

int state_saver_fd(const struct state_saver *s)
{
	return s->event_fd;
}

bool state_saver_is_busy(const struct state_saver *s)
{
	return s->is_busy;
}

static void *save(void *arg)
{
	struct state_saver *s = arg;
	uint64_t one = 1;

	s->error = s->work ? s->work(s->path, s->ctx)
			   : state_file_replace(s->path, s->text);
	s->is_over = true;
	(void)!write(s->event_fd, &one, sizeof(one));
	return NULL;
}

static void forget(struct state_saver *s)
{
	free(mem_take(s->path));
	free(mem_take(s->text));
}

/* Signals are the loop's business. */
static int start_thread(struct state_saver *s)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->thread, NULL, save, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static int start(struct state_saver *s, const char *path)
{
	int r;

	s->path = strdup(path);
	s->is_over = false;
	r = s->path ? start_thread(s) : -ENOMEM;
	if (r < 0) {
		forget(s);
		return r;
	}
	s->is_busy = true;
	return 0;
}

int state_saver_start(struct state_saver *s, const char *path, char *text)
{
	if (s->is_busy) {
		free(text);
		return -EBUSY;
	}
	s->text = text;
	s->work = NULL;
	return start(s, path);
}

int state_saver_start_work(struct state_saver *s, const char *path,
	state_saver_fn *work, void *ctx)
{
	if (s->is_busy)
		return -EBUSY;
	s->work = work;
	s->ctx = ctx;
	return start(s, path);
}

bool state_saver_take(struct state_saver *s, int *ret_error)
{
	uint64_t n;

	if (!s->is_busy || !s->is_over)
		return false;
	pthread_join(s->thread, NULL);
	(void)!read(s->event_fd, &n, sizeof(n));
	forget(s);
	s->is_busy = false;
	*ret_error = s->error;
	return true;
}

int state_saver_wait(struct state_saver *s)
{
	struct pollfd over = {.fd = s->event_fd, .events = POLLIN};
	int n;

	if (!s->is_busy)
		return 0;
	do
		n = poll(&over, 1, WAIT_MS);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -ETIMEDOUT;
}

struct state_saver *state_saver_free(struct state_saver *s)
{
	int error;

	if (!s)
		return NULL;
	if (state_saver_wait(s) < 0) {
		pthread_detach(s->thread);
		return NULL;
	}
	(void)state_saver_take(s, &error);
	fd_close(s->event_fd);
	free(s);
	return NULL;
}
