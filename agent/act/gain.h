// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * P9: does the disk get emptier? Deleting what frees nothing is destruction for
 * nothing. What can be known of a file beforehand (links, shared blocks, a use
 * elsewhere) has been judged; this is the look at what really comes of it.
 *
 * Free space is measured every 64 files, and judged once the files deleted
 * since should have freed 1 MiB. Under half of that is not yet a failure:
 *   - xfs frees in the background and btrfs at its next commit: so the
 *     filesystem is synced and measured again;
 *   - others write meanwhile: how fast the space shrinks while we delete
 *     nothing is measured for 40 ms, and added; where they take so much that
 *     it decides, nothing can be told.
 * Such a second look is dear, so where it clears the deletions, the next one
 * comes four times later (up to 4096 files).
 * What is still under half then counts; three times in a row is futile.
 */

#include <stdbool.h>
#include <stdint.h>

struct gain {
	uint64_t dev; /* of the filesystem it is about */
	int fd; /* borrowed: any directory on it */
	uint64_t total_bytes;
	uint64_t taken_bytes; /* of all files deleted */
	uint64_t free_bytes; /* at the last judgement */
	int64_t at_boot_ns; /* ... and when that was */
	uint64_t files, expected_bytes; /* deleted since */
	uint64_t next_files; /* measure again at so many */
	uint64_t every;
	uint64_t others_a_s; /* bytes that others take in a second */
	unsigned int n_short; /* times in a row under half */
	bool is_futile;
};

/* Returns 0 or -errno. */
int gain_init(struct gain *g, uint64_t dev, int fd);
/* A file is gone that held used_bytes, of which expected_bytes are to come
 * free. */
void gain_add(struct gain *g, uint64_t used_bytes, uint64_t expected_bytes);
