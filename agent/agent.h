// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The agent process: owns every part (indexes, watches, workers, alerts,
 * state, control socket) and runs the loop. Has no right to delete; asks the
 * warden by channel.h.
 */

#include "policy/bundle.h"
#include "policy/policy.h"

struct agent_start {
	struct config *config; /* taken */
	const struct config_env *env; /* how to read the next bundle */
	int channel_fd; /* SOCK_SEQPACKET to the warden; taken */
	int listen_fd; /* control socket already listening, or -1; taken */
	const char *notes; /* remarks of the configuration, to be logged */
	const char *version;
};

/*
 * Runs until SIGTERM or SIGINT, or until the warden is gone.
 * Returns 0, or -errno if it could not start (logged).
 */
int agent_run(const struct agent_start *start);
