// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/alert.h"
#include "model/goal.h"
#include "model/plan.h"

static const char *const event_words[] = {
#define X(id, word) [ALERT_##id] = word,
	ALERT_EVENT_TABLE(X)
#undef X
};
static const char *const kind_words[] = {
#define X(id, word) [ALERT_KIND_##id] = word,
	ALERT_KIND_TABLE(X)
#undef X
};
static const char *const level_words[] = {
#define X(id, word) [LEVEL_##id] = word,
	LEVEL_TABLE(X)
#undef X
};
static const char *const rule_words[] = {
#define X(id, word) [PLAN_RULE_##id] = word,
	PLAN_RULE_TABLE(X)
#undef X
};
static const char *const goal_words[] = {
	[GOAL_SCHEDULED] = "scheduled",
	[GOAL_WARNING] = "warning",
	[GOAL_CRITICAL] = "critical",
	[GOAL_EMERGENCY] = "emergency",
	[GOAL_MANUAL] = "manual",
};

const char *alert_event_word(enum alert_event event)
{
	return event_words[event];
}

const char *alert_kind_word(enum alert_kind kind)
{
	return kind_words[kind];
}

const char *level_word(enum level level)
{
	return level_words[level];
}

const char *plan_rule_word(enum plan_rule rule)
{
	return rule_words[rule];
}

const char *goal_reason_name(enum goal_reason reason)
{
	return goal_words[reason];
}
