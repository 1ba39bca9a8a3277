// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/signature.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "proto/varlink.h"

#define NAME_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* One described parameter: "name: ?type". The texts are the description's
 * own, without an end. */
struct parameter {
	const char *name, *type;
	size_t name_len, type_len;
	bool is_optional;
};

/* Where the parameters of a method begin; NULL: it is not described. */
static const char *find_parameters(const char *method)
{
	static const char keyword[] = "\nmethod ";
	const char *at = varlink_description;
	size_t len = strlen(method);

	while ((at = strstr(at, keyword))) {
		at += strlen(keyword);
		if (strncmp(at, method, len) == 0 && at[len] == '(')
			return at + len + 1;
	}
	return NULL;
}

/* Takes the next parameter off the list; false at its end. */
static bool next_parameter(const char **list, struct parameter *ret)
{
	const char *at = *list;

	at += strspn(at, " \t\n,");
	if (*at == ')')
		return false;
	ret->name = at;
	ret->name_len = strspn(at, NAME_CHARS);
	at += ret->name_len;
	at += strspn(at, ": ");
	ret->is_optional = *at == '?';
	at += ret->is_optional;
	ret->type = at;
	ret->type_len = strspn(at, NAME_CHARS);
	*list = at + ret->type_len;
	/* What this does not read must not make it run on. */
	return ret->name_len && ret->type_len;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncmp(text, word, len) == 0;
}

static bool fits(const struct parameter *p, struct json_object *value)
{
	if (!value)
		return p->is_optional;
	if (is_word(p->type, p->type_len, "string"))
		return json_object_is_type(value, json_type_string);
	if (is_word(p->type, p->type_len, "bool"))
		return json_object_is_type(value, json_type_boolean);
	if (is_word(p->type, p->type_len, "int"))
		return json_object_is_type(value, json_type_int);
	return false;
}

static bool is_described(const char *list, const char *name)
{
	struct parameter p;

	while (next_parameter(&list, &p))
		if (is_word(p.name, p.name_len, name))
			return true;
	return false;
}

int signature_check(const char *method, struct json_object *parameters,
	char ret_bad[SIGNATURE_NAME_SIZE])
{
	const char *list = find_parameters(method), *at = list;
	struct parameter p;

	if (!list)
		return 0;
	while (next_parameter(&at, &p)) {
		char name[SIGNATURE_NAME_SIZE];

		snprintf(name, sizeof(name), "%.*s", (int)p.name_len, p.name);
		if (!fits(&p, json_object_object_get(parameters, name))) {
			memcpy(ret_bad, name, sizeof(name));
			return -EINVAL;
		}
	}
	json_object_object_foreach (parameters, key, value) {
		(void)value;
		if (!is_described(list, key)) {
			snprintf(ret_bad, SIGNATURE_NAME_SIZE, "%s", key);
			return -EINVAL;
		}
	}
	return 0;
}
