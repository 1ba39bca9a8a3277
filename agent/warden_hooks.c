// SPDX-License-Identifier: GPL-2.0-or-later
#include "warden_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/hook.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "privs.h"
#include "warden_child.h"

#define ENV_MAX_BYTES 65536
#define ENV_MAX_LINES 256
#define REPORT_MAX    (4 << 20)

/* The lines of a request: what hooks get, and which of them are asked. */
struct request {
	struct buf text;
	char *env[ENV_MAX_LINES + 1];
	size_t n_env;
	char *only[ENV_MAX_LINES]; /* none: all of them */
	size_t n_only;
};

static int parse_line(struct request *q, char *line)
{
	if (line[0] == '@') {
		if (q->n_only == ENV_MAX_LINES)
			return -E2BIG;
		q->only[q->n_only++] = line + 1;
	} else if (line[0]) {
		if (q->n_env == ENV_MAX_LINES)
			return -E2BIG;
		q->env[q->n_env++] = line;
	}
	return 0;
}

static int read_request(int fd, struct request *q)
{
	char *rest, *line;
	int r = buf_read_fd(&q->text, fd, ENV_MAX_BYTES);

	rest = q->text.data;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = parse_line(q, line);
	return r;
}

static bool is_asked(const struct request *q, const char *name)
{
	for (size_t i = 0; i < q->n_only; i++)
		if (strcmp(q->only[i], name) == 0)
			return true;
	return q->n_only == 0;
}

/* Only root can become somebody else. */
static const char *hook_user(const struct config *c)
{
	return geteuid() == 0 ? c->hook_user : NULL;
}

static int put_status(struct buf *report, int status)
{
	if (status == -ETIME)
		return buf_puts(report, "deadline");
	if (status < 0)
		return buf_puts(report, "error");
	if (WIFSIGNALED(status))
		return buf_printf(report, "signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return buf_printf(report, "exit %d", WEXITSTATUS(status));
	return buf_puts(report, "ok");
}

/* NAME <tab> STATUS <tab> OUTPUT, on one line whatever they contain. */
static int put_line(struct buf *report, const char *name, int status,
	const struct buf *output)
{
	size_t len = output->len;
	int r = escape_name(report, name, strlen(name));

	while (len && output->data[len - 1] == '\n')
		len--;
	if (r == 0)
		r = buf_puts(report, "\t");
	if (r == 0)
		r = put_status(report, status);
	if (r == 0)
		r = buf_puts(report, "\t");
	if (r == 0 && status < 0 && status != -ETIME)
		r = buf_printf(report, "%s ", strerror(-status));
	if (r == 0 && len)
		r = escape_name(report, output->data, len);
	return r < 0 ? r : buf_puts(report, "\n");
}

struct supervisor {
	const struct warden_hooks_order *order;
	int report_fd;
};

/* Returns how many failed. */
static int run_all(const struct warden_hooks_order *order, struct request *q,
	const struct buf *names, struct buf *report)
{
	const char *at = names->data, *end = at + names->len;
	int n_failed = 0;

	for (; at < end; at += strlen(at) + 1) {
		buf_auto struct buf output = {0};
		const struct hook_order hook = {
			.dir = order->config->hooks_dir,
			.name = at,
			.user = hook_user(order->config),
			.env = q->env,
			.payload_fd = order->payload_fd,
			.deadline_s = order->config->hook_deadline_s,
		};
		int status;

		if (!is_asked(q, at))
			continue;
		status = hook_run(&hook, &output);
		n_failed += status != 0;
		(void)put_line(report, at, status, &output);
		if (status == -ECANCELED)
			break;
	}
	return n_failed;
}

/* Lines of hook_list, name and why, become lines of the report. */
static void put_refused(struct buf *report, struct buf *refused)
{
	char *rest = refused->data, *why;

	while (rest && (why = strsep(&rest, "\n"))) {
		const char *name = strsep(&why, "\t");

		if (why)
			(void)buf_printf(
				report, "%s\trefused\t%s\n", name, why);
	}
}

/* Said once and plainly, not by every hook. */
static int check_user(const struct config *c, struct buf *report)
{
	const char *user = hook_user(c);
	struct account found;
	int r = user ? privs_find_user(user, &found) : 0;

	if (r < 0)
		(void)buf_printf(report,
			"%s\terror\thooks run as the user %s: %s\n",
			c->hooks_dir, user,
			r == -ENOENT ? "there is none" : strerror(-r));
	return r == -ENOENT ? -ESRCH : r;
}

/* Lists and runs them. Returns how many failed, or -errno. */
static int run_round(const struct warden_hooks_order *order, struct request *q,
	struct buf *report)
{
	buf_auto struct buf names = {0}, refused = {0};
	const struct config *c = order->config;
	int n = hook_list(c->hooks_dir, &names, &refused);
	int r = n > 0 ? check_user(c, report) : 0;

	put_refused(report, &refused);
	if (n <= 0 || r < 0)
		return n == -ENOENT || n == 0 ? 0 : MIN_OF(n, r);
	return run_all(order, q, &names, report);
}

/* Returns how many failed; whatever went wrong is in the report. */
static int run_here(const struct warden_hooks_order *order, struct buf *report)
{
	struct request q = {0};
	int r = geteuid() == 0 ? privs_drop(NULL, PRIVS_HOOKS) : 0;

	if (r == 0)
		r = read_request(order->env_fd, &q);
	if (r == 0)
		r = run_round(order, &q, report);
	if (r < 0 && report->len == 0)
		(void)buf_printf(report, "%s\terror\t%s\n",
			order->config->hooks_dir, strerror(-r));
	buf_fini(&q.text);
	return r < 0 ? 1 : r;
}

/* ---- the hooks' own unit ---- */

struct errand { /* with payload and environment as descriptors */
	int64_t deadline_s;
	char dir[PATH_MAX];
};
struct errand_result { /* with the report as a descriptor */
	int32_t n_failed;
};

/* More than all hooks together may take: whoever runs them there is of the
 * same user as they are, and could be stopped by one. */
static int set_patience(int sock, const struct config *c)
{
	buf_auto struct buf names = {0}, refused = {0};
	int n = MAX_OF(hook_list(c->hooks_dir, &names, &refused), 0) + 1;
	const struct timeval most = {.tv_sec = n * (c->hook_deadline_s + 10)};

	return setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)) <
			       0
		       ? -errno
		       : 0;
}

/* It says what its writer likes, and will be logged. */
static void make_harmless(struct buf *report)
{
	for (size_t i = 0; i < report->len; i++) {
		unsigned char c = (unsigned char)report->data[i];

		if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
			report->data[i] = '?';
	}
}

static int open_unit(const char *path, int *ret_fd)
{
	fd_auto int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	*ret_fd = fd_take(&fd);
	return 0;
}

static int ask_unit(const struct warden_hooks_order *order, const char *path,
	struct buf *report)
{
	struct errand errand = {.deadline_s = order->config->hook_deadline_s};
	const int fds[] = {order->payload_fd, order->env_fd};
	int back[FD_MAX_PASSED] = {-1, -1, -1, -1};
	struct errand_result result;
	fd_auto int sock = -1, report_fd = -1;
	ssize_t n;
	int r = open_unit(path, &sock);

	if (r == 0)
		r = set_patience(sock, order->config);
	snprintf(
		errand.dir, sizeof(errand.dir), "%s", order->config->hooks_dir);
	if (r == 0)
		r = fd_send(
			sock, &errand, sizeof(errand), fds, ARRAY_SIZE(fds));
	if (r < 0)
		return r;
	n = fd_recv(sock, &result, sizeof(result), back);
	report_fd = back[0];
	if (n != (ssize_t)sizeof(result) || report_fd < 0)
		return n < 0 ? (int)n : -ECONNRESET;
	/* Only memory can be sealed: reading cannot hold us up. */
	if (!(MAX_OF(fcntl(report_fd, F_GET_SEALS), 0) & F_SEAL_WRITE))
		return -EBADMSG;
	if (lseek(report_fd, 0, SEEK_SET) < 0)
		return -errno;
	r = buf_read_fd(report, report_fd, REPORT_MAX);
	make_harmless(report);
	return r < 0 ? r : MAX_OF(result.n_failed, 0);
}

static int run_there(const struct warden_hooks_order *order, const char *path,
	struct buf *report)
{
	int r = ask_unit(order, path, report);

	if (r >= 0)
		return r;
	buf_reset(report);
	(void)buf_printf(report, "%s\terror\tullage-hooks.socket: %s\n", path,
		strerror(-r));
	return 1;
}

static int run_supervisor(void *ctx)
{
	const struct supervisor *s = ctx;
	const char *unit = getenv(WARDEN_HOOKS_ENV);
	buf_auto struct buf report = {0};
	int r = unit ? run_there(s->order, unit, &report)
		     : run_here(s->order, &report);

	if (fd_write_full(s->report_fd, report.data, report.len) < 0)
		r = MAX_OF(r, 1);
	return MIN_OF(r, WARDEN_HOOKS_MAX_FAILED);
}

static int take_errand(int sock, struct errand *ret, int fds[FD_MAX_PASSED])
{
	ssize_t n = fd_recv(sock, ret, sizeof(*ret), fds);

	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(*ret) || fds[0] < 0 || fds[1] < 0 ||
		!memchr(ret->dir, '\0', sizeof(ret->dir)))
		return -EBADMSG;
	return 0;
}

int warden_hooks_serve(int sock)
{
	int fds[FD_MAX_PASSED] = {-1, -1, -1, -1};
	buf_auto struct buf report = {0};
	struct errand_result result;
	fd_auto int report_fd = -1;
	struct errand errand;
	int r = take_errand(sock, &errand, fds);

	if (r == 0) {
		struct config c = {.hooks_dir = errand.dir,
			.hook_deadline_s = errand.deadline_s};
		const struct warden_hooks_order order = {
			.config = &c, .payload_fd = fds[0], .env_fd = fds[1]};

		result.n_failed = run_here(&order, &report);
		r = fd_memfile("report", report.data, report.len, &report_fd);
	}
	if (r == 0)
		r = fd_send(sock, &result, sizeof(result), &report_fd, 1);
	for (size_t i = 0; i < FD_MAX_PASSED; i++)
		fd_close(fds[i]);
	if (r < 0)
		log_note(LOG_ERR, "hooks: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int warden_hooks_start(const struct warden_hooks_order *order, pid_t *ret_pid,
	int *ret_report_fd)
{
	fd_auto int fd = memfd_create("hook report", MFD_CLOEXEC);
	const int keep[] = {order->payload_fd, order->env_fd, fd};
	struct supervisor s = {.order = order, .report_fd = fd};
	const struct warden_child_order child = {.title = "hooks",
		/* Not the sharpest one: it has descendants to end. */
		.death_signal = SIGTERM,
		.keep = keep,
		.n_keep = ARRAY_SIZE(keep),
		.run = run_supervisor,
		.ctx = &s};
	int r;

	if (fd < 0)
		return -errno;
	r = warden_child_start(&child, ret_pid);
	if (r == 0)
		*ret_report_fd = fd_take(&fd);
	return r;
}
