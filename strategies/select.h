// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What every strategy shares; for the strategies alone. */

#include "strategies/strategies.h"

/*
 * Selects by the places that a strategy gives: one pass over the index,
 * memory in the order of what is picked.
 *
 * Left out whatever the strategy says: what strategy_judge keeps, files that
 * would free nothing towards a target, files larger than the whole run may
 * take. What is due goes in any case; the others until goal.free_bytes are
 * estimated to come free, and none of them if that is 0. max_files and
 * max_bytes end the selection; 0 is no limit.
 *
 * Returns 0 or -ENOMEM.
 */
int select_by(const struct strategy *strategy,
	const struct strategy_order *order, struct selection *ret);
