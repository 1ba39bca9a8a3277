// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The control socket: a Varlink server on the loop. Knows frames, clients,
 * limits and who may call; what a method does, its table says.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct json_object;
struct control;
struct control_call; /* one call waiting for its answer */

struct control_method {
	const char *name; /* "GetStatus" */
	bool is_change; /* root and admins only; else readers as well */
	/*
	 * Answers at once or later, exactly once by control_reply or
	 * control_fail (with more: control_continue before). parameters are
	 * borrowed, and of the types that the interface description names.
	 */
	void (*handle)(void *ctx, struct control_call *call,
		struct json_object *parameters);
};

struct control_access {
	uid_t agent_uid; /* always allowed, as root is */
	gid_t read_gid; /* (gid_t)-1: none */
	const uid_t *admins;
	size_t n_admins;
};

#define CONTROL_MAX_CLIENTS	    64
#define CONTROL_MAX_CLIENTS_PER_UID 16
#define CONTROL_FRAME_TIME_S	    10 /* for a whole frame to arrive */
#define CONTROL_DRAIN_TIME_S	    30 /* for all that was sent to be read */

/*
 * Takes an existing listening descriptor (socket activation) if listen_fd is
 * >= 0, else binds path (mode 0666: authority is by peer credentials; a stale
 * socket is replaced, a live one is -EADDRINUSE, anything else -EEXIST).
 * methods: n_methods, borrowed for the server's life. access is copied.
 * SIGPIPE is ignored from here on in the whole process: a client that goes
 * while it is written to must not end it. A child that execs should restore
 * it.
 */
int control_new(struct loop *loop, const char *path, int listen_fd,
	const struct control_method *methods, size_t n_methods,
	const struct control_access *access, void *ctx, struct control **ret);
/* Not from inside a handler. Calls in work end as if their clients went. */
struct control *control_free(struct control *c);
/* Other people have rights from now on (a reload); copied.
 * Returns 0 or -ENOMEM. */
int control_set_access(struct control *c, const struct control_access *access);
/* Other times than the above, in milliseconds, for later clients; tests. */
void control_set_patience(
	struct control *c, int64_t frame_ms, int64_t drain_ms);
size_t control_count_clients(const struct control *c);

/* A reply; parameters are taken (NULL: {}). The call is gone after it. */
void control_reply(struct control_call *call, struct json_object *parameters);
/* An error, "NotFound" becomes io.ullage.Agent.NotFound, a name with a dot
 * stays as it is; message goes into its parameters. The call is gone after
 * it. */
void control_fail(
	struct control_call *call, const char *error, const char *message);
/* Bad value of a parameter: org.varlink.service.InvalidParameter. */
void control_invalid(struct control_call *call, const char *parameter);
/* "org.varlink.service.ExpectedMore", for methods that only stream. */
void control_expected_more(struct control_call *call);
/* One of several replies; parameters are taken; nothing is sent to a caller
 * who did not ask for more. Returns -EPIPE once the client is gone or reads too
 * slowly (over 1 MiB unread); the call must then be ended by control_drop. */
int control_continue(struct control_call *call, struct json_object *parameters);
bool control_wants_more(const struct control_call *call);
/* Ends a call without an answer. */
void control_drop(struct control_call *call);
/* Called when the client of a waiting call goes; the call is gone after. */
void control_on_gone(struct control_call *call,
	void (*fn)(void *ctx, struct control_call *call), void *ctx);
uid_t control_peer_uid(const struct control_call *call);
