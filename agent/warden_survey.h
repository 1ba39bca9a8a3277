// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A look at every root: base directories and quarantines are made, and which
 * directory stands there now is written down, for reapers to compare with. It
 * is the one thing of the warden's that touches the components' disks, so
 * others do it: a few child processes. A disk that does not answer holds up a
 * child; its roots stay unknown, and nothing is deleted below an unknown root.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "policy/admit.h"
#include "policy/policy.h"
#include "privs.h"

struct survey {
	int fd; /* readable: something was found; -1 when it is over */
	int64_t end_boot_ns; /* then we go on without the rest */
	const struct config *config; /* borrowed */
	struct admitted *known; /* of all roots, policy by policy; zero:
				   unknown */
	bool *is_answered;
	size_t n_roots;
	struct buf notes; /* a line each */
};

#define SURVEY_NONE ((struct survey){.fd = -1})

/* agent: owns what has no "user". Returns 0 or -errno. */
int warden_survey_start(const struct config *config,
	const struct account *agent, struct survey *ret);
void warden_survey_fini(struct survey *s);

/* Takes what there is, without blocking. Returns true once it is over: every
 * root has answered, or the time is up (the notes say which have not). */
bool warden_survey_step(struct survey *s);
/* Steps until it is over. */
void warden_survey_wait(struct survey *s);

/* Where the roots of a policy begin in known. */
const struct admitted *warden_survey_known(
	const struct survey *s, size_t policy);
