// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The work behind one job, on a worker's thread: from a directory's place
 * below its root to observations. Holds nothing between jobs but the root's
 * descriptor, while the pool has more to do.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/beneath.h"
#include "watch/measure.h"

struct look_ops {
	/* Takes a piece that is not the last one; may wait.
	 * Returns 0, or -errno if the job is to end. */
	int (*emit)(void *ctx, struct result *piece);
	/* Asked now and then: end early? */
	bool (*is_stopping)(void *ctx);
};

struct look {
	const struct look_ops *ops;
	void *ctx;
	int root_fd; /* -1: none */
	char *root_path;
	struct identity root_id;
	bool is_remote; /* its server knows more than our kernel */
	bool is_overlay; /* and that */
	int64_t root_boot_ns; /* when it was opened */
	unsigned char *dents; /* room for the kernel's records */
};

void look_init(struct look *l, const struct look_ops *ops, void *ctx);
/* Lets go of the root. */
void look_rest(struct look *l);
void look_fini(struct look *l);
/* Is the root of this job the one that is held? */
bool look_is_at(const struct look *l, const struct job *job);

/* Does job and leaves the last piece in last, which belongs to the job:
 * whatever goes wrong is said there. */
void look_run(struct look *l, struct job *job, struct result *last);
