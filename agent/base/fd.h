// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Ownership of descriptors: -1 when absent, always close-on-exec. */

#include <stddef.h>
#include <sys/types.h>

#include "base/mem.h"

#define fd_auto mem_cleanup(fd_closep)

/* Closes if open. Returns -1, so that fd = fd_close(fd). Keeps errno. */
int fd_close(int fd);
void fd_closep(int *fd);
/* Hands a descriptor over: yields it and leaves -1 behind. */
int fd_take(int *fd);

/* Reads exactly len bytes (EINTR handled).
 * Returns 0, -errno, or -ENODATA at an early end. */
int fd_read_full(int fd, void *data, size_t len);
/* Writes all len bytes (EINTR handled). Returns 0 or -errno. */
int fd_write_full(int fd, const void *data, size_t len);

/* A sealed, readable memory file that holds data; for handing a plain value
 * to another process. ret_fd is owned by the caller, positioned at 0. */
int fd_memfile(const char *name, const void *data, size_t len, int *ret_fd);

/*
 * One message with up to FD_MAX_PASSED descriptors over a Unix socket
 * (SOCK_SEQPACKET: one call, one message).
 * fd_send: fds are borrowed. Returns 0 or -errno (-EAGAIN if it would block
 * on a non-blocking socket).
 * fd_recv: fills data, and ret_fds with owned close-on-exec descriptors
 * (-1 where none came). Returns the length, 0 at the end of the stream, or
 * -errno; -EMSGSIZE if the message or its descriptors were cut.
 */
#define FD_MAX_PASSED 4
int fd_send(
	int sock, const void *data, size_t len, const int *fds, size_t n_fds);
ssize_t fd_recv(int sock, void *data, size_t len, int ret_fds[FD_MAX_PASSED]);
