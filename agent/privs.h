// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Users, and what a process may do. The only file that knows libcap-ng
 * (beside act/confine.c). */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/account.h"

/* By name or number; name NULL: who we are. As account_find_user. */
int privs_find_user(const char *name, struct account *ret);

/* Capabilities by the process that keeps them (safety.md, architecture.md);
 * each is kept only as far as we have it. */
enum privs_set {
	PRIVS_NONE,
	PRIVS_AGENT, /* read and search everywhere */
	PRIVS_HOOKS, /* to become the hooks' user, and to end them */
	PRIVS_WARDEN, /* what the others need, and to change their user */
	PRIVS_MARKING_WARDEN, /* and to mark filesystems */
};

/*
 * Gives up for good all capabilities but those of the set, in the bounding set
 * too where we may; takes the user's ids and groups (to NULL: stays who we
 * are), and sets no_new_privs unless it is the warden. Returns 0 or -errno; on
 * failure the process is to end.
 */
int privs_drop(const struct account *to, enum privs_set set);

/* Sends signo to this process when parent dies (after privs_drop: changing
 * the user resets it). Returns 0, -errno, or -ECANCELED: it is dead already. */
int privs_die_with(pid_t parent, int signo);
