// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The newest files of each type, which stay: keepNewest. Newest by the
 * stamp that the policy counts ages from; among equals the lower entry.
 * Only files that could go otherwise take one of the places: one that is
 * kept in any case must not cost the place of another, and a stranger's file
 * must not push out the owner's last good one.
 */

#include "strategies/strategies.h"

struct newest_file {
	int64_t stamp_s;
	uint32_t entry;
};
struct newest {
	struct {
		struct newest_file *files; /* a heap, the oldest on top */
		size_t n, cap;
	} types[N_STYPES];
};

#define NEWEST_E_KEPT 1

void newest_fini(struct newest *n);
/*
 * Takes an entry in among the newest of its type. Returns NEWEST_E_KEPT if
 * nobody loses a place by it; 0 with the entry in item that is not, or no
 * longer, among the newest; -ENOMEM.
 */
int newest_offer(struct newest *n, const struct strategy_order *order,
	struct index_item *item);
/* Is this one among the newest? One pass over the index. */
bool newest_has(
	const struct strategy_order *order, const struct index_item *item);
