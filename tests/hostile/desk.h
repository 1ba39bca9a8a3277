// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The state writer alone, over a file in a world: what is saved has a
 * generation, so that old, new and neither can be told apart. */

#include <stdint.h>

#include "core.h"
#include "hostile/world.h"

struct desk {
	struct world *w; /* borrowed */
	struct agent agent;
	struct config config;
	struct clock clock;
	char path[512];
	uint64_t generation; /* of what would be saved now */
};

void desk_init(struct desk *d, struct world *w);
void desk_fini(struct desk *d);
/* Something new to save, longer than a page. */
void desk_note(struct desk *d);
/* The generation that a fresh agent finds; 0: none, or it is not valid. */
uint64_t desk_find(struct desk *d);
