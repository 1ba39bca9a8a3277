// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What calls.c, which lets each call fail in turn, and the files of its other
 * subjects have in common. */

#include <stdbool.h>

#include "hostile/inject.h"
#include "hostile/world.h"

struct buf;

/* Of the run at hand. */
struct inject *calls_inject(void);
/* What is wrong after it, and with which file (or NULL). */
void calls_wrong(const char *what, const char *which);
/* Each call that a run makes fails in each way; once: one run, with what is to
 * fail at hand. */
void calls_all(void (*once)(void *ctx), void *ctx);
/* A process that ended by a signal that we did not send. */
void calls_check_status(int status);
/* Nothing may be touched if this call fails. */
bool calls_is_confining(long call);
bool calls_is_syncing(long call);

/* One reaper (run: as reaper_run) over what is in sent; ret: all that it told.
 * The audit begins anew. Returns its exit status. */
int calls_reap(struct world *w, int (*run)(const struct reaper_order *order),
	struct inject *i, const struct buf *sent, struct buf *ret);

/* Subjects. */
void calls_run_trash(const char *kind);
void calls_run_ballast(const char *kind);
