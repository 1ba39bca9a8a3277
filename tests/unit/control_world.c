// SPDX-License-Identifier: GPL-2.0-or-later
#include "control_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/fd.h"
#include "base/mem.h"
#include "loop.h"
#include "proto/varlink.h"

static void handle_echo(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	struct world *w = ctx;

	struct json_object *n;

	w->n_echoes++;
	/* How many others had been answered when the 6 had its turn. */
	if (json_object_object_get_ex(parameters, "x", &n) &&
		json_object_get_int(n) == 6)
		w->n_before_six = w->n_echoes;
	control_reply(call, json_object_get(parameters));
}

static void on_gone(void *ctx, struct control_call *call)
{
	struct world *w = ctx;

	assert_ptr_equal(call, w->waiting);
	w->waiting = NULL;
	w->n_gone++;
}

static void handle_later(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->waiting = call;
	control_on_gone(call, on_gone, w);
}

/* Forgets to ask when the client goes. */
static void handle_deaf(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->waiting = call;
}

static void handle_change(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	w->n_changes++;
	control_reply(call, NULL);
}

static struct json_object *text_of(size_t len)
{
	struct json_object *o = json_object_new_object();
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'u', len);
	json_object_object_add(
		o, "t", json_object_new_string_len(text, (int)len));
	free(text);
	return o;
}

/* Streams for as long as it may. */
static void handle_flood(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	struct world *w = ctx;

	(void)parameters;
	if (!control_wants_more(call)) {
		control_expected_more(call);
		return;
	}
	for (int i = 0; i < 1000; i++) {
		w->stream_result = control_continue(call, text_of(65536));
		if (w->stream_result < 0) {
			control_drop(call);
			return;
		}
	}
	control_reply(call, NULL);
}

static void handle_stream(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	(void)ctx;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
			control_continue(call, json_object_get(parameters)), 0);
	control_reply(call, json_object_get(parameters));
}

static void handle_big(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	(void)ctx;
	control_reply(call, text_of((size_t)json_object_get_int(
				    json_object_object_get(parameters, "x"))));
}

static void handle_fail(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	(void)ctx;
	(void)parameters;
	control_fail(call, "NotFound", "no \"x\" here");
}

static const struct control_method methods[] = {
	{"Echo", false, handle_echo},
	{"Later", false, handle_later},
	{"Deaf", false, handle_deaf},
	{"Change", true, handle_change},
	{"Flood", false, handle_flood},
	{"Stream", false, handle_stream},
	{"Big", false, handle_big},
	{"Fail", false, handle_fail},
};

static const uid_t admins[] = {ADMIN_UID};

struct control_access world_access(void)
{
	return (struct control_access){
		.agent_uid = getuid(),
		.read_gid = READERS_GID,
		.admins = admins,
		.n_admins = ARRAY_SIZE(admins),
	};
}

int world_serve(struct world *w, const char *path, int fd, struct control **ret)
{
	struct control_access access = world_access();

	return control_new(w->loop, path, fd, methods, ARRAY_SIZE(methods),
		&access, w, ret);
}

static void on_timer(void *ctx)
{
	struct world *w = ctx;

	loop_stop(w->loop);
}

static void count_turn(void *ctx)
{
	struct world *w = ctx;

	w->n_turns++;
}

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	strcpy(w->dir, "/tmp/ullage-control-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(chmod(w->dir, 0755), 0);
	snprintf(w->path, sizeof(w->path), "%s/socket", w->dir);
	assert_int_equal(loop_new(&w->loop), 0);
	assert_int_equal(loop_add_timer(w->loop, on_timer, w, &w->timer), 0);
	assert_int_equal(world_serve(w, w->path, -1, &w->control), 0);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;

	assert_null(control_free(w->control));
	assert_int_equal(access(w->path, F_OK), -1);
	loop_remove(w->timer);
	loop_free(w->loop);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

void world_run(struct world *w, int64_t ms)
{
	loop_arm(w->timer, ms);
	assert_int_equal(loop_run(w->loop, count_turn, w), 0);
}

int world_dial(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return fd_close(fd);
	return fd;
}

int world_join(struct world *w)
{
	int fd = world_dial(w->path);

	assert_true(fd >= 0);
	return fd;
}

void world_say(int fd, const char *frame)
{
	size_t len = strlen(frame) + 1;

	assert_int_equal(send(fd, frame, len, MSG_NOSIGNAL), (ssize_t)len);
}

const char *world_hear(struct world *w, int fd)
{
	static char frame[65536];
	size_t len = 0;

	for (int n = 0; n < 5000; n++) {
		char c;
		ssize_t r = recv(fd, &c, 1, MSG_DONTWAIT);

		if (r < 0 && errno == EAGAIN) {
			world_run(w, 1);
			continue;
		}
		if (r <= 0)
			return "";
		n = 0;
		assert_true(len < sizeof(frame));
		frame[len++] = c;
		if (c == '\0')
			return frame;
	}
	return "nothing came";
}

bool world_is_silent(struct world *w, int fd)
{
	char c;

	world_run(w, 30);
	return recv(fd, &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

#define assert_heard(w, fd, frame) assert_string_equal(world_hear(w, fd), frame)