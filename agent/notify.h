// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Tells the service manager how we are: sd_notify(3)'s protocol, one datagram
 * a message. Never blocks; what cannot be sent is lost. */

#include "base/mem.h"

struct notify {
	int fd; /* -1: nobody asked */
};

/* Takes NOTIFY_SOCKET out of the environment, so that no child has it.
 * Returns 0 (also if there is none), or -errno: it cannot be reached. */
int notify_open(struct notify *ret);
void notify_close(struct notify *n);

/* "READY=1", "STOPPING=1", "WATCHDOG=1", several with newlines between. */
void notify_send(const struct notify *n, const char *assignments);
/* STATUS= with this text, up to its first control character: it must not be
 * able to assign anything else. */
void notify_status(const struct notify *n, const char *text);
