// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"

#define WITHOUT_LINKS (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define WITHIN_ROOT   (WITHOUT_LINKS | RESOLVE_BENEATH | RESOLVE_NO_XDEV)

/* The kernel gives up with EAGAIN when a rename or mount anywhere races with
 * its walk; it says to try again. */
#define MAX_TRIES 64

static bool is_stepwise_allowed;

void beneath_allow_stepwise(bool is_allowed)
{
	is_stepwise_allowed = is_allowed;
}

static int mount_of(int fd, uint64_t *ret)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID,
		    &sx) < 0)
		return -errno;
	*ret = sx.stx_mask & STATX_MNT_ID ? sx.stx_mnt_id : 0;
	return 0;
}

/* One component, by O_PATH: that waits for nobody, whatever is mounted. flags:
 * O_DIRECTORY; O_NOFOLLOW if a link in its place is no link on the way. */
static int step(int *at, const char *name, int flags, uint64_t mount)
{
	int fd = openat(*at, name,
		O_PATH | O_NOFOLLOW | O_CLOEXEC | (flags & O_DIRECTORY));
	struct stat st;
	uint64_t now = mount;
	int r = 0;

	if (fd < 0) {
		r = -errno;
		if (r == -ENOTDIR && !(flags & O_NOFOLLOW) &&
			fstatat(*at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			(S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)))
			r = -ELOOP; /* a directory: it was a link just now */
		return r;
	}
	if (mount)
		r = mount_of(fd, &now);
	if (r == 0 && now != mount)
		r = -EXDEV;
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	fd_close(*at);
	*at = fd;
	return 0;
}

/*
 * What openat2 does, in steps: no link is followed and no ".." asked for, so
 * no step leads up. What it lacks is that the kernel itself would refuse.
 */
static int open_stepwise(
	int dir_fd, const char *path, int flags, uint64_t resolve)
{
	fd_auto int at =
		path[0] == '/'
			? openat(AT_FDCWD, "/",
				  O_PATH | O_DIRECTORY | O_CLOEXEC)
			: openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t mount = 0;
	int r = at < 0 ? -errno : 0;

	if (r == 0 && (resolve & RESOLVE_NO_XDEV))
		r = mount_of(at, &mount);
	while (r == 0 && *(path += strspn(path, "/"))) {
		char name[NAME_MAX + 1];
		size_t len = strcspn(path, "/");

		if (len >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		r = step(&at, name, *path ? O_DIRECTORY : flags, mount);
	}
	if (r == 0 && !(flags & O_PATH)) {
		int fd = openat(at, ".", flags | O_CLOEXEC);

		return fd < 0 ? -errno : fd;
	}
	return r < 0 ? r : fd_take(&at);
}

/* glibc has no openat2 (2.36 and older). */
static int open_how(int dir_fd, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = resolve,
	};

	for (int i = 0; i < MAX_TRIES; i++) {
		long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (is_stepwise_allowed && (errno == ENOSYS || errno == EPERM))
			return open_stepwise(dir_fd, path, flags, resolve);
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

/* The kernel lets ".." pass as long as it stays below; nobody here asks for
 * it in good faith. */
static bool has_dotdot(const char *rel)
{
	while (*rel) {
		size_t len = strcspn(rel, "/");

		if (len == 2 && rel[0] == '.' && rel[1] == '.')
			return true;
		rel += len;
		rel += strspn(rel, "/");
	}
	return false;
}

int beneath_open_root(const char *path, bool is_path_only, int *ret_fd)
{
	int flags = O_DIRECTORY | (is_path_only ? O_PATH : O_RDONLY);
	int fd;

	if (path[0] != '/' || has_dotdot(path))
		return -EINVAL;
	fd = open_how(AT_FDCWD, path, flags, WITHOUT_LINKS);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

/* Cuts off as many whole components of rel as one call takes.
 * Returns the rest, or NULL if one component is longer than that. */
static const char *cut_piece(const char *rel, char piece[PATH_MAX])
{
	size_t len = strlen(rel);

	if (len >= PATH_MAX) {
		len = PATH_MAX - 1;
		while (len && rel[len] != '/')
			len--;
		if (!len)
			return NULL;
	}
	memcpy(piece, rel, len);
	piece[len] = '\0';
	rel += len;
	return rel + strspn(rel, "/");
}

static int open_below(int root_fd, const char *rel, int last_flags, int *ret_fd)
{
	fd_auto int at = -1;
	char piece[PATH_MAX];

	if (rel[0] == '/' || has_dotdot(rel))
		return -EINVAL;
	do {
		const char *rest = cut_piece(rel, piece);
		int flags, fd;

		if (!rest)
			return -ENAMETOOLONG;
		flags = O_DIRECTORY | (*rest ? O_PATH : last_flags);
		fd = open_how(at < 0 ? root_fd : at, *piece ? piece : ".",
			flags, WITHIN_ROOT);
		if (fd < 0)
			return fd;
		fd_close(at);
		at = fd;
		rel = rest;
	} while (*rel);
	*ret_fd = fd_take(&at);
	return 0;
}

int beneath_open_dir(int root_fd, const char *rel, int *ret_fd)
{
	return open_below(root_fd, rel, O_RDONLY, ret_fd);
}

int beneath_open_dir_path(int root_fd, const char *rel, int *ret_fd)
{
	return open_below(root_fd, rel, O_PATH, ret_fd);
}

static bool is_single(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       !strchr(name, '/');
}

int beneath_open_path(int dir_fd, const char *name, int flags, int *ret_fd)
{
	int fd;

	if (!is_single(name) || (flags & ~O_DIRECTORY))
		return -EINVAL;
	/* With both flags the link itself is opened, not refused. */
	fd = open_how(dir_fd, name, O_PATH | O_NOFOLLOW | flags, WITHIN_ROOT);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static void fill_stat(const struct statx *sx, struct beneath_stat *ret)
{
	bool has_btime = sx->stx_mask & STATX_BTIME;

	*ret = (struct beneath_stat){
		.id =
			{
				.dev = makedev(
					sx->stx_dev_major, sx->stx_dev_minor),
				.ino = sx->stx_ino,
				.btime_s = has_btime ? sx->stx_btime.tv_sec : 0,
				.btime_ns =
					has_btime ? sx->stx_btime.tv_nsec : 0,
			},
		.size_bytes = sx->stx_size,
		.used_bytes = sx->stx_blocks > UINT64_MAX / 512
				      ? UINT64_MAX
				      : sx->stx_blocks * 512,
		.mtime_s = sx->stx_mtime.tv_sec,
		.atime_s = sx->stx_atime.tv_sec,
		.ctime_s = sx->stx_ctime.tv_sec,
		.nlink = sx->stx_nlink,
		.uid = sx->stx_uid,
		.gid = sx->stx_gid,
		.mode = sx->stx_mode,
		.is_immutable = sx->stx_attributes &
				(STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND),
		.is_mount_root = sx->stx_attributes & STATX_ATTR_MOUNT_ROOT,
		.mnt_id = sx->stx_mask & STATX_MNT_ID ? sx->stx_mnt_id : 0,
	};
}

static int stat_name(
	int dir_fd, const char *name, int sync, struct beneath_stat *ret)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | sync;
	struct statx sx;

	if (!*name)
		flags |= AT_EMPTY_PATH;
	else if (!is_single(name))
		return -EINVAL;
	if (statx(dir_fd, name, flags,
		    STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &sx) < 0)
		return -errno;
	fill_stat(&sx, ret);
	return 0;
}

int beneath_stat(int dir_fd, const char *name, struct beneath_stat *ret)
{
	return stat_name(dir_fd, name, AT_STATX_SYNC_AS_STAT, ret);
}

int beneath_stat_known(int dir_fd, const char *name, struct beneath_stat *ret)
{
	return stat_name(dir_fd, name, AT_STATX_DONT_SYNC, ret);
}

int beneath_is_overlay(int fd, bool *ret)
{
	struct statfs s;

	if (fstatfs(fd, &s) < 0)
		return -errno;
	*ret = (uint32_t)s.f_type == OVERLAYFS_SUPER_MAGIC;
	return 0;
}

void beneath_forget_birth(struct beneath_stat *st)
{
	if (!S_ISDIR(st->mode))
		return;
	st->id.btime_s = 0;
	st->id.btime_ns = 0;
}

bool beneath_is_fault(int r)
{
	switch (r) {
	case -EIO:
	case -EUCLEAN: /* found damaged (EFSCORRUPTED) */
	case -EBADMSG: /* a checksum did not match (EFSBADCRC) */
	case -EREMOTEIO:
	case -ESHUTDOWN:
	case -EROFS:
		return true;
	default:
		return false;
	}
}

bool beneath_is_supported(void)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = WITHOUT_LINKS,
	};
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	if (fd >= 0)
		fd_close((int)fd);
	return fd >= 0;
}
