// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The walk, once a turn of the loop:
 *
 *   results of looks -> index -> what is to be looked at next
 *   usage -> level -> alert and cleanup, in the same turn
 *   alerts -> log, hooks, history, subscribers
 *
 * Callbacks of the loop only note that something came; ten thousand events
 * cost one judgement.
 */

struct agent;

void cycle_turn(struct agent *a);

/* Takes alerts that wait to journal, hooks, history and subscribers. */
void cycle_deliver(struct agent *a);
