// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What the warden keeps beside the state file, out of the agent's reach: the
 * lock against a second one and the audit of every deletion. The directory,
 * where we make it, is sticky and of the agent's group: the agent writes its
 * state there and cannot touch ours.
 */

#include <sys/types.h>

#include "base/mem.h"
#include "privs.h"

struct warden_files {
	int dir_fd;
	int lock_fd; /* -1: could not be made, the disk is full */
	int audit_fd; /* -1: could not be made, the disk is full */
	gid_t gid; /* may read the audit */
	char *panic_path; /* while this exists nothing is deleted */
};

#define WARDEN_FILES_NONE \
	((struct warden_files){.dir_fd = -1, .lock_fd = -1, .audit_fd = -1})

#define WARDEN_AUDIT_MAX  (16 << 20) /* bytes; then it is rotated */
#define WARDEN_AUDIT_KEEP 4

/*
 * Makes the state file's directory and opens everything. why gets a sentence
 * on failure, notes a line each.
 * Returns 0; -EWOULDBLOCK: another one runs here; -EPERM: a file in our place
 * is not ours; -errno.
 */
int warden_files_open(const char *state_file, const struct account *agent,
	struct warden_files *ret, struct buf *why, struct buf *notes);
void warden_files_close(struct warden_files *f);

/* Looks after the audit before a reaper gets it: made again if somebody has
 * removed it, rotated if it is long. ret_fd is borrowed, -1 if the disk is
 * full. Returns 0, -EPERM as above, or -errno. */
int warden_files_audit(struct warden_files *f, int *ret_fd);
