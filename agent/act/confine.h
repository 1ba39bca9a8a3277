// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * P2: what the reaper gives up before it looks at anything.
 *
 * What is left when it is confined: below the given roots it may list, open
 * for reading, and move and remove regular files, and make directories and
 * symbolic links; it can open nothing for writing, anywhere. No program can
 * be started, no socket made, no other process touched. Anything missing for
 * that (Landlock ABI 2, openat2, seccomp) is a failure: it fails closed.
 */

#include <stddef.h>

/*
 * root_fds: those directories. Capabilities down to DAC_OVERRIDE, FOWNER and
 * LEASE as far as we have them, no_new_privs, Landlock, few descriptors, no
 * core dumps, and last seccomp. ret_why (a static string) names what is
 * missing on failure.
 * Returns 0, -EOPNOTSUPP, or -errno. Cannot be undone.
 */
int confine_reaper(
	const int *root_fds, size_t n_root_fds, const char **ret_why);

/* The calls that the protocol rests on: are they there, and allowed? Returns
 * 0, or -EOPNOTSUPP with the first one missing. confine_reaper asks it too; a
 * reaper asks before it opens anything. */
int confine_probe(const char **ret_why);
/*
 * The same for the process that looks after a ballast: below the given
 * directories it may make, write and remove regular files; no capabilities.
 */
int confine_ballast(const int *fds, size_t n_fds, const char **ret_why);

/* The parts of it, in that order; each 0 or -errno. */
int confine_privileges(void);
int confine_landlock(const int *root_fds, size_t n_root_fds);
int confine_seccomp(void);
int confine_seccomp_ballast(void);

/* What Landlock offers: its ABI, 0 if none. */
int confine_landlock_abi(void);
