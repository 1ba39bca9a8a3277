// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The saved state: history of cleanups and alerts, samples, open alerts, the
 * last exact figures of each component (figures.h), and when it was last
 * cleaned on schedule. JSON, written aside,
 * fsynced and renamed; a file that cannot be read is set aside, with an alert,
 * and never stops the agent.
 */

#include <stdint.h>

struct agent;
struct buf;

/* The text of a saved state, and what there is in one; what makes no sense in
 * it is left out. Both return 0 or -ENOMEM; reading, -EBADMSG: it is none, and
 * nothing was restored. */
int state_write(struct agent *a, struct buf *ret);
int state_read(struct agent *a, const struct buf *text);

/* Restores what there is. Returns 0 (also if there is none, or a damaged
 * one), or -ENOMEM. */
int state_load(struct agent *a);
/* Saves now, as long as that takes. Returns 0 or -errno; the file of the last
 * save is intact then. */
int state_save(struct agent *a);
/* Once a turn: begins to save if something changed, some time after the last
 * save, and takes note of one that has ended. */
void state_keep(struct agent *a);
/* When to call state_keep, on the boot clock; INT64_MAX: not by itself. */
int64_t state_due(const struct agent *a);
