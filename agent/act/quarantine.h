// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A private directory (mode 0700, ours) inside a root: .ullage-quarantine.
 * A candidate is moved there, looked at where nobody else can reach it, and
 * unlinked or put back. (1,000,000 rounds against a rival who exchanges
 * names: 0 wrong inodes; any check followed by unlink of the name in place
 * hits the wrong file in up to 91 %.)
 *
 * Where a file came from is written in the name it has here, so the move
 * and its record are one operation: no kill -9 and no power cut can come
 * between them, and a full disk needs no room for a record. A path too long
 * for a name is kept as the target of symbolic links beside it, made before
 * the move.
 *
 * Once made, the directory stays: on a full disk it could not be made again,
 * and then nothing could be deleted just when it must be.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define QUARANTINE_NAME ".ullage-quarantine"
#define TRASH_NAME	".ullage-trash" /* act/trash.h */

struct quarantine;
struct buf;

/* Is this directory below a root one of ours (quarantine, trash), or in one?
 * What lies there is nobody's candidate. */
bool quarantine_is_in(const char *rel_dir);

/* A file's name in the quarantine. */
struct quarantine_slot {
	char name[NAME_MAX + 1];
	uint32_t n_links; /* symbolic links that hold its path; mostly 0 */
};

/* What an interrupted run had left. */
struct quarantine_found {
	uint64_t restored, orphans;
	/* NULL, or told of each: path is where it was from, or its name in
	 * the quarantine if that is not known. */
	void (*on_each)(void *ctx, const char *path, bool is_restored);
	void *ctx;
};

/*
 * Makes the directory below root_fd where there is none, so that it is there
 * when the disk is full. Returns 0 or -errno as quarantine_open.
 */
int quarantine_prepare(int root_fd);

/* Opens the one that is there, without a lock. Returns 0, -ENOENT, or -errno as
 * quarantine_open. */
int quarantine_open_there(int root_fd, int *ret_fd);

/*
 * P1: opens (or makes) it and locks it: one reaper a root. The lock is flock
 * on the quarantine itself, which nobody else can even open; flock on the
 * root would mean "do not clean up here", and anybody may take that.
 * Returns 0;
 *   X_E_QUARANTINE_BUSY: another reaper is at work in this root;
 *   -EPERM: what stands there is not ours, not 0700, no plain directory or
 *   on another mount; or -errno.
 */
#define X_E_QUARANTINE_BUSY 1
int quarantine_open(int root_fd, struct quarantine **ret);
/*
 * Another such directory, under another name (the trash): ours alone, with
 * the same names in it. It has no lock of its own: whoever holds the
 * quarantine's of the root holds it. is_made: made where there is none.
 * Returns 0 or -errno as above; -ENOENT: there is none.
 */
int quarantine_open_beside(
	int root_fd, const char *name, bool is_made, struct quarantine **ret);
/* Closes and unlocks. NULL is fine. Returns NULL. */
struct quarantine *quarantine_close(struct quarantine *q);

/*
 * P10: what an interrupted run left is put back where it came from, or stays
 * as an orphan if its name is taken or its directory gone; nothing here is
 * ever deleted. Orphans are tried again at every start.
 * Returns 0 or -errno.
 */
int quarantine_recover(struct quarantine *q, struct quarantine_found *found);

/* Calls fn for each name in it. Returns 0 or -errno. */
typedef void quarantine_fn(void *ctx, const char *name);
int quarantine_each(struct quarantine *q, quarantine_fn *fn, void *ctx);
/* Where the file of this name was from (dir/name is appended to ret_path).
 * Returns 0; -ENOENT: that is not known, or it is no file of ours; or -errno:
 * it could not be read, and what there is in ret_path is not the path. */
int quarantine_origin(struct quarantine *q, const char *name,
	struct quarantine_slot *ret, struct buf *ret_path);
/* Moves it back to path (which is split in place) without replacing anything.
 * Returns 0 or -errno: then it stays. */
int quarantine_restore(struct quarantine *q, const struct quarantine_slot *slot,
	struct buf *path);
/* Removes a link that kept the path of a file that is gone. */
void quarantine_remove_stale(struct quarantine *q, const char *name);

/* The directory itself, for looking at a slot. */
int quarantine_fd(const struct quarantine *q);

/* Moves dir_fd/name in (renameat2 RENAME_NOREPLACE). rel_dir: its directory
 * below the root. Returns 0 or -errno of the rename. */
int quarantine_take(struct quarantine *q, int dir_fd, const char *rel_dir,
	const char *name, struct quarantine_slot *ret);
/* Moves it back without replacing anything. Returns 0, or -errno: then it
 * stays as an orphan (-EEXIST: its name was taken). */
int quarantine_put_back(struct quarantine *q,
	const struct quarantine_slot *slot, int dir_fd, const char *name);
int quarantine_unlink(struct quarantine *q, const struct quarantine_slot *slot);

/*
 * Moves a file on into another such directory, under number n or the next
 * that is free; again the move and its record are one operation. rel_dir and
 * name: where it was from. Returns 0 or -errno: then it stays where it is.
 */
int quarantine_pass(struct quarantine *from, const struct quarantine_slot *slot,
	struct quarantine *to, uint64_t n, const char *rel_dir,
	const char *name);
