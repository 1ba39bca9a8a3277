// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Alerts to hooks, one after another through the warden, never blocking: a
 * bounded queue; what failed is tried again with growing pauses, and only the
 * scripts that failed.
 */

#include <stdint.h>

#include "base/clock.h"

struct deliver;
struct wire;

#define DELIVER_QUEUE 128 /* alerts that wait; the oldest is dropped */
#define DELIVER_TRIES 5

/* Told of each script that failed: what is one line, its name, why, and when
 * it is tried again. */
typedef void deliver_failed_fn(void *ctx, const char *what, int tries);

int deliver_new(struct wire *wire, const struct clock *clock,
	deliver_failed_fn *failed, void *ctx, struct deliver **ret);
struct deliver *deliver_free(struct deliver *d);
/* payload: JSON; env: lines NAME=value. Copied. Returns 0 or -ENOMEM. */
int deliver_add(struct deliver *d, const char *payload, const char *env);
/* Once a turn: sends what is due. */
void deliver_run(struct deliver *d);
/* When to call again, on the boot clock; INT64_MAX: not by itself. */
int64_t deliver_due(const struct deliver *d);
uint64_t deliver_dropped(const struct deliver *d);
