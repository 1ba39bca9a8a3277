// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/policy_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "policy/params.h"
#include "policy/tree_json.h"

#define SHARE "[0-9]{1,3}(\\\\.[0-9]{1,4})?%"
#define SPAN  "[0-9]+(s|min|h|d|w|y)"
#define STRING(pattern) \
	"{\"type\": \"string\", \"pattern\": \"^(" pattern ")$\"}"
#define ARRAY_OF(items) "{\"type\": \"array\", \"items\": " items "}"
#define ANY_STRING	"{\"type\": \"string\"}"
#define ID                                                      \
	"{\"type\": [\"string\", \"integer\"], \"minimum\": 0," \
	" \"maximum\": 4294967294}"
#define A_PATH "{\"type\": \"string\", \"pattern\": \"^/\"}"

/* What a value of each kind looks like; bounds and words are added. */
static const char *const shapes[] = {
	[PARAM_OBJECT] = "{\"type\": \"object\","
			 " \"additionalProperties\": false}",
	[PARAM_COMPONENT] = STRING("[a-z0-9][a-z0-9._-]{0,63}"),
	[PARAM_TEXT] = ANY_STRING,
	[PARAM_BOOL] = "{\"type\": \"boolean\"}",
	[PARAM_CHOICE] = ANY_STRING,
	[PARAM_STRATEGY] = ANY_STRING,
	[PARAM_COUNT] = "{\"type\": \"integer\"}",
	[PARAM_COUNT32] = "{\"type\": \"integer\"}",
	[PARAM_DURATION] = STRING("(" SPAN " ?)*" SPAN),
	[PARAM_SHARE] = STRING(SHARE),
	[PARAM_LEVEL] = STRING(SHARE),
	[PARAM_AMOUNT] = STRING(SHARE "|[0-9]+(\\\\.[0-9]{1,9})? *"
				      "([KMGTPkmgtp]([iI]?[bB])?|[bB])"),
	[PARAM_CLOCK] = STRING("([01][0-9]|2[0-3]):[0-5][0-9]"),
	[PARAM_PATH] = A_PATH,
	[PARAM_PATHS] = ARRAY_OF(A_PATH),
	[PARAM_USER] = ID,
	[PARAM_GROUP] = ID,
	[PARAM_OWNERS] = ARRAY_OF(ID),
	[PARAM_USERS] = ARRAY_OF(ID),
	[PARAM_PATTERNS] = ARRAY_OF(ANY_STRING),
	[PARAM_TEXTS] = ARRAY_OF(ANY_STRING),
};
static const char forever[] = STRING("forever|(" SPAN " ?)*" SPAN);

static int put_description(json_object *shape, const struct param *param)
{
	buf_auto struct buf text = {0};
	int e = buf_puts(&text, param->sentence);

	if (e == 0 && param->inherits)
		e = buf_printf(
			&text, " Default: %s of ullage.json.", param->inherits);
	if (e == 0 && param->is_inactive)
		e = buf_puts(&text, " Not active yet.");
	if (e < 0)
		return e;
	return tree_put(
		shape, "/description", json_object_new_string(text.data));
}

static int put_choices(json_object *shape, const struct param *param)
{
	json_object *words = json_object_new_array();

	for (size_t i = 0; words && param->choices[i]; i++) {
		json_object *word = json_object_new_string(param->choices[i]);

		if (!word || json_object_array_add(words, word) < 0) {
			json_object_put(word);
			json_object_put(words);
			return -ENOMEM;
		}
	}
	return tree_put(shape, "/enum", words);
}

static int put_details(json_object *shape, const struct param *param)
{
	bool is_count =
		param->kind == PARAM_COUNT || param->kind == PARAM_COUNT32;
	int e = put_description(shape, param);

	if (e == 0 && is_count)
		e = tree_put(shape, "/minimum",
			json_object_new_int64((int64_t)param->min));
	if (e == 0 && is_count)
		e = tree_put(shape, "/maximum",
			json_object_new_int64((int64_t)param->max));
	if (e == 0 && param->choices)
		e = put_choices(shape, param);
	if (e == 0 && param->fallback)
		e = tree_put(
			shape, "/default", json_tokener_parse(param->fallback));
	return e;
}

/* "/limits/files" is described at /properties/limits/properties/files. */
static int put_param(json_object *top, const struct param *param)
{
	buf_auto struct buf pointer = {0};
	json_object *shape = json_tokener_parse(
		param->is_forever_allowed ? forever : shapes[param->kind]);
	int e = shape ? put_details(shape, param) : -ENOMEM;

	for (const char *c = param->pointer; e == 0 && *c; c++)
		e = *c == '/' ? buf_puts(&pointer, "/properties/")
			      : buf_put(&pointer, c, 1);
	if (e == 0)
		return tree_put(top, pointer.data, shape);
	json_object_put(shape);
	return e;
}

static int put_required(json_object *top, const struct param_table *table)
{
	json_object *names = json_object_new_array();

	for (size_t i = 0; names && i < table->n_params; i++) {
		json_object *name;

		if (!table->params[i].is_required)
			continue;
		name = json_object_new_string(param_key(&table->params[i]));
		if (!name || json_object_array_add(names, name) < 0) {
			json_object_put(name);
			json_object_put(names);
			return -ENOMEM;
		}
	}
	return tree_put(top, "/required", names);
}

int config_schema(bool is_main, struct buf *ret)
{
	const struct param_table *table = param_table(is_main);
	json_object *top = json_tokener_parse(shapes[PARAM_OBJECT]);
	int e = top ? 0 : -ENOMEM;

	if (e == 0)
		e = tree_put(top, "/$schema",
			json_object_new_string("https://json-schema.org/"
					       "draft/2020-12/schema"));
	if (e == 0)
		e = tree_put(top, "/title",
			json_object_new_string(
				is_main ? "ullage.json" : "ullage policy"));
	for (size_t i = 0; e == 0 && i < table->n_params; i++)
		e = put_param(top, &table->params[i]);
	if (e == 0)
		e = put_required(top, table);
	if (e == 0)
		e = tree_print(top, ret);
	json_object_put(top);
	return e;
}
