// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Marking the filesystem of a root for the agent, which may not do that
 * itself. A child does it: opening the root may hang. */

#include <stdint.h>
#include <sys/types.h>

struct config;

/*
 * Starts the child. Its exit status: 0, or the errno of what failed; the group
 * is of use in the first case only. Returns 0 or -errno: -EINVAL there is no
 * such root, others as of fanotify_init(2) and fork(2).
 */
int warden_mark_start(const struct config *config, uint32_t number,
	uint32_t root, pid_t *ret_pid, int *ret_group_fd);
