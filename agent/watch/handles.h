// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Which directory a file handle stands for: keyed hashes of handles, and whose
 * they are. Plain memory, loop thread only; knows nothing of system calls. Two
 * handles of one hash (2^-64 for each pair) share a place, and the later one
 * has it: the other's directory is then only right after a reconciliation.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/table.h"

struct handle_slot {
	uint64_t hash;
	uint32_t dir;
	uint32_t next; /* in its chain, or in that of free ones */
	uint32_t port; /* whose directory it is */
};

struct handles {
	struct table table;
	struct handle_slot *slots;
	size_t n_slots, cap_slots;
	uint32_t free;
};

void handles_init(struct handles *h);
void handles_fini(struct handles *h);
/* NULL: a stranger. Valid until the next change. */
const struct handle_slot *handles_find(const struct handles *h, uint64_t hash);
/* From now on hash means dir of port, whatever it meant. 0 or -ENOMEM. */
int handles_put(struct handles *h, uint64_t hash, uint32_t port, uint32_t dir);
/* Forgets hash, if it means dir of port. */
void handles_remove(
	struct handles *h, uint64_t hash, uint32_t port, uint32_t dir);
