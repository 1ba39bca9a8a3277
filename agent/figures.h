// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What the totals of a component were when they were exact the last time: kept
 * with the state. Until the first scan after a start is through, people are
 * shown what there was, marked as such, and not a small number that looks like
 * a drop; and the fullest is listed first (scan.h).
 *
 * Nothing else comes of them: no level, no alert, no sample, no deletion. They
 * tell what there was, and nobody has seen what happened since: files may have
 * gone or come, another disk may be mounted there, and the policy may name
 * other directories. A level that was judged by them could be one that nothing
 * on the disk bears out, and deleting by it could not be undone; waiting for
 * the scan can.
 */

#include <stdint.h>

#include "index/index.h"

struct feed;

struct figures {
	int64_t at_real_s; /* 0: there are none */
	struct index_totals whole;
	struct index_totals types[N_STYPES];
};

/* Takes those of now, if they are exact; leaves what there is otherwise. f may
 * be NULL: nothing is known yet. */
void figures_take(struct figures *to, const struct feed *f, int64_t now_real_s);
