// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First what stands with every verb is picked out, wherever it is; then the
 * verb; then its words and options become parameters, as its table says.
 */
#include "ctl/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/path.h"
#include "ctl/print.h"
#include "ctl/suggest.h"
#include "ctl/verbs.h"

const struct args_option args_options[] = {
	{"socket", "PATH", "the agent's control socket"},
	{"host", "HOST", "ask the agent of another host, over ssh"},
	{"json", NULL, "the reply as JSON"},
	{"no-color", NULL, "no colours, as with NO_COLOR in the environment"},
	{"help", NULL, "this, or with a verb what it takes"},
	{"version", NULL, "the version"},
};
const size_t n_args_options = ARRAY_SIZE(args_options);

/* The name in --name or --name=value; *ret_value: after the =, or NULL.
 * NULL if arg is no option. */
static const char *option_name(
	const char *arg, char name[32], const char **ret_value)
{
	const char *equals;
	size_t len;

	if (strncmp(arg, "--", 2) != 0 || !arg[2])
		return NULL;
	equals = strchr(arg, '=');
	len = equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2;
	if (len >= 32)
		len = 31;
	memcpy(name, arg + 2, len);
	name[len] = '\0';
	*ret_value = equals ? equals + 1 : NULL;
	return name;
}

static const struct args_option *find_global(const char *name)
{
	for (size_t i = 0; i < n_args_options; i++)
		if (strcmp(args_options[i].name, name) == 0)
			return &args_options[i];
	return NULL;
}

static void set_global(struct args *a, const char *name, const char *value)
{
	if (strcmp(name, "socket") == 0)
		a->socket = value;
	else if (strcmp(name, "host") == 0)
		a->host = value;
	else if (strcmp(name, "json") == 0)
		a->is_json = true;
	else if (strcmp(name, "no-color") == 0)
		a->no_color = true;
	else if (strcmp(name, "help") == 0)
		a->wants_help = true;
	else
		a->wants_version = true;
}

/* The value of an option: after its =, or the next argument. */
static int take_value(const char *name, bool wants_one, const char **value,
	char **argv, int *at)
{
	if (!wants_one && *value) {
		print_error("--%s takes no value", name);
		return EXIT_USAGE;
	}
	if (!wants_one || *value)
		return 0;
	if (!argv[*at + 1] || strncmp(argv[*at + 1], "--", 2) == 0) {
		print_error("--%s needs a value", name);
		return EXIT_USAGE;
	}
	*value = argv[++*at];
	return 0;
}

/* Leaves in words what is not for every verb. */
static int pick_globals(char **argv, struct args *a)
{
	bool is_over = false;
	char buffer[32];

	for (int i = 1; argv[i]; i++) {
		const struct args_option *o = NULL;
		const char *value = NULL;
		const char *name = NULL;

		if (strcmp(argv[i], "-h") == 0 && !is_over) {
			a->wants_help = true;
			continue;
		}
		if (!is_over)
			name = option_name(argv[i], buffer, &value);
		if (name)
			o = find_global(name);
		if (!o) {
			is_over |= strcmp(argv[i], "--") == 0;
			a->words[a->n_words++] = argv[i];
			continue;
		}
		if (take_value(o->name, o->value != NULL, &value, argv, &i))
			return EXIT_USAGE;
		set_global(a, o->name, value);
	}
	return 0;
}

/* ---- the verb ---- */

/* Whether the verb's name is the first word, or the first two. Returns how
 * many words it took, or 0. */
static size_t match_verb(const struct verb *v, const struct args *a)
{
	const char *space = strchr(v->name, ' ');
	size_t len;

	if (!space)
		return strcmp(v->name, a->words[0]) == 0;
	len = (size_t)(space - v->name);
	if (a->n_words < 2 || strlen(a->words[0]) != len ||
		strncmp(v->name, a->words[0], len) != 0 ||
		strcmp(space + 1, a->words[1]) != 0)
		return 0;
	return 2;
}

static void say_unknown(const struct args *a)
{
	buf_auto struct buf said = {0};
	buf_auto struct buf near = {0};

	if (buf_puts(&said, a->words[0]) < 0)
		return;
	for (size_t i = 0; i < n_verbs; i++) {
		size_t len = strlen(a->words[0]);
		bool is_group = strncmp(verbs[i].name, a->words[0], len) == 0 &&
				verbs[i].name[len] == ' ';

		if ((is_group || suggest_is_near(a->words[0], verbs[i].name)) &&
			buf_printf(&near, "%s%s", near.len ? ", " : "",
				verbs[i].name) < 0)
			return;
	}
	if (near.len)
		print_error("there is no verb \"%s\"; did you mean: %s?",
			said.data, near.data);
	else
		print_error(
			"there is no verb \"%s\"; ullagectl --help lists them",
			said.data);
}

static int find_verb(struct args *a, size_t *ret_used)
{
	for (size_t i = 0; i < n_verbs; i++) {
		size_t used = match_verb(&verbs[i], a);

		if (used) {
			a->verb = &verbs[i];
			*ret_used = used;
			return 0;
		}
	}
	say_unknown(a);
	return EXIT_USAGE;
}

/* ---- its parameters ---- */

static int out_of_memory(void)
{
	print_error("out of memory");
	return EXIT_FAILED;
}

static struct json_object *make_count(const char *name, const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || end == text || n < 1 || n > 1000000) {
		print_error("%s: \"%s\" is no number from 1 to 1000000", name,
			text);
		return NULL;
	}
	return json_object_new_int64(n);
}

static struct json_object *make_path(const struct args *a, const char *text)
{
	mem_autofree char *path = NULL;
	int r;

	if (a->host && text[0] != '/') {
		print_error("with --host a path must be absolute: %s", text);
		return NULL;
	}
	/* The other host makes its own of it. */
	if (a->host)
		return json_object_new_string("");
	r = path_resolve(text, &path);
	if (r < 0) {
		print_error("%s: %s", text, strerror(-r));
		return NULL;
	}
	return json_object_new_string(path);
}

/* COMPONENT.ROOT.NUMBER, as trash list writes it; a file of such a name is
 * meant by ./NAME. */
static bool is_trash_id(const char *text)
{
	const char *number = strrchr(text, '.'), *root = number;

	if (!number || strchr(text, '/'))
		return false;
	while (root > text && strchr("0123456789", root[-1]))
		root--;
	return root < number && root > text + 1 && root[-1] == '.' &&
	       strlen(number + 1) >= 12 &&
	       strspn(number + 1, "0123456789abcdef") == strlen(number + 1);
}

static struct json_object *make_value(
	const struct args *a, const struct verb_input *in, const char *text)
{
	switch (in->kind) {
	case VALUE_FLAG:
		return json_object_new_boolean(true);
	case VALUE_NOT:
		return json_object_new_boolean(false);
	case VALUE_COUNT:
		return make_count(in->name, text);
	case VALUE_PATH_OR_ID:
		if (is_trash_id(text))
			break;
		return make_path(a, text);
	case VALUE_PATH:
		return make_path(a, text);
	case VALUE_TEXT:
		break;
	}
	return json_object_new_string(text);
}

static int set_parameter(
	struct args *a, const struct verb_input *in, const char *text)
{
	struct json_object *value = make_value(a, in, text);

	if (!value)
		return EXIT_USAGE;
	if (json_object_object_add(a->parameters, in->key, value) == 0)
		return 0;
	json_object_put(value);
	return out_of_memory();
}

static const struct verb_input *find_option(
	const struct verb *v, const char *name)
{
	for (size_t i = 0; i < VERB_MAX_OPTIONS && v->options[i].name; i++)
		if (strcmp(v->options[i].name, name) == 0)
			return &v->options[i];
	return NULL;
}

static void say_unknown_option(const struct verb *v, const char *name)
{
	const char *near = NULL;

	for (size_t i = 0; i < VERB_MAX_OPTIONS && v->options[i].name; i++)
		if (suggest_is_near(name, v->options[i].name))
			near = v->options[i].name;
	for (size_t i = 0; i < n_args_options && !near; i++)
		if (suggest_is_near(name, args_options[i].name))
			near = args_options[i].name;
	if (near)
		print_error("%s has no option --%s; did you mean --%s?",
			v->name, name, near);
	else
		print_error("%s has no option --%s; see ullagectl %s --help",
			v->name, name, v->name);
}

static int read_option(
	struct args *a, const char *name, const char *value, size_t *at)
{
	const struct verb_input *in = find_option(a->verb, name);
	int i = (int)*at, r;

	if (!in) {
		say_unknown_option(a->verb, name);
		return EXIT_USAGE;
	}
	r = take_value(
		in->name, in->value != NULL, &value, (char **)a->words, &i);
	*at = (size_t)i;
	return r ? r : set_parameter(a, in, value);
}

static int read_word(struct args *a, size_t n, const char *word)
{
	if (n < VERB_MAX_WORDS && a->verb->words[n].name)
		return set_parameter(a, &a->verb->words[n], word);
	print_error("%s: \"%s\" is too much; see ullagectl %s --help",
		a->verb->name, word, a->verb->name);
	return EXIT_USAGE;
}

static int read_parameters(struct args *a, size_t at)
{
	bool is_over = false;
	size_t n = 0;
	int r = 0;

	for (; at < a->n_words && r == 0; at++) {
		const char *word = a->words[at], *value = NULL, *name;
		char buffer[32];

		name = is_over ? NULL : option_name(word, buffer, &value);
		if (name)
			r = read_option(a, name, value, &at);
		else if (!is_over && strcmp(word, "--") == 0)
			is_over = true;
		else
			r = read_word(a, n++, word);
	}
	if (r == 0 && n < VERB_MAX_WORDS && a->verb->words[n].name &&
		a->verb->words[n].is_required) {
		print_error(
			"%s needs a %s", a->verb->name, a->verb->words[n].name);
		r = EXIT_USAGE;
	}
	return r;
}

static int read_verb(struct args *a)
{
	size_t used;
	int r = find_verb(a, &used);

	if (r || a->wants_help)
		return r;
	a->parameters = json_object_new_object();
	if (!a->parameters)
		return out_of_memory();
	if (a->verb->fixed_key) {
		struct json_object *value =
			json_object_new_boolean(a->verb->fixed_flag);

		if (!value || json_object_object_add(a->parameters,
				      a->verb->fixed_key, value) < 0) {
			json_object_put(value);
			return out_of_memory();
		}
	}
	return read_parameters(a, used);
}

int args_parse(int argc, char **argv, struct args *ret)
{
	struct args a = {0};
	int r = 0;

	/* With a NULL at its end, as argv. */
	a.words = calloc((size_t)argc + 1, sizeof(*a.words));
	if (!a.words)
		return out_of_memory();
	r = pick_globals(argv, &a);
	if (r == 0 && a.n_words && strcmp(a.words[0], "help") == 0) {
		a.wants_help = true;
		memmove(a.words, a.words + 1, a.n_words * sizeof(*a.words));
		a.n_words--;
	}
	if (r == 0 && a.n_words)
		r = read_verb(&a);
	else if (r == 0 && !a.wants_help && !a.wants_version) {
		print_error("which verb? ullagectl --help lists them");
		r = EXIT_USAGE;
	}
	if (r) {
		args_fini(&a);
		return r;
	}
	*ret = a;
	return 0;
}

void args_fini(struct args *a)
{
	json_object_put(a->parameters);
	free(a->words);
	*a = (struct args){0};
}
