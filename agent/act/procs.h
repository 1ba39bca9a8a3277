// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The descriptors of all processes, by /proc, as far as we may look: no file is
 * touched. To look at a process's descriptors takes to be its user: with
 * CAP_SETUID and CAP_SETGID that is done one by one (seteuid). It takes
 * CAP_SYS_PTRACE, which we do not have, to look at one with capabilities that
 * we lack, as most of root's have, or one that is not dumpable.
 */

#include <stddef.h>
#include <sys/types.h>

/* One descriptor: name in dir_fd is a link to what is open. */
typedef void procs_fn(void *ctx, pid_t pid, int dir_fd, const char *name);
/* Returns how many processes could not be looked at. */
size_t procs_each_fd(procs_fn *fn, void *ctx);

/* "nginx.service (nginx, pid 12)", escaped, as far as it fits. */
#define PROCS_TEXT 80
void procs_name(pid_t pid, char ret[PROCS_TEXT]);
