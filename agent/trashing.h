// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * When the trash of a component is emptied: what is older than the policy
 * says, and at once when room is needed, the oldest first. It is condemned
 * already, so it goes before anything that is in use:
 *
 *   - usage with the trash reaches the component's critical level: until it is
 *     under the warning level again, so an undo never takes a component over
 *     its allocation;
 *   - a filesystem is in an emergency: before any component is cleaned;
 *   - a cleanup could not reach its target: by as much as is missing.
 *
 * Levels, targets and guard rails count without it: a cleanup that moves files
 * to the trash has done its work.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/goal.h"

struct agent;
struct cleanup_result;
struct component;
struct errand;
struct errand_order;
struct filesystem;

/* Once a turn, before the component is judged. */
void trashing_keep(struct agent *a, struct component *c);
/* When that has something to do by itself; INT64_MAX: never. */
int64_t trashing_due(const struct agent *a, const struct component *c);
/*
 * An emergency of f, with so much to be freed: the trash of the next component
 * on it. Returns true while that is under way; false: there is none left, and
 * components are to be cleaned.
 */
bool trashing_relieve(struct agent *a, struct filesystem *f, uint64_t bytes);
/* An order to empty it for this reason, within those guard rails of a cleanup
 * that are not shares of the component. Without picks. */
void trashing_order(struct agent *a, struct component *c,
	enum goal_reason reason, bool is_forced, struct errand_order *ret);
/* A cleanup ended. */
void trashing_note_cleanup(struct component *c, const struct cleanup_result *r);
/* An errand that emptied ended, whoever wanted it: log, history, when next. */
void trashing_note_emptied(struct component *c, const struct errand *e);
