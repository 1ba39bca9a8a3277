// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A warden as a real process, in a place of its own. Its agent and its reapers
 * are puppets: agent_run of puppet.c hands the channel to the test, which then
 * speaks for the agent; reaper_run tells what it was ordered. Failures are
 * cmocka's.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fd.h"
#include "channel.h"

#define PUPPET_NOBODY  65534
#define PUPPET_WAIT_MS 8000 /* for anything */

struct hello {
	pid_t pid;
	uint64_t digest;
	uint64_t n_policies;
	uid_t uid;
	uint32_t n_fds;
	bool can_listen;
	char caps[32];
	char notes[1024];
};

struct told { /* what a reaper was ordered */
	pid_t pid;
	char component[64];
	uint64_t free_bytes;
	uint64_t data_ino; /* of the known root that holds data */
	char panic_path[128];
	bool has_audit;
};

extern struct puppet {
	char place[64]; /* directory of this test */
	bool is_failing; /* agent_run fails */
	pid_t warden; /* 0: none; killed at the end */
	int channel; /* the agent's end */
	int notified; /* what the service manager is told */
	struct hello agent; /* of the agent met last */
} puppet;

/* A place with two policies, alpha and beta, and an empty hooks directory. */
int puppet_setup(void **state);
int puppet_teardown(void **state);

/* rel in the place; one of four buffers in turn. */
const char *puppet_path(const char *rel);
void puppet_write(const char *rel, const char *text, mode_t mode);
void puppet_mkdir(const char *rel, mode_t mode);
/* more: ", \"key\": value" */
void puppet_policy(const char *component, const char *more);

void puppet_start(void);
pid_t puppet_start_at(const char *socket_path);
/* Waits for the next agent. */
void puppet_meet(void);
/* Ends the warden in order. */
void puppet_stop(void);
/* The wait status of a child of ours, which is to end. */
int puppet_wait(pid_t pid);
bool puppet_is_alive(pid_t pid);
void puppet_assert_ends(pid_t pid);
bool puppet_is_readable(int fd);

void puppet_ask(struct channel_message m, const int *fds, size_t n_fds);
/* The status of the answer to serial; its descriptors are closed unless
 * ret_fds takes them. */
int puppet_answer(uint32_t serial, int ret_fds[FD_MAX_PASSED]);
/* Reads to the end, and closes. */
void puppet_read(int fd, struct buf *ret);
int puppet_memfile(const char *text);
/* plan: "hang", or the reaper's exit status. ret_outcome: our end. */
void puppet_ask_reaper(
	uint32_t serial, uint32_t number, const char *plan, int *ret_outcome);
struct told puppet_hear(int outcome);
/* Asks, hears, and waits for the answer. */
int puppet_reap(uint32_t number, const char *plan, struct told *ret);
/* more: lines beside ULLAGE_OUT, the directory that hooks may write to. */
void puppet_ask_hooks(uint32_t serial, const char *more);
