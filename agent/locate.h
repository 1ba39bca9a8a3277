// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* From a path, as a user writes it, to its place in an index. */

#include <stdint.h>

#include "base/mem.h"

struct agent;
struct component;

struct located {
	struct component *component; /* NULL: no root holds the path */
	size_t root;
	struct buf rel; /* below the root */
	uint32_t node; /* of the path, if it is a known directory */
	uint32_t parent; /* of the path's directory, or INDEX_NONE */
	const char *name; /* last part of rel */
};

void locate_fini(struct located *p);
/* path: bytes, or escaped as the agent writes names. Purely by text and
 * index; touches no disk. Returns 0, -EINVAL (not absolute) or -ENOMEM. */
int locate(struct agent *a, const char *path, struct located *ret);
