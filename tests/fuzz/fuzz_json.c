// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The strict look at JSON before a lenient parser: what it lets pass, json-c
 * reads to the end, with as many members as were counted unless a key came
 * twice, and writes in a form that passes again.
 */
#include "fuzz.h"

#include <errno.h>
#include <limits.h>

#include <json-c/json.h>

#include "proto/jsoncheck.h"
#include "proto/signature.h"

/* One description says which parameters a method takes. */
static void sign(struct json_object *o)
{
	static const char *const methods[] = {"Cleanup", "Why", "Plan",
		"GetStatus", "GetHistory", "SetSilences", "None"};

	if (!json_object_is_type(o, json_type_object))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		char bad[SIGNATURE_NAME_SIZE] = "";
		int r = signature_check(methods[i], o, bad);

		must(r == 0 || r == -EINVAL);
		must(memchr(bad, '\0', sizeof(bad)) != NULL);
	}
}

static void around(struct json_object *o, size_t n_members)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t n_again;

	must(jsoncheck_members(o) <= n_members);
	must(jsoncheck_text(text, strlen(text), &n_again) == 0);
	must(n_again == jsoncheck_members(o));
	sign(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_tokener *t;
	struct json_object *o;
	size_t n_members = 77;
	int r = jsoncheck_text((const char *)data, size, &n_members);

	if (r < 0) {
		must(r == -EBADMSG && n_members == 77);
		return 0;
	}
	t = json_tokener_new();
	must(t && size < INT_MAX);
	json_tokener_set_flags(t, JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, (const char *)data, (int)size);
	/* A number at the end may go on: then the end has to be shown. */
	if (json_tokener_get_error(t) == json_tokener_continue)
		o = json_tokener_parse_ex(t, "", 1);
	must(json_tokener_get_error(t) == json_tokener_success);
	around(o, n_members);
	json_object_put(o);
	json_tokener_free(t);
	return 0;
}
