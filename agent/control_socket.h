// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The name of the control socket in the filesystem. */

#include <stdbool.h>
#include <sys/types.h>

struct control_socket {
	int fd; /* listening, non-blocking */
	int dir_fd; /* where its name is; -1: the name is not ours */
	char *name;
	dev_t dev;
	ino_t ino;
};

#define CONTROL_SOCKET_NONE ((struct control_socket){.fd = -1, .dir_fd = -1})

/*
 * Binds path with mode 0666 and listens. The path may be longer than
 * sun_path, its last component not. A socket nobody listens on is replaced.
 * -EADDRINUSE: somebody does. -EEXIST: path is no socket. -ENAMETOOLONG.
 */
int control_socket_open(const char *path, struct control_socket *ret);

/* Takes a descriptor that listens already (socket activation).
 * Returns 0 or -errno; -ENOTSOCK if it is none that listens. */
int control_socket_adopt(int fd, struct control_socket *ret);

/* Closes it, and removes the name if it is still ours. */
void control_socket_close(struct control_socket *s);
