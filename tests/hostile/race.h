// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What race.c, which lets reaper and rival meet, and race_attacks.c, which
 * knows what rivals do, have in common. */

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "act/reap.h"
#include "hostile/world.h"

#define BATCH 500

/* The protection that is left out, to see that the attack has teeth. */
enum without {
	WITHOUT_NOTHING,
	WITHOUT_QUARANTINE, /* stat, then unlink, and nothing else */
	WITHOUT_LANDLOCK,
	WITHOUT_VERIFY, /* what was moved is not looked at again */
	WITHOUT_BIRTH, /* the inode number alone says which file it is */
	N_WITHOUT
};

#define STEP_ALWAYS (-1)
#define STEP_NONE   (-2)

/* Shared by reaper, rival and referee. */
struct arena {
	volatile int current; /* the round at hand */
	volatile bool is_over;
	unsigned char reasons[BATCH];
	bool is_wrong[BATCH]; /* what only the reaper's side can see */
};

struct attack;

struct fight {
	struct world w;
	enum without without;
	struct arena *arena;
	int outside_fd; /* above the root */
	int to_rival[2], to_reaper[2]; /* pipes */
	struct candidate c[BATCH];
	char names[BATCH][32];
	ino_t precious[BATCH];
	int n;
	unsigned long n_rounds, n_wrong, n_deleted, n_refused;
	unsigned long n_reused; /* inode numbers */
	const struct attack *attack;
};

struct attack {
	const char *name;
	const char *dir; /* where the victims are */
	int step; /* the rival is called in each round at this REAP_STEP_;
		     STEP_ALWAYS: it runs all the time */
	void (*rival)(struct fight *f, int round);
	/* after the batch: what is wrong with this round? */
	bool (*is_wrong)(struct fight *f, int round);
	void (*undo)(struct fight *f, int round); /* after each round */
	void (*set_up)(struct fight *f);
	void (*reaper)(struct fight *f); /* NULL: the real one */
	unsigned int mutants; /* bits 1 << WITHOUT_: it succeeds without */
	const char *kinds; /* of filesystems on which it can; NULL: all */
	unsigned int cost; /* a round takes as long as so many others */
};

extern const struct attack race_attacks[];
extern const size_t race_n_attacks;

/* DIR/PREFIX-i, empty; its inode. */
ino_t race_make_file(struct fight *f, const char *prefix, int i);
