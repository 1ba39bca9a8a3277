// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Which conditions hold, and who has to hear of it. A condition is known by
 * (kind, scope) and reported as often as its owner likes, with the level it
 * has; what comes out is a queue of alerts to record and deliver:
 *
 *   raised     a condition begins; a new id
 *   escalated  its level rises: at once, whatever the cooldown
 *   repeated   it lasts, a cooldown after it was last heard of
 *   resolved   it is over; once, and only if it had been raised
 *
 * A level that falls, but not to OK, is noted and not announced. A condition
 * that comes back within the cooldown at a level that was announced already
 * is held: raised when the cooldown is over, if it still lasts then.
 *
 * Ids rise and are those of no earlier run, even if its state was lost: they
 * begin at the wall clock, in milliseconds.
 *
 * Pure: no clock, no input or output. Intervals are on the boot clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/alert.h"

struct alerts;

/* cooldown_s 0: nothing is repeated and nothing is held. NULL: no memory. */
struct alerts *alerts_new(int64_t cooldown_s);
struct alerts *alerts_free(struct alerts *e);
/* From now on, for open conditions too. */
void alerts_set_cooldown(struct alerts *e, int64_t cooldown_s);

/* Texts as in silence.h; they replace what was set before. Returns 0, -EINVAL
 * (one is none; nothing is changed) or -ENOMEM. */
int alerts_set_silences(struct alerts *e, char *const *silences, size_t n);

/* What is the case; everything is borrowed and copied where it is kept. */
struct alert_condition {
	enum alert_kind kind;
	enum level level; /* LEVEL_OK: it is over, or never was */
	const char *scope;
	const char *component, *filesystem; /* or NULL */
	uint64_t used_bytes, limit_bytes;
	const char *message;
	const char *details; /* a JSON object as text, or NULL */
};

struct alerts_now {
	int64_t boot_ns; /* never steps back */
	int64_t real_s; /* stamps the alerts */
};

/* Returns 0, or -ENOMEM with nothing changed: report it again. */
int alerts_report(struct alerts *e, const struct alert_condition *c,
	struct alerts_now now);

#define ALERTS_NEVER INT64_MAX
/* Does what is due at now. ret_next_ns: when (boot clock) to call again, or
 * ALERTS_NEVER. Returns 0, or -ENOMEM with the rest still due. */
int alerts_tick(struct alerts *e, struct alerts_now now, int64_t *ret_next_ns);

/*
 * Takes the next alert off the queue: the caller owns it. A silenced one is
 * to be recorded and not delivered. False if there is none.
 */
bool alerts_take(struct alerts *e, struct alert *ret, bool *ret_is_silenced);

/* One open condition, for status and for the state file. */
struct alerts_open {
	const struct alert *alert; /* as last reported; borrowed until the
				      next call; event: as last announced */
	int64_t raised_real_s; /* when it began */
	int64_t heard_real_s; /* when it was last announced */
	bool is_held; /* not announced yet: it came back too soon */
};
size_t alerts_n_open(const struct alerts *e);
struct alerts_open alerts_get_open(const struct alerts *e, size_t i);
/*
 * Takes an open condition over from an earlier run: it keeps its id, and its
 * cooldown goes on. Returns 0, -EEXIST (one of its kind and scope is open),
 * -EINVAL (no id, no scope, level OK) or -ENOMEM.
 */
int alerts_restore(struct alerts *e, const struct alerts_open *open,
	struct alerts_now now);
