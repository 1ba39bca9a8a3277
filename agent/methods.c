// SPDX-License-Identifier: GPL-2.0-or-later
#include "methods.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/units.h"
#include "core.h"
#include "json.h"
#include "notice.h"
#include "order.h"
#include "reload.h"
#include "report.h"

typedef struct json_object json;

#define STATUS_WAIT_NS (200 * CLOCK_NS_PER_MS)

struct component *methods_component(
	struct agent *a, struct control_call *call, json *parameters)
{
	const char *name = json_get_text(parameters, "component");
	struct component *c;
	char message[256];

	if (!name) {
		control_invalid(call, "component");
		return NULL;
	}
	c = core_find(a, name);
	if (!c) {
		snprintf(message, sizeof(message),
			"no component is called \"%.80s\"", name);
		control_fail(call, "NotFound", message);
	}
	return c;
}

/* "component" is a filter: absent, it is all of them. False: answered. */
bool methods_take_room(json *row, size_t *room)
{
	size_t n = strlen(json_object_to_json_string_ext(
			   row, JSON_C_TO_STRING_PLAIN)) +
		   1;

	if (n > *room)
		return false;
	*room -= n;
	return true;
}

bool methods_filter(struct agent *a, struct control_call *call,
	json *parameters, struct component **ret)
{
	*ret = NULL;
	if (!json_get_text(parameters, "component"))
		return true;
	*ret = methods_component(a, call, parameters);
	return *ret;
}

/*
 * Status waits a moment for a fresh look at the filesystems: what was looked
 * at up to half a minute ago is exact for judging, not for showing. A disk
 * that does not answer is shown as it was.
 */
struct asking {
	struct agent *agent;
	struct control_call *call;
	struct component *one;
	int64_t end_boot_ns;
	struct asking *next;
};

static void on_asker_gone(void *ctx, struct control_call *call)
{
	struct agent *a = ctx;
	struct asking **at = &a->asking;

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	if (*at) {
		struct asking *gone = *at;

		*at = gone->next;
		free(gone);
	}
}

static void get_status(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;
	struct component *one;
	struct asking *s;

	if (!methods_filter(a, call, parameters, &one))
		return;
	s = calloc(1, sizeof(*s));
	if (!s) {
		control_fail(call, "Failed", "out of memory");
		return;
	}
	*s = (struct asking){.agent = a,
		.call = call,
		.one = one,
		.end_boot_ns = clock_boot_ns(a->clock) + STATUS_WAIT_NS,
		.next = a->asking};
	a->asking = s;
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		filesystem_refresh(
			&a->filesystems.items[i], clock_boot_ns(a->clock));
	control_on_gone(call, on_asker_gone, a);
}

static bool is_anything_asked(const struct agent *a)
{
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		if (a->filesystems.items[i].is_asked)
			return true;
	return false;
}

static void answer_status(struct agent *a)
{
	struct asking **at = &a->asking;
	bool is_fresh = !is_anything_asked(a);

	while (*at) {
		struct asking *s = *at;

		if (!is_fresh && clock_boot_ns(a->clock) < s->end_boot_ns) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		control_reply(s->call, report_status(a, s->one));
		free(s);
	}
}

void methods_turn(struct agent *a)
{
	answer_status(a);
	methods_operate_turn(a);
	methods_cleanup_turn(a);
	methods_trash_turn(a);
	methods_held_turn(a);
}

void methods_forget(struct agent *a)
{
	for (struct asking *s = a->asking; s; s = s->next)
		s->one = NULL;
	methods_operate_forget(a);
	methods_cleanup_forget(a);
	methods_trash_forget(a);
}

int64_t methods_due(const struct agent *a)
{
	int64_t due = INT64_MAX;

	for (const struct asking *s = a->asking; s; s = s->next)
		due = MIN_OF(due, s->end_boot_ns);
	return due;
}

static void get_metrics(void *ctx, struct control_call *call, json *parameters)
{
	(void)parameters;
	control_reply(call, report_metrics(ctx));
}

static void get_dashboard(
	void *ctx, struct control_call *call, json *parameters)
{
	(void)parameters;
	control_reply(call, report_dashboard(ctx));
}

static void get_alerts(void *ctx, struct control_call *call, json *parameters)
{
	json *reply = json_object_new_object();

	(void)parameters;
	json_object_object_add(reply, "alerts", report_open_alerts(ctx));
	control_reply(call, reply);
}

static void get_history(void *ctx, struct control_call *call, json *parameters)
{
	uint64_t limit = json_get_u64(parameters, "limit");
	struct component *one;

	if (methods_filter(ctx, call, parameters, &one))
		control_reply(
			call, report_history(ctx,
				      json_get_text(parameters, "component"),
				      limit ? limit : 50));
}

/* Subscribe. */

static void on_subscriber_gone(void *ctx, struct control_call *call)
{
	struct agent *a = ctx;
	struct subscriber **at = &a->subscribers;

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	if (*at) {
		struct subscriber *s = *at;

		*at = s->next;
		free(s);
	}
}

static void subscribe(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;
	struct subscriber *s;

	(void)parameters;
	if (!control_wants_more(call)) {
		control_expected_more(call);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		control_fail(call, "Failed", "out of memory");
		return;
	}
	s->call = call;
	s->next = a->subscribers;
	a->subscribers = s;
	control_on_gone(call, on_subscriber_gone, a);
}

const struct control_method methods[] = {
	{"GetStatus", false, get_status},
	{"GetMetrics", false, get_metrics},
	{"GetDashboard", false, get_dashboard},
	{"Cleanup", true, methods_cleanup},
	{"Plan", false, methods_plan},
	{"Why", false, methods_why},
	{"Du", false, methods_du},
	{"Largest", false, methods_largest},
	{"Oldest", false, methods_oldest},
	{"GetGrowth", false, methods_growth},
	{"GetHeld", false, methods_held},
	{"GetAlerts", false, get_alerts},
	{"GetHistory", false, get_history},
	{"Subscribe", false, subscribe},
	{"CheckConfig", false, methods_check_config},
	{"ShowConfig", false, methods_show_config},
	{"GetSchema", false, methods_schema},
	{"Reload", true, methods_reload},
	{"Reconcile", true, methods_reconcile},
	{"SetPanic", true, methods_panic},
	{"CheckIndex", false, methods_check_index},
	{"ListTrash", false, methods_list_trash},
	{"RestoreTrash", true, methods_restore_trash},
	{"EmptyTrash", true, methods_empty_trash},
};
const size_t n_methods = ARRAY_SIZE(methods);
