// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/deliver.h"
#include "ctl/verbs.h"
#include "proto/varlink.h"

int remote_quote(struct buf *b, const char *word)
{
	int r = buf_puts(b, "'");

	for (; *word && r == 0; word++)
		r = *word == '\'' ? buf_puts(b, "'\\''") : buf_put(b, word, 1);
	return r == 0 ? buf_puts(b, "'") : r;
}

/* "ullagectl --json VERB ...", each word quoted. */
static int make_command(const struct args *a, struct buf *b)
{
	int r = buf_puts(b, "ullagectl --json");

	if (r == 0 && a->socket) {
		r = buf_puts(b, " --socket ");
		if (r == 0)
			r = remote_quote(b, a->socket);
	}
	for (size_t i = 0; i < a->n_words && r == 0; i++) {
		r = buf_puts(b, " ");
		if (r == 0)
			r = remote_quote(b, a->words[i]);
	}
	return r;
}

static _Noreturn void exec_ssh(const char *host, const char *command, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	execlp("ssh", "ssh", "--", host, command, (char *)NULL);
	fprintf(stderr, "ullagectl: cannot run ssh: %s\n", strerror(errno));
	_exit(127);
}

static int start_ssh(const struct args *a, pid_t *ret_pid, FILE **ret_out)
{
	buf_auto struct buf command = {0};
	int pipes[2];
	int r = make_command(a, &command);

	if (r < 0)
		return r;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	*ret_pid = fork();
	if (*ret_pid == 0)
		exec_ssh(a->host, command.data, pipes[1]);
	r = *ret_pid < 0 ? -errno : 0;
	fd_close(pipes[1]);
	if (r == 0) {
		*ret_out = fdopen(pipes[0], "r");
		if (*ret_out)
			return 0;
		r = -errno;
	}
	fd_close(pipes[0]);
	return r;
}

/* One JSON text from there, as strictly read as an agent's own reply. */
static int take_text(struct delivery *d, const char *text, size_t len)
{
	buf_auto struct buf frame = {0};
	struct varlink_reply reply;
	int r = buf_puts(&frame, "{\"parameters\":");

	if (r == 0)
		r = buf_put(&frame, text, len);
	if (r == 0)
		r = buf_puts(&frame, "}");
	if (r == 0)
		r = varlink_parse_reply(frame.data, frame.len, &reply);
	if (r < 0) {
		print_error("%s did not answer with the JSON of ullagectl",
			d->args->host);
		return EXIT_FAILED;
	}
	r = deliver_reply(d, reply.parameters);
	varlink_reply_fini(&reply);
	return r;
}

/* Every verb's JSON is one line there, since it is no terminal. */
static int take_lines(struct delivery *d, FILE *out, size_t *ret_n)
{
	mem_autofree char *line = NULL;
	size_t cap = 0;
	int code = EXIT_DONE;
	ssize_t len;

	while ((len = getline(&line, &cap, out)) > 0) {
		code = take_text(d, line, (size_t)len);
		++*ret_n;
	}
	return code;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	if (!WIFEXITED(status))
		return EXIT_FAILED;
	/* 255: ssh itself, which has said why. 127: none there. */
	return WEXITSTATUS(status) > EXIT_OVER ? EXIT_FAILED
					       : WEXITSTATUS(status);
}

int remote_ask(struct delivery *d)
{
	size_t n_lines = 0;
	int code, there, r;
	FILE *out;
	pid_t pid = -1;

	if (d->args->host[0] == '-') {
		print_error("\"%s\" is no host", d->args->host);
		return EXIT_USAGE;
	}
	r = start_ssh(d->args, &pid, &out);
	if (r < 0) {
		print_error("cannot start ssh: %s", strerror(-r));
		return EXIT_FAILED;
	}
	code = take_lines(d, out, &n_lines);
	fclose(out);
	there = wait_for(pid);
	if (there != EXIT_DONE)
		return there;
	if (n_lines == 0) {
		print_error("%s did not answer", d->args->host);
		return EXIT_FAILED;
	}
	return code;
}
