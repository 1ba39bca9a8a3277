// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What tests of the pool share: a directory of its own for each, and a pool
 * with two workers. */

#include <stddef.h>

#include "base/mem.h"
#include "watch/measure.h"

struct place {
	char path[64];
	int fd; /* of path */
	struct measure *m;
	struct result *results; /* of the last job run, in order */
};

int place_set_up(void **state);
int place_tear_down(void **state);

void place_file(struct place *p, const char *name, size_t size);
/* n names of one inode in dir: quicker to make than files. */
void place_links(struct place *p, const char *dir, int n);
/* Removes them. */
void place_unlink(struct place *p, const char *dir, int n);

struct job *place_job(struct place *p, enum job_kind kind, const char *rel);
void place_add_name(struct job *job, const char *name);

/* Waits for a result. */
void place_wait(struct place *p);
/* Runs one job to its end. Returns its last piece, which p keeps. */
struct result *place_run(struct place *p, struct job *job);
/* In the results that p keeps. */
const struct observation *place_find(struct place *p, const char *name);
size_t place_count(struct place *p);
void place_forget(struct place *p);

#define PLACE_CASE(f) \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)
