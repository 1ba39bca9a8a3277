// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/trash.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define RULE_BITS 4
#define PART_BITS 26 /* parts of a second, of 16 ns */
#define NS_A_S	  INT64_C(1000000000)
#define AT_MAX	  ((INT64_C(1) << 34) - 1)

static_assert(N_PLAN_RULES <= 1 << RULE_BITS, "no room for the rule");
/* No holes: a hole would carry memory of one process to the other. */
static_assert(sizeof(struct trash_pick) == 16, "hole in the pick");
static_assert(sizeof(struct trash_record) == 40, "hole in the record");

uint64_t trash_number(int64_t at_real_ns, enum plan_rule rule)
{
	int64_t ns = MAX_OF(at_real_ns, NS_A_S); /* 0 is no number */
	uint64_t at = (uint64_t)MIN_OF(ns / NS_A_S, AT_MAX);

	return at << (PART_BITS + RULE_BITS) |
	       (uint64_t)(ns % NS_A_S) >> 4 << RULE_BITS | (uint64_t)rule;
}

uint64_t trash_number_next(uint64_t number)
{
	return ((number >> RULE_BITS) + 1) << RULE_BITS;
}

int64_t trash_number_at(uint64_t number)
{
	return (int64_t)(number >> (PART_BITS + RULE_BITS));
}

enum plan_rule trash_number_rule(uint64_t number)
{
	unsigned int rule = number & ((1u << RULE_BITS) - 1);

	/* a name that somebody made by hand */
	return rule < N_PLAN_RULES ? (enum plan_rule)rule : PLAN_RULE_RETENTION;
}

int trash_picks_decode(const void *data, size_t len, uint32_t n_roots,
	struct trash_pick **ret, size_t *ret_n)
{
	size_t n = len / sizeof(struct trash_pick);
	struct trash_pick *picks;

	if (len % sizeof(*picks))
		return -EBADMSG;
	picks = calloc(n + 1, sizeof(*picks));
	if (!picks)
		return -ENOMEM;
	if (len)
		memcpy(picks, data, len);
	for (size_t i = 0; i < n; i++)
		if (picks[i].root >= n_roots || picks[i].reserved) {
			free(picks);
			return -EBADMSG;
		}
	*ret = picks;
	*ret_n = n;
	return 0;
}

bool trash_record_is_sound(const struct trash_record *r, uint32_t n_roots)
{
	return r->reason < N_REASONS && r->path_len <= TRASH_PATH_MAX &&
	       r->error >= 0 && (r->is_end || r->root < n_roots);
}
