// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A reaper that is sent for the trash: lists it, restores files of it, or
 * empties it. Confined to the roots of one component, as every reaper.
 *
 * Emptying is deletion by the same protocol, of which the first half is done:
 * nobody else reaches what lies there, so a name means one file; that it is a
 * regular file of an allowed owner, without another link, not immutable, not
 * protected and not in use is judged again. Scheduled, only what is older than
 * the policy says goes; else the oldest first, until free_bytes are free (0:
 * all). Panic latch, guard rails, observe and canary hold as for a cleanup.
 *
 * Restoring never replaces a file and makes no directory; the inode is the
 * same, and so are owner, mode, times and attributes. It deletes nothing, and
 * no latch or mode stands in its way.
 */

#include "act/reaper.h"
#include "model/trash.h"

/*
 * order->plan_fd holds picks (model/trash.h), roots or files; outcome_fd gets
 * a record for each file, and one with is_end. Of RESTORE and EMPTY at most
 * TRASH_SLICE files; is_more: ask again.
 * Returns the exit status: 0 ran, 1 could not (the last record says why).
 */
int trash_run(const struct reaper_order *order, enum trash_action action);
