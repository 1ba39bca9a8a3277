// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/trigger.h"

#include <stdbool.h>

#include "base/mem.h"

#define POLL_MIN_MS 50
#define POLL_MAX_MS 30000

static uint64_t limit_of(const struct trigger_limits *limits, enum level level)
{
	switch (level) {
	case LEVEL_CRITICAL:
		return limits->critical_bytes;
	case LEVEL_EMERGENCY:
		return limits->emergency_bytes;
	case LEVEL_WARNING:
		return limits->warning_bytes;
	case LEVEL_OK:
		break;
	}
	return 0;
}

/* A limit of 0 is a share of something whose size is not known. */
static bool is_limit(uint64_t limit)
{
	return limit != 0 && limit != UINT64_MAX;
}

/* A worse level that held implies all below it, so each of them ends only
 * when its own hysteresis is left, or when the target is reached: a cleanup
 * that did all it should must not leave an alert behind. */
static bool is_at(const struct trigger_limits *limits, enum level level,
	enum level held, uint64_t used_bytes)
{
	uint64_t limit = limit_of(limits, level);

	if (!is_limit(limit))
		return false;
	if (used_bytes >= limit)
		return true;
	return level <= held && used_bytes > limits->target_bytes &&
	       used_bytes >= mem_sub_sat(limit, limits->hysteresis_bytes);
}

enum level trigger_level(const struct trigger_limits *limits, enum level held,
	uint64_t used_bytes)
{
	enum level level = LEVEL_CRITICAL;

	while (level > LEVEL_OK && !is_at(limits, level, held, used_bytes))
		level--;
	return level;
}

uint64_t trigger_limit(const struct trigger_limits *limits, enum level level)
{
	return level == LEVEL_CRITICAL	  ? limits->critical_bytes
	       : level == LEVEL_EMERGENCY ? limits->emergency_bytes
					  : limits->warning_bytes;
}

uint64_t trigger_excess(
	const struct trigger_limits *limits, uint64_t used_bytes)
{
	/* limits that are not known must not ask for everything */
	if (!is_limit(limits->critical_bytes))
		return 0;
	return mem_sub_sat(used_bytes, limits->target_bytes);
}

int64_t trigger_poll_ms(uint64_t to_limit_bytes, uint64_t growth_bytes_per_s)
{
	uint64_t ms;

	if (growth_bytes_per_s == 0)
		return POLL_MAX_MS;
	ms = mem_mul_div(to_limit_bytes, 1000, growth_bytes_per_s);
	return (int64_t)MIN_OF(MAX_OF(ms, POLL_MIN_MS), POLL_MAX_MS);
}
