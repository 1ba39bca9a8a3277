// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event loop on libevent. Owns the base and the sources made here; the
 * descriptors stay their owners'. Nothing is polled: an idle loop sleeps
 * until the kernel has something to say.
 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

struct loop {
	struct event_base *base;
	bool is_stopped;
};

struct loop_source {
	struct event *event;
	loop_fn *fn;
	void *ctx;
};

/* What goes wrong is returned to the caller, who logs it. */
static void hush(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_set_log_callback(hush);
	if (!config)
		return NULL;
	/* One thread owns a loop, and the environment is not asked. */
	if (event_config_set_flag(config,
		    EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) < 0) {
		event_config_free(config);
		return NULL;
	}
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int loop_new(struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->base = base_new();
	if (!l->base) {
		free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	event_base_free(l->base);
	free(l);
	return NULL;
}

int loop_run(struct loop *l, loop_fn *after_turn, void *ctx)
{
	l->is_stopped = false;
	while (!l->is_stopped) {
		/* Returns after one turn with at least one callback. */
		int r = event_base_loop(
			l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);

		if (r < 0)
			return -EIO;
		if (after_turn)
			after_turn(ctx);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->is_stopped = true;
}

static void dispatch(evutil_socket_t fd, short what, void *arg)
{
	struct loop_source *s = arg;

	(void)fd;
	(void)what;
	s->fn(s->ctx);
}

static int source_new(struct loop *l, int fd, short what, loop_fn *fn,
	void *ctx, struct loop_source **ret)
{
	struct loop_source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fn = fn;
	s->ctx = ctx;
	s->event = event_new(l->base, fd, what, dispatch, s);
	if (!s->event) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

/* A source that is live from the start. */
static int source_add(struct loop *l, int fd, short what, loop_fn *fn,
	void *ctx, struct loop_source **ret)
{
	struct loop_source *s;
	int r = source_new(l, fd, what | EV_PERSIST, fn, ctx, &s);

	if (r < 0)
		return r;
	errno = 0;
	if (event_add(s->event, NULL) < 0) {
		r = errno ? -errno : -EIO;
		loop_remove(s);
		return r;
	}
	*ret = s;
	return 0;
}

int loop_add_fd(struct loop *l, int fd, loop_fn *fn, void *ctx,
	struct loop_source **ret)
{
	if (fd < 0)
		return -EBADF;
	return source_add(l, fd, EV_READ, fn, ctx, ret);
}

int loop_add_signal(struct loop *l, int signo, loop_fn *fn, void *ctx,
	struct loop_source **ret)
{
	return source_add(l, signo, EV_SIGNAL, fn, ctx, ret);
}

int loop_add_timer(
	struct loop *l, loop_fn *fn, void *ctx, struct loop_source **ret)
{
	return source_new(l, -1, 0, fn, ctx, ret);
}

void loop_arm(struct loop_source *timer, int64_t ms)
{
	struct timeval tv;

	if (ms < 0) {
		event_del(timer->event);
		return;
	}
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	/* Adding a timer fails only for want of memory, of which libevent
	 * needs none here once its heap has room for the source. */
	event_add(timer->event, &tv);
}

bool loop_is_armed(const struct loop_source *timer)
{
	return event_pending(timer->event, EV_TIMEOUT, NULL);
}

void loop_pause(struct loop_source *fd_source, bool is_paused)
{
	if (is_paused)
		event_del(fd_source->event);
	else
		event_add(fd_source->event, NULL);
}

struct loop_source *loop_remove(struct loop_source *s)
{
	if (!s)
		return NULL;
	event_free(s->event);
	free(s);
	return NULL;
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}
