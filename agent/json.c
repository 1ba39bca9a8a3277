// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

void json_put_percent(
	struct json_object *o, const char *key, uint64_t a, uint64_t b)
{
	uint64_t tenths = b ? mem_mul_div(a, 1000, b) : 0;
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64, tenths / 10,
		tenths % 10);
	json_object_object_add(
		o, key, json_object_new_double_s((double)tenths / 10, text));
}

void json_put_stamp(struct json_object *o, const char *key, int64_t real_s)
{
	char text[CLOCK_STAMP_SIZE];

	json_put_text(o, key, clock_stamp(real_s, text));
}

void json_put_name(
	struct json_object *o, const char *key, const char *bytes, size_t len)
{
	buf_auto struct buf text = {0};

	if (escape_name(&text, bytes, len) == 0)
		json_put_text(o, key, text.data ? text.data : "");
}

static struct json_object *get(
	struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) &&
			       json_object_is_type(v, type)
		       ? v
		       : NULL;
}

const char *json_get_text(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key, json_type_string);

	return v ? json_object_get_string(v) : NULL;
}

uint64_t json_get_u64(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key, json_type_int);
	int64_t i = v ? json_object_get_int64(v) : 0;

	return i < 0 ? 0 : (uint64_t)i;
}

bool json_get_bool(struct json_object *o, const char *key)
{
	return json_object_get_boolean(get(o, key, json_type_boolean));
}

int64_t json_get_stamp(struct json_object *o, const char *key)
{
	const char *text = json_get_text(o, key);
	int64_t s = 0;

	if (text)
		clock_parse_stamp(text, &s);
	return s;
}
