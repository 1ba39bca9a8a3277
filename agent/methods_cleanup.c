// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods that clean, or say what a cleanup would take: Cleanup, Plan. */
#include "methods.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "core.h"
#include "json.h"
#include "order.h"

typedef struct json_object json;

static int set_target(
	struct component *c, const char *text, struct cleanup_order *order)
{
	uint64_t used = feed_counted_bytes(c->feed);
	uint64_t bytes;
	uint32_t ppm;

	if (units_parse_percent(text, &ppm) == 0)
		bytes = mem_mul_div(c->allocation_bytes, ppm, 1000000);
	else if (units_parse_size(text, &bytes) < 0)
		return -EINVAL;
	if (bytes > c->allocation_bytes)
		return -ERANGE;
	if (!bytes && !order->is_forced && !order->is_dry_run)
		return -EPERM;
	order->target_bytes = bytes;
	order->goal.free_bytes = mem_sub_sat(used, bytes);
	return 0;
}

/* Fills the order from the parameters. False: the call was answered. */
static bool get_order(struct component *c, struct control_call *call,
	json *parameters, bool is_plan, struct cleanup_order *ret)
{
	const char *strategy = json_get_text(parameters, "strategy");
	const char *target = json_get_text(parameters, "target");

	int r = 0;

	order_make(c->agent, c, GOAL_MANUAL, ret);
	ret->is_dry_run = is_plan || json_get_bool(parameters, "dryRun");
	ret->is_forced = json_get_bool(parameters, "force");
	if (strategy)
		ret->strategy = strategy_find(strategy);
	if (!ret->strategy) {
		control_fail(call, "InvalidValue",
			"strategy: time, size, lru, priority or adaptive");
		return false;
	}
	if (target)
		r = set_target(c, target, ret);
	if (r < 0) {
		control_fail(call, "InvalidValue",
			r == -EPERM
				? "target: 0 takes all that may go; force, if "
				  "that is meant"
				: "target: a size like \"3GB\" or a share of "
				  "the allocation like \"70%\"; at most "
				  "that");
		return false;
	}
	if (ret->is_forced) {
		ret->goal.max_files = 0;
		ret->goal.max_bytes = 0;
	}
	return true;
}

static void on_caller_gone(void *ctx, struct control_call *call)
{
	struct component *c = ctx;

	if (c->caller == call)
		c->caller = NULL;
}

void methods_rebind(struct component *c)
{
	struct cleanup_parts parts;

	if (c->caller)
		control_on_gone(c->caller, on_caller_gone, c);
	if (!c->cleanup)
		return;
	order_parts(c, &parts);
	cleanup_set_parts(c->cleanup, &parts, c);
}

static void fail_start(
	struct control_call *call, const struct component *c, int error)
{
	char message[256];

	if (error == -EBUSY)
		control_fail(call, "Busy",
			"a cleanup of this component is under way");
	else if (error == -EAGAIN)
		control_fail(call, "NotTrusted", core_obstacle(c->agent, c));
	else if (error == -EPERM)
		control_fail(call, "Failed",
			"the panic latch is set: ullagectl panic --release "
			"lifts it");
	else {
		snprintf(message, sizeof(message), "%s", strerror(-error));
		control_fail(call, "Failed", message);
	}
}

/* An errand to the trash is under way, and soon over. */
struct awaiting {
	struct control_call *call;
	size_t component;
	struct cleanup_order order;
	struct awaiting *next;
};

static void on_waiter_gone(void *ctx, struct control_call *call)
{
	struct agent *a = ctx;
	struct awaiting **at = &a->awaiting;

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	if (*at) {
		struct awaiting *gone = *at;

		*at = gone->next;
		free(gone);
	}
}

static void wait(struct agent *a, const struct component *c,
	struct control_call *call, const struct cleanup_order *order)
{
	struct awaiting *w = calloc(1, sizeof(*w));

	if (!w) {
		control_fail(call, "Failed", "out of memory");
		return;
	}
	*w = (struct awaiting){.call = call,
		.component = (size_t)(c - a->components),
		.order = *order,
		.next = a->awaiting};
	a->awaiting = w;
	control_on_gone(call, on_waiter_gone, a);
}

static void run(struct agent *a, struct component *c, struct control_call *call,
	const struct cleanup_order *order)
{
	int r;

	if (c->errand && !c->cleanup) {
		wait(a, c, call, order);
		return;
	}
	r = order_start(a, c, order);

	if (r < 0) {
		fail_start(call, c, r);
		return;
	}
	c->caller = call;
	control_on_gone(call, on_caller_gone, c);
}

void methods_cleanup_turn(struct agent *a)
{
	struct awaiting **at = &a->awaiting;

	while (*at) {
		struct awaiting *w = *at;

		if (a->components[w->component].errand) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		run(a, &a->components[w->component], w->call, &w->order);
		free(w);
	}
}

void methods_cleanup_forget(struct agent *a)
{
	while (a->awaiting) {
		struct awaiting *w = a->awaiting;

		a->awaiting = w->next;
		control_fail(
			w->call, "Busy", "the configuration changed meanwhile");
		free(w);
	}
}

void methods_cleanup(void *ctx, struct control_call *call, json *parameters)
{
	struct component *c = methods_component(ctx, call, parameters);
	struct cleanup_order order;

	if (c && get_order(c, call, parameters, false, &order))
		run(ctx, c, call, &order);
}

void methods_plan(void *ctx, struct control_call *call, json *parameters)
{
	struct component *c = methods_component(ctx, call, parameters);
	struct cleanup_order order;

	if (!c || !get_order(c, call, parameters, true, &order))
		return;
	order.is_plan = true;
	run(ctx, c, call, &order);
}
