// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The panic latch: while its file is there nothing is deleted, by whomever it
 * was put there and whatever became of the agent meanwhile. */

#include <stdbool.h>

/* One that cannot be looked at is set. */
bool latch_is_set(const char *path);
/* Makes a file that the latch can be set with on a full disk: when somebody
 * wants to stop everything is not when a name is to be had. */
void latch_prepare(const char *path);
/* Sets or lifts it, and has that on the disk before it returns. Returns 0 or
 * -errno: then it is not known what a power cut would leave. */
int latch_set(const char *path, bool is_on);
