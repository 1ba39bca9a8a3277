// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Room held by files that were deleted and are still open: the agent's last
 * look at it, which a process of the warden's takes (act/deleted.h). Nobody
 * looks without a reason: somebody asks, a level is over, a cleanup begins.
 */

#include <stdbool.h>
#include <stdint.h>

#include "act/deleted.h"
#include "base/mem.h"

struct agent;
struct control_call;
struct ledger;

/* NULL: out of memory. */
struct ledger *ledger_new(void);
struct ledger *ledger_free(struct ledger *l);
/* Takes a look beside the loop, unless one is under way or the last one is no
 * older than this. */
void ledger_look(struct agent *a, int64_t no_older_ns);
/* Is a look under way that is worth waiting for? */
bool ledger_is_owed(const struct ledger *l);
/* The components have other numbers now. */
void ledger_forget(struct ledger *l);
/* NULL: nobody has looked yet. */
const struct deleted_report *ledger_report(const struct ledger *l);
int64_t ledger_at_real_s(const struct ledger *l);
/* Bytes on dev (0: any) that were component's (DELETED_NOWHERE: anybody's). */
uint64_t ledger_bytes(const struct ledger *l, uint64_t dev, uint32_t component);
/* Appends who holds those and what helps: "; 1 GiB is held by deleted files:
 * nginx.service (nginx, pid 12) 1 GiB; ..."; nothing if nobody does. Returns 0
 * or -ENOMEM. */
int ledger_describe(const struct ledger *l, uint64_t dev, uint32_t component,
	struct buf *ret);
/* Calls of GetHeld wait for a fresh look; answered in methods_held.c. */
void ledger_await(struct ledger *l, struct control_call *call);
struct control_call *ledger_take_call(struct ledger *l);
