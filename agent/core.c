// SPDX-License-Identifier: GPL-2.0-or-later
#include "core.h"

#include <string.h>

/* What is wrong with the filesystem of a root that is here. */
static const char *ill(const struct agent *a, const struct component *c)
{
	for (size_t i = 0; i < c->policy->n_roots; i++) {
		const struct filesystem *f = filesystems_find_const(
			&a->filesystems, feed_root(c->feed, i)->id.dev);

		switch (f ? filesystem_health(f) : FILESYSTEM_UNKNOWN) {
		case FILESYSTEM_WELL:
			break;
		case FILESYSTEM_UNKNOWN:
			return "a filesystem of this component has not been "
			       "looked at yet; try again in a moment";
		case FILESYSTEM_READ_ONLY:
			return "a filesystem of this component is mounted "
			       "read-only";
		case FILESYSTEM_ERRORS:
			return "a filesystem of this component reports errors: "
			       "check it, or accept what there is by ullagectl "
			       "reload";
		case FILESYSTEM_SHUT_DOWN:
			return "a filesystem of this component has shut "
			       "down: unmount it, check it and mount it again";
		}
	}
	return NULL;
}

struct component *core_at_rank(const struct agent *a, size_t *rank)
{
	for (; *rank < a->n_components * N_PRIORITIES; ++*rank) {
		struct component *c = &a->components[*rank % a->n_components];

		if ((size_t)c->policy->priority == *rank / a->n_components)
			return c;
	}
	return NULL;
}

const char *core_obstacle(const struct agent *a, const struct component *c)
{
	if (feed_has_lost_roots(c->feed))
		return "a root directory of this component is missing or "
		       "changed; ullagectl status says which";
	if (!feed_is_trusted(c->feed))
		return "the index of this component is not exact at the "
		       "moment; try again when status says so";
	if (wallclock_behind_s(&a->wallclock))
		return "the wall clock is behind the last time that was seen: "
		       "set it, or accept it by ullagectl reload";
	if (!wallclock_is_trusted(&a->wallclock))
		return "the wall clock was set; wait until it has been stable "
		       "for a minute";
	return ill(a, c);
}

bool core_must_stop(const struct agent *a, const struct component *c)
{
	return !wallclock_is_trusted(&a->wallclock) || ill(a, c);
}

struct component *core_find(struct agent *a, const char *name)
{
	for (size_t i = 0; i < a->n_components; i++)
		if (strcmp(a->components[i].policy->component, name) == 0)
			return &a->components[i];
	return NULL;
}
