// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A new configuration, all or nothing: the warden reads the files, the agent
 * takes the same bytes. */

#include <stdbool.h>

struct agent;
struct control_call;

/* Asks the warden; call (may be NULL) is answered when it is through.
 * is_check: only say what a reload would. */
void reload_start(struct agent *a, struct control_call *call, bool is_check);
