// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Members of a reply, read with defaults: an agent of another version may
 * leave some out. o may be NULL everywhere. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* A member that is there and not null. */
bool field_has(struct json_object *o, const char *key);
/* Borrowed; otherwise if it is no text. */
const char *field_text(
	struct json_object *o, const char *key, const char *otherwise);
/* 0 if it is no number; negative ones count as 0. */
uint64_t field_u64(struct json_object *o, const char *key);
int64_t field_int(struct json_object *o, const char *key);
bool field_flag(struct json_object *o, const char *key);
/* The member itself, borrowed; NULL if absent. */
struct json_object *field_get(struct json_object *o, const char *key);

/* A list's length (0 if it is none) and items, borrowed. */
size_t field_count(struct json_object *list);
struct json_object *field_item(struct json_object *list, size_t i);

/* Runs the body for each item of the list in member key. */
#define FIELD_EACH(item, o, key)                                          \
	for (size_t i_##item = 0;                                         \
		i_##item < field_count(field_get(o, key)) &&              \
		((item) = field_item(field_get(o, key), i_##item), true); \
		i_##item++)
