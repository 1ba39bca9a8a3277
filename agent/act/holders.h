// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Who holds these files? For the operator who wonders what keeps his disk from
 * getting emptier; nothing is decided by it.
 *
 * Asked are /proc/locks, which anybody may read, and the descriptors of each
 * process (act/procs.h), by the path that the kernel gives them; in a container
 * that is another one, so a file of the same last name is known by its number.
 * Of what is only mapped or in flight nothing is found.
 */

#include <stddef.h>
#include <stdint.h>

#include "act/procs.h"

#define HOLDERS_MAX    64 /* files in one question */
#define HOLDERS_TEXT   PROCS_TEXT
#define HOLDERS_TIME_S 2 /* the process is killed after that */

struct holders_query {
	const char *path; /* absolute */
	uint64_t dev, ino;
	/* "nginx.service (nginx, pid 12)", of the first that was found; ""
	 * where none was. Escaped. */
	char by[HOLDERS_TEXT];
};

void holders_find(struct holders_query *queries, size_t n);

/*
 * A process for it: reads records of dev, ino and a path ended by NUL from
 * in_fd, looks for those below one of the roots, and writes HOLDERS_TEXT bytes
 * for each to out_fd. Returns its exit status.
 */
int holders_run(
	int in_fd, int out_fd, const char *const *roots, size_t n_roots);
