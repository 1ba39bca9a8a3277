// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The command line, read by the table of verbs. */

#include <stdbool.h>
#include <stddef.h>

struct json_object;
struct verb;

struct args {
	const char *socket; /* NULL: where it usually is */
	const char *host; /* NULL: this one */
	bool is_json, no_color, wants_help, wants_version;
	const struct verb *verb; /* NULL with wants_help or wants_version */
	struct json_object *parameters; /* of the verb's method */
	const char **words; /* verb, words and options, for another host */
	size_t n_words;
};

/* Returns 0, or EXIT_USAGE or EXIT_FAILED when what is wrong has been said.
 * The strings of argv are borrowed. */
int args_parse(int argc, char **argv, struct args *ret);
void args_fini(struct args *a);

/* An option that stands with every verb. */
struct args_option {
	const char *name;
	const char *value; /* NULL: flag */
	const char *summary;
};
extern const struct args_option args_options[];
extern const size_t n_args_options;
