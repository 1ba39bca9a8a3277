// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Deleted, and still open: room that nobody finds by du. Who holds it, on the
 * filesystems that matter, by the descriptors of all processes (act/procs.h:
 * not all may be looked at). A file that several hold counts once, for the
 * first that was found. Nothing is decided by it.
 */

#include <stddef.h>
#include <stdint.h>

#include "act/procs.h"

#define DELETED_MAX	 256 /* holders told apart; the others are one */
#define DELETED_NOWHERE	 UINT32_MAX
#define DELETED_MAX_DEVS 64
#define DELETED_TIME_S	 5 /* the process is killed after that */

/* Where files were, by the path that the kernel remembers. */
struct deleted_place {
	const char *path; /* of a root, absolute */
	uint64_t dev;
	uint32_t component; /* position in the configuration */
};

/* What one process holds of one component's. */
struct deleted_row {
	uint64_t dev;
	uint64_t files, bytes; /* bytes: st_blocks * 512 */
	uint32_t component; /* or DELETED_NOWHERE: elsewhere on that dev */
	int32_t pid; /* 0: all that there is no room for */
	char by[PROCS_TEXT];
};

struct deleted_report {
	uint32_t n_rows;
	uint32_t n_hidden; /* processes that may not be looked at */
	struct deleted_row rows[DELETED_MAX + 1]; /* the largest first */
};

/* Looks only for files on the places' filesystems. */
void deleted_find(const struct deleted_place *places, size_t n,
	struct deleted_report *ret);
/* The same in a process of its own: writes the report to out_fd, its last rows
 * left away. Returns its exit status. */
int deleted_run(const struct deleted_place *places, size_t n, int out_fd);
