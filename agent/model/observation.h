// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What one look at (directory, name) found. The only thing the index takes. */

#include "base/beneath.h"

enum obs_kind {
	OBS_GONE, /* no such name (any more) */
	OBS_FILE, /* a regular file */
	OBS_DIR, /* a directory on the root's filesystem */
	OBS_OTHER, /* link, socket, FIFO, device, foreign mount */
	OBS_SELF, /* the directory itself; name is "" */
};

#define OBS_NO_DIR UINT32_MAX

struct observation {
	uint32_t dir; /* id of the directory in its index */
	uint16_t name_len;
	uint8_t kind; /* enum obs_kind */
	const char *name; /* borrowed from the batch, NUL-terminated */
	struct beneath_stat st; /* zero for OBS_GONE */
};
