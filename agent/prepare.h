// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Makes directories that others rely on, step by step from "/": never through
 * a symbolic link, never in a directory where somebody else could put another
 * one in its place, and each appears under its name only when owner and mode
 * are right. What is there already keeps its owner and mode.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/mem.h"
#include "policy/policy.h"

struct prepare_owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/*
 * Makes the directory path (absolute, normalised) for last, and missing
 * parents for ourselves with mode 0755. why gets a sentence on failure.
 * Returns 0 (it is there), or -errno: -ELOOP a symbolic link, -ENOTDIR
 * something else is in its place, -EOPNOTSUPP a parent in which others may
 * rename.
 */
int prepare_dir(
	const char *path, const struct prepare_owner *last, struct buf *why);

/*
 * A component's root: a base directory is made, mode 0750, for uid and gid;
 * a place that the policy names is the admin's own, it is only looked for.
 * note gets a line if something is to be said. Returns 0 or -errno.
 */
int prepare_root(
	const struct root *root, uid_t uid, gid_t gid, struct buf *note);

/* Does the policy ever let files of this type go? Where nothing is deleted,
 * nothing of ours is left either. */
bool prepare_needs_quarantine(const struct policy *p, enum stype type);

/*
 * Makes the quarantine of a root whose files the policy lets go (and the trash
 * that the policy wants), while there is room for it. Where that fails (a
 * read-only mount, an ordinary user's agent that may only read) note gets a
 * line: all else goes on.
 */
void prepare_quarantine(
	const struct policy *p, const struct root *root, struct buf *note);
