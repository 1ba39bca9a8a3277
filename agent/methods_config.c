// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods about the configuration. */
#include "methods.h"

#include <string.h>

#include "core.h"
#include "json.h"
#include "reload.h"

typedef struct json_object json;

void methods_show_config(void *ctx, struct control_call *call, json *parameters)
{
	struct agent *a = ctx;
	buf_auto struct buf text = {0};
	json *reply = json_object_new_object(), *policies, *one;
	struct component *filter;

	if (!methods_filter(a, call, parameters, &filter)) {
		json_object_put(reply);
		return;
	}
	policies = json_object_new_array();
	if (!filter && config_show(a->config, NULL, &text) == 0)
		json_object_object_add(
			reply, "config", json_tokener_parse(text.data));
	for (size_t i = 0; i < a->n_components; i++) {
		if (filter && filter != &a->components[i])
			continue;
		buf_reset(&text);
		if (config_show(a->config, a->components[i].policy->component,
			    &text) < 0)
			continue;
		one = json_tokener_parse(text.data);
		json_object_array_add(policies, one);
	}
	json_object_object_add(reply, "policies", policies);
	control_reply(call, reply);
}

void methods_schema(void *ctx, struct control_call *call, json *parameters)
{
	const char *kind = json_get_text(parameters, "kind");
	buf_auto struct buf text = {0};
	json *reply;

	(void)ctx;
	if (!kind ||
		(strcmp(kind, "config") != 0 && strcmp(kind, "policy") != 0)) {
		control_invalid(call, "kind");
		return;
	}
	if (config_schema(strcmp(kind, "config") == 0, &text) < 0) {
		control_fail(call, "Failed", "out of memory");
		return;
	}
	reply = json_object_new_object();
	json_object_object_add(reply, "schema", json_tokener_parse(text.data));
	control_reply(call, reply);
}

void methods_check_config(
	void *ctx, struct control_call *call, json *parameters)
{
	(void)parameters;
	reload_start(ctx, call, true);
}

void methods_reload(void *ctx, struct control_call *call, json *parameters)
{
	(void)parameters;
	reload_start(ctx, call, false);
}
