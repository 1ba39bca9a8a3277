// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Short hands for building JSON. A NULL object is passed through, so that a
 * caller checks once at the end. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void json_put_text(
	struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(
		o, key, value ? json_object_new_string(value) : NULL);
}

static inline void json_put_u64(
	struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key,
		json_object_new_int64(
			value > INT64_MAX ? INT64_MAX : (int64_t)value));
}

static inline void json_put_i64(
	struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static inline void json_put_bool(
	struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

/* Tenths of a percent of a in b, as a number with one decimal. */
void json_put_percent(
	struct json_object *o, const char *key, uint64_t a, uint64_t b);
/* A time as RFC 3339. */
void json_put_stamp(struct json_object *o, const char *key, int64_t real_s);
/* A name, escaped (escape.h). */
void json_put_name(
	struct json_object *o, const char *key, const char *bytes, size_t len);

/* Reading; each yields the fallback where the key is absent or of another
 * type. */
const char *json_get_text(struct json_object *o, const char *key);
uint64_t json_get_u64(struct json_object *o, const char *key);
int64_t json_get_stamp(struct json_object *o, const char *key);
bool json_get_bool(struct json_object *o, const char *key);
