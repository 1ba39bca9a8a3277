// SPDX-License-Identifier: GPL-2.0-or-later
/* By age: what is past the retention of its type goes, oldest first, and
 * whatever the target is; a type without a retention never goes. */
#include "strategies/strategies.h"

#include "strategies/judge.h"
#include "strategies/select.h"

static enum reason time_place(const struct strategy_order *order,
	const struct index_item *item, int64_t age_s, struct place *ret)
{
	if (!judge_is_due(order->rules, item->type, age_s))
		return REASON_RETAINED;
	*ret = (struct place){
		.key = UINT64_MAX - (uint64_t)age_s,
		.rule = PLAN_RULE_RETENTION,
		.is_due = true,
	};
	return REASON_DELETED;
}

static int time_select(
	const struct strategy_order *order, struct selection *ret)
{
	return select_by(&strategy_time, order, ret);
}

const struct strategy strategy_time = {
	.name = "time",
	.summary = "Delete what is past the retention of its type, "
		   "oldest first.",
	.place = time_place,
	.select = time_select,
};
