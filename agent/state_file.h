// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The state file on its disk: what it holds is state.c's matter. */

#include <stdint.h>

struct buf;

#define STATE_FILE_MAX (64u << 20) /* bytes that are read */

/* Reads the whole of it; no link is followed. Returns 0, -ENOENT, -EBADMSG
 * (no regular file), -EPERM (others may write to it), or -errno. */
int state_file_read(const char *path, struct buf *ret);
/* Written aside, fsynced, renamed over it, the directory fsynced. Returns 0,
 * or -errno: the file of the last save is intact then, unless only the last
 * of these failed: then it is the one or the other. */
int state_file_replace(const char *path, const char *text);
/* Renames one that cannot be read. Returns the new path, the caller's, or
 * NULL: it stays. */
char *state_file_set_aside(const char *path, int64_t now_s);
