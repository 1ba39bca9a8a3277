// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Where a run works: the roots of its component, each compared with the known
 * one, and the one directory at hand, beneath its root and unlocked by others.
 */

#include <stddef.h>
#include <stdint.h>

#include "act/gain.h"
#include "act/reap.h"

struct audit;
struct keep;
struct policy;
struct admitted;

struct site_root {
	int fd; /* -1: not used, or refused */
	struct beneath_stat st;
	struct quarantine *quarantine;
	struct trash *trash; /* NULL: what goes is deleted */
	struct gain *gain; /* of its filesystem; in sites */
	bool can_be_shared; /* blocks of its files */
	enum reason refused; /* REASON_DELETED: it is not */
	int error;
};

struct sites {
	const struct policy *policy;
	struct site_root *roots; /* n_roots of the policy */
	struct gain *gains; /* one a filesystem */
	size_t n_roots, n_gains;
	int own_fd; /* of inuse_open_own */
	bool is_urgent; /* room is needed: see inuse_dir_lock */
	bool is_type_kept[N_STYPES]; /* in the plan, and has a keepNewest */
	/* the directory at hand */
	const struct candidate *at; /* whose; NULL: none */
	struct reap_place place;
	enum reason refused;
	int error;
};

/*
 * Opens the roots that the plan names. One that is not the known one, or
 * cannot be worked in, refuses its candidates; that is no failure.
 * Returns 0 or -errno.
 */
int site_open(struct sites *s, const struct policy *policy,
	const struct admitted *known, const struct plan *plan);
void site_close(struct sites *s);

/* The descriptors of the roots that may be worked in; ret has room for
 * n_roots. Returns how many. */
size_t site_fds(const struct sites *s, int *ret);

/* Walks the roots of types whose newest files stay. Returns 0 or -ENOMEM. */
int site_find_newest(const struct sites *s, struct keep *keep);

/* Opens and recovers their quarantines (P1, P10), confined already. */
void site_lock(struct sites *s, struct audit *audit);
/* Opens their trashes too: what goes, goes there. Where that fails nothing
 * goes. */
void site_use_trash(struct sites *s);

/*
 * Goes to the directory of a candidate. Returns REASON_DELETED and its place
 * (valid until the next call), or why nothing can go there, with an errno or
 * 0 in *ret_error.
 */
enum reason site_enter(struct sites *s, const struct candidate *c,
	const struct reap_place **ret, int *ret_error);
/* Leaves it: the next candidate is looked up afresh, and whoever waits for
 * the directory's lock gets it. */
void site_leave(struct sites *s);
/* NULL if the root is refused. */
struct gain *site_gain(const struct sites *s, const struct candidate *c);
