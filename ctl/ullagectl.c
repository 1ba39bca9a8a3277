// SPDX-License-Identifier: GPL-2.0-or-later
#include <locale.h>
#include <stdio.h>

#include "ctl/args.h"
#include "ctl/deliver.h"
#include "ctl/help.h"
#include "ctl/local_agent.h"
#include "ctl/remote.h"
#include "ctl/verbs.h"

static int run(const struct args *args)
{
	struct delivery d = {.args = args};

	print_init(&d.print, !args->no_color);
	if (args->wants_version) {
		print_text(&d.print, COLOR_NONE, "ullagectl %s\n",
			PACKAGE_VERSION);
		return EXIT_DONE;
	}
	if (args->wants_help) {
		help_show(&d.print, args->verb);
		return EXIT_DONE;
	}
	return args->host ? remote_ask(&d) : local_agent_ask(&d);
}

int main(int argc, char **argv)
{
	struct args args;
	int code;

	setlocale(LC_CTYPE, "");
	code = args_parse(argc, argv, &args);
	if (code)
		return code;
	code = run(&args);
	args_fini(&args);
	/* A full disk must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		print_error("cannot write the output");
		return EXIT_FAILED;
	}
	return code;
}
