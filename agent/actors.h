// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Who reads and writes: the unit of a process that an event names, or its
 * command where it has no service. A name gets a number, for as long as the
 * agent runs. A process that is gone when its event is read leaves nothing to
 * ask: it is who was of that number a moment ago, or nobody.
 *
 * Whoever floods us with names of processes gets ACTOR_OTHERS for the rest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ACTOR_UNKNOWN ((uint16_t)0)
#define ACTOR_OTHERS  ((uint16_t)1)
#define ACTOR_OURS    ((uint16_t)2) /* what ullage deleted */
#define ACTORS_MAX    1024

struct actors;

struct actor {
	uint16_t number;
	bool is_ignored; /* its reading is no use of a file */
};

/* NULL: out of memory. */
struct actors *actors_new(void);
struct actors *actors_free(struct actors *a);
/* ignored: units ("backup.service", or without the suffix) and commands, as
 * fnmatch(3) patterns; borrowed. */
void actors_ignore(struct actors *a, char *const *ignored, size_t n);
/* pid 0 or less: nobody told. */
struct actor actors_of(struct actors *a, pid_t pid, int64_t now_boot_ns);
/* As the kernel has it: to be escaped. "" for ACTOR_UNKNOWN. */
const char *actors_name(const struct actors *a, uint16_t number);
