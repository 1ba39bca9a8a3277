// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What /proc says of a process to everybody. A process that is gone has
 * neither unit nor command, and its number may be another's soon: who wants to
 * know asks at once. */

#include <stddef.h>
#include <sys/types.h>

#define PROCESS_COMMAND 16 /* bytes of a command with its NUL: TASK_COMM_LEN */
#define PROCESS_UNIT	256

/* The innermost service or scope of its control group, "nginx.service"; "" if
 * there is none. Bytes as the kernel has them. */
void process_unit(pid_t pid, char ret[PROCESS_UNIT]);
/* Its name, which it may choose itself; "" if it is gone. */
void process_command(pid_t pid, char ret[PROCESS_COMMAND]);

/* The unit in the text of a /proc/PID/cgroup, which is cut up; NULL: none. */
const char *process_unit_in(char *cgroup);
