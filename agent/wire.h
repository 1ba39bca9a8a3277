// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The agent's end of the channel to the warden: requests out, answers in. */

#include <stddef.h>

#include "channel.h"

struct wire;

/* msg: the warden's answer; fds: borrowed, -1 where none came. */
typedef void wire_done_fn(
	void *ctx, const struct channel_message *msg, const int fds[4]);

/* fd: taken. on_hangup is called when the warden passes a SIGHUP on. */
int wire_new(
	int fd, void (*on_hangup)(void *ctx), void *ctx, struct wire **ret);
struct wire *wire_free(struct wire *w);
int wire_fd(const struct wire *w);
/* Sends a request; fds borrowed. done is called once with its answer (NULL:
 * none is expected). Returns 0 or -errno (done is not called then). */
int wire_request(struct wire *w, struct channel_message *msg, const int *fds,
	size_t n_fds, wire_done_fn *done, void *ctx);
/* Nobody waits for the answers to ctx any more. */
void wire_forget(struct wire *w, void *ctx);
/* Takes in what has come. Returns 0, or -EPIPE once the warden is gone. */
int wire_dispatch(struct wire *w);
