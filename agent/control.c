// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control server: lets clients in, counts them, asks who they are, and
 * hands their calls to the table. The bytes are control_client's, the
 * credentials control_peer's, the name in the filesystem control_socket's.
 */
#include "control.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <json-c/json.h>

#include "base/fd.h"
#include "base/mem.h"
#include "control_client.h"
#include "control_service.h"
#include "control_socket.h"
#include "loop.h"
#include "proto/signature.h"
#include "proto/varlink.h"

/* Places kept for those who can change something. */
#define RESERVED_CLIENTS 8
/* Places for those who may not even read: they get a refusal each. */
#define MAX_STRANGERS  8
#define ACCEPTS_A_TURN 32
/* Without descriptors or memory accepting rests for so long. */
#define ACCEPT_PAUSE_MS 1000

static const char too_many[] =
	"too many clients are connected: try again later";

struct control {
	struct control_socket socket;
	struct loop_source *listener;
	struct loop_source *pause;
	const struct control_method *methods;
	size_t n_methods;
	struct control_access access;
	uid_t *admins; /* access.admins, owned */
	void *ctx;
	struct control_host host;
	struct control_clients clients;
};

/* ---- calls ---- */

static const struct control_method *find_method(
	const struct control *c, const char *name)
{
	for (size_t i = 0; i < c->n_methods; i++)
		if (strcmp(c->methods[i].name, name) == 0)
			return &c->methods[i];
	return NULL;
}

static void call_service(struct control_call *call, const char *name,
	struct json_object *parameters)
{
	struct json_object *reply;
	const char *error;
	int r = control_service_answer(name, parameters, &error, &reply);

	if (r < 0) {
		control_drop(call);
	} else if (error) {
		control_client_fail(call, error, reply);
		json_object_put(reply);
	} else {
		control_reply(call, reply);
	}
}

static void call_method(struct control *c, struct control_call *call,
	const struct control_peer *peer, const struct varlink_call *what)
{
	const char *name = what->method + strlen(VARLINK_INTERFACE) + 1;
	const struct control_method *m = find_method(c, name);
	char bad[SIGNATURE_NAME_SIZE];

	if (!m)
		control_client_fail_text(call,
			CONTROL_SERVICE ".MethodNotFound", "method",
			what->method);
	else if (m->is_change && !peer->can_change)
		control_fail(call, "PermissionDenied",
			"only root and the users that the configuration names as admins may do this");
	else if (signature_check(name, what->parameters, bad) < 0)
		control_invalid(call, bad);
	else
		m->handle(c->ctx, call, what->parameters);
}

/* Whether method is interface.SOMETHING. */
static bool is_in(const char *method, const char *interface)
{
	size_t len = strlen(interface);

	return strncmp(method, interface, len) == 0 && method[len] == '.' &&
	       !strchr(method + len + 1, '.');
}

static void refuse_stranger(struct control_client *client,
	struct control_call *call, const char *method)
{
	control_client_refuse(client);
	if (is_in(method, CONTROL_SERVICE))
		control_client_fail(
			call, CONTROL_SERVICE ".PermissionDenied", NULL);
	else
		control_fail(call, "PermissionDenied",
			"only root, admins and members of the group ullage may ask");
}

static void fail_interface(struct control_call *call, const char *method)
{
	const char *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : strlen(method);
	mem_autofree char *interface = strndup(method, len);

	if (interface)
		control_client_fail_text(call,
			CONTROL_SERVICE ".InterfaceNotFound", "interface",
			interface);
	else
		control_drop(call);
}

/* Rights are judged at every call: a reload may have changed them. */
static void on_call(void *ctx, struct control_client *client,
	struct control_call *call, const struct varlink_call *what)
{
	struct control *c = ctx;
	struct control_peer peer;

	if (control_peer_look(control_client_fd(client), &c->access, &peer) < 0)
		control_drop(call);
	else if (!peer.can_read)
		refuse_stranger(client, call, what->method);
	else if (what->is_upgrade)
		control_invalid(call, "upgrade");
	else if (is_in(what->method, CONTROL_SERVICE))
		call_service(call, what->method + strlen(CONTROL_SERVICE) + 1,
			what->parameters);
	else if (is_in(what->method, VARLINK_INTERFACE))
		call_method(c, call, &peer, what);
	else
		fail_interface(call, what->method);
}

/* ---- clients ---- */

static bool has_place(const struct control *c, const struct control_peer *peer)
{
	const struct control_client *client;
	size_t n = 0, n_uid = 0, n_strangers = 0;

	for (client = TAILQ_FIRST(&c->clients); client;
		client = control_client_next(client)) {
		const struct control_peer *other = control_client_peer(client);

		n++;
		n_uid += other->uid == peer->uid;
		n_strangers += !other->can_read;
	}
	if (n_uid >= CONTROL_MAX_CLIENTS_PER_UID)
		return false;
	if (!peer->can_read && n_strangers >= MAX_STRANGERS)
		return false;
	if (!peer->can_change)
		n += RESERVED_CLIENTS;
	return n < CONTROL_MAX_CLIENTS;
}

/* The oldest of the same user's that has said nothing so far makes room: who
 * holds places in silence, or a byte at a time, keeps nobody out. */
static bool make_place(struct control *c, const struct control_peer *peer)
{
	struct control_client *client;

	for (client = TAILQ_FIRST(&c->clients); client;
		client = control_client_next(client)) {
		if (control_client_peer(client)->uid == peer->uid &&
			control_client_is_mute(client)) {
			control_client_turn_out(
				client, VARLINK_INTERFACE ".Busy", too_many);
			return has_place(c, peer);
		}
	}
	return false;
}

/* Says why, if that goes without waiting. */
static void turn_away(int fd)
{
	buf_auto struct buf b = {0};
	struct json_object *o = control_service_text(
		"message", "too many clients are connected: try again later");

	if (o && varlink_put_error(&b, VARLINK_INTERFACE ".Busy", o) == 0 &&
		send(fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		/* Then not. */
	}
	json_object_put(o);
	fd_close(fd);
}

static void let_in(struct control *c, int fd)
{
	struct control_peer peer;

	if (control_peer_look(fd, &c->access, &peer) < 0)
		fd_close(fd);
	else if (!has_place(c, &peer) && !make_place(c, &peer))
		turn_away(fd);
	else
		/* Without memory the connection just ends. */
		control_client_new(fd, &peer, &c->host, &c->clients);
}

static void on_connect(void *ctx)
{
	struct control *c = ctx;

	for (int n = 0; n < ACCEPTS_A_TURN; n++) {
		int fd = accept4(
			c->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			let_in(c, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			/* EMFILE and its like: the connection stays in the
			 * queue and would wake us at once, for ever. */
			loop_pause(c->listener, true);
			loop_arm(c->pause, ACCEPT_PAUSE_MS);
		}
		return;
	}
}

static void on_pause_over(void *ctx)
{
	struct control *c = ctx;

	loop_pause(c->listener, false);
}

/* ---- the server ---- */

int control_set_access(struct control *c, const struct control_access *access)
{
	size_t size = access->n_admins * sizeof(uid_t);
	uid_t *admins = malloc(size ? size : 1);

	if (!admins)
		return -ENOMEM;
	if (size)
		memcpy(admins, access->admins, size);
	free(c->admins);
	c->admins = admins;
	c->access = *access;
	c->access.admins = admins;
	return 0;
}

void control_set_patience(struct control *c, int64_t frame_ms, int64_t drain_ms)
{
	c->host.frame_ms = frame_ms;
	c->host.drain_ms = drain_ms;
}

size_t control_count_clients(const struct control *c)
{
	const struct control_client *client = TAILQ_FIRST(&c->clients);
	size_t n = 0;

	for (; client; client = control_client_next(client))
		n++;
	return n;
}

static int start(
	struct control *c, struct loop *loop, const char *path, int listen_fd)
{
	int r = listen_fd >= 0 ? control_socket_adopt(listen_fd, &c->socket)
			       : control_socket_open(path, &c->socket);

	if (r < 0)
		return r;
	r = loop_add_timer(loop, on_pause_over, c, &c->pause);
	if (r < 0)
		return r;
	return loop_add_fd(loop, c->socket.fd, on_connect, c, &c->listener);
}

int control_new(struct loop *loop, const char *path, int listen_fd,
	const struct control_method *methods, size_t n_methods,
	const struct control_access *access, void *ctx, struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	TAILQ_INIT(&c->clients);
	c->socket = CONTROL_SOCKET_NONE;
	c->methods = methods;
	c->n_methods = n_methods;
	c->ctx = ctx;
	c->host = (struct control_host){
		.base = loop_base(loop),
		.ctx = c,
		.on_call = on_call,
		.frame_ms = CONTROL_FRAME_TIME_S * INT64_C(1000),
		.drain_ms = CONTROL_DRAIN_TIME_S * INT64_C(1000),
	};
	r = control_set_access(c, access);
	if (r == 0)
		r = start(c, loop, path, listen_fd);
	if (r < 0) {
		control_free(c);
		return r;
	}
	signal(SIGPIPE, SIG_IGN);
	*ret = c;
	return 0;
}

struct control *control_free(struct control *c)
{
	if (!c)
		return NULL;
	while (!TAILQ_EMPTY(&c->clients))
		control_client_free(TAILQ_FIRST(&c->clients));
	loop_remove(c->listener);
	loop_remove(c->pause);
	control_socket_close(&c->socket);
	free(c->admins);
	free(c);
	return NULL;
}
