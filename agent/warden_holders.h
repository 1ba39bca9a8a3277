// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Starting the processes that look for who holds files: those of a component
 * that were in use, and those that were deleted. */

#include <sys/types.h>

#include "policy/policy.h"
#include "warden_survey.h"

/* question_fd: as act/holders.h reads it; report_fd gets the answer. Returns 0
 * or -errno. */
int warden_holders_start(const struct policy *policy, int question_fd,
	int report_fd, pid_t *ret_pid);
/* report_fd gets a struct deleted_report. Returns 0 or -errno. */
int warden_deleted_start(const struct config *config,
	const struct survey *survey, int report_fd, pid_t *ret_pid);
