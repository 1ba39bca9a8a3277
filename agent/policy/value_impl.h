// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the two halves of value_json.h share: values_json.c has the arrays. */

#include "policy/value_json.h"

/* A value on its way into its field. */
struct value {
	struct reading *r;
	const struct param *param;
	struct json_object *json;
	const struct scan_node *node;
	void *field;
	void *target;
};

/* All return 0 or -ENOMEM; what is wrong goes to the problems. */

/* The text of a string, or of the number of a user; NULL if it is neither. */
const char *value_text(const struct value *v);
const char *value_type_name(struct json_object *json);
/* "expected ALLOWED, found X" */
int value_wrong_type(const struct value *v);
/* ""TEXT" is not allowed: expected ALLOWED (WHY)"; node: whose text. */
int value_wrong_text(const struct value *v, const struct scan_node *node,
	const char *text, const char *why);
/* What one item of an array may be; NULL for what is no array. */
const char *value_item_needs(enum param_kind kind);

/* A user by name or number. What is not known is told, as an error or, with
 * is_lenient_user, as a remark; then ret_uid is -1, whom nothing belongs to. */
int value_find_user(const struct value *v, const struct scan_node *node,
	const char *text, uint32_t *ret_uid);

int values_set_texts(const struct value *v);
int values_set_patterns(const struct value *v);
int values_set_users(const struct value *v);
int values_set_owners(const struct value *v);
int values_set_paths(const struct value *v);
