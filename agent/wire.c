// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"

struct waiting {
	uint32_t serial;
	wire_done_fn *done;
	void *ctx;
	struct waiting *next;
};

struct wire {
	int fd;
	uint32_t serial;
	struct waiting *waiting;
	void (*on_hangup)(void *ctx);
	void *ctx;
};

int wire_new(int fd, void (*on_hangup)(void *ctx), void *ctx, struct wire **ret)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct wire){.fd = fd, .on_hangup = on_hangup, .ctx = ctx};
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*ret = w;
	return 0;
}

struct wire *wire_free(struct wire *w)
{
	if (!w)
		return NULL;
	while (w->waiting) {
		struct waiting *next = w->waiting->next;

		free(w->waiting);
		w->waiting = next;
	}
	fd_close(w->fd);
	free(w);
	return NULL;
}

int wire_fd(const struct wire *w)
{
	return w->fd;
}

int wire_request(struct wire *w, struct channel_message *msg, const int *fds,
	size_t n_fds, wire_done_fn *done, void *ctx)
{
	struct waiting *waiting = NULL;
	int r;

	msg->serial = ++w->serial;
	if (!done)
		return fd_send(w->fd, msg, sizeof(*msg), fds, n_fds);
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	r = fd_send(w->fd, msg, sizeof(*msg), fds, n_fds);
	if (r < 0) {
		free(waiting);
		return r;
	}
	*waiting = (struct waiting){.serial = msg->serial,
		.done = done,
		.ctx = ctx,
		.next = w->waiting};
	w->waiting = waiting;
	return 0;
}

void wire_forget(struct wire *w, void *ctx)
{
	for (struct waiting *p = w->waiting; p; p = p->next)
		if (p->ctx == ctx)
			p->done = NULL;
}

static void answer(
	struct wire *w, const struct channel_message *msg, const int fds[4])
{
	struct waiting **at = &w->waiting, *found;

	while (*at && (*at)->serial != msg->serial)
		at = &(*at)->next;
	found = *at;
	if (!found)
		return;
	*at = found->next;
	if (found->done)
		found->done(found->ctx, msg, fds);
	free(found);
}

int wire_dispatch(struct wire *w)
{
	for (;;) {
		struct channel_message msg = {0};
		int fds[FD_MAX_PASSED];
		ssize_t n = fd_recv(w->fd, &msg, sizeof(msg), fds);

		if (n == -EAGAIN)
			return 0;
		if (n == 0 || n == -ECONNRESET || n == -EPIPE)
			return -EPIPE;
		if (n < 0)
			return (int)n;
		if (n == sizeof(msg) && msg.kind == CHANNEL_DONE)
			answer(w, &msg, fds);
		else if (n == sizeof(msg) && msg.kind == CHANNEL_HANGUP)
			w->on_hangup(w->ctx);
		for (int i = 0; i < FD_MAX_PASSED; i++)
			fd_close(fds[i]);
	}
}
