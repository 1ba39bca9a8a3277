// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/field.h"

#include <json-c/json.h>

struct json_object *field_get(struct json_object *o, const char *key)
{
	if (!json_object_is_type(o, json_type_object))
		return NULL;
	return json_object_object_get(o, key);
}

bool field_has(struct json_object *o, const char *key)
{
	return field_get(o, key) != NULL;
}

const char *field_text(
	struct json_object *o, const char *key, const char *otherwise)
{
	struct json_object *value = field_get(o, key);

	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : otherwise;
}

static bool is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	       json_object_is_type(value, json_type_double);
}

uint64_t field_u64(struct json_object *o, const char *key)
{
	struct json_object *value = field_get(o, key);

	return is_number(value) ? json_object_get_uint64(value) : 0;
}

int64_t field_int(struct json_object *o, const char *key)
{
	struct json_object *value = field_get(o, key);

	return is_number(value) ? json_object_get_int64(value) : 0;
}

bool field_flag(struct json_object *o, const char *key)
{
	struct json_object *value = field_get(o, key);

	return json_object_is_type(value, json_type_boolean) &&
	       json_object_get_boolean(value);
}

size_t field_count(struct json_object *list)
{
	return json_object_is_type(list, json_type_array)
		       ? json_object_array_length(list)
		       : 0;
}

struct json_object *field_item(struct json_object *list, size_t i)
{
	return json_object_array_get_idx(list, i);
}
