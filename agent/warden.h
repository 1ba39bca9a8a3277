// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The warden: the small parent of all other processes. Reads the
 * configuration, makes the base directories, remembers which directory each
 * root is, starts the agent and starts it again, and answers what the agent
 * asks for by number (channel.h): a reaper, a reload, the hooks.
 */

struct warden_options {
	const char *config_file; /* NULL: the usual one, which may be absent */
	const char *const *policy_dirs; /* NULL-terminated, first has
					   precedence; NULL: the usual ones */
	const char *root, *state_file, *socket_path; /* NULL: as configured */
	const char *version;
};

/* All return the exit status of the process and say on stderr what is wrong.
 * check: reads everything, prints errors, or remarks and a summary.
 * prepare: makes missing base directories and quarantines, and no more.
 * unit: prints the drop-in for that unit of ours (warden_unit.h).
 * run: until SIGTERM or SIGINT. */
int warden_check(const struct warden_options *options);
int warden_prepare(const struct warden_options *options);
int warden_unit(const struct warden_options *options, const char *unit);
int warden_run(const struct warden_options *options);
