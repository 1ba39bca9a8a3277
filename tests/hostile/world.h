// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A real filesystem, a policy over it, and a reaper in a process of its own:
 * what the tests of deletion share. must() ends the test with the line. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "act/reaper.h"
#include "base/mem.h"
#include "model/plan.h"

#define must(x)                                                                \
	do {                                                                   \
		if (!(x)) {                                                    \
			fprintf(stderr, "%s:%d: %s: %m\n", __FILE__, __LINE__, \
				#x);                                           \
			abort();                                               \
		}                                                              \
	} while (0)

struct world {
	const char *kind; /* tmpfs, ext4, xfs, btrfs, or dir: no mount */
	char base[128]; /* scratch directory */
	char top[192]; /* mount point, or a directory in base */
	char path[256]; /* the root */
	int fd; /* of the root */
	bool is_mounted;
	struct root root;
	struct policy policy;
	struct admitted known;
	struct reaper_order order; /* fds are filled in by world_run */
	struct plan plan;
	int audit_fd; /* a memory file */
	void (*before)(void); /* NULL, or called in the reaper's process */
};

/* False, with a loud line: this kind cannot be had here. size: of the
 * filesystem, in MiB. */
bool world_init(struct world *w, const char *kind, unsigned int size_mib);
void world_fini(struct world *w);

/* A program that kills a reaper so many rounds (--rounds, else rounds) on each
 * kind of filesystem, or on one (--kind). run returns whether all was well. */
int world_main(int argc, char **argv, unsigned long rounds,
	bool (*run)(const char *kind, unsigned long rounds));

/* Files with old stamps: aged means far older than any rule asks for; a birth
 * time cannot be forged, so the rules of a world have no minimum age. */
void world_write(struct world *w, const char *rel, size_t size);
void world_mkdir(struct world *w, const char *rel);
bool world_has(const struct world *w, const char *rel);
/* Adds rel (DIR/NAME or NAME) as it is on disk now. */
void world_plan(struct world *w, const char *rel, enum plan_rule rule);

/* One run. ret: an outcome for every item and the last one, freed by the
 * caller. Returns the exit status of the reaper (128 + signal if killed). */
int world_run(struct world *w, struct outcome **ret, size_t *ret_n);
/* A reaper with these descriptors, not waited for. */
pid_t world_start(struct world *w, int plan_fd, int outcome_fd);
/* Its exit status, or 128 + signal. */
int world_wait(pid_t pid);
/* One run of a plan with one item: its reason, and -1 or the errno. */
enum reason world_reap(struct world *w, const char *rel);
/* How many lines of the audit contain text. */
unsigned int world_audited(struct world *w, const char *text);

/* Runs a program; its exit status. */
int world_spawn(const char *const *argv);
#define world_command(...) world_spawn((const char *const[]){__VA_ARGS__, NULL})
