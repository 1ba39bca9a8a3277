// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The protocol for one candidate, P4 to P9. Used by reaper.c, and by tests. */

#include <stdbool.h>
#include <stdint.h>

#include "base/beneath.h"
#include "model/plan.h"
#include "model/rules.h"

struct audit;
struct keep;
struct quarantine;
struct trash;

/* on_step: after P4 and P5, after P6, P7 and P8 */
enum reap_step {
	REAP_STEP_LOOKED,
	REAP_STEP_LEASED,
	REAP_STEP_MOVED,
	REAP_STEP_VERIFIED,
};

/* What the judgements of one run rest on. */
struct reap_rules {
	const struct rules *rules;
	enum goal_reason reason;
	int64_t now_s; /* wall clock at the start of the run */
	bool is_dry_run;
	uint64_t bytes_left; /* what the run may still take */
	enum reason bytes_rail; /* what it says to more */
	struct keep *keep; /* the newest files, or NULL */
	struct audit *audit; /* or NULL */
	/* Test seam: called between the steps, to let a rival act there. */
	void (*on_step)(void *ctx, enum reap_step step);
	void *ctx;
};

/* Where the candidates at hand are: one directory below one root. */
struct reap_place {
	int dir_fd; /* opened beneath the root */
	int own_fd; /* of inuse_open_own; -1: nothing can be leased */
	bool is_open; /* reap_is_open of it, or of one above it */
	uid_t root_uid; /* of the root */
	uint64_t root_dev;
	enum stype type; /* the policy's, for this root */
	struct quarantine *quarantine; /* of this root; NULL in a dry run */
	bool can_be_shared; /* blocks, with copies and snapshots */
	struct trash *trash; /* of this root; NULL: what goes is deleted */
};

/*
 * Judges one candidate by what is on disk now, and deletes it. Of the plan it
 * takes the directory, the name and the identity, and that it was chosen by
 * age (then the age is judged again); never the type or the age itself.
 * ret: reason, error, used_bytes and freed_bytes (WOULD_DELETE: what would be
 * freed; TRASHED: what emptying the trash will free); item is left alone.
 *
 * A file that would free next to nothing, because its blocks belong to a
 * snapshot or a copy too, is left (SHARED), unless it is past its retention:
 * then its age is why it goes, whatever that frees.
 *
 * Not done here: an empty directory stays, and so do files with other
 * links (LINKED): what deleting one of them frees is not known.
 */
void reap_one(const struct reap_rules *rules, const struct reap_place *place,
	const struct candidate *c, struct outcome *ret);

/* May somebody beside root change names in this directory? */
bool reap_is_open(const struct beneath_stat *dir);
/* The judgements alone, on what stat says of the file: REASON_DELETED if
 * nothing speaks against it. */
enum reason reap_judge(const struct reap_rules *rules,
	const struct reap_place *place, const struct candidate *c,
	const struct beneath_stat *st);
