// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/help.h"

#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/print.h"
#include "ctl/verbs.h"

/* "cleanup COMPONENT [--force]" */
static int put_usage(struct buf *b, const struct verb *v)
{
	int r = buf_puts(b, v->name);

	for (size_t i = 0; i < VERB_MAX_WORDS && v->words[i].name && r == 0;
		i++)
		r = buf_printf(b, v->words[i].is_required ? " %s" : " [%s]",
			v->words[i].name);
	for (size_t i = 0; i < VERB_MAX_OPTIONS && v->options[i].name && r == 0;
		i++) {
		const struct verb_input *o = &v->options[i];

		r = buf_printf(b, o->value ? " [--%s %s]" : " [--%s%s]",
			o->name, o->value ? o->value : "");
	}
	return r;
}

static void show_option(const struct print *p, const char *name,
	const char *value, const char *summary)
{
	buf_auto struct buf text = {0};

	if (buf_printf(&text, "--%s%s%s", name, value ? " " : "",
		    value ? value : "") == 0)
		print_text(p, COLOR_NONE, "  %-16s %s\n", text.data, summary);
}

static void show_verb(const struct print *p, const struct verb *v)
{
	buf_auto struct buf usage = {0};

	if (put_usage(&usage, v) < 0)
		return;
	print_text(p, COLOR_TITLE, "ullagectl %s\n", usage.data);
	print_text(p, COLOR_NONE, "%s\n", v->summary);
	for (size_t i = 0; i < VERB_MAX_OPTIONS && v->options[i].name; i++)
		show_option(p, v->options[i].name, v->options[i].value,
			v->options[i].summary);
}

static void show_all(const struct print *p)
{
	print_text(p, COLOR_TITLE,
		"ullagectl [--socket PATH] [--host HOST] [--json] [--no-color] VERB\n");
	print_text(p, COLOR_NONE,
		"Asks the agent of this host, or tells it what to do.\n");
	fputc('\n', p->out);
	for (size_t i = 0; i < n_verbs; i++)
		print_text(p, COLOR_NONE, "  %-14s %s\n", verbs[i].name,
			verbs[i].summary);
	fputc('\n', p->out);
	print_text(p, COLOR_NONE, "With every verb:\n");
	for (size_t i = 0; i < n_args_options; i++)
		show_option(p, args_options[i].name, args_options[i].value,
			args_options[i].summary);
	fputc('\n', p->out);
	print_text(p, COLOR_NONE,
		"Exit status: 0 done, 1 failed, 2 wrong usage, 3 over a limit (check).\n");
}

void help_show(const struct print *p, const struct verb *verb)
{
	if (verb)
		show_verb(p, verb);
	else
		show_all(p);
}
