// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Lines of /proc/self/mountinfo. They hold what others chose: mount points
 * and, of FUSE, sources of any bytes. */

#include <stdio.h>

struct mountinfo {
	char point[4096];
	char source[256]; /* a longer one is cut */
};

/*
 * Where path, absolute and normalised, is mounted: the last of the longest
 * mount points above it, for a later mount covers an earlier one. Asks no
 * filesystem. Returns 0; -ENOENT: no line is above it; or -ENOMEM.
 */
int mountinfo_find(FILE *lines, const char *path, struct mountinfo *ret);
