// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* The directory of a path, and the name in it. */
static int open_parent(const char *path, const char **ret_name, int *ret_fd)
{
	const char *slash = strrchr(path, '/');
	mem_autofree char *dir = NULL;
	int fd;

	if (!slash || !slash[1])
		return -EINVAL;
	dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_name = slash + 1;
	*ret_fd = fd;
	return 0;
}

int state_file_read(const char *path, size_t max, struct buf *ret)
{
	fd_auto int dir = -1;
	fd_auto int fd = -1;
	struct stat st;
	const char *name;
	int r = open_parent(path, &name, &dir);

	if (r < 0)
		return r;
	fd = openat(dir, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	/* Somebody else's word for what was deleted and when is not taken. */
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
		(st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return buf_read_fd(ret, fd, max);
}

static int write_aside(
	int dir_fd, const char *name, const void *data, size_t len, mode_t mode)
{
	fd_auto int fd = -1;
	int r;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, data, len);
	if (r < 0)
		return r;
	/* A failed fsync is never tried again and trusted: the pages may be
	 * marked clean. The next save writes another file. */
	return fsync(fd) < 0 ? -errno : 0;
}

int state_file_replace(const char *path, const char *text)
{
	return state_file_replace_bytes(path, text, strlen(text), 0640);
}

int state_file_replace_bytes(
	const char *path, const void *data, size_t len, mode_t mode)
{
	mem_autofree char *aside = NULL;
	fd_auto int dir = -1;
	const char *name;
	int r = open_parent(path, &name, &dir);

	if (r < 0)
		return r;
	if (asprintf(&aside, "%s.new", name) < 0) {
		aside = NULL;
		return -ENOMEM;
	}
	r = write_aside(dir, aside, data, len, mode);
	if (r == 0 && renameat(dir, aside, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir, aside, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

char *state_file_set_aside(const char *path, int64_t now_s)
{
	char *aside;

	if (asprintf(&aside, "%s.damaged-%" PRId64, path, now_s) < 0)
		return NULL;
	if (rename(path, aside) == 0)
		return aside;
	free(aside);
	return NULL;
}
