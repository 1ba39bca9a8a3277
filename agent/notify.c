// SPDX-License-Identifier: GPL-2.0-or-later
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"

#define STATUS_MAX 240

int notify_open(struct notify *ret)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;
	fd_auto int fd = -1;

	ret->fd = -1;
	if (len == 0)
		return 0;
	if (name[0] != '/' && name[0] != '@')
		return -EAFNOSUPPORT;
	if (len >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	unsetenv("NOTIFY_SOCKET");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
		0)
		return -errno;
	ret->fd = fd_take(&fd);
	return 0;
}

void notify_close(struct notify *n)
{
	fd_closep(&n->fd);
}

void notify_send(const struct notify *n, const char *assignments)
{
	if (n->fd >= 0)
		(void)send(n->fd, assignments, strlen(assignments),
			MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_status(const struct notify *n, const char *text)
{
	char line[STATUS_MAX + sizeof("STATUS=")] = "STATUS=";
	size_t at = strlen(line);

	for (size_t i = 0; i < STATUS_MAX && (unsigned char)text[i] >= ' '; i++)
		line[at++] = text[i];
	line[at] = '\0';
	notify_send(n, line);
}
