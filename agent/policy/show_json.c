// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/policy_json.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "policy/params.h"
#include "policy/tree_json.h"

/* Exactly, in the largest unit that divides it. */
static json_object *show_bytes(uint64_t bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
	char text[32];
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(text, sizeof(text), "%" PRIu64 "%s", bytes, units[i]);
	return json_object_new_string(text);
}

static json_object *show_share(uint32_t ppm)
{
	char text[32];
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), "%" PRIu32 ".%04" PRIu32,
		ppm / 10000, ppm % 10000);
	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	snprintf(text + n, sizeof(text) - n, "%%");
	return json_object_new_string(text);
}

static json_object *show_amount(const struct amount *a)
{
	return a->is_share ? show_share(a->ppm) : show_bytes(a->bytes);
}

static json_object *show_duration(int64_t s)
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	char text[32];
	size_t i = 0;

	if (s == RULES_FOREVER)
		return json_object_new_string("forever");
	while (i + 1 < ARRAY_SIZE(units) && (s == 0 || s % units[i].s != 0))
		i++;
	snprintf(text, sizeof(text), "%" PRId64 "%s", s / units[i].s,
		units[i].name);
	return json_object_new_string(text);
}

static json_object *show_clock(uint16_t min)
{
	char text[16];

	snprintf(text, sizeof(text), "%02u:%02u", min / 60u, min % 60u);
	return json_object_new_string(text);
}

static json_object *show_uid(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);
	char text[16];

	if (pw)
		return json_object_new_string(pw->pw_name);
	snprintf(text, sizeof(text), "%u", uid);
	return json_object_new_string(text);
}

/* Appends to an array; takes item. Returns 0 or -ENOMEM. */
static int append(json_object *array, json_object *item)
{
	if (!item || json_object_array_add(array, item) < 0) {
		json_object_put(item);
		return -ENOMEM;
	}
	return 0;
}

static json_object *show_texts(char *const *items, size_t n)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < n; i++)
		if (append(array, json_object_new_string(items[i])) < 0) {
			json_object_put(array);
			return NULL;
		}
	return array;
}

static json_object *show_owners(const struct rules *rules)
{
	json_object *array = json_object_new_array();
	int e = 0;

	if (!array)
		return NULL;
	if (rules->is_any_owner)
		e = append(array, json_object_new_string("*"));
	for (size_t i = 0; e == 0 && i < rules->n_owners; i++)
		e = append(array, show_uid(rules->owners[i]));
	if (e < 0) {
		json_object_put(array);
		return NULL;
	}
	return array;
}

/* Every directory of the type, also the base directory. */
static json_object *show_paths(const struct policy *p, enum stype type)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < p->n_roots; i++)
		if (p->roots[i].type == type &&
			append(array,
				json_object_new_string(p->roots[i].path)) < 0) {
			json_object_put(array);
			return NULL;
		}
	return array;
}

/* Was it neither said nor is there a default? */
static bool is_absent(
	const struct param *param, const void *field, const struct config *c)
{
	const struct rules *rules = field;

	switch (param->kind) {
	case PARAM_OBJECT:
		return true;
	case PARAM_CLOCK:
		return c->quiet.from_min == c->quiet.to_min;
	case PARAM_OWNERS:
		return !rules->is_any_owner && rules->n_owners == 0;
	case PARAM_TEXT:
	case PARAM_PATH:
	case PARAM_USER:
	case PARAM_GROUP:
		return *(char *const *)field == NULL;
	default:
		return false;
	}
}

static json_object *show_value(const struct param *param, const void *target)
{
	const void *field = (const char *)target + param->at;
	unsigned choice;

	switch (param->kind) {
	case PARAM_BOOL:
		return json_object_new_boolean(*(const bool *)field);
	case PARAM_CHOICE:
		memcpy(&choice, field, sizeof(choice));
		return json_object_new_string(param->choices[choice]);
	case PARAM_COUNT:
		return json_object_new_int64(
			(int64_t) * (const uint64_t *)field);
	case PARAM_COUNT32:
		return json_object_new_int64(*(const uint32_t *)field);
	case PARAM_DURATION:
		return show_duration(*(const int64_t *)field);
	case PARAM_SHARE:
		return show_share(*(const uint32_t *)field);
	case PARAM_LEVEL:
	case PARAM_AMOUNT:
		return show_amount(field);
	case PARAM_CLOCK:
		return show_clock(*(const uint16_t *)field);
	case PARAM_PATHS:
		return show_paths(target, param->stype);
	case PARAM_OWNERS:
		return show_owners(field);
	case PARAM_USERS:
	case PARAM_PATTERNS:
	case PARAM_TEXTS:
		return show_texts(*(char *const *const *)field,
			*(const size_t *)((const char *)target + param->at_n));
	default:
		return json_object_new_string(*(const char *const *)field);
	}
}

int config_show(const struct config *c, const char *component, struct buf *ret)
{
	const struct param_table *table = param_table(component == NULL);
	const void *target = component ? (const void *)config_find(c, component)
				       : (const void *)c;
	json_object *top;
	int e = 0;

	if (!target)
		return -ENOENT;
	top = json_object_new_object();
	for (size_t i = 0; top && e == 0 && i < table->n_params; i++) {
		const struct param *param = &table->params[i];
		const void *field = (const char *)target + param->at;

		if (!param->is_stored || is_absent(param, field, c))
			continue;
		e = tree_put(top, param->pointer, show_value(param, target));
	}
	if (!top)
		e = -ENOMEM;
	if (e == 0)
		e = tree_print(top, ret);
	json_object_put(top);
	return e;
}
