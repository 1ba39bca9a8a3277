// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A blocking connection to an agent's control socket. */

#include <stdbool.h>

#include "base/mem.h"

struct json_object;
struct varlink_reply;

struct client {
	int fd;
	struct buf in; /* received, not yet taken */
};

#define CLIENT_NONE ((struct client){.fd = -1})

/* Where the agent listens if nobody says: $ULLAGE_SOCKET, the system's
 * socket, or this user's if only that is there. Never NULL unless memory
 * lacks; owned by the caller. */
char *client_default_path(void);

/* Connects. path may be longer than a socket address. Returns 0 or -errno. */
int client_open(const char *path, struct client *ret);
void client_close(struct client *c);

/* Sends a call; method is without the interface. Returns 0 or -errno. */
int client_call(struct client *c, const char *method,
	struct json_object *parameters, bool is_more);
/* The next reply, within so many milliseconds (-1: whenever it comes).
 * -ENODATA: the agent hung up. -EBADMSG: it sent something else.
 * -ETIMEDOUT. */
int client_next(struct client *c, int timeout_ms, struct varlink_reply *ret);
