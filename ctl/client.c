// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "proto/varlink.h"

#define SOCKET_NAME VARLINK_INTERFACE

static char *join(const char *dir, const char *rest)
{
	struct buf b = {0};

	if (buf_printf(&b, "%s/%s", dir, rest) < 0)
		return NULL;
	return b.data;
}

/* As an agent of an ordinary user finds it. */
static const char *home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	if (dir && dir[0] == '/')
		return dir;
	pw = getpwuid(geteuid());
	return pw ? pw->pw_dir : NULL;
}

char *client_default_path(void)
{
	const char *from_env = getenv("ULLAGE_SOCKET");
	const struct {
		const char *dir, *rest;
	} of_user[] = {
		{getenv("XDG_RUNTIME_DIR"), "ullage/" SOCKET_NAME},
		{home(), ".local/state/ullage/" SOCKET_NAME},
	};
	char *of_system;

	if (from_env && *from_env)
		return strdup(from_env);
	of_system = join(ULLAGE_RUNDIR, SOCKET_NAME);
	if (!of_system || access(of_system, F_OK) == 0)
		return of_system;
	for (size_t i = 0; i < ARRAY_SIZE(of_user); i++) {
		mem_autofree char *path = NULL;

		if (!of_user[i].dir || of_user[i].dir[0] != '/')
			continue;
		path = join(of_user[i].dir, of_user[i].rest);
		if (!path || access(path, F_OK) != 0)
			continue;
		free(of_system);
		return mem_take(path);
	}
	return of_system;
}

/* By way of the directory's descriptor, where the path itself is too long. */
static int shorten(const char *path, struct sockaddr_un *a, int *ret_dir)
{
	mem_autofree char *for_dir = strdup(path);
	mem_autofree char *for_name = strdup(path);
	fd_auto int dir = -1;

	if (!for_dir || !for_name)
		return -ENOMEM;
	dir = open(dirname(for_dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if ((size_t)snprintf(a->sun_path, sizeof(a->sun_path),
		    "/proc/self/fd/%d/%s", dir,
		    basename(for_name)) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	*ret_dir = fd_take(&dir);
	return 0;
}

int client_open(const char *path, struct client *ret)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	fd_auto int dir = -1;
	fd_auto int fd = -1;
	int r;

	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path) >=
		sizeof(a.sun_path)) {
		r = shorten(path, &a, &dir);
		if (r < 0)
			return r;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	*ret = (struct client){.fd = fd_take(&fd)};
	return 0;
}

void client_close(struct client *c)
{
	c->fd = fd_close(c->fd);
	buf_fini(&c->in);
}

int client_call(struct client *c, const char *method,
	struct json_object *parameters, bool is_more)
{
	buf_auto struct buf name = {0};
	buf_auto struct buf frame = {0};
	size_t sent = 0;
	int r = buf_printf(&name, "%s.%s", VARLINK_INTERFACE, method);

	if (r == 0)
		r = varlink_put_call(&frame, name.data, parameters, is_more);
	while (r == 0 && sent < frame.len) {
		ssize_t n = send(c->fd, frame.data + sent, frame.len - sent,
			MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EPIPE)
			/* It may have said why before it hung up. */
			break;
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}

/* Takes a whole frame off the input. Returns 1, 0 if there is none yet, or
 * an error. */
static int take_frame(struct client *c, struct varlink_reply *ret)
{
	char *nul = c->in.len ? memchr(c->in.data, '\0', c->in.len) : NULL;
	size_t len;
	int r;

	if (!nul)
		return c->in.len > VARLINK_MAX_FRAME ? -EBADMSG : 0;
	len = (size_t)(nul - c->in.data);
	r = varlink_parse_reply(c->in.data, len, ret);
	memmove(c->in.data, nul + 1, c->in.len - len - 1);
	c->in.len -= len + 1;
	return r < 0 ? r : 1;
}

int client_next(struct client *c, int timeout_ms, struct varlink_reply *ret)
{
	char piece[16384];

	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int r = take_frame(c, ret);
		ssize_t n;

		if (r != 0)
			return r < 0 ? r : 0;
		r = poll(&p, 1, timeout_ms);
		if (r == 0)
			return -ETIMEDOUT;
		n = r < 0 ? r : recv(c->fd, piece, sizeof(piece), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ECONNRESET ? -ENODATA : -errno;
		if (n == 0)
			return -ENODATA;
		r = buf_put(&c->in, piece, (size_t)n);
		if (r < 0)
			return r;
	}
}
