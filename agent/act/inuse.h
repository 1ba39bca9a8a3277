// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* P6: does any process have this file open, mapped, executing, locked? */

#include <stdbool.h>

/*
 * Are leases to be believed on the filesystem of this descriptor? True on
 * local filesystems that count every open on the inode itself (ext2-4, xfs,
 * btrfs, tmpfs, f2fs). False where another layer or another host may hold the
 * file unseen (overlayfs: mappings sit on the inode below; NFS, CIFS, FUSE).
 * Returns 0, -EOPNOTSUPP, or -errno.
 */
int inuse_is_supported(int fd);

/*
 * The descriptors of the process that calls, as a directory (O_PATH), for
 * inuse_lease: walking to it each time would be a third of a lease. After a
 * fork it is still that of the parent: open it where it is used.
 * Returns 0 or -errno (-EOPNOTSUPP: no /proc).
 */
int inuse_open_own(int *ret_fd);

/*
 * own_fd: of inuse_open_own; -1: there is none. path_fd: O_PATH descriptor of a
 * regular file. Takes a write lease on a re-open of it (sees every other open,
 * mapping, executable, descriptor in flight and loop device; about 5 us). A
 * flock needs an open file, so the lease sees that too. SIGIO must be blocked:
 * the kernel sends it when somebody wants the file meanwhile.
 * Returns 0 and the leased descriptor (closing it ends the lease),
 *   X_E_INUSE_BUSY, or -errno (-EOPNOTSUPP: leases do not work here, or there
 *   is no own_fd).
 * Never fork while holding it: the child would keep the lease.
 */
#define X_E_INUSE_BUSY 1
int inuse_lease(int own_fd, int path_fd, int *ret_fd);

/* Does the lease still stand, or does somebody wait to open the file?
 * 0: it stands; X_E_INUSE_BUSY: somebody waits, or it was broken already. */
int inuse_check(int lease_fd);

/*
 * flock on a directory, as systemd-tmpfiles honours it: whoever holds one
 * wants nothing below it to be cleaned up. When room is needed urgently, one
 * on a directory that everybody may open is nobody's word: it would keep any
 * disk full. Then, and only then, it is passed over.
 * inuse_dir_lock takes it for us: 0, X_E_INUSE_BUSY or -errno; closing the
 * descriptor ends it. inuse_dir_locked only looks.
 */
int inuse_dir_lock(int dir_fd, bool is_urgent);
int inuse_dir_locked(int dir_fd, bool is_urgent);
