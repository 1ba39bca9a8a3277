// SPDX-License-Identifier: GPL-2.0-or-later
#include "slice.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "loop.h"
#include "wire.h"

struct slice {
	struct wire *wire;
	struct slice_handlers handlers;
	int fd; /* outcomes come here; -1: all have come */
	struct loop_source *source;
	bool is_reaper_gone; /* the warden said so, with this: */
	int status;
	unsigned char part[sizeof(struct outcome)]; /* of one cut in reading */
	size_t part_len;
};

/* The end of the stream and the warden's word: whichever comes last. */
static void maybe_end(struct slice *s)
{
	if (s->fd < 0 && s->is_reaper_gone)
		s->handlers.over(s->handlers.ctx, s->status);
}

static void take(struct slice *s, const unsigned char *data, size_t len)
{
	while (len) {
		size_t n = MIN_OF(len, sizeof(s->part) - s->part_len);
		struct outcome o;

		memcpy(s->part + s->part_len, data, n);
		s->part_len += n;
		data += n;
		len -= n;
		if (s->part_len < sizeof(s->part))
			return;
		memcpy(&o, s->part, sizeof(o));
		s->part_len = 0;
		s->handlers.outcome(s->handlers.ctx, &o);
	}
}

static void on_outcomes(void *ctx)
{
	struct slice *s = ctx;
	unsigned char data[64 * sizeof(struct outcome)];
	ssize_t n = read(s->fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		take(s, data, (size_t)n);
		return;
	}
	s->source = loop_remove(s->source);
	s->fd = fd_close(s->fd);
	maybe_end(s);
}

static void on_reaper_gone(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct slice *s = ctx;

	(void)fds;
	s->is_reaper_gone = true;
	s->status = msg->status;
	maybe_end(s);
}

int slice_encode(const struct plan *plan, size_t from, size_t to, int *ret_fd)
{
	buf_auto struct buf bytes = {0};
	int r = plan_encode(plan, from, to, &bytes);

	return r < 0 ? r
		     : fd_memfile("ullage-plan", bytes.data, bytes.len, ret_fd);
}

static int send_plan(struct slice *s, int plan_fd,
	const struct channel_message *request, int outcome_fd)
{
	struct channel_message msg = *request;

	msg.kind = CHANNEL_REAP;
	return wire_request(s->wire, &msg, (int[]){plan_fd, outcome_fd}, 2,
		on_reaper_gone, s);
}

int slice_start(struct loop *loop, struct wire *wire, int plan_fd,
	const struct channel_message *request,
	const struct slice_handlers *handlers, struct slice **ret)
{
	struct slice *s = calloc(1, sizeof(*s));
	fd_auto int theirs = -1;
	int pair[2], r;

	if (!s)
		return -ENOMEM;
	*s = (struct slice){.wire = wire, .handlers = *handlers, .fd = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
		goto fail;
	}
	s->fd = pair[0];
	theirs = pair[1];
	r = loop_add_fd(loop, s->fd, on_outcomes, s, &s->source);
	if (r == 0)
		r = send_plan(s, plan_fd, request, theirs);
	if (r < 0)
		goto fail;
	*ret = s;
	return 0;
fail:
	slice_free(s);
	return r;
}

struct slice *slice_free(struct slice *s)
{
	if (!s)
		return NULL;
	wire_forget(s->wire, s);
	loop_remove(s->source);
	fd_close(s->fd);
	free(s);
	return NULL;
}
