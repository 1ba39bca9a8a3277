// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Reapers that are sent to the trash of a world. */

#include "act/trash_run.h"
#include "hostile/world.h"

struct lying { /* one record */
	struct trash_record r;
	char *path;
};

struct told {
	struct lying *files;
	size_t n;
	struct trash_record end;
};

/* One run to its end; picks NULL: the whole root. Returns its exit status. */
int world_errand(struct world *w, enum trash_action action,
	const struct trash_pick *picks, size_t n_picks, struct told *ret);
void told_fini(struct told *t);
/* The record of that path, or NULL. */
const struct lying *told_find(const struct told *t, const char *path);
/* The same, not waited for. */
pid_t world_errand_start(struct world *w, enum trash_action action,
	const struct trash_pick *picks, size_t n_picks, int record_fd);
