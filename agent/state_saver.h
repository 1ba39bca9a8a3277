// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Replaces the state file beside the loop: an fsync takes as long as the disk
 * likes, seconds on a busy one. A thread for each save, which owns nothing but
 * the text it was given; one at a time, for both write to the same name.
 */

#include <stdbool.h>

struct state_saver;

int state_saver_new(struct state_saver **ret);
/* Returns NULL. One that is under way and hangs is left behind with what it
 * uses, for the end of the process. */
struct state_saver *state_saver_free(struct state_saver *s);
/* Readable when a save has ended. */
int state_saver_fd(const struct state_saver *s);
/* One has begun and was not taken yet. */
bool state_saver_is_busy(const struct state_saver *s);
/* Begins one. text is taken, also on failure. Returns 0, -EBUSY, or -errno:
 * no thread is to be had. */
int state_saver_start(struct state_saver *s, const char *path, char *text);
/* The same with what work writes, in the thread; ctx is its own from then on,
 * but the caller's on failure. */
typedef int state_saver_fn(const char *path, void *ctx);
int state_saver_start_work(struct state_saver *s, const char *path,
	state_saver_fn *work, void *ctx);
/* True once for each: it has ended, with 0 or state_file_replace's -errno. */
bool state_saver_take(struct state_saver *s, int *ret_error);
/* Waits until what is under way has ended, to be taken. Returns 0, or
 * -ETIMEDOUT: the disk hangs, and nobody else may write there. */
int state_saver_wait(struct state_saver *s);
