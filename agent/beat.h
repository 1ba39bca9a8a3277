// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Signs of life for the service manager, through the warden: the watchdog's
 * beat, and a status line with the fullest component. */

#include <stdint.h>

struct agent;

/* Finds out from the environment whether a watchdog waits. The status line
 * goes to the warden in any case: it knows whether anybody listens. */
void beat_begin(struct agent *a);
/* Once a turn. */
void beat_keep(struct agent *a);
/* When to call again, on the boot clock; INT64_MAX: not by itself. */
int64_t beat_due(const struct agent *a);
