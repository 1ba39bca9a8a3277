// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/value_impl.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "base/account.h"
#include "base/units.h"
#include "policy/admit.h"
#include "policy/scan_text.h"
#include "policy/suggest.h"

const char *value_type_name(json_object *json)
{
	switch (json_object_get_type(json)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "true or false";
	case json_type_double:
		return "a fraction";
	case json_type_int:
		return "a number";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		break;
	}
	return "a string";
}

/* "expected ALLOWED, found X". Returns 0 or -ENOMEM, as all below. */
int value_wrong_type(const struct value *v)
{
	buf_auto struct buf allowed = {0};

	if (param_put_allowed(v->param, &allowed) < 0)
		return -ENOMEM;
	problem_add(v->r->problems, v->r->src, v->node, "expected %s, found %s",
		allowed.data, value_type_name(v->json));
	return 0;
}

/* What one item of an array may be; NULL for what is no array. */
const char *value_item_needs(enum param_kind kind)
{
	switch (kind) {
	case PARAM_PATHS:
		return "an absolute path";
	case PARAM_PATTERNS:
		return "a pattern such as \"*.lock\" or \"keys/**\"";
	case PARAM_USERS:
	case PARAM_OWNERS:
		return "a user name or number";
	case PARAM_TEXTS:
		return "a string";
	default:
		return NULL;
	}
}

/* ""TEXT" is not allowed: expected ALLOWED (what is wrong with it)". */
int value_wrong_text(const struct value *v, const struct scan_node *node,
	const char *text, const char *why)
{
	buf_auto struct buf allowed = {0}, quoted = {0};
	const char *item = value_item_needs(v->param->kind);
	int e = item ? buf_puts(&allowed, item)
		     : param_put_allowed(v->param, &allowed);

	if (e < 0 || buf_puts(&quoted, "") < 0 ||
		scan_text_quote(text, strlen(text), &quoted) < 0)
		return -ENOMEM;
	problem_add(v->r->problems, v->r->src, node,
		"\"%s\" is not allowed: expected %s%s%s%s", quoted.data,
		allowed.data, why ? " (" : "", why ? why : "", why ? ")" : "");
	return 0;
}

static bool is_id(enum param_kind kind)
{
	return kind == PARAM_USER || kind == PARAM_GROUP ||
	       kind == PARAM_USERS || kind == PARAM_OWNERS;
}

/* The text of a string, or of the number of a user; NULL if it is neither. */
const char *value_text(const struct value *v)
{
	if (!json_object_is_type(v->json, json_type_string) &&
		!(is_id(v->param->kind) &&
			json_object_is_type(v->json, json_type_int)))
		return NULL;
	return json_object_get_string(v->json);
}

static int replace(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int set_text(const struct value *v)
{
	const char *text = value_text(v);

	if (!text)
		return value_wrong_type(v);
	return v->field ? replace(v->field, text) : 0;
}

static bool is_component(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return text[n] == '\0' && n >= 1 && n <= 64 &&
	       isalnum((unsigned char)text[0]);
}

static int set_component(const struct value *v)
{
	const char *text = value_text(v);

	if (!text)
		return value_wrong_type(v);
	if (!is_component(text))
		return value_wrong_text(v, v->node, text, NULL);
	return replace(v->field, text);
}

static int set_bool(const struct value *v)
{
	if (!json_object_is_type(v->json, json_type_boolean))
		return value_wrong_type(v);
	*(bool *)v->field = json_object_get_boolean(v->json);
	return 0;
}

/* A word that is none of words. */
static int wrong_word(
	const struct value *v, const char *text, const char *const *words)
{
	buf_auto struct buf quoted = {0}, list = {0};
	const char *near = suggest_nearest(text, words);

	if (buf_puts(&quoted, "") < 0 ||
		scan_text_quote(text, strlen(text), &quoted) < 0)
		return -ENOMEM;
	for (size_t i = 0; words[i]; i++)
		if (buf_printf(&list, "%s\"%s\"", i ? ", " : "", words[i]) < 0)
			return -ENOMEM;
	problem_add(v->r->problems, v->r->src, v->node,
		"\"%s\" is not allowed: expected one of %s%s%s%s", quoted.data,
		list.data, near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
	return 0;
}

static int set_choice(const struct value *v)
{
	const char *text = value_text(v);

	if (!text)
		return value_wrong_type(v);
	for (unsigned i = 0; v->param->choices[i]; i++)
		if (strcmp(v->param->choices[i], text) == 0) {
			/* every enum here has the size of an unsigned */
			memcpy(v->field, &i, sizeof(i));
			return 0;
		}
	return wrong_word(v, text, v->param->choices);
}

static int set_strategy(const struct value *v)
{
	const char *const *names = v->r->env->strategies;
	const char *text = value_text(v);
	bool is_known = !v->node || !names;

	if (!text)
		return value_wrong_type(v);
	for (size_t i = 0; !is_known && names[i]; i++)
		is_known = strcmp(names[i], text) == 0;
	return is_known ? replace(v->field, text) : wrong_word(v, text, names);
}

static int set_count(const struct value *v)
{
	const struct param *param = v->param;
	int64_t n;

	if (!json_object_is_type(v->json, json_type_int))
		return value_wrong_type(v);
	n = json_object_get_int64(v->json);
	if (n < 0 || (uint64_t)n < param->min || (uint64_t)n > param->max)
		return value_wrong_text(
			v, v->node, json_object_get_string(v->json), NULL);
	if (param->kind == PARAM_COUNT)
		*(uint64_t *)v->field = (uint64_t)n;
	else
		*(uint32_t *)v->field = (uint32_t)n;
	return 0;
}

static int set_duration(const struct value *v)
{
	const char *text = value_text(v);
	int64_t s = 0;
	int e;

	if (!text)
		return value_wrong_type(v);
	if (v->param->is_forever_allowed && strcmp(text, "forever") == 0) {
		*(int64_t *)v->field = RULES_FOREVER;
		return 0;
	}
	e = units_parse_duration(text, &s);
	if (e == 0 && (uint64_t)s >= v->param->min &&
		(uint64_t)s <= v->param->max) {
		*(int64_t *)v->field = s;
		return 0;
	}
	return value_wrong_text(v, v->node, text,
		e == -EINVAL ? "units are s, min, h, d, w and y"
			     : "it is out of range");
}

static int set_share(const struct value *v)
{
	const char *text = value_text(v);
	uint32_t ppm = 0;

	if (!text)
		return value_wrong_type(v);
	if (units_parse_percent(text, &ppm) < 0 || ppm < v->param->min ||
		ppm > v->param->max)
		return value_wrong_text(v, v->node, text, NULL);
	if (v->param->kind == PARAM_SHARE)
		*(uint32_t *)v->field = ppm;
	else
		*(struct amount *)v->field =
			(struct amount){.is_share = true, .ppm = ppm};
	return 0;
}

/* A size without a unit is a mistake more often than bytes. */
static const char *read_amount(
	const struct param *param, const char *text, struct amount *ret)
{
	size_t n = strlen(text);
	struct amount a = {0};
	int e;

	if (n && text[n - 1] == '%') {
		a.is_share = true;
		if (units_parse_percent(text, &a.ppm) < 0)
			return "a share is at most 100%";
		if (a.ppm < param->min_ppm)
			return "it is too small";
	} else {
		e = units_parse_size(text, &a.bytes);
		if (e < 0)
			return e == -ERANGE ? "it is too large"
					    : "units are KB, MB, GB and TB";
		if (text[strspn(text, "0123456789")] == '\0')
			return "the unit is missing";
		if (a.bytes < param->min)
			return "it is too small";
	}
	*ret = a;
	return NULL;
}

static int set_amount(const struct value *v)
{
	const char *text = value_text(v);
	const char *why;

	if (!text)
		return value_wrong_type(v);
	why = read_amount(v->param, text, v->field);
	return why ? value_wrong_text(v, v->node, text, why) : 0;
}

static int set_clock(const struct value *v)
{
	const char *text = value_text(v);
	unsigned h, min;

	if (!text)
		return value_wrong_type(v);
	if (strlen(text) != 5 || text[2] != ':' ||
		strspn(text, "0123456789") != 2 ||
		strspn(text + 3, "0123456789") != 2)
		return value_wrong_text(v, v->node, text, NULL);
	h = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	min = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
	if (h > 23 || min > 59)
		return value_wrong_text(v, v->node, text, NULL);
	*(uint16_t *)v->field = (uint16_t)(h * 60 + min);
	return 0;
}

static int set_path(const struct value *v)
{
	const char *text = value_text(v);
	buf_auto struct buf why = {0};
	int e;

	if (!text)
		return value_wrong_type(v);
	e = admit_normal(text, &why);
	if (e == -EPERM)
		return value_wrong_text(v, v->node, text, why.data);
	if (e < 0)
		return e;
	if (strlen(text) > v->param->max)
		return value_wrong_text(v, v->node, text, "it is too long");
	return replace(v->field, text);
}

static int unknown_name(
	const struct value *v, const struct scan_node *node, const char *text)
{
	const char *what = v->param->kind == PARAM_GROUP ? "group" : "user";
	const char *tool =
		v->param->kind == PARAM_GROUP ? "groupadd" : "useradd";
	buf_auto struct buf quoted = {0};

	if (buf_puts(&quoted, "") < 0 ||
		scan_text_quote(text, strlen(text), &quoted) < 0)
		return -ENOMEM;
	if (v->r->env->is_lenient_user)
		problem_note(v->r->problems, v->r->src, node,
			"there is no %s \"%s\" on this system", what,
			quoted.data);
	else
		problem_add(v->r->problems, v->r->src, node,
			"there is no %s \"%s\" on this system: create it "
			"(%s --system), or name another by name or number",
			what, quoted.data, tool);
	return 0;
}

int value_find_user(const struct value *v, const struct scan_node *node,
	const char *text, uint32_t *ret_uid)
{
	struct account found;

	*ret_uid = UINT32_MAX;
	if (account_find_user(text, &found) < 0)
		return unknown_name(v, node, text);
	*ret_uid = found.uid;
	return 0;
}

static int set_name(const struct value *v)
{
	const char *text = value_text(v);
	struct account user;
	gid_t gid;
	int e = 0;

	if (!text)
		return value_wrong_type(v);
	if (v->node && v->param->kind == PARAM_GROUP)
		e = account_find_group(text, &gid);
	else if (v->node)
		e = account_find_user(text, &user);
	if (e < 0 && unknown_name(v, v->node, text) < 0)
		return -ENOMEM;
	return replace(v->field, text);
}

static int set_object(const struct value *v)
{
	return value_wrong_type(v);
}

static int (*const setters[])(const struct value *v) = {
	[PARAM_OBJECT] = set_object,
	[PARAM_COMPONENT] = set_component,
	[PARAM_TEXT] = set_text,
	[PARAM_BOOL] = set_bool,
	[PARAM_CHOICE] = set_choice,
	[PARAM_STRATEGY] = set_strategy,
	[PARAM_COUNT] = set_count,
	[PARAM_COUNT32] = set_count,
	[PARAM_DURATION] = set_duration,
	[PARAM_SHARE] = set_share,
	[PARAM_LEVEL] = set_share,
	[PARAM_AMOUNT] = set_amount,
	[PARAM_CLOCK] = set_clock,
	[PARAM_PATH] = set_path,
	[PARAM_PATHS] = values_set_paths,
	[PARAM_USER] = set_name,
	[PARAM_GROUP] = set_name,
	[PARAM_OWNERS] = values_set_owners,
	[PARAM_USERS] = values_set_users,
	[PARAM_PATTERNS] = values_set_patterns,
	[PARAM_TEXTS] = values_set_texts,
};

int value_set(struct reading *r, const struct param *param, json_object *json,
	const struct scan_node *node, void *target)
{
	struct value v = {
		.r = r,
		.param = param,
		.json = json,
		.node = node,
		.field = param->is_stored ? (char *)target + param->at : NULL,
		.target = target,
	};

	return setters[param->kind](&v);
}
