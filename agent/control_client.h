// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * One client of the control server: bytes to frames, frames to calls, answers
 * to bytes, in order and in time. What a call means its host knows. The calls
 * themselves are answered by the functions of control.h.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control_peer.h"

struct control_call;
struct control_client;
struct event_base;
struct json_object;
struct varlink_call;

struct control_host {
	struct event_base *base;
	void *ctx;
	/* A call has come; ends in control_reply or one of its kin. */
	void (*on_call)(void *ctx, struct control_client *client,
		struct control_call *call, const struct varlink_call *what);
	int64_t frame_ms; /* for a whole frame to arrive */
	int64_t drain_ms; /* to read everything that was written */
};

TAILQ_HEAD(control_clients, control_client);

/* Takes fd in any case, and joins list until it is gone. host is borrowed
 * for the client's life. Returns 0 or -ENOMEM. */
int control_client_new(int fd, const struct control_peer *peer,
	const struct control_host *host, struct control_clients *list);
/* Ends it after one try to send what is left. */
void control_client_free(struct control_client *c);

struct control_client *control_client_next(const struct control_client *c);
const struct control_peer *control_client_peer(const struct control_client *c);
int control_client_fd(const struct control_client *c);
/* Has not sent one whole frame so far. */
bool control_client_is_mute(const struct control_client *c);
/* Ends it; it may still read why. */
void control_client_turn_out(
	struct control_client *c, const char *error, const char *message);
/* No more calls: the next answer is its last. */
void control_client_refuse(struct control_client *c);

/* Answers with an error of that full name; parameters are borrowed. */
void control_client_fail(struct control_call *call, const char *error,
	struct json_object *parameters);
/* The same with one text as its parameters. */
void control_client_fail_text(struct control_call *call, const char *error,
	const char *key, const char *text);
