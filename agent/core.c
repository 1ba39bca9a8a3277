// SPDX-License-Identifier: GPL-2.0-or-later
#include "core.h"

#include <string.h>

bool core_is_trusted(const struct agent *a, const struct component *c)
{
	return feed_is_trusted(c->feed) &&
	       clock_boot_ns(a->clock) >= a->distrust_until_boot_ns;
}

struct component *core_find(struct agent *a, const char *name)
{
	for (size_t i = 0; i < a->n_components; i++)
		if (strcmp(a->components[i].policy->component, name) == 0)
			return &a->components[i];
	return NULL;
}
