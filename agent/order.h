// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Cleanups of a component: with which limits, how far, and when not. */

#include <stdbool.h>

#include "model/goal.h"

struct agent;
struct cleanup_order;
struct cleanup_parts;
struct component;

/* Everything of a component's limits that the policy says in shares. */
void order_limits(struct agent *a, struct component *c);
/* The order of a cleanup for this reason, with the guard rails it has. */
void order_make(struct agent *a, struct component *c, enum goal_reason reason,
	struct cleanup_order *ret);
/* What a cleanup of it works with. */
void order_parts(struct component *c, struct cleanup_parts *ret);
/* What its filesystems told before now is not to be judged by. */
void order_note_freed(struct agent *a, struct component *c, bool has_gained);
/* Starts it. Returns 0, -EBUSY (one is under way), -EAGAIN (not trusted now),
 * -EPERM (panic latch) or -errno. */
int order_start(struct agent *a, struct component *c,
	const struct cleanup_order *order);
/* Starts one for a reason that the agent itself found; a failure is logged. */
void order_start_for(
	struct agent *a, struct component *c, enum goal_reason reason);
/* Once a turn: moves the run on, and frees one that is done (not from its own
 * callback). */
void order_move(struct component *c);
