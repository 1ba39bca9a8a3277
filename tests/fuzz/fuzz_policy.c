// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a policy and as ullage.json. Beyond not crashing: what the
 * scanner accepts json-c accepts, every problem is one printable line with a
 * place, and a configuration that was accepted shows itself in a form that is
 * accepted again and shows the same.
 */
#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_json.h"

static const char *const strategies[] = {
	"time", "size", "lru", "priority", "adaptive", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

/* "f:LINE:COLUMN: /POINTER: TEXT" */
static void check_lines(const struct buf *lines)
{
	static const char refused[] = ": json-c refuses this file";
	static regex_t line_form;
	static bool is_ready;

	if (!is_ready) {
		check(regcomp(&line_form, "^f:[1-9][0-9]*:[1-9][0-9]*: /.*: .",
			      REG_EXTENDED | REG_NOSUB) == 0);
		is_ready = true;
	}
	for (char *line = lines->data, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		check(end != NULL);
		*end = '\0';
		for (const char *c = line; *c; c++)
			check((unsigned char)*c >= 0x20 && *c != 0x7f);
		check(regexec(&line_form, line, 0, NULL, 0) == 0);
		/* at the end: nothing that was read stands there */
		check(strcmp(end - MIN_OF(end - line, (int)strlen(refused)),
			      refused) != 0);
	}
}

static int parse(
	char *text, size_t len, bool is_main, struct config **ret_config)
{
	/* the agent's own user, a default, need not exist where this runs */
	const struct config_env env = {
		.strategies = strategies,
		.is_lenient_user = true,
	};
	struct bundle_file file = {(char *)"f", text, len, is_main};
	const struct bundle bundle = {.files = &file, .n_files = 1};
	buf_auto struct buf errors = {0}, notes = {0};
	int e = config_parse(&bundle, &env, ret_config, &errors, &notes);

	check(e == 0 || e == -EINVAL);
	check((e == 0) == (errors.len == 0));
	check_lines(&errors);
	check_lines(&notes);
	return e;
}

static void show(const struct config *c, bool is_main, struct buf *ret)
{
	check(config_show(c, is_main ? NULL : c->policies[0].component, ret) ==
		0);
}

static void try(const uint8_t *data, size_t size, bool is_main)
{
	buf_auto struct buf text = {0}, first = {0}, second = {0};
	struct config *config = NULL, *again = NULL;

	check(buf_put(&text, data, size) == 0);
	if (parse(text.data, text.len, is_main, &config) < 0)
		return;
	show(config, is_main, &first);
	check(parse(first.data, first.len, is_main, &again) == 0);
	show(again, is_main, &second);
	check(strcmp(first.data, second.data) == 0);
	config_free(config);
	config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!data)
		data = (const uint8_t *)"";
	try(data, size, false);
	try(data, size, true);
	return 0;
}
