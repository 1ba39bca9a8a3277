// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns: the numbers that are given out. Hands over to quarantine.c whatever
 * touches a disk.
 */
#include "act/trash.h"

#include <errno.h>
#include <stdlib.h>

#include "act/quarantine.h"
#include "base/clock.h"
#include "model/trash.h"

struct trash {
	struct quarantine *slots;
	uint64_t next; /* the lowest number that was not given out */
};

int trash_open(int root_fd, bool is_made, struct trash **ret)
{
	struct trash *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	r = quarantine_open_beside(root_fd, TRASH_NAME, is_made, &t->slots);
	if (r < 0) {
		free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct trash *trash_close(struct trash *t)
{
	if (t)
		quarantine_close(t->slots);
	free(t);
	return NULL;
}

struct quarantine *trash_slots(const struct trash *t)
{
	return t->slots;
}

int trash_put(struct trash *t, struct quarantine *from,
	const struct quarantine_slot *slot, const struct candidate *c)
{
	enum plan_rule rule = (enum plan_rule)c->rule;
	uint64_t n = trash_number(clock_real_ns(NULL), rule);
	int r;

	/* The clock may have been set back. */
	if (n < t->next)
		n = t->next + rule;
	t->next = trash_number_next(n);
	r = quarantine_pass(from, slot, t->slots, n, c->rel_dir, c->name);
	/* The directory cannot grow: a disk as full as that wants to be
	 * emptied, not to keep what was to go. */
	return r == -ENOSPC || r == -EDQUOT ? X_E_TRASH_FULL : r;
}

int trash_prepare(int root_fd)
{
	struct trash *t;
	int r = trash_open(root_fd, true, &t);

	if (r == 0)
		trash_close(t);
	return r;
}
