// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A plan: the victims in order, each by root, relative directory, name and
 * identity, never by path. Agent to reaper it travels as a byte stream in a
 * sealed memory file (encode, decode); the reaper trusts nothing in it.
 */

#include "base/beneath.h"
#include "base/mem.h"
#include "model/goal.h"
#include "model/reason.h"
#include "model/stype.h"

/* Which rule of the strategy chose it. X(id, word) */
#define PLAN_RULE_TABLE(X)                     \
	X(RETENTION, "retention")              \
	X(LARGEST, "largest")                  \
	X(LEAST_RECENT, "least-recently-used") \
	X(PRIORITY, "priority")

enum plan_rule {
#define X(id, word) PLAN_RULE_##id,
	PLAN_RULE_TABLE(X)
#undef X
		N_PLAN_RULES
};

const char *plan_rule_word(enum plan_rule rule);

struct candidate {
	uint16_t root; /* which root of the component, by position */
	uint8_t type; /* enum stype */
	uint8_t rule; /* enum plan_rule */
	const char *rel_dir; /* below the root, "" for the root itself */
	const char *name;
	struct identity id;
	uint64_t used_bytes; /* what deleting it should free */
	uint64_t size_bytes;
	int64_t age_s; /* by the policy's age, at planning */
	int64_t used_real_s; /* newest known use, at planning */
};

struct plan {
	struct candidate *items; /* strings live in text */
	size_t n_items;
	size_t cap;
	struct buf text;
};

void plan_fini(struct plan *p);
/* Appends a candidate; its strings are copied and must not be those of p.
 * Returns 0 or -ENOMEM. */
int plan_add(struct plan *p, const struct candidate *c);

/* Appends the byte stream of items [from, to) to ret. Returns 0, -ENOMEM,
 * -EOVERFLOW (no such items, or over 2 GiB), or -EINVAL for an item that
 * plan_decode would refuse. */
int plan_encode(const struct plan *p, size_t from, size_t to, struct buf *ret);
/*
 * Reads a stream. Refuses with -EBADMSG whatever plan_encode does not write:
 * a bad count or length, a name with '/' or NUL, "", "." or "..", an absolute
 * rel_dir, one with empty, "." or ".." components, components over NAME_MAX,
 * unknown types and rules, and anything after the last item.
 */
int plan_decode(const void *data, size_t len, struct plan *ret);

/* What came of one candidate; sent back as is over a stream socket. */
struct outcome {
	uint32_t item; /* its position in the plan */
	uint8_t reason; /* enum reason */
	uint8_t is_end; /* the last one of a run: item counts all judged */
	uint16_t reserved;
	int32_t error; /* errno behind REASON_ERROR and the like, or 0 */
	uint32_t reserved2;
	uint64_t freed_bytes; /* what of used_bytes is nobody else's: what the
				 filesystem gets */
	uint64_t used_bytes; /* st_blocks * 512 of what went */
};
