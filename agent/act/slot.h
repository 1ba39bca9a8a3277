// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Names in the quarantine, N a number that keeps them apart:
 *   N=PATH      a file, with its path below the root: "/" is written %s and
 *               "%" %%
 *   N~file      a file whose path would make too long a name
 *   N~path.I    a symbolic link to nowhere: piece I of the path of N~file
 *   ~ballast... the file that keeps room on the filesystem (act/ballast.h)
 *   ~room.I...  a symbolic link to nowhere that keeps room (xfs)
 */

#include <stdbool.h>
#include <stdint.h>

#include "act/quarantine.h"

struct buf;

enum slot_kind {
	SLOT_FOREIGN, /* no name of ours */
	SLOT_FILE,
	SLOT_LONG_FILE,
	SLOT_LINK,
	SLOT_ROOM,
	SLOT_BALLAST,
};

/* What a name in the quarantine is. ret_n: its N, if it has one. */
enum slot_kind slot_kind(const char *name, uint64_t *ret_n);

/* N=PATH. False: the path is too long for a name. */
bool slot_name(uint64_t n, const char *rel_dir, const char *name,
	struct quarantine_slot *ret);
#define SLOT_SHORT 64
/* N~file, N~path.I */
void slot_name_long(uint64_t n, char ret[SLOT_SHORT]);
void slot_name_link(uint64_t n, uint32_t i, char ret[SLOT_SHORT]);
/* ~room.I and dots to the longest name there can be. */
void slot_name_room(unsigned int i, char ret[NAME_MAX + 1]);

/* Appends the path that the name of a SLOT_FILE stands for. Returns 0, -ENOENT:
 * it stands for none, or -ENOMEM. */
int slot_read(const char *slot, struct buf *ret);
/* Splits a path into directory and name, in place. False: it is not the path
 * of a file below a root. */
bool slot_split(struct buf *path, const char **ret_dir, const char **ret_name);
