// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Inodes that the 40 bytes of an entry cannot hold: those with several links,
 * and huge ones. A record is shared by all names of its inode that the index
 * knows; its bytes count once in every node that has any of them below.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "model/observation.h"

struct index;

#define LINKS_NONE UINT32_MAX

struct record {
	uint32_t next; /* in its chain, or of the free ones */
	uint32_t first_name;
	uint32_t n_names;
	uint32_t nlink; /* as last observed */
	uint64_t dev;
	uint64_t ino;
	uint64_t used_bytes;
	uint64_t size_bytes; /* 0 for what is no regular file */
	bool is_sought; /* its other names were looked for */
	bool is_open; /* not all were found, and may be on their way */
	bool is_doubted; /* a name went, and with it perhaps the only news of
			    a change: the others are to be looked at */
	bool is_free;
};

struct link_name {
	uint32_t next; /* in the chain of its entry, or of the free ones */
	uint32_t next_in_record;
	uint32_t record;
	uint32_t entry; /* LINKS_NONE if free */
};

struct links {
	struct record *records;
	size_t cap_records;
	uint32_t n_record_slots, n_records;
	uint32_t free_record;
	struct link_name *names;
	size_t cap_names;
	uint32_t n_name_slots, n_names;
	uint32_t free_name;
	struct table by_inode;
	struct table by_entry;
	bool is_any_wanted, is_any_open;
};

void links_init(struct links *l);
void links_fini(struct links *l);
/* The record of an entry that has one. */
struct record *links_record(const struct links *l, uint32_t entry);
struct record *links_by_inode(
	const struct links *l, uint64_t dev, uint64_t ino);
/* Makes entry a name of the observed inode and counts its bytes where they
 * were not counted yet. Returns 0 or -ENOMEM. */
int links_attach(struct index *ix, uint32_t entry, const struct observation *o);
/* The reverse; the entry stays, without a record. */
void links_detach(struct index *ix, uint32_t entry);
/* A new look at an inode that has a record. */
void links_update(
	struct index *ix, struct record *rec, const struct observation *o);
/* Detaches every name below a node. */
void links_detach_below(struct index *ix, uint32_t node);
/*
 * A directory moves: its names are detached before and attached again after,
 * because who covers whom changes. links_lift may fail with -ENOMEM, before
 * anything changed; links_lay takes the list.
 */
struct lifted {
	struct lifted_name {
		uint32_t entry;
		bool is_doubted, is_open; /* of its record */
		struct observation o;
	} * names;
	size_t n_names;
	size_t cap;
};
int links_lift(struct index *ix, uint32_t node, struct lifted *ret);
int links_lay(struct index *ix, struct lifted *lifted);
uint64_t links_memory(const struct links *l);
