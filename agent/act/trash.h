// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The trash of a root: .ullage-trash beside the quarantine, like it ours alone
 * (mode 0700), and with the same kind of names: a file's number, which says
 * when it came and by which rule, and the path it is from. A file gets there
 * out of the quarantine by one rename, when all checks are behind it; so the
 * move and its record are one operation, and whatever cuts it off, the file
 * is at its place, in the quarantine or here.
 *
 * What lies here was condemned already. It is counted with its root, as du
 * counts it, and never a candidate; it goes when it is old enough, or at once
 * when room is needed (trash_run.h).
 */

#include <stdbool.h>

#include "model/plan.h"

struct quarantine;
struct quarantine_slot;
struct trash;

/* Opens the trash of a root; made if there is none and is_made. The root's
 * quarantine must be locked by us, unless we only read. Returns 0, or -errno
 * as quarantine_open_beside. */
int trash_open(int root_fd, bool is_made, struct trash **ret);
/* NULL is fine. Returns NULL. */
struct trash *trash_close(struct trash *t);
/* What lies there, by the means of quarantine.h. */
struct quarantine *trash_slots(const struct trash *t);

/*
 * Moves a file of the quarantine on into the trash. c: where it was from and
 * the rule. Returns 0; X_E_TRASH_FULL: the disk has no room for an undo; or
 * -errno. On failure it stays in the quarantine.
 */
#define X_E_TRASH_FULL 1
int trash_put(struct trash *t, struct quarantine *from,
	const struct quarantine_slot *slot, const struct candidate *c);

/* Makes the directory below root_fd while there is room. 0 or -errno. */
int trash_prepare(int root_fd);
