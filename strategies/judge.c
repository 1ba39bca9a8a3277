// SPDX-License-Identifier: GPL-2.0-or-later
#include "strategies/judge.h"

#include "strategies/newest.h"

int64_t strategy_used(const struct index_item *item)
{
	return judge_used(item);
}

bool strategy_is_due(const struct rules *rules, enum stype type, int64_t age_s)
{
	return judge_is_due(rules, type, age_s);
}

enum reason judge_rules(
	const struct strategy_order *order, const struct index_item *item)
{
	enum reason reason = judge_kind(item);

	if (reason == REASON_DELETED)
		reason = judge_order(order, item);
	if (reason == REASON_DELETED && newest_has(order, item))
		reason = REASON_NEWEST;
	return reason;
}

enum reason strategy_judge(const struct strategy_order *order,
	const struct index_item *item, int64_t *ret_age_s)
{
	int64_t age_s = judge_age(order->rules, item, order->goal->now_s);
	enum reason reason = judge_rules(order, item);

	*ret_age_s = age_s;
	if (reason == REASON_DELETED && order->goal->free_bytes == 0 &&
		!judge_is_due(order->rules, item->type, age_s))
		reason = REASON_RETAINED;
	return reason;
}
