// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns every part of the agent and the loop they run on. Callbacks only note
 * that something came; the walk is in cycle.c.
 */
#include "agent.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors.h"
#include "base/log.h"
#include "beat.h"
#include "control.h"
#include "core.h"
#include "cycle.h"
#include "deliver.h"
#include "latch.h"
#include "ledger.h"
#include "loop.h"
#include "methods.h"
#include "notice.h"
#include "reload.h"
#include "setup.h"
#include "sources.h"
#include "state.h"
#include "state_access.h"
#include "state_saver.h"
#include "wire.h"

#define AGENT_WORKERS 2

static void on_turn(void *ctx)
{
	cycle_turn(ctx);
}

static void on_something(void *ctx)
{
	(void)ctx;
}

static void on_signal(void *ctx)
{
	loop_stop(((struct agent *)ctx)->loop);
}

static void on_hangup(void *ctx)
{
	reload_start(ctx, NULL, false);
}

static void on_wire(void *ctx)
{
	struct agent *a = ctx;
	int r = wire_dispatch(a->wire);

	if (r < 0) {
		log_note(LOG_ERR, "the warden is gone: %s", strerror(-r));
		a->exit_error = r;
		loop_stop(a->loop);
	}
}

static void on_mounts(void *ctx)
{
	struct agent *a = ctx;

	mounts_watch_read(&a->mounts);
	a->is_mounts_changed = true;
}

/* The latch lies beside the state file. */
static int find_latch(struct agent *a)
{
	const char *state = a->config->state_file;
	const char *slash = strrchr(state, '/');

	if (asprintf(&a->panic_path, "%.*s/panic",
		    slash ? (int)(slash - state) : 1,
		    slash ? state : ".") < 0) {
		a->panic_path = NULL;
		return -ENOMEM;
	}
	a->is_panic = latch_is_set(a->panic_path);
	latch_prepare(a->panic_path);
	return 0;
}

static int make_parts(struct agent *a, const struct agent_start *start)
{
	int r = loop_new(&a->loop);

	if (r == 0)
		r = wire_new(start->channel_fd, on_hangup, a, &a->wire);
	if (r == 0)
		r = measure_new(AGENT_WORKERS, &a->measure);
	if (r == 0)
		r = history_init(&a->history);
	if (r == 0)
		r = deliver_new(
			a->wire, a->clock, notice_hook_failed, a, &a->deliver);
	if (r == 0)
		r = state_saver_new(&a->saver);
	if (r < 0)
		return r;
	a->alerts = alerts_new(start->config->cooldown_s);
	a->actors = actors_new();
	a->ledger = ledger_new();
	a->deletions = malloc(sizeof(*a->deletions));
	if (!a->alerts || !a->actors || !a->ledger || !a->deletions)
		return -ENOMEM;
	deletions_init(a->deletions);
	return 0;
}

static int make_sources(struct agent *a)
{
	struct loop_source *signals, *mounts;
	int r = loop_add_timer(a->loop, on_something, a, &a->timer);

	if (r == 0)
		r = loop_add_fd(a->loop, measure_fd(a->measure), on_something,
			a, &a->measured);
	if (r == 0)
		r = loop_add_fd(
			a->loop, wire_fd(a->wire), on_wire, a, &a->wired);
	/* Without /proc the roots are looked at now and then all the same. */
	if (r == 0 && mounts_watch_open(&a->mounts) == 0)
		r = loop_add_fd(a->loop, a->mounts.fd, on_mounts, a, &mounts);
	if (r == 0)
		r = loop_add_fd(a->loop, state_saver_fd(a->saver), on_something,
			a, &a->saved);
	if (r == 0)
		r = loop_add_signal(a->loop, SIGTERM, on_signal, a, &signals);
	if (r == 0)
		r = loop_add_signal(a->loop, SIGINT, on_signal, a, &signals);
	return r;
}

static int open_control(struct agent *a, int listen_fd)
{
	struct control_access access = {
		.agent_uid = getuid(), .read_gid = (gid_t)-1};
	int r = control_new(a->loop, a->config->socket_path, listen_fd, methods,
		n_methods, &access, a, &a->control);

	if (r < 0)
		log_note(LOG_ERR, "control socket %s: %s%s",
			a->config->socket_path, strerror(-r),
			r == -EADDRINUSE ? " (is another ullaged running?)"
					 : "");
	return r;
}

static void tell_ready(struct agent *a)
{
	struct channel_message msg = {.kind = CHANNEL_READY};

	log_event(MSG_STARTED, NULL, "ullage %s watches %zu component%s%s",
		a->version, a->n_components, a->n_components == 1 ? "" : "s",
		a->is_panic ? "; the panic latch is set, nothing is deleted"
			    : "");
	wire_request(a->wire, &msg, NULL, 0, NULL, NULL);
}

static int start_parts(struct agent *a, const struct agent_start *start)
{
	int r = make_parts(a, start);

	if (r == 0)
		r = make_sources(a);
	if (r == 0)
		r = setup_config(a, start->config);
	if (r == 0)
		r = find_latch(a);
	if (r == 0)
		r = state_load(a);
	if (r == 0)
		r = state_access_load(a);
	if (r == 0)
		r = open_control(a, start->listen_fd);
	if (r == 0)
		setup_access(a);
	return r;
}

static void stop_parts(struct agent *a)
{
	a->control = control_free(a->control);
	methods_trash_forget(a);
	if (a->components)
		setup_clear(a);
	sources_free(a);
	while (a->subscribers) {
		struct subscriber *next = a->subscribers->next;

		free(a->subscribers);
		a->subscribers = next;
	}
	deliver_free(a->deliver);
	state_access_free(a);
	state_saver_free(a->saver);
	measure_free(a->measure);
	actors_free(a->actors);
	ledger_free(a->ledger);
	filesystems_fini(&a->filesystems);
	wire_free(a->wire);
	alerts_free(a->alerts);
	history_fini(&a->history);
	free(a->deletions);
	loop_free(a->loop);
	mounts_watch_close(&a->mounts);
	config_free(a->config);
	free(a->panic_path);
}

static void note_unsaved(struct agent *a, const char *suffix, int r)
{
	if (r < 0)
		log_event(MSG_STATE_FAILED, NULL, "state not saved to %s%s: %s",
			a->config->state_file, suffix, strerror(-r));
}

static void save_at_the_end(struct agent *a)
{
	/* Not beside one that hangs: both would write to the same name. */
	int r = state_saver_wait(a->saver);

	if (r < 0) {
		note_unsaved(a, "", r);
		return;
	}
	note_unsaved(a, "", state_save(a));
	note_unsaved(a, ".access", state_access_save(a));
}

int agent_run(const struct agent_start *start)
{
	struct agent a = {
		.env = start->env,
		.version = start->version,
		.started_real_s = clock_real_s(NULL),
		.mounts = MOUNTS_WATCH_NONE,
	};
	int r;

	gethostname(a.host, sizeof(a.host) - 1);
	r = start_parts(&a, start);
	if (r < 0) {
		log_note(
			LOG_ERR, "the agent could not start: %s", strerror(-r));
	} else {
		setup_log_notes(start->notes);
		beat_begin(&a);
		tell_ready(&a);
		loop_arm(a.timer, 0);
		r = loop_run(a.loop, on_turn, &a);
		save_at_the_end(&a);
		log_event(MSG_STOPPED, NULL, "ullage stopped");
	}
	if (r == 0)
		r = a.exit_error;
	stop_parts(&a);
	return r;
}
