// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Starting the process that looks for who holds files of a component. */

#include <sys/types.h>

#include "policy/policy.h"

/* question_fd: as act/holders.h reads it; report_fd gets the answer. Returns 0
 * or -errno. */
int warden_holders_start(const struct policy *policy, int question_fd,
	int report_fd, pid_t *ret_pid);
