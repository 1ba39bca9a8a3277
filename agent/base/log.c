// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"

/* A datagram that the default socket buffer takes several of. */
#define MAX_DATAGRAM   (48 * 1024)
#define MAX_TEXT       (16 * 1024)
#define MAX_FIELD      (8 * 1024)

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static struct {
	char identifier[32];
	enum log_target target;
	int max_priority;
	int journal_fd;
	struct sockaddr_un journal;
	bool is_plain; /* stderr is a terminal */
	bool can_nowait; /* stderr is a pipe or a socket */
	void (*fn)(void *ctx, enum message id, const char *text,
		const struct log_field *fields);
	void *ctx;
	atomic_uint_fast64_t n_dropped;
} state = {
	.identifier = "ullage",
	.target = LOG_TARGET_STDERR,
	.max_priority = LOG_INFO,
	.journal_fd = -1,
	.journal = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET},
};

const struct message_info message_infos[N_MESSAGES] = {
#define MESSAGE(id, priority, uuid, subject, text) \
	[MSG_##id] = {#id, priority, uuid, subject, text},
#include "base/messages.tbl"
#undef MESSAGE
};

/* systemd sets JOURNAL_STREAM to "device:inode" of the stderr it gives us;
 * a child whose stderr was redirected inherits the variable all the same. */
static bool is_stderr_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char self[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(self, sizeof(self), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	return strcmp(stream, self) == 0;
}

static void look_at_stderr(void)
{
	struct stat st;

	state.is_plain = isatty(STDERR_FILENO);
	state.can_nowait = fstat(STDERR_FILENO, &st) == 0 &&
			   (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

void log_open(const char *identifier, enum log_target target, int max_priority)
{
	log_close();
	snprintf(state.identifier, sizeof(state.identifier), "%s", identifier);
	state.max_priority = max_priority;
	if (target == LOG_TARGET_AUTO)
		target = is_stderr_journal() ? LOG_TARGET_JOURNAL
					     : LOG_TARGET_STDERR;
	if (target == LOG_TARGET_JOURNAL) {
		state.journal_fd = socket(
			AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (state.journal_fd < 0)
			target = LOG_TARGET_STDERR;
	}
	look_at_stderr();
	state.target = target;
}

void log_close(void)
{
	state.journal_fd = fd_close(state.journal_fd);
	state.target = LOG_TARGET_STDERR;
}

void log_set_callback(void (*fn)(void *ctx, enum message id, const char *text,
			      const struct log_field *fields),
	void *ctx)
{
	state.fn = fn;
	state.ctx = ctx;
	state.target = fn ? LOG_TARGET_CALLBACK : LOG_TARGET_STDERR;
}

int log_set_journal(const char *path)
{
	if (strlen(path) >= sizeof(state.journal.sun_path))
		return -ENAMETOOLONG;
	strcpy(state.journal.sun_path, path);
	return 0;
}

uint64_t log_dropped(void)
{
	return atomic_load(&state.n_dropped);
}

static void drop(void)
{
	atomic_fetch_add(&state.n_dropped, 1);
}

/* journald ignores a name that is not [A-Z0-9_]+ or starts with "_"; a name
 * with "=" or a newline in it would be a field of its own. */
static bool is_field_name(const char *name)
{
	return *name && *name != '_' &&
	       !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")];
}

/* NAME=value, or with the length in front if a newline is in the value. */
static int put_field(
	struct buf *b, const char *name, const char *value, size_t max)
{
	size_t len = strnlen(value, max);
	uint64_t size = htole64(len);
	int r;

	/* The name, "=" or newline, the size, and the newline at the end. */
	if (b->len + strlen(name) + len + 10 > MAX_DATAGRAM)
		return 0;
	r = buf_puts(b, name);
	if (r == 0 && !memchr(value, '\n', len))
		r = buf_put(b, "=", 1);
	else if (r == 0) {
		r = buf_put(b, "\n", 1);
		if (r == 0)
			r = buf_put(b, &size, sizeof(size));
	}
	if (r == 0)
		r = buf_put(b, value, len);
	return r < 0 ? r : buf_put(b, "\n", 1);
}

static int fill_datagram(struct buf *b, enum message id, int priority,
	const char *text, const struct log_field *fields)
{
	char digit[2] = {(char)('0' + priority), '\0'};
	int r = put_field(b, "MESSAGE", text, MAX_TEXT);

	if (r == 0)
		r = put_field(b, "PRIORITY", digit, 1);
	if (r == 0)
		r = put_field(
			b, "SYSLOG_IDENTIFIER", state.identifier, MAX_FIELD);
	if (r == 0 && id < N_MESSAGES)
		r = put_field(b, "MESSAGE_ID", message_infos[id].uuid, 32);
	for (; r == 0 && fields && fields->name; fields++)
		if (is_field_name(fields->name) && fields->value)
			r = put_field(
				b, fields->name, fields->value, MAX_FIELD);
	return r;
}

static void send_journal(enum message id, int priority, const char *text,
	const struct log_field *fields)
{
	buf_auto struct buf b = {0};
	ssize_t n = -1;

	if (fill_datagram(&b, id, priority, text, fields) == 0)
		n = sendto(state.journal_fd, b.data, b.len, MSG_NOSIGNAL,
			(const struct sockaddr *)&state.journal,
			sizeof(state.journal));
	if (n < 0)
		drop();
}

/* Pipes and sockets may fill up between poll and write when several
 * processes share them: RWF_NOWAIT closes that gap where the kernel has it. */
static ssize_t write_now(const char *line, size_t len)
{
	struct iovec iov = {.iov_base = (void *)line, .iov_len = len};
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	ssize_t n = -1;

	if (poll(&ready, 1, 0) != 1 || ready.revents != POLLOUT)
		return -1;
	errno = EOPNOTSUPP;
	if (state.can_nowait)
		n = pwritev2(STDERR_FILENO, &iov, 1, -1, RWF_NOWAIT);
	if (n < 0 && errno == EOPNOTSUPP)
		n = write(STDERR_FILENO, line, len);
	return n;
}

static void send_stderr(int priority, const char *text)
{
	/* A write of this size into a pipe is whole or not at all. */
	char line[PIPE_BUF];
	int len;

	if (state.is_plain)
		len = snprintf(
			line, sizeof(line), "%s: %s", state.identifier, text);
	else
		len = snprintf(line, sizeof(line), "<%d>%s", priority, text);
	len = MIN_OF(len, (int)sizeof(line) - 1);
	line[len++] = '\n';
	if (write_now(line, (size_t)len) != len)
		drop();
}

static void emit(enum message id, int priority, const char *text,
	const struct log_field *fields)
{
	switch (state.target) {
	case LOG_TARGET_CALLBACK:
		state.fn(state.ctx, id, text, fields);
		break;
	case LOG_TARGET_JOURNAL:
		send_journal(id, priority, text, fields);
		break;
	default:
		send_stderr(priority, text);
	}
}

mem_printf(4, 0) static void format(enum message id, int priority,
	const struct log_field *fields, const char *fmt, va_list ap)
{
	buf_auto struct buf raw = {0}, line = {0};
	int saved = errno;

	if (state.target != LOG_TARGET_CALLBACK &&
		priority > state.max_priority)
		return;
	if (buf_vprintf(&raw, fmt, ap) < 0 ||
		escape_line(&line, raw.data, raw.len) < 0)
		drop();
	else
		emit(id, priority, line.data, fields);
	errno = saved;
}

void log_event(
	enum message id, const struct log_field *fields, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format(id, message_infos[id].priority, fields, fmt, ap);
	va_end(ap);
}

void log_note(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format(N_MESSAGES, priority, NULL, fmt, ap);
	va_end(ap);
}
