// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Binding happens under a lock on the directory, so that of two agents that
 * start together one wins and the other sees it.
 */
#include "control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static int open_parent(const char *path, int *ret_fd, char **ret_name)
{
	mem_autofree char *for_dir = strdup(path);
	mem_autofree char *for_name = strdup(path);
	char *name;
	int fd;

	if (!for_dir || !for_name)
		return -ENOMEM;
	fd = open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	name = strdup(basename(for_name));
	if (!name) {
		fd_close(fd);
		return -ENOMEM;
	}
	*ret_fd = fd;
	*ret_name = name;
	return 0;
}

/* The path itself where it fits, since tools show it; else by way of the
 * directory's descriptor. */
static int make_address(const struct control_socket *s, const char *path,
	struct sockaddr_un *ret)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const size_t room = sizeof(a.sun_path);
	int n = snprintf(a.sun_path, room, "%s", path);

	if ((size_t)n >= room)
		n = snprintf(a.sun_path, room, "/proc/self/fd/%d/%s", s->dir_fd,
			s->name);
	if ((size_t)n >= room)
		return -ENAMETOOLONG;
	*ret = a;
	return 0;
}

static int new_socket(int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* Removes what a dead agent left behind; somebody's live socket stays. */
static int clear_stale(
	int dir_fd, const char *name, const struct sockaddr_un *address)
{
	fd_auto int probe = -1;
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	r = new_socket(&probe);
	if (r < 0)
		return r;
	/* EAGAIN: it listens and its queue is full. */
	if (connect(probe, (const struct sockaddr *)address,
		    sizeof(*address)) == 0 ||
		errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

static int bind_and_listen(struct control_socket *s, const char *path)
{
	struct sockaddr_un address;
	struct stat st;
	int r = make_address(s, path, &address);

	if (r < 0)
		return r;
	if (flock(s->dir_fd, LOCK_EX) < 0)
		return -errno;
	r = clear_stale(s->dir_fd, s->name, &address);
	if (r < 0)
		return r;
	if (bind(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	/* Who may call is decided by credentials, not by the mode. */
	if (fchmodat(s->dir_fd, s->name, 0666, 0) < 0 ||
		fstatat(s->dir_fd, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		listen(s->fd, SOMAXCONN) < 0)
		return -errno;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	flock(s->dir_fd, LOCK_UN);
	return 0;
}

int control_socket_open(const char *path, struct control_socket *ret)
{
	struct control_socket s = CONTROL_SOCKET_NONE;
	int r = open_parent(path, &s.dir_fd, &s.name);

	if (r == 0)
		r = new_socket(&s.fd);
	if (r == 0)
		r = bind_and_listen(&s, path);
	if (r < 0) {
		control_socket_close(&s);
		return r;
	}
	*ret = s;
	return 0;
}

int control_socket_adopt(int fd, struct control_socket *ret)
{
	int listens = 0, flags;
	socklen_t len = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0)
		return -errno;
	if (!listens)
		return -ENOTSOCK;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	*ret = CONTROL_SOCKET_NONE;
	ret->fd = fd;
	return 0;
}

void control_socket_close(struct control_socket *s)
{
	struct stat st;

	if (s->ino &&
		fstatat(s->dir_fd, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_dev == s->dev && st.st_ino == s->ino)
		unlinkat(s->dir_fd, s->name, 0);
	s->fd = fd_close(s->fd);
	s->dir_fd = fd_close(s->dir_fd);
	free(s->name);
	*s = CONTROL_SOCKET_NONE;
}
