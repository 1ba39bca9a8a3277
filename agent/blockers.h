// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What kept a run from its target: cause, whose, and how much. Most of it the
 * run has counted already (struct skipped); the names behind it cost a look,
 * and are asked for only when the target was missed: which protect pattern,
 * by the names of the largest protected files; who holds what is in use, by a
 * process of the warden's (act/holders.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/holders.h"
#include "model/reason.h"
#include "strategies/strategies.h"

struct cleanup_parts;

#define BLOCKERS_MAX 12

struct blocker {
	enum reason reason;
	char by[HOLDERS_TEXT]; /* pattern or holder; "": none, or not known */
	uint64_t files, bytes;
};

struct blockers { /* a plain value */
	struct blocker items[BLOCKERS_MAX];
	size_t n;
};

/* Adds to the one of the same cause and name. When there is no place left the
 * name is given up, not the count. */
void blockers_add(struct blockers *b, const struct blocker *more);
void blockers_merge(struct blockers *b, const struct blockers *more);
/* What is counted in skipped and not named yet; then the largest first. */
void blockers_complete(struct blockers *b, const struct skipped *skipped);
/* Appends "protected by *.lock: 3 files, 20 MiB; ...". 0 or -ENOMEM. */
int blockers_describe(const struct blockers *b, struct buf *ret);

/* ---- finding the names ---- */

struct blocking;

struct blocking *blocking_new(void); /* NULL: no memory */
struct blocking *blocking_free(struct blocking *b);
/* A file in use was left. Only the first ones are remembered. NULL is fine. */
void blocking_note_busy(
	struct blocking *b, const char *root, const struct candidate *item);
/*
 * Begins to find the names. parts and ret: borrowed until done, which is called
 * once, later, with what was found in *ret (not completed). Returns false,
 * with *ret filled as far as it can be, if there is nothing to wait for.
 */
bool blocking_start(struct blocking *b, const struct cleanup_parts *parts,
	const struct skipped *skipped, struct blockers *ret,
	void (*done)(void *ctx), void *ctx);
