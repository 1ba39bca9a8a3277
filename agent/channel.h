// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Between agent and warden: a SOCK_SEQPACKET pair, one fixed struct a message.
 * Requests go by number, never by path. The warden answers REAP, TRASH, RELOAD,
 * HOOKS, MARK, HOLDERS, BALLAST and DELETED with a CHANNEL_DONE of the same
 * serial, and no other kind.
 *
 * DONE's status, where it is negative: -EINVAL the request or, of a reload,
 * the configuration (fd 0 says why); -ESTALE planned by another
 * configuration; -EBUSY this component is being reaped, a reload or this
 * filesystem's ballast under way; -EAGAIN too much at once, ask later;
 * -ECHILD the process was killed; -ECANCELED we are stopping; -EPERM the audit
 * file is not ours, nothing is deleted; other values: a system call failed.
 *
 * The lines of HOOKS: ULLAGE_NAME=value goes into the environment; @NAME runs
 * the hook of that name and no others but those named so (to try one again).
 * The report has a line for each: name, tab, status (ok, exit N, signal N,
 * deadline, error, refused), tab, its output or why, all escaped. Refused ones
 * do not count as failed.
 */

#include <stdint.h>

enum channel_kind {
	CHANNEL_REAP = 1, /* agent: fds plan, outcome; number: component */
	CHANNEL_RELOAD, /* agent: read the configuration again. DONE brings
			   fd 0: errors or notes as text, fd 1: the bundle;
			   is_dry_run: only what a reload would say */
	CHANNEL_HOOKS, /* agent: fd 0 payload, fd 1 environment lines. DONE:
			  status 0, or how many hooks failed; fd 0: a report */
	CHANNEL_DONE, /* warden: serial, status */
	CHANNEL_HANGUP, /* warden: SIGHUP came, please reload */
	CHANNEL_READY, /* agent: started, tell the service manager */
	CHANNEL_STATUS, /* agent: fd 0 status line for the service manager */
	CHANNEL_ALIVE, /* agent: watchdog */
	CHANNEL_MARK, /* agent: mark the filesystem of root of component
			 number. DONE: status 0 and fd 0, a fanotify group,
			 or why not, as errno or -errno; errno with
			 CHANNEL_MARK_BY_DIR: not as a whole, but each
			 directory can be marked for fd 0 */
	CHANNEL_HOLDERS, /* agent: fd 0 which files of number's component. DONE
			    brings fd 0: who holds each (act/holders.h) */
	CHANNEL_BALLAST, /* agent: op, for the filesystem of number's root. DONE
			    brings fd 0: a struct ballast_report */
	CHANNEL_TRASH, /* agent: fds picks, records (model/trash.h); number,
			  digest, limits, reason: as REAP; action */
	CHANNEL_DELETED, /* agent: digest. DONE brings fd 0: a struct
			    deleted_report, as far as it is filled */
};

#define CHANNEL_MARK_BY_DIR 0x80 /* more than the errno of a refused mark */

struct channel_message {
	uint32_t kind; /* enum channel_kind */
	uint32_t serial; /* of the request */
	uint32_t number; /* component by position in the configuration */

	int32_t status; /* DONE: exit status, or -errno */
	uint64_t digest; /* REAP: of the configuration that was planned by */
	uint64_t free_bytes, max_files, max_bytes;
	int64_t lead_ns; /* REAP: clock_lead_ns that was planned by */
	uint8_t reason; /* enum goal_reason */
	uint8_t is_forced;
	uint8_t is_dry_run;
	union {
		uint8_t op; /* BALLAST: enum ballast_op */
		uint8_t action; /* TRASH: enum trash_action */
	};
	uint16_t root; /* MARK, BALLAST: by position in the component */
	uint8_t reserved[2];
};
