// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Thresholds, purely: what a measured usage means, given what it meant last. */

#include <stdint.h>

#include "model/alert.h"
#include "model/goal.h"

struct trigger_limits { /* bytes used at which each level begins */
	uint64_t warning_bytes;
	uint64_t emergency_bytes; /* UINT64_MAX: none (components) */
	uint64_t critical_bytes;
	uint64_t target_bytes; /* a cleanup frees down to here */
	uint64_t hysteresis_bytes; /* a level ends this far below its limit */
};
/* A limit of 0 is not known (a share of a filesystem that does not tell its
 * size): its level never begins. */

/*
 * The level at used_bytes: at or over a limit it begins; a level that held
 * lasts until usage is under its limit by the hysteresis, or at the target.
 */
enum level trigger_level(const struct trigger_limits *limits, enum level held,
	uint64_t used_bytes);

/* Where that level begins. */
uint64_t trigger_limit(const struct trigger_limits *limits, enum level level);

/* What has to be freed to come to the target. 0 if it is reached, or if the
 * critical limit is not known. */
uint64_t trigger_excess(
	const struct trigger_limits *limits, uint64_t used_bytes);

/* When to look at a filesystem again: before the fastest growth seen could
 * reach the next limit, at least 50 ms, at most 30 s. In milliseconds. */
int64_t trigger_poll_ms(uint64_t to_limit_bytes, uint64_t growth_bytes_per_s);
