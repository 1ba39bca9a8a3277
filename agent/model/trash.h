// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The trash in numbers: what the agent asks a reaper to do with it, and what
 * comes back. Paths only come back: the agent names a root by its position
 * and a file by its number there.
 *
 * A file's number says when it was put there (34 bits of seconds, 26 bits of
 * 16 ns each) and, in the lowest four bits, which rule had chosen it. Moving
 * one takes longer than 16 ns: so numbers are apart, and their order is that
 * of the ages.
 */

#include <stdint.h>

#include "model/plan.h"

/* What lies in the trash of a policy that has none any more goes so long
 * after it was put there. */
#define TRASH_LEFT_S INT64_C(86400)
/* Files that one reaper empties or restores. */
#define TRASH_SLICE 4096

enum trash_action {
	TRASH_LIST,
	TRASH_RESTORE,
	TRASH_EMPTY,
	TRASH_RECOVER, /* what was left in the quarantines is put back */
	N_TRASH_ACTIONS,
};

uint64_t trash_number(int64_t at_real_ns, enum plan_rule rule);
/* The lowest number of the next 16 ns. */
uint64_t trash_number_next(uint64_t number);
int64_t trash_number_at(uint64_t number);
enum plan_rule trash_number_rule(uint64_t number);

/* A whole root (number 0), or one file in its trash. */
struct trash_pick {
	uint64_t number;
	uint32_t root;
	uint32_t reserved;
};

/* Picks as they travel, back to back in a sealed memory file. Returns 0,
 * -EBADMSG or -ENOMEM; ret owned by the caller. */
int trash_picks_decode(const void *data, size_t len, uint32_t n_roots,
	struct trash_pick **ret, size_t *ret_n);

/*
 * What came of one file; path_len bytes of its origin below the root follow
 * over the stream. reason: of a list TRASHED; else what was done, or why not.
 * number 0: the root as a whole is refused.
 */
struct trash_record {
	uint64_t number; /* END: the oldest that is left; 0: none is */
	uint64_t used_bytes, size_bytes;
	uint32_t root;
	uint32_t path_len;
	int32_t error; /* errno, or 0 */
	uint8_t reason; /* enum reason */
	uint8_t is_end;
	uint8_t is_more; /* END: another run would go on */
	uint8_t reserved;
};

/* A record that can be no reaper's is refused. */
#define TRASH_PATH_MAX ((uint32_t)1 << 26)
bool trash_record_is_sound(const struct trash_record *r, uint32_t n_roots);
