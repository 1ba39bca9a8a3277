// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Starting a reaper: from the agent's request by number to an order that
 * rests on what the warden itself has read and seen. */

#include <sys/types.h>

#include "channel.h"
#include "policy/admit.h"
#include "policy/policy.h"

struct warden_reap_order {
	const struct config *config;
	const struct admitted *known; /* of this policy's roots */
	const struct channel_message *request; /* not trusted */
	int plan_fd, outcome_fd; /* from the agent */
	int audit_fd; /* -1: none */
	const char *panic_path;
};

/* Is it a request that may be asked? 0, -EINVAL (number, descriptors,
 * reason), or -ESTALE: planned by another configuration than ours. */
int warden_reap_check(const struct warden_reap_order *order);
/* Starts the reaper. Returns 0 or -errno. */
int warden_reap_start(const struct warden_reap_order *order, pid_t *ret_pid);

/* Can a reaper be confined here at all? Tried by a child at the start, so that
 * it is known before a disk is full; note gets a line if not. Returns 0 or
 * -errno. */
int warden_reap_probe(struct buf *note);
