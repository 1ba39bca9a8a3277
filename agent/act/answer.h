// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The stream of outcomes back to the agent, many a write. */

#include <stddef.h>
#include <stdint.h>

#include "model/plan.h"

#define ANSWER_BATCH 64

struct answer {
	int fd; /* borrowed */
	size_t n;
	int64_t first_boot_ns; /* when the oldest waiting one came */
	struct outcome waiting[ANSWER_BATCH];
};

/* Sends what is full or 100 ms old. A reader that does not read makes us wait
 * (between two candidates, with nothing in hand).
 * Returns 0, or -errno: nobody listens any more. */
int answer_put(struct answer *a, const struct outcome *o);
int answer_flush(struct answer *a);
