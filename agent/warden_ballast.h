// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Starting the process that looks after a filesystem's ballast. Which roots lie
 * on it, and which of them is its home, is the warden's to say: the agent
 * names one of them and what is to be done. */

#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "policy/policy.h"
#include "warden_survey.h"

struct warden_ballast_order {
	const struct config *config;
	const struct survey *survey; /* known roots of config */
	const struct channel_message *request;
	int report_fd;
};

/* Is the request one? Returns 0 and the filesystem, -EINVAL, -ESTALE (made by
 * another configuration) or -ENODEV (its root is not known). */
int warden_ballast_check(
	const struct warden_ballast_order *order, uint64_t *ret_dev);

/* Returns 0, or -errno: -ENOMEM, or of the fork. */
int warden_ballast_start(
	const struct warden_ballast_order *order, uint64_t dev, pid_t *ret_pid);

/* A new configuration comes into force: what the old one's roots hold that are
 * in it no more is removed, without waiting for it. */
void warden_ballast_leave(const struct config *old, const struct survey *survey,
	const struct config *next);
