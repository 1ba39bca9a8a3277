// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The supervisor of one round of hooks: a child that runs each of them in
 * order of name and writes down what came of it. In a unit that has no network
 * for them (WARDEN_HOOKS_ENV names a socket) it asks an instance of the hooks'
 * own unit to do so, and waits.
 */

#include <sys/types.h>

#include "policy/policy.h"

struct warden_hooks_order {
	const struct config *config;
	int payload_fd; /* becomes every hook's stdin */
	int env_fd; /* lines, see channel.h */
};

/*
 * Starts it. Its exit status is the number of hooks that failed (at most
 * WARDEN_HOOKS_MAX_FAILED). ret_report_fd, owned by the caller, holds the
 * report once it has ended. Returns 0 or -errno.
 */
#define WARDEN_HOOKS_MAX_FAILED 100
int warden_hooks_start(const struct warden_hooks_order *order, pid_t *ret_pid,
	int *ret_report_fd);

#define WARDEN_HOOKS_ENV "ULLAGE_HOOKS"

/* The instance: one round, asked for over sock, run as whoever we are.
 * Returns the exit status of the process. */
int warden_hooks_serve(int sock);
