// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything that is due, and then, until the target is reached, one step
 * after the other, from what is missed least to what is missed most: temp and
 * cache by use, logs by size, the rest by priority. A step begins when the one
 * before has nothing left to give, so the steps are one order, and each type
 * belongs to the first step that takes it. (The size step takes temp and
 * cache as well, and finds none.)
 */
#include "strategies/strategies.h"

#include "strategies/judge.h"
#include "strategies/select.h"

/* Compressing cold files (STEP_COMPRESS) deletes nothing and picks nothing
 * here. */
static const struct {
	enum strategy_step step;
	const struct strategy *strategy;
} steps[N_STYPES] = {
	[STYPE_TEMP] = {STEP_LRU, &strategy_lru},
	[STYPE_CACHE] = {STEP_LRU, &strategy_lru},
	[STYPE_LOGS] = {STEP_SIZE, &strategy_size},
	[STYPE_DATA] = {STEP_PRIORITY, &strategy_priority},
	[STYPE_BACKUP] = {STEP_PRIORITY, &strategy_priority},
	[STYPE_CONFIG] = {STEP_PRIORITY, &strategy_priority},
};

static enum reason adaptive_place(const struct strategy_order *order,
	const struct index_item *item, int64_t age_s, struct place *ret)
{
	bool is_due = judge_is_due(order->rules, item->type, age_s);
	const struct strategy *by =
		is_due ? &strategy_time : steps[item->type].strategy;
	enum reason reason = by->place(order, item, age_s, ret);

	if (reason == REASON_DELETED)
		ret->step = is_due ? STEP_TIME : steps[item->type].step;
	return reason;
}

static int adaptive_select(
	const struct strategy_order *order, struct selection *ret)
{
	return select_by(&strategy_adaptive, order, ret);
}

const struct strategy strategy_adaptive = {
	.name = "adaptive",
	.summary = "Delete what is past its retention, then escalate step by "
		   "step (lru, size, priority) down to the target.",
	.place = adaptive_place,
	.select = adaptive_select,
};
