// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The second fence: a unit whose whole tree is read-only but for what the
 * policies name. Which paths these are, as a drop-in for the unit; and at the
 * start, whether the unit that we run in has just these.
 */

#include <stdbool.h>

#include "base/mem.h"
#include "policy/policy.h"

/*
 * What has to be writable, each once and none below another, NUL-terminated
 * one after the other: state, socket, and every root. For a root on a
 * filesystem of its own it is the mount point: a path below it would become a
 * mount of the unit's, and keep the filesystem alive after the admin's umount.
 * For base directories it is what they are made in.
 * mounts: two tables of getmntent(3) to know mount points by; either may be
 * absent. Returns 0 or -ENOMEM.
 */
int warden_unit_paths(
	const struct config *c, const char *const mounts[2], struct buf *ret);

/* The drop-in for a unit, "ullaged.service" or "ullage-hooks@.service". May
 * be empty. Returns 0, -ENOENT: no such unit of ours, or -ENOMEM. */
int warden_unit_dropin(
	const struct config *c, const char *unit, struct buf *ret);

/* Do we run in such a unit? */
bool warden_unit_is_fenced(void);

/* How to have it made anew; for messages. */
#define WARDEN_UNIT_REMEDY \
	"systemctl daemon-reload && systemctl restart ullaged"

/* Notes, a line each, what the unit may write to without need. */
void warden_unit_check(const struct config *c, struct buf *notes);
