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
#include "pressure.h"
#include "wallclock.h"
#include "window.h"

struct accesses;
struct actors;
struct control;
struct control_call;
struct deliver;
struct ledger;
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
	struct actors *actors;
	struct ledger *ledger;
	struct marked *marked; /* sources.c's */
	struct control *control;
	struct deliver *deliver;
	struct state_saver *saver;
	struct accesses *accesses; /* state_access.c's */
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
	struct loop_source *saved; /* a save has ended */
	int64_t started_real_s;
	int64_t alerts_due_boot_ns;
	int64_t sample_due_boot_ns;
	bool is_news_held; /* they do not wake the loop */
	int64_t news_due_boot_ns; /* until then, if ever */
	struct window window; /* of reading them */
	int64_t save_due_boot_ns;
	int64_t save_begun_boot_ns;
	struct wallclock wallclock;
	struct pressure pressure; /* of I/O, while something is listed */
	bool is_dirty; /* state to be saved */
	bool is_save_slow; /* and this was told */
	struct mounts_watch mounts;
	bool is_mounts_changed; /* and not looked at yet */
	bool is_panic;
	bool is_clock_told; /* the alert about the wall clock is open */
	bool is_hung; /* a disk does not answer; the alert is open */
	int64_t beat_ns; /* of the watchdog; 0: nobody wants it */
	int64_t beat_due_boot_ns;

	char status_line[160]; /* as the service manager shows it */
	char *panic_path;
	int exit_error;
};

/* A cleanup under way is not to go on: the reaper judges every file anew, so an
 * index that is not exact is no reason, but a clock or a disk is. */
bool core_must_stop(const struct agent *a, const struct component *c);
struct component *core_find(struct agent *a, const char *name);
/* The component at *rank or the first behind it, in order of priority, low
 * first; *rank is its own then. NULL: none is left. */
struct component *core_at_rank(const struct agent *a, size_t *rank);
/* What keeps anything of it from being deleted now, as a sentence; NULL:
 * nothing. The index is not exact, or time is not, or a disk is not well. */
const char *core_obstacle(const struct agent *a, const struct component *c);
static inline bool core_is_trusted(
	const struct agent *a, const struct component *c)
{
	return !core_obstacle(a, c);
}
static inline struct alerts_now core_now(const struct agent *a)
{
	return (struct alerts_now){
		clock_boot_ns(a->clock), clock_real_s(a->clock)};
}
