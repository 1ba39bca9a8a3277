// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Everything that was started below this process, however deep, and however
 * it tried to get away: as the subreaper of its descendants this process
 * stays above all of them. It is to have no other children meanwhile, and
 * SIGCHLD is to be blocked (waiting here takes it).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Makes this process the subreaper. Returns 0, or -errno; -EOPNOTSUPP: the
 * kernel does not list the children of a process (CONFIG_PROC_CHILDREN). */
int descend_watch(void);

/* Sends signo to every descendant. Returns how many there were, or -errno. */
int descend_signal(int signo);

/*
 * Waits for children that have ended, without blocking; the status of child
 * (0: none) goes to ret_status, which stays as it is otherwise.
 * Returns true while any child, ended or not, is left.
 */
bool descend_reap(pid_t child, int *ret_status);

/*
 * Kills every descendant and waits until none is left: freezes them first,
 * parents before children, so that nothing forks faster than it is killed and
 * no number of a process is used again meanwhile.
 * Returns 0, or -ETIME if some are still there after limit_ns (uninterruptible
 * sleep in a driver or on a dead disk), or -errno. ret_status as above.
 */
int descend_kill(int64_t limit_ns, pid_t child, int *ret_status);
