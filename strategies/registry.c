// SPDX-License-Identifier: GPL-2.0-or-later
/* The one table of strategies, and the one of the adaptive steps. */
#include "strategies/strategies.h"

#include <string.h>

#include "base/mem.h"

/* X(name): in the order of the manual. */
#define STRATEGY_TABLE(X) \
	X(time)           \
	X(size)           \
	X(lru)            \
	X(priority)       \
	X(adaptive)

const struct strategy *const strategies[] = {
#define X(name) &strategy_##name,
	STRATEGY_TABLE(X)
#undef X
};
const size_t n_strategies = ARRAY_SIZE(strategies);

const char *const strategy_names[] = {
#define X(name) #name,
	STRATEGY_TABLE(X)
#undef X
		NULL,
};

const struct strategy_step_info strategy_steps[N_STEPS] = {
	[STEP_NONE] = {"", true},
	[STEP_TIME] = {"time", true},
	[STEP_COMPRESS] = {"compress", false},
	[STEP_LRU] = {"lru", true},
	[STEP_SIZE] = {"size", true},
	[STEP_PRIORITY] = {"priority", true},
};

const struct strategy *strategy_find(const char *name)
{
	for (size_t i = 0; i < n_strategies; i++)
		if (strcmp(strategies[i]->name, name) == 0)
			return strategies[i];
	return NULL;
}
