// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/tree_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#define MAX_KEY 64

static json_object *child(json_object *parent, const char *key)
{
	json_object *found = NULL;

	if (json_object_object_get_ex(parent, key, &found))
		return found;
	found = json_object_new_object();
	if (found && json_object_object_add(parent, key, found) < 0) {
		json_object_put(found);
		return NULL;
	}
	return found;
}

int tree_put(json_object *top, const char *pointer, json_object *value)
{
	char key[MAX_KEY];

	while (top && value) {
		size_t n = strcspn(++pointer, "/");

		if (n >= sizeof(key))
			break;
		memcpy(key, pointer, n);
		key[n] = '\0';
		pointer += n;
		if (*pointer == '/') {
			top = child(top, key);
			continue;
		}
		if (json_object_object_add(top, key, value) < 0)
			break;
		return 0;
	}
	json_object_put(value);
	return -ENOMEM;
}

int tree_print(json_object *top, struct buf *ret)
{
	const char *text = json_object_to_json_string_ext(
		top, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			     JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}
