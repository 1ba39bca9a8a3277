// SPDX-License-Identifier: GPL-2.0-or-later
/* Options and exit codes; the rest is warden.c. */
#include <bsd/unistd.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "warden.h"
#include "warden_hooks.h"

#define MAX_POLICY_DIRS 16
#define EXIT_USAGE	2

static const char usage[] =
	"Usage: ullaged [--config FILE] [--policies DIR]... [--root DIR]\n"
	"               [--state FILE] [--socket PATH] [--check]\n"
	"Keeps the disks of this host from filling, by the policies it is given.\n"
	"\n"
	"  --config FILE    instead of " ULLAGE_SYSCONFDIR "/ullage.json\n"
	"  --policies DIR   instead of the usual directories; the first given\n"
	"                   has precedence\n"
	"  --root DIR       base of DIR/TYPE/COMPONENT\n"
	"  --state FILE     where history and metrics are kept\n"
	"  --socket PATH    control socket\n"
	"  --check          read everything, say what is wrong, and end\n"
	"  --prepare        make missing base directories, and end\n"
	"  --unit UNIT      print what a unit needs beside it for these\n"
	"                   policies, as a drop-in, and end\n"
	"  --hooks          run a round of hooks that is asked for over\n"
	"                   standard input (ullage-hooks@.service)\n"
	"  --help, --version\n"
	"\n"
	"ullaged(8), ullage-policy(5), ullage.json(5)\n";

enum {
	OPT_CONFIG = 256,
	OPT_POLICIES,
	OPT_ROOT,
	OPT_STATE,
	OPT_SOCKET,
	OPT_CHECK,
	OPT_PREPARE,
	OPT_UNIT,
	OPT_HOOKS,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"policies", required_argument, NULL, OPT_POLICIES},
	{"root", required_argument, NULL, OPT_ROOT},
	{"state", required_argument, NULL, OPT_STATE},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"check", no_argument, NULL, OPT_CHECK},
	{"prepare", no_argument, NULL, OPT_PREPARE},
	{"unit", required_argument, NULL, OPT_UNIT},
	{"hooks", no_argument, NULL, OPT_HOOKS},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

struct arguments {
	struct warden_options options;
	const char *dirs[MAX_POLICY_DIRS + 1];
	size_t n_dirs;
	const char *unit;
	int task; /* OPT_CHECK and the like; 0: to run */
};

/* The daemon's paths mean the same wherever it stands. */
static const char *absolute(const char *path)
{
	char *cwd, *joined;

	if (path[0] == '/')
		return path;
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&joined, "%s/%s", cwd, path) < 0) {
		perror("ullaged");
		exit(EXIT_FAILURE);
	}
	free(cwd);
	return joined;
}

static int add_dir(struct arguments *a, const char *dir)
{
	if (a->n_dirs == MAX_POLICY_DIRS) {
		fprintf(stderr, "ullaged: more than %d --policies\n",
			MAX_POLICY_DIRS);
		return EXIT_USAGE;
	}
	a->dirs[a->n_dirs++] = absolute(dir);
	a->options.policy_dirs = a->dirs;
	return -1;
}

/* Returns -1 to go on, or the exit status. */
static int take_option(struct arguments *a, int option)
{
	switch (option) {
	case OPT_CONFIG:
		a->options.config_file = absolute(optarg);
		return -1;
	case OPT_POLICIES:
		return add_dir(a, optarg);
	case OPT_ROOT:
		a->options.root = absolute(optarg);
		return -1;
	case OPT_STATE:
		a->options.state_file = absolute(optarg);
		return -1;
	case OPT_SOCKET:
		a->options.socket_path = absolute(optarg);
		return -1;
	case OPT_UNIT:
		a->unit = optarg;
		a->task = option;
		return -1;
	case OPT_CHECK:
	case OPT_PREPARE:
	case OPT_HOOKS:
		a->task = option;
		return -1;
	case OPT_HELP:
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	case OPT_VERSION:
		puts("ullaged " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	default:
		return EXIT_USAGE;
	}
}

/* getopt would print whatever it was given. */
static int bad_option(const char *text, int option)
{
	buf_auto struct buf clean = {0};

	if (escape_line(&clean, text, strlen(text)) == 0)
		fprintf(stderr, "ullaged: %s: %s\nTry: ullaged --help\n",
			clean.data,
			option == ':' ? "needs a value" : "no such option");
	return EXIT_USAGE;
}

static int do_task(const struct arguments *a)
{
	switch (a->task) {
	case OPT_CHECK:
		return warden_check(&a->options);
	case OPT_PREPARE:
		return warden_prepare(&a->options);
	case OPT_UNIT:
		return warden_unit(&a->options, a->unit);
	case OPT_HOOKS:
		return warden_hooks_serve(STDIN_FILENO);
	default:
		return warden_run(&a->options);
	}
}

int main(int argc, char **argv, char **envp)
{
	static struct arguments a = {.options.version = PACKAGE_VERSION};
	int option;

	setproctitle_init(argc, argv, envp);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) !=
		-1) {
		int status = option == '?' || option == ':'
				     ? bad_option(argv[optind - 1], option)
				     : take_option(&a, option);

		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return bad_option(argv[optind], '?');
	log_open("ullaged", LOG_TARGET_AUTO, LOG_INFO);
	return do_task(&a);
}
