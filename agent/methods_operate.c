// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods that operate the agent: Reconcile, SetPanic, CheckIndex. */
#include "methods.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core.h"
#include "json.h"
#include "latch.h"

#define SPARE ".spare" /* of the panic latch */

typedef struct json_object json;

static json *drift_of(const struct component *c)
{
	const struct feed_counters *now = feed_counters(c->feed);
	json *o = json_object_new_object();

	json_put_text(o, "component", c->policy->component);
	json_put_u64(o, "differences", now->drift - c->drift_before);
	json_object_object_add(o, "usedBytes",
		json_object_new_int64(
			now->drift_bytes - c->drift_bytes_before));
	json_object_object_add(o, "files",
		json_object_new_int64(
			now->drift_files - c->drift_files_before));
	return o;
}

struct reconciling {
	struct agent *agent;
	struct control_call *call;
	struct component *one;
	struct reconciling *next;
};

static bool is_reconciled(const struct reconciling *r)
{
	for (size_t i = 0; i < r->agent->n_components; i++) {
		const struct component *c = &r->agent->components[i];

		if ((!r->one || r->one == c) &&
			(feed_is_reconciling(c->feed) ||
				!feed_is_quiet(c->feed)))
			return false;
	}
	return true;
}

static void on_reconciler_gone(void *ctx, struct control_call *call)
{
	struct agent *a = ctx;
	struct reconciling **at = &a->reconciling;

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	if (*at) {
		struct reconciling *r = *at;

		*at = r->next;
		free(r);
	}
}

void methods_operate_turn(struct agent *a)
{
	struct reconciling **at = &a->reconciling;

	while (*at) {
		struct reconciling *r = *at;
		json *reply, *drift;

		if (!is_reconciled(r)) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		reply = json_object_new_object();
		drift = json_object_new_array();
		for (size_t i = 0; i < a->n_components; i++)
			if (!r->one || r->one == &a->components[i])
				json_object_array_add(
					drift, drift_of(&a->components[i]));
		json_object_object_add(reply, "drift", drift);
		control_reply(r->call, reply);
		free(r);
	}
}

void methods_operate_forget(struct agent *a)
{
	while (a->reconciling) {
		struct reconciling *r = a->reconciling;

		a->reconciling = r->next;
		control_fail(
			r->call, "Busy", "the configuration changed meanwhile");
		free(r);
	}
}

void methods_reconcile(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;
	struct reconciling *r;
	struct component *one;

	if (!methods_filter(a, call, parameters, &one))
		return;
	r = calloc(1, sizeof(*r));
	if (!r) {
		control_fail(call, "Failed", "out of memory");
		return;
	}
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		if (one && one != c)
			continue;
		c->drift_before = feed_counters(c->feed)->drift;
		c->drift_bytes_before = feed_counters(c->feed)->drift_bytes;
		c->drift_files_before = feed_counters(c->feed)->drift_files;
		feed_reconcile(c->feed);
	}
	*r = (struct reconciling){a, call, one, a->reconciling};
	a->reconciling = r;
	control_on_gone(call, on_reconciler_gone, a);
}

void methods_panic(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;
	json *on, *reply;
	char message[400];
	int r;

	if (!json_object_object_get_ex(parameters, "on", &on) ||
		!json_object_is_type(on, json_type_boolean)) {
		control_invalid(call, "on");
		return;
	}
	r = latch_set(a->panic_path, json_object_get_boolean(on));
	/* Even where the file cannot be written, this agent starts nothing. */
	a->is_panic = json_object_get_boolean(on) || r < 0;
	log_event(MSG_PANIC, NULL, "panic latch %s by uid %d",
		a->is_panic ? "set" : "lifted", (int)control_peer_uid(call));
	if (r < 0) {
		snprintf(message, sizeof(message),
			"%.200s: %s; as long as it runs this agent begins no "
			"cleanup, but one under way goes on to its end",
			a->panic_path, strerror(-r));
		control_fail(call, "Failed", message);
		return;
	}
	reply = json_object_new_object();
	json_put_bool(reply, "panic", a->is_panic);
	control_reply(call, reply);
}

void methods_check_index(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;
	json *reply, *list;
	struct component *one;

	if (!methods_filter(a, call, parameters, &one))
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];
		buf_auto struct buf lines = {0};
		char *at, *line;

		if (one && one != c)
			continue;
		if (index_check(feed_index(c->feed), &lines) <= 0)
			continue;
		at = lines.data;
		while ((line = strsep(&at, "\n")))
			if (*line)
				json_object_array_add(
					list, json_object_new_string(line));
	}
	reply = json_object_new_object();
	json_object_object_add(reply, "differences", list);
	control_reply(call, reply);
}
