// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What matters least first: temp, cache, logs, data, backup, config, oldest
 * first within a type, until the target is reached. The strategy for
 * emergencies, and the only one that may ever reach config.
 */
#include "strategies/strategies.h"

#include "base/mem.h"
#include "strategies/select.h"

/* The type above the age. */
#define TYPE_SHIFT 57
_Static_assert(N_STYPES <= 1 << (64 - TYPE_SHIFT), "no room for the type");

static enum reason priority_place(const struct strategy_order *order mem_unused,
	const struct index_item *item, int64_t age_s, struct place *ret)
{
	const uint64_t age_max = (UINT64_C(1) << TYPE_SHIFT) - 1;

	*ret = (struct place){
		.key = (uint64_t)item->type << TYPE_SHIFT |
		       mem_sub_sat(age_max, (uint64_t)age_s),
		.rule = PLAN_RULE_PRIORITY,
	};
	return REASON_DELETED;
}

static int priority_select(
	const struct strategy_order *order, struct selection *ret)
{
	return select_by(&strategy_priority, order, ret);
}

const struct strategy strategy_priority = {
	.name = "priority",
	.summary = "Delete temp, then cache, logs, data and backup, "
		   "oldest first, down to the target.",
	.place = priority_place,
	.select = priority_select,
};
