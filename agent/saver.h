// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Work that waits for a disk, done beside the loop: an fsync may take as long
 * as everybody else's writes do. One piece of work at a time, by a thread that
 * lives no longer than it. A value goes in and an error comes out.
 */

#include <stdbool.h>

struct saver;

/* Runs in the thread; ctx is its own. Returns 0 or -errno. */
typedef int saver_fn(void *ctx);

int saver_new(struct saver **ret);
/* Waits for what is under way, however long its disk takes. NULL is fine.
 * Returns NULL. */
struct saver *saver_free(struct saver *s);
/* Readable when the work has ended. */
int saver_fd(const struct saver *s);
bool saver_is_busy(const struct saver *s);
/* Returns 0; -EBUSY; or -errno: it was not begun, and ctx is the caller's. */
int saver_start(struct saver *s, saver_fn *fn, void *ctx);
/* Has work ended since? Then true, and what came of it. Waits for nothing. */
bool saver_take(struct saver *s, int *ret_result);
