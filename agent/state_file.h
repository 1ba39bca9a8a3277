// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The state file on its disk: what it holds is state.c's matter. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

#define STATE_FILE_MAX (64u << 20) /* bytes of the state that are read */

/* Reads the whole of it, at most max bytes; no link is followed. Returns 0,
 * -ENOENT, -EBADMSG (no regular file), -EPERM (others may write to it), or
 * -errno. */
int state_file_read(const char *path, size_t max, struct buf *ret);
/* Written aside, fsynced, renamed over it, the directory fsynced. Returns 0,
 * or -errno: the file of the last save is intact then, unless only the last
 * of these failed: then it is the one or the other. */
int state_file_replace(const char *path, const char *text);
int state_file_replace_bytes(
	const char *path, const void *data, size_t len, mode_t mode);
/* Renames one that cannot be read. Returns the new path, the caller's, or
 * NULL: it stays. */
char *state_file_set_aside(const char *path, int64_t now_s);
