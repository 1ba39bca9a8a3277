// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Who can change what a path names? Whoever may write to a directory on the
 * way can put another file there, however well the file itself is kept. */

#include "base/mem.h"

/*
 * Goes the whole way to an absolute path, links included, and looks at each
 * directory: only root and ourselves may be able to rename in it. One with the
 * sticky bit will do where the next step belongs to one of us; a user's own
 * group is his alone. What the path names at last is not looked at.
 * Returns 0, also where something is missing that only they can make; -EPERM
 * and why ("/srv/x, on the way there, belongs to uid 7", escaped); or -errno.
 */
int trusted_path(const char *path, struct buf *why);
