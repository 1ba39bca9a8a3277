// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Starting a process that holds nothing but what it is given. */

#include <stddef.h>
#include <sys/types.h>

struct warden_child_order {
	const char *title; /* in ps: "agent" */
	int death_signal; /* what it gets if we die */
	const int *keep; /* descriptors, -1 for none; all others are closed */
	size_t n_keep; /* at most WARDEN_CHILD_MAX_KEEP */
	/* Runs in the child; its return is the exit status. */
	int (*run)(void *ctx);
	void *ctx;
};
#define WARDEN_CHILD_MAX_KEEP 8

/* Returns 0, or -errno of the fork. */
int warden_child_start(const struct warden_child_order *order, pid_t *ret_pid);
