// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Two agents over one directory would each delete down to a target of its
 * own, and each take the other's work for the owner's. So each warden writes
 * down which roots are its own, in a directory that all wardens of its user
 * share, and keeps a lock on that file as long as it lives. No descriptor of a
 * root is held for it: that would make the admin's umount fail.
 */

#include "base/mem.h"
#include "warden_survey.h"

struct warden_claims {
	char *dir; /* of all wardens of this user */
	char *socket_path; /* told to the others */
	char *name; /* of our file in it; NULL: none yet */
	int fd; /* of our file, locked */
};

#define WARDEN_CLAIMS_NONE ((struct warden_claims){.fd = -1})

/*
 * Claims every root of a configuration that has been looked at, instead of
 * those claimed so far. A root that another living warden has claimed, by its
 * identity or by a path that overlaps: -EADDRINUSE, why says whose it is, and
 * the claims stay as they were. If there is no way to write it down, notes
 * says so. Returns 0, -EADDRINUSE or -ENOMEM.
 */
int warden_claims_take(struct warden_claims *c, const struct survey *survey,
	struct buf *why, struct buf *notes);

/* dir and socket_path are copied. Returns 0 or -ENOMEM. */
int warden_claims_init(
	const char *dir, const char *socket_path, struct warden_claims *ret);
void warden_claims_close(struct warden_claims *c);
