// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/inuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/fd.h"
#include "base/mem.h"

#ifndef XFS_SUPER_MAGIC /* Linux 5.1 and older */
#	define XFS_SUPER_MAGIC 0x58465342
#endif

int inuse_is_supported(int fd)
{
	static const unsigned long believed[] = {
		EXT4_SUPER_MAGIC, /* ext2 and ext3 too */
		XFS_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC,
		TMPFS_MAGIC,
		F2FS_SUPER_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(believed); i++)
		if ((unsigned long)fs.f_type == believed[i])
			return 0;
	return -EOPNOTSUPP;
}

/* Through /proc and not by name: it must be the very inode that path_fd
 * stands for, whatever its name means by now. Nothing is read, so the access
 * time stays as it is. */
static int open_again(int own_fd, int path_fd)
{
	char name[3 * sizeof(int)];

	snprintf(name, sizeof(name), "%d", path_fd);
	for (;;) {
		int fd =
			openat(own_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno != EINTR)
			return -errno;
	}
}

int inuse_open_own(int *ret_fd)
{
	int fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -EOPNOTSUPP
							   : -errno;
	*ret_fd = fd;
	return 0;
}

int inuse_lease(int own_fd, int path_fd, int *ret_fd)
{
	fd_auto int fd = own_fd < 0 ? -EOPNOTSUPP : open_again(own_fd, path_fd);

	/* Somebody else's lease is an open file; a file being executed is
	 * none for reading. */
	if (fd == -EWOULDBLOCK || fd == -ETXTBSY)
		return X_E_INUSE_BUSY;
	if (fd < 0)
		return fd;
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
		if (errno == EAGAIN)
			return X_E_INUSE_BUSY;
		return errno == EINVAL || errno == ENOSYS ? -EOPNOTSUPP
							  : -errno;
	}
	*ret_fd = fd_take(&fd);
	return 0;
}

int inuse_check(int lease_fd)
{
	return fcntl(lease_fd, F_GETLEASE) == F_WRLCK ? 0 : X_E_INUSE_BUSY;
}

/* One that only some may open, or that nobody needs urgently. */
static int is_locked(int dir_fd, bool is_urgent)
{
	struct beneath_stat st;
	int r = is_urgent ? beneath_stat(dir_fd, "", &st) : 0;

	if (r < 0)
		return r;
	return is_urgent && (st.mode & S_IROTH) ? 0 : X_E_INUSE_BUSY;
}

int inuse_dir_lock(int dir_fd, bool is_urgent)
{
	while (flock(dir_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return is_locked(dir_fd, is_urgent);
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int inuse_dir_locked(int dir_fd, bool is_urgent)
{
	int r = inuse_dir_lock(dir_fd, is_urgent);

	if (r == 0)
		flock(dir_fd, LOCK_UN);
	return r;
}
