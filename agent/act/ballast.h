// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The ballast: room kept on a filesystem to be given up first when it is
 * nearly full. One file, allocated and not sparse, mode 0600, in the
 * quarantine of one root (its home), where nobody but root reaches it. A
 * fresh confined process looks after it, on one filesystem:
 *
 *   - half made it has another name, and goes at the next look;
 *   - what is not in its home (the configuration is another now), not wholly
 *     allocated, or holds its blocks together with a snapshot, goes too;
 *   - so a kill at any moment leaves one or none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/admit.h"
#include "policy/policy.h"

enum ballast_op {
	BALLAST_NONE,
	BALLAST_LOOK, /* puts right what is wrong; makes nothing */
	BALLAST_MAKE, /* the same, and makes it if there is room */
	BALLAST_RELEASE,
};

/* A root on that filesystem that has, or may have had, a quarantine. */
struct ballast_root {
	const char *path;
	struct admitted known;
};

struct ballast_order {
	const struct ballast_root *roots; /* the first is the home */
	size_t n_roots;
	bool has_home; /* false: the first is none either */
	const struct config *config; /* size, and what counts as room */
	enum ballast_op op;
	int report_fd; /* struct ballast_report */
};

struct ballast_report {
	uint64_t bytes; /* there now */
	uint64_t released_bytes; /* of the file that was given up */
	uint64_t freed_bytes; /* by which the filesystem got emptier then */
	int32_t error; /* errno, or 0 */
	uint32_t is_spoilt; /* one that was no good was removed */
};

/* Of a filesystem of that size; whole blocks. 0: none is wanted. */
uint64_t ballast_wanted(const struct config *config, uint64_t total_bytes);

/* Is this name, in a quarantine, a ballast, whole or half made? */
bool ballast_is_name(const char *name);

/* Runs to the end in this process, which is to do nothing else afterwards.
 * Returns its exit status. */
int ballast_run(const struct ballast_order *order);
