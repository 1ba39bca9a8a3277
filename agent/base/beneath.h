// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The only way to a file below a root. Nothing here follows a symbolic link,
 * leaves the root or crosses into another mount, whoever changes the tree
 * meanwhile. A test forbids raw opens below a root anywhere else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What makes a file itself: inode numbers are reused at once (ext4), so the
 * birth time belongs to it. Filesystems without birth times give 0. */
struct identity {
	uint64_t dev;
	uint64_t ino;
	int64_t btime_s;
	uint32_t btime_ns;
};

static inline bool identity_equal(
	const struct identity *a, const struct identity *b)
{
	return a->dev == b->dev && a->ino == b->ino &&
	       a->btime_s == b->btime_s && a->btime_ns == b->btime_ns;
}

/* Errors that are the filesystem's fault and not this file's: what is behind it
 * is damaged or gone, or it lets nothing be changed any more. r: -errno. */
bool beneath_is_fault(int r);

/* Everything statx tells that somebody here asks for. Times in seconds since
 * 1970. used_bytes is blocks * 512. */
struct beneath_stat {
	struct identity id;
	uint64_t size_bytes;
	uint64_t used_bytes;
	int64_t mtime_s, atime_s, ctime_s;
	uint32_t nlink;
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool is_immutable; /* STATX_ATTR_IMMUTABLE or _APPEND */
	bool is_mount_root;
	uint64_t mnt_id; /* 0 before Linux 5.8 */
};

/*
 * Opens the root directory itself by absolute path: no symlink component, a
 * directory, O_RDONLY (or O_PATH if asked). ret_fd owned by the caller.
 * -EINVAL: relative, or with a component "..". -ELOOP: a component is a
 * symlink. -ENOSYS: the kernel lacks openat2.
 */
int beneath_open_root(const char *path, bool is_path_only, int *ret_fd);

/*
 * Opens directory rel ("" or "." is the root; longer than PATH_MAX allowed)
 * for listing. -EINVAL: absolute, or with a component "..". -ELOOP: a
 * component is a symlink. -EXDEV: it lies on another mount; a btrfs subvolume
 * is none, so compare devices.
 */
int beneath_open_dir(int root_fd, const char *rel, int *ret_fd);

/* The same with O_PATH: raises no event; good for looking at names in it. */
int beneath_open_dir_path(int root_fd, const char *rel, int *ret_fd);

/*
 * Opens the single name in dir_fd with O_PATH: raises no event, blocks on
 * nothing, follows nothing (a symlink is opened itself). flags: 0, or
 * O_DIRECTORY. -EINVAL: no single name. -EXDEV: a mount point.
 */
int beneath_open_path(int dir_fd, const char *name, int flags, int *ret_fd);

/*
 * Stats name in dir_fd without following; "" stats dir_fd itself. Of a mount
 * point it tells about what is mounted there, and waits for it: where that
 * may be a dead server, open the name first. -EINVAL: no single name.
 */
int beneath_stat(int dir_fd, const char *name, struct beneath_stat *ret);

/* The same from what the kernel knows, without asking a server. On a local
 * filesystem there is no difference, but that a mount below it whose server
 * is dead cannot hang the caller. */
int beneath_stat_known(int dir_fd, const char *name, struct beneath_stat *ret);

/*
 * For processes that only look: where openat2 is missing or forbidden, walk
 * in steps instead of failing. A reaper never does; it asks below.
 */
void beneath_allow_stepwise(bool is_allowed);

/*
 * On overlayfs what is copied up is born again, while its number stays: the
 * first change in a directory of a lower layer would make it another one. So
 * the birth time is no part of the identity of a directory there.
 */
int beneath_is_overlay(int fd, bool *ret); /* 0 or -errno */
void beneath_forget_birth(struct beneath_stat *st); /* if st is a directory's */

/* True where the kernel has openat2 (Linux 5.6) and lets us use it. */
bool beneath_is_supported(void);
