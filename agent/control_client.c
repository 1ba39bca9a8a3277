// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client has one call in work at a time; what it sends meanwhile waits, so
 * answers keep the order of the calls. Whatever it does, or does not do, it
 * holds memory and its place no longer than the limits here allow.
 */
#include "control_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "base/fd.h"
#include "base/mem.h"
#include "control.h"
#include "control_service.h"
#include "proto/varlink.h"

/* A request is a few words and a path; JSON grows a hundredfold when read.
 * A stranger gets a refusal whatever he asks. */
#define MAX_REQUEST	     (64u << 10)
#define MAX_REQUEST_STRANGER (4u << 10)
/* What may lie unread before a client gets nothing more. */
#define MAX_UNREAD (1u << 20)
/* Calls of one client before the others have their turn. */
#define CALLS_A_TURN 16

struct control_client {
	TAILQ_ENTRY(control_client) link;
	struct control_clients *list;
	const struct control_host *host;
	struct control_peer peer; /* as it was at the connection */
	struct bufferevent *bev;
	struct event *frame_timer; /* a whole frame must be there */
	struct event *drain_timer; /* everything must be read */
	struct event *again; /* goes on with what already arrived */
	struct control_call *call; /* in work */
	size_t max_request;
	size_t n_searched; /* bytes of input known to hold no NUL */
	bool has_spoken; /* a whole frame, once at least */
	bool is_busy; /* in client_work */
	bool is_ended; /* sends no more */
	bool is_refused; /* gets its last answer, then goes */
	bool is_dead; /* goes when client_work is done */
};

struct control_call {
	struct control_client *client; /* NULL: gone */
	uid_t uid;
	bool is_more, is_oneway;
	void (*on_gone)(void *ctx, struct control_call *call);
	void *on_gone_ctx;
};

/* The first deadline counts: more bytes do not move it. */
static void timer_start(struct event *timer, int64_t ms)
{
	struct timeval tv = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000),
	};

	if (!event_pending(timer, EV_TIMEOUT, NULL))
		event_add(timer, &tv);
}

/* The client is no longer there for its call. */
static void call_orphan(struct control_call *call)
{
	call->client = NULL;
	if (call->on_gone) {
		call->on_gone(call->on_gone_ctx, call);
		free(call);
	}
}

static void event_freep(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

static void client_fini(struct control_client *c)
{
	event_freep(&c->frame_timer);
	event_freep(&c->drain_timer);
	event_freep(&c->again);
	if (c->bev)
		bufferevent_free(c->bev);
	free(c);
}

/* Goes at once, or as soon as client_work lets it. */
static void client_close(struct control_client *c)
{
	struct control_call *call;

	c->is_dead = true;
	if (c->is_busy)
		return;
	call = mem_take(c->call);
	TAILQ_REMOVE(c->list, c, link);
	client_fini(c);
	if (call)
		call_orphan(call);
}

void control_client_free(struct control_client *c)
{
	struct evbuffer *output = bufferevent_get_output(c->bev);

	/* Only the bufferevent itself takes from its output otherwise. */
	if (evbuffer_get_length(output) && evbuffer_unfreeze(output, 1) == 0)
		evbuffer_write(output, bufferevent_getfd(c->bev));
	client_close(c);
}

static size_t client_unread(const struct control_client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* Sends a frame, if r says that it was made. */
static void client_send(
	struct control_client *c, const struct buf *frame, int r)
{
	if (r < 0 || bufferevent_write(c->bev, frame->data, frame->len) < 0)
		client_close(c);
	else
		timer_start(c->drain_timer, c->host->drain_ms);
}

static void client_send_error(struct control_client *c, const char *error,
	struct json_object *parameters)
{
	buf_auto struct buf b = {0};

	client_send(c, &b, varlink_put_error(&b, error, parameters));
}

static void client_send_reply(
	struct control_client *c, struct json_object *parameters)
{
	buf_auto struct buf b = {0};
	int r = varlink_put_reply(&b, parameters, false);
	struct json_object *o;

	if (r < 0 || b.len <= VARLINK_MAX_FRAME) {
		client_send(c, &b, r);
		return;
	}
	o = control_service_text(
		"message", "the answer is too long: ask for less");
	client_send_error(c, VARLINK_INTERFACE ".Failed", o);
	json_object_put(o);
}

/* ---- calls ---- */

static int call_new(struct control_client *c, const struct varlink_call *what)
{
	struct control_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->client = c;
	call->uid = c->peer.uid;
	call->is_more = what->is_more;
	call->is_oneway = what->is_oneway;
	c->call = call;
	return 0;
}

/*
 * Frees the call; returns its client if that is to hear of it. The client
 * goes on in a turn of its own: who answers one call must not find itself
 * in the next.
 */
static struct control_client *call_end(struct control_call *call)
{
	struct control_client *c = call->client;
	bool is_heard = c && !c->is_dead && !call->is_oneway;

	if (c) {
		c->call = NULL;
		if (!c->is_busy)
			timer_start(c->again, 0);
	}
	free(call);
	return is_heard ? c : NULL;
}

void control_reply(struct control_call *call, struct json_object *parameters)
{
	struct control_client *c = call_end(call);

	if (c)
		client_send_reply(c, parameters);
	json_object_put(parameters);
}

void control_client_fail(struct control_call *call, const char *error,
	struct json_object *parameters)
{
	struct control_client *c = call_end(call);

	if (c)
		client_send_error(c, error, parameters);
}

void control_client_fail_text(struct control_call *call, const char *error,
	const char *key, const char *text)
{
	struct json_object *o = control_service_text(key, text);

	if (o)
		control_client_fail(call, error, o);
	else
		control_drop(call);
	json_object_put(o);
}

void control_fail(
	struct control_call *call, const char *error, const char *message)
{
	buf_auto struct buf name = {0};

	if (strchr(error, '.')) {
		control_client_fail_text(call, error, "message", message);
		return;
	}
	if (buf_printf(&name, "%s.%s", VARLINK_INTERFACE, error) < 0)
		control_drop(call);
	else
		control_client_fail_text(call, name.data, "message", message);
}

void control_invalid(struct control_call *call, const char *parameter)
{
	control_client_fail_text(call, CONTROL_SERVICE ".InvalidParameter",
		"parameter", parameter);
}

void control_expected_more(struct control_call *call)
{
	control_client_fail(call, CONTROL_SERVICE ".ExpectedMore", NULL);
}

int control_continue(struct control_call *call, struct json_object *parameters)
{
	struct control_client *c = call->client;
	buf_auto struct buf b = {0};
	int r = 0;

	if (!c || c->is_dead || client_unread(c) > MAX_UNREAD)
		r = -EPIPE;
	else if (call->is_more && !call->is_oneway)
		r = varlink_put_reply(&b, parameters, true);
	json_object_put(parameters);
	if (r < 0 || !b.len)
		return r;
	if (bufferevent_write(c->bev, b.data, b.len) < 0)
		return -ENOMEM;
	timer_start(c->drain_timer, c->host->drain_ms);
	return 0;
}

bool control_wants_more(const struct control_call *call)
{
	return call->is_more;
}

void control_drop(struct control_call *call)
{
	struct control_client *c = call_end(call);

	/* It would wait for ever. */
	if (c)
		client_close(c);
}

void control_on_gone(struct control_call *call,
	void (*fn)(void *ctx, struct control_call *call), void *ctx)
{
	call->on_gone = fn;
	call->on_gone_ctx = ctx;
}

uid_t control_peer_uid(const struct control_call *call)
{
	return call->uid;
}

/* ---- bytes ---- */

/* Finds the next whole frame in the input: ret_len without its NUL. */
static bool find_frame(struct control_client *c, size_t *ret_len)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);
	struct evbuffer_ptr from;

	if (evbuffer_get_length(input) == c->n_searched ||
		evbuffer_ptr_set(
			input, &from, c->n_searched, EVBUFFER_PTR_SET) < 0)
		return false;
	from = evbuffer_search(input, "", 1, &from);
	if (from.pos < 0) {
		c->n_searched = evbuffer_get_length(input);
		return false;
	}
	*ret_len = (size_t)from.pos;
	return true;
}

/* Takes a frame of len bytes off the input and starts its call. */
static void client_call(struct control_client *c, size_t len)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);
	/* With the NUL there is a byte even in an empty frame. */
	unsigned char *text = evbuffer_pullup(input, (ev_ssize_t)len + 1);
	struct varlink_call what;
	int r = text ? varlink_parse_call((const char *)text, len, &what)
		     : -ENOMEM;

	evbuffer_drain(input, len + 1);
	c->n_searched = 0;
	c->has_spoken = true;
	event_del(c->frame_timer);
	if (r < 0) {
		c->is_dead = true;
		return;
	}
	if (call_new(c, &what) < 0)
		c->is_dead = true;
	else
		c->host->on_call(c->host->ctx, c, c->call, &what);
	varlink_call_fini(&what);
}

/* After the work: is it time to go, or is a frame half there? */
static void client_settle(struct control_client *c, bool is_drained)
{
	size_t n_input = evbuffer_get_length(bufferevent_get_input(c->bev));

	if (n_input > c->max_request && is_drained)
		c->is_dead = true;
	if ((c->is_refused || (c->is_ended && is_drained && !c->call)) &&
		!client_unread(c))
		c->is_dead = true;
	if (c->is_dead)
		client_close(c);
	else if (is_drained && n_input)
		timer_start(c->frame_timer, c->host->frame_ms);
}

/* Works off what has arrived. The client may be gone after it. */
static void client_work(struct control_client *c)
{
	bool is_drained = false;
	size_t len;

	c->is_busy = true;
	for (int n = 0; !c->is_dead && !c->call && !c->is_refused; n++) {
		/* Goes on when it has read what it was told. */
		if (client_unread(c) > MAX_UNREAD)
			break;
		if (n == CALLS_A_TURN) {
			timer_start(c->again, 0);
			break;
		}
		is_drained = !find_frame(c, &len);
		if (is_drained)
			break;
		client_call(c, len);
	}
	c->is_busy = false;
	client_settle(c, is_drained);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_work(arg);
}

static void on_drained(struct bufferevent *bev, void *arg)
{
	struct control_client *c = arg;

	(void)bev;
	event_del(c->drain_timer);
	client_work(c);
}

/* A client that has only shut its sending side still reads: it gets its
 * answers. One that closed is gone. */
static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct control_client *c = arg;
	struct pollfd p = {.fd = bufferevent_getfd(bev)};

	if (!(what & BEV_EVENT_EOF) || poll(&p, 1, 0) != 0) {
		client_close(c);
		return;
	}
	c->is_ended = true;
	client_work(c);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_close(arg);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	client_work(arg);
}

/* Takes fd whether it succeeds or not. */
static int client_init(struct control_client *c, int fd)
{
	struct event_base *base = c->host->base;

	c->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		fd_close(fd);
		return -ENOMEM;
	}
	c->frame_timer = evtimer_new(base, on_late, c);
	c->drain_timer = evtimer_new(base, on_late, c);
	c->again = evtimer_new(base, on_again, c);
	if (!c->frame_timer || !c->drain_timer || !c->again)
		return -ENOMEM;
	bufferevent_setcb(c->bev, on_read, on_drained, on_end, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, c->max_request + 1);
	return bufferevent_enable(c->bev, EV_READ | EV_WRITE) < 0 ? -ENOMEM : 0;
}

int control_client_new(int fd, const struct control_peer *peer,
	const struct control_host *host, struct control_clients *list)
{
	struct control_client *c = calloc(1, sizeof(*c));

	if (!c) {
		fd_close(fd);
		return -ENOMEM;
	}
	c->host = host;
	c->list = list;
	c->peer = *peer;
	c->max_request = peer->can_read ? MAX_REQUEST : MAX_REQUEST_STRANGER;
	if (client_init(c, fd) < 0) {
		client_fini(c);
		return -ENOMEM;
	}
	timer_start(c->frame_timer, host->frame_ms);
	TAILQ_INSERT_TAIL(list, c, link);
	return 0;
}

struct control_client *control_client_next(const struct control_client *c)
{
	return TAILQ_NEXT(c, link);
}

const struct control_peer *control_client_peer(const struct control_client *c)
{
	return &c->peer;
}

int control_client_fd(const struct control_client *c)
{
	return bufferevent_getfd(c->bev);
}

void control_client_refuse(struct control_client *c)
{
	c->is_refused = true;
	bufferevent_disable(c->bev, EV_READ);
}

bool control_client_is_mute(const struct control_client *c)
{
	return !c->has_spoken;
}

void control_client_turn_out(
	struct control_client *c, const char *error, const char *message)
{
	struct json_object *o = control_service_text("message", message);

	/* Not before all is said. */
	c->is_busy = true;
	if (o)
		client_send_error(c, error, o);
	json_object_put(o);
	c->is_busy = false;
	control_client_free(c);
}
