// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What the agent is made of. Shared by the files of this floor: agent.c owns
 * it and runs the loop, cycle.c walks it once a turn, report.c and methods.c
 * show it to clients, state.c saves it.
 */

#include "alerts.h"
#include "base/clock.h"
#include "component.h"
#include "deletions.h"
#include "filesystems.h"
#include "history.h"
#include "policy/policy_json.h"

struct control;
struct control_call;
struct deliver;
struct loop;
struct loop_source;
struct wire;

struct subscriber {
	struct control_call *call;
	struct subscriber *next;
};

struct agent {
	struct config *config;
	const struct config_env *env;
	const struct clock *clock; /* NULL: the kernel's */
	const char *version;
	char host[65];
	struct loop *loop;
	struct wire *wire;
	struct measure *measure;
	struct control *control;
	struct deliver *deliver;
	struct component *components; /* in the order of the policies */
	size_t n_components;
	struct filesystems filesystems;
	struct alerts *alerts;
	struct history history;
	struct deletions *deletions;
	struct subscriber *subscribers;
	struct reconciling *reconciling; /* methods.c's */
	struct asking *asking; /* methods.c's */
	struct undoing *undoing; /* methods_trash.c's */
	struct awaiting *awaiting; /* methods_cleanup.c's */
	uint32_t last_feed_id;
	struct loop_source *timer; /* the next thing that is due */
	struct loop_source *measured; /* results wait */
	struct loop_source *wired;
	int64_t started_real_s;
	int64_t alerts_due_boot_ns;
	int64_t sample_due_boot_ns;
	int64_t save_due_boot_ns;
	int64_t last_boot_ns, last_real_ns; /* of the last turn, for jumps */
	int64_t distrust_until_boot_ns; /* no deletion after a clock jump */
	bool is_dirty; /* state to be saved */
	bool is_panic;
	bool is_hung; /* a disk does not answer; the alert is open */
	int64_t beat_ns; /* of the watchdog; 0: nobody wants it */
	int64_t beat_due_boot_ns;

	char status_line[160]; /* as the service manager shows it */
	char *panic_path;
	int exit_error;
};

struct component *core_find(struct agent *a, const char *name);
/* No deletion in it now: the index is not exact, or time is not. */
bool core_is_trusted(const struct agent *a, const struct component *c);
static inline struct alerts_now core_now(const struct agent *a)
{
	return (struct alerts_now){
		clock_boot_ns(a->clock), clock_real_s(a->clock)};
}
