// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Who is at the other end of a control connection, and what they may do. */

#include <stdbool.h>
#include <sys/types.h>

struct control_access;

struct control_peer {
	uid_t uid;
	bool can_read;
	bool can_change; /* then can_read as well */
};

/*
 * By the credentials the kernel recorded when the peer connected: it cannot
 * lend its place to a process with more rights afterwards. Returns 0 or
 * -errno.
 */
int control_peer_look(
	int fd, const struct control_access *access, struct control_peer *ret);
