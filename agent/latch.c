// SPDX-License-Identifier: GPL-2.0-or-later
#include "latch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static char *spare_of(const char *path)
{
	char *spare;

	return asprintf(&spare, "%s.spare", path) < 0 ? NULL : spare;
}

static int make_file(const char *path)
{
	fd_auto int fd =
		open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

void latch_prepare(const char *path)
{
	mem_autofree char *spare = spare_of(path);

	if (spare)
		(void)make_file(spare);
}

/* Where no file can be made any more, one that was made before gets the
 * name. */
static int set(const char *path)
{
	mem_autofree char *spare = spare_of(path);
	int r = make_file(path);

	if ((r == -ENOSPC || r == -EDQUOT) && spare)
		return rename(spare, path) < 0 ? r : 0;
	return r;
}

/* It is the spare one again: a full disk has no room for another. */
static int lift(const char *path)
{
	mem_autofree char *spare = spare_of(path);

	if (spare && rename(path, spare) == 0)
		return 0;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int latch_set(const char *path, bool is_on)
{
	int r = is_on ? set(path) : lift(path);

	return r < 0 ? r : sync_parent(path);
}
