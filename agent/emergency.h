// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Filesystems: their level, when to look again, and the emergency on one:
 * every component that has a root on it, low priority first, until it is
 * under its warning level again.
 */

struct agent;
struct filesystem;

/* Once a turn. */
void emergency_judge(struct agent *a, struct filesystem *f);
