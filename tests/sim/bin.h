// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The trash of a simulated host. When it is emptied, and by how much, the
 * agent's own trashing.c decides, over the agent's own view of the indexes;
 * only the reaper that is sent is imagined, and works at once.
 */

#include "model/plan.h"
#include "tests/sim/world.h"

struct cleanup_result;

void bin_init(struct world *w);
void bin_fini(struct world *w);
/* The agent is started again: what it had planned is forgotten. */
void bin_restart(struct world *w);

/* A cleanup moves a thing there. */
void bin_put(struct world *w, struct host_component *c, struct thing *t,
	enum plan_rule rule);
/* A cleanup ended. */
void bin_note_cleanup(struct world *w, struct host_component *c,
	const struct cleanup_result *r);
/* Once a turn. Returns true if it was emptied. */
bool bin_keep(struct world *w, struct host_component *c);
/* When that is to be called at the latest. */
int64_t bin_due(struct world *w);
/* An emergency begins: the trash on this disk, as far as it is needed. */
void bin_relieve(struct world *w, struct disk *d);
