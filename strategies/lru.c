// SPDX-License-Identifier: GPL-2.0-or-later
/* The least recently used first until the target is reached: what is used
 * often stays, however old or large it is. */
#include "strategies/strategies.h"

#include "base/mem.h"
#include "strategies/judge.h"
#include "strategies/select.h"

static enum reason lru_place(const struct strategy_order *order,
	const struct index_item *item, int64_t age_s mem_unused,
	struct place *ret)
{
	int64_t used_s = MIN_OF(judge_used(item), order->goal->now_s);

	if (item->type == STYPE_CONFIG)
		return REASON_CONFIG;
	*ret = (struct place){
		.key = (uint64_t)MAX_OF(used_s, 0),
		.rule = PLAN_RULE_LEAST_RECENT,
	};
	return REASON_DELETED;
}

static int lru_select(const struct strategy_order *order, struct selection *ret)
{
	return select_by(&strategy_lru, order, ret);
}

const struct strategy strategy_lru = {
	.name = "lru",
	.summary = "Delete the least recently used files first, "
		   "down to the target.",
	.place = lru_place,
	.select = lru_select,
};
