// SPDX-License-Identifier: GPL-2.0-or-later
/* The largest first until the target is reached: the fewest files go. Size
 * is what comes free, not what the file claims to hold. */
#include "strategies/strategies.h"

#include "base/mem.h"
#include "strategies/select.h"

static enum reason size_place(const struct strategy_order *order mem_unused,
	const struct index_item *item, int64_t age_s mem_unused,
	struct place *ret)
{
	if (item->type == STYPE_CONFIG)
		return REASON_CONFIG;
	*ret = (struct place){
		.key = UINT64_MAX - item->used_bytes,
		.rule = PLAN_RULE_LARGEST,
	};
	return REASON_DELETED;
}

static int size_select(
	const struct strategy_order *order, struct selection *ret)
{
	return select_by(&strategy_size, order, ret);
}

const struct strategy strategy_size = {
	.name = "size",
	.summary = "Delete the largest files first, down to the target.",
	.place = size_place,
	.select = size_select,
};
