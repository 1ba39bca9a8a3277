// SPDX-License-Identifier: GPL-2.0-or-later
#include "reload.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control.h"
#include "core.h"
#include "json.h"
#include "notice.h"
#include "setup.h"
#include "wire.h"

struct reload {
	struct agent *agent;
	struct control_call *call;
	bool is_check;
};

static void on_gone(void *ctx, struct control_call *call)
{
	struct reload *r = ctx;

	(void)call;
	r->call = NULL;
}

static struct json_object *lines_of(const char *text)
{
	struct json_object *list = json_object_new_array();

	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (len)
			json_object_array_add(list,
				json_object_new_string_len(text, (int)len));
		text += len + (text[len] == '\n');
	}
	return list;
}

static void answer_check(struct reload *r, const char *text, bool is_bad)
{
	struct json_object *reply = json_object_new_object();

	json_object_object_add(reply, "errors", lines_of(is_bad ? text : ""));
	json_object_object_add(reply, "notes", lines_of(is_bad ? "" : text));
	control_reply(r->call, reply);
}

static void refuse(struct reload *r, const char *text)
{
	log_event(MSG_CONFIG_REFUSED, NULL,
		"configuration refused, the old one stays in force: %s", text);
	if (r->call)
		control_fail(r->call, "Failed", text);
}

static int read_config(
	const struct agent *a, int fd, struct config **ret, struct buf *errors)
{
	buf_auto struct buf bytes = {0};
	buf_auto struct buf notes = {0};
	struct bundle bundle = {0};
	int r = buf_read_fd(
		&bytes, fd, (size_t)BUNDLE_MAX_FILE * BUNDLE_MAX_FILES);

	if (r == 0)
		r = bundle_decode(bytes.data, bytes.len, &bundle);
	if (r == 0)
		r = config_parse(&bundle, a->env, ret, errors, &notes);
	bundle_fini(&bundle);
	return r;
}

static void accept(struct reload *r, const char *notes, int bundle_fd)
{
	buf_auto struct buf errors = {0};
	struct config *config = NULL;
	struct json_object *reply;
	int e = read_config(r->agent, bundle_fd, &config, &errors);

	if (e == 0)
		e = setup_config(r->agent, config);
	if (e < 0) {
		config_free(config);
		refuse(r, errors.len ? errors.data : strerror(-e));
		return;
	}
	setup_log_notes(notes);
	log_event(MSG_CONFIG_LOADED, NULL,
		"configuration loaded: %zu components", r->agent->n_components);
	notice_event(r->agent, "config", NULL, "configuration loaded", NULL);
	if (!r->call)
		return;
	reply = json_object_new_object();
	json_object_object_add(reply, "notes", lines_of(notes));
	control_reply(r->call, reply);
}

static void on_done(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct reload *r = ctx;
	buf_auto struct buf text = {0};
	int e = fds[0] >= 0 ? buf_read_fd(&text, fds[0], 1u << 20) : 0;
	const char *said = text.data ? text.data : e < 0 ? strerror(-e) : "";

	if (r->is_check) {
		if (r->call)
			answer_check(r, said, msg->status != 0);
	} else if (msg->status != 0 || fds[1] < 0) {
		refuse(r, said);
	} else {
		accept(r, said, fds[1]);
	}
	free(r);
}

void reload_start(struct agent *a, struct control_call *call, bool is_check)
{
	struct channel_message msg = {
		.kind = CHANNEL_RELOAD, .is_dry_run = is_check};
	struct reload *r = calloc(1, sizeof(*r));
	int e = -ENOMEM;

	if (r) {
		*r = (struct reload){a, call, is_check};
		e = wire_request(a->wire, &msg, NULL, 0, on_done, r);
	}
	if (e < 0) {
		free(r);
		if (call)
			control_fail(call, "Failed", strerror(-e));
		return;
	}
	if (call)
		control_on_gone(call, on_gone, r);
}
