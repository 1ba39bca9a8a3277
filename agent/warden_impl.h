// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What warden.c (processes, signals, the loop) and warden_serve.c (the
 * agent's requests) share; nobody else includes it. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control_socket.h"
#include "notify.h"
#include "privs.h"
#include "warden.h"
#include "warden_claims.h"
#include "warden_config.h"
#include "warden_files.h"
#include "warden_survey.h"

#define WARDEN_MAX_JOBS	 64 /* processes at work for the agent */
#define WARDEN_MAX_HOOKS 8 /* of these, rounds of hooks */

enum job_kind {
	JOB_REAPER,
	JOB_HOOKS,
	JOB_MARK,
	JOB_BALLAST,
	JOB_HOLDERS,
	JOB_DELETED,
};

struct job {
	pid_t pid;
	enum job_kind kind;
	bool is_answered_to; /* the agent that asked still runs */
	uint32_t serial; /* of the request */
	char *component; /* JOB_REAPER: one at a time for each */
	int report_fd; /* of all but JOB_REAPER; JOB_MARK: the group */
	uint64_t dev; /* JOB_BALLAST: one at a time for each */
};

struct reload {
	bool is_under_way;
	uint32_t serial;
	struct warden_config next;
	struct survey survey;
	/* The reapers of the policies that are to go have until then; 0: they
	 * were not told yet. */
	int64_t patience_boot_ns;
};

struct warden {
	const struct warden_options *options;
	struct warden_source source;
	struct warden_config current;
	struct survey survey; /* over; known roots of current */
	struct account agent_user;
	struct warden_files files;
	struct warden_claims claims;
	struct control_socket socket;
	struct notify notify;
	int signal_fd;

	pid_t agent; /* 0: does not run */
	int channel_fd; /* -1: does not run */
	bool was_ready; /* an agent has said so: no misconfiguration */
	int64_t agent_start_ns;
	int64_t pause_ns; /* before the next start */
	int64_t next_start_ns;
	int64_t leave_ns; /* an agent that has closed its channel is to have
			     ended by then; 0: it has not closed it */

	struct job jobs[WARDEN_MAX_JOBS];
	size_t n_jobs;
	struct reload reload;

	bool is_stopping;
	int64_t stop_ns; /* when patience ends */
	bool is_patience_over; /* all have been killed */
	int exit_status;
};

/* One message of the agent's. Returns 0, -EPIPE: the channel is at its end, or
 * -errno: it is broken. */
int warden_serve_message(struct warden *w);
/* A child that has ended may be a job. */
void warden_serve_ended(struct warden *w, pid_t pid, int status);
/* A reload is under way: does what can be done of it now. */
void warden_serve_reload(struct warden *w);
/* SIGHUP: asks the agent to ask for a reload. */
void warden_serve_hangup(struct warden *w);
/* The agent is gone: nobody waits for answers any more, its reapers end. */
void warden_serve_forget(struct warden *w);
void warden_serve_signal_jobs(struct warden *w, int signo);
