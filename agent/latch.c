// SPDX-License-Identifier: GPL-2.0-or-later
#include "latch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

bool latch_is_set(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

/* The name is on the disk once its directory is. */
static int sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	mem_autofree char *dir =
		slash ? strndup(path, MAX_OF((size_t)(slash - path), 1u))
		      : strdup(".");
	fd_auto int fd = -1;

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int latch_set(const char *path, bool is_on)
{
	fd_auto int fd = -1;

	if (!is_on) {
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
		return sync_parent(path);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return sync_parent(path);
}
