// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Running the admin's alert scripts. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"

/*
 * The executables of a hooks directory in order of name. Refuses the
 * directory, and skips a file, that anyone but root or our own uid may write
 * to, or that is no regular executable; refused gets one line each:
 * name, tab, why.
 * ret: names NUL-terminated one after another. Returns the count or -errno
 * (-ENOENT: no directory, that is no hooks).
 */
int hook_list(const char *dir, struct buf *ret, struct buf *refused);

/* May this one be run, now? 0, -EPERM (the directory), -EACCES (the file) or
 * -errno. hook_run asks by itself. */
int hook_check(const char *dir, const char *name);

struct hook_order {
	const char *dir; /* hooks.d */
	const char *name; /* a plain name in it */
	const char *user; /* run as, name or number; NULL: as we are */
	char *const *env; /* NULL-terminated ULLAGE_*=...; PATH is added */
	int payload_fd; /* becomes its stdin */
	int64_t deadline_s;
};

/*
 * Runs one hook to its end in this process, which is its subreaper: exec
 * without a shell, clean environment, no capabilities, stdout and stderr
 * to ret_output (first 4 KiB). At the deadline, and when the hook ends, every
 * descendant is killed, however deep and daemonised.
 * This process is to have no other children. SIGTERM stops the hook and all
 * below it at once (-ECANCELED).
 * Returns its wait status, or -ETIME if the deadline came, or -errno.
 */
int hook_run(const struct hook_order *order, struct buf *ret_output);
