// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Files that a reaper had in its quarantine when it was cut off: a reaper puts
 * them back, as soon as they are seen there. */

#include <stdint.h>

struct agent;
struct component;

/* Once a turn. */
void recovering_keep(struct agent *a, struct component *c);
/* When it has something to do by itself; INT64_MAX: never. */
int64_t recovering_due(const struct agent *a, const struct component *c);
