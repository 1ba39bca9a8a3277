// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What read(2) of a fanotify group with FAN_REPORT_DFID_NAME gives, record by
 * record. fanotify(7). */

#include <stddef.h>
#include <stdint.h>

struct fanotify_record {
	uint64_t mask;
	int32_t pid; /* who did it; 0 or less: not told */
	const void *handle; /* type and bytes; NULL: none (overflow) */
	size_t handle_len;
	const char *name; /* "." is the directory itself */
	size_t name_len;
};

/*
 * The record at *at of len bytes, which are aligned as the kernel wrote them;
 * *at moves behind it. Returns 1, 0 at the end, or -EBADMSG.
 */
int fanotify_record_next(
	const void *data, size_t len, size_t *at, struct fanotify_record *ret);
