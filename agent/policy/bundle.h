// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The bytes of all configuration files, read once and judged as often as
 * needed: the warden reads, and hands the same bytes to the agent, so both
 * always hold the same configuration.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct bundle_file {
	char *path; /* for messages, and its name decides the override */
	char *text; /* NUL-terminated */
	size_t len;
	bool is_main; /* ullage.json */
};

struct bundle {
	struct bundle_file *files;
	size_t n_files;
	size_t cap;
};

#define BUNDLE_MAX_FILE	 (1u << 20) /* bytes; a larger file is refused */
#define BUNDLE_MAX_FILES 1024
#define BUNDLE_MAX_TOTAL (16u << 20) /* bytes of all files */

void bundle_fini(struct bundle *b);

/*
 * Reads main_path (absent is fine if is_main_optional: "{}") and every *.json
 * of the NULL-terminated dirs, first has precedence: a file name seen before
 * is skipped, so an empty file or a link to /dev/null masks. Files and their
 * directories must be regular, and writable by root or our own uid alone,
 * when we are root. Absent directories are fine.
 * A link is followed if what it leads to fulfils the same. Names that begin
 * with a dot or do not end in .json are passed over.
 * errors (may be NULL) gets lines "file: what, and what to do".
 * Returns 0, -EINVAL with errors filled, or -errno.
 */
int bundle_read(struct bundle *ret, const char *main_path,
	bool is_main_optional, const char *const *dirs, struct buf *errors);

/* As one run of bytes for a memory file, and back (-EBADMSG). */
int bundle_encode(const struct bundle *b, struct buf *ret);
int bundle_decode(const void *data, size_t len, struct bundle *ret);
