// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The event loop; the only file that knows libevent (beside control.c). */

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_source;
struct event_base;

typedef void loop_fn(void *ctx);

int loop_new(struct loop **ret);
struct loop *loop_free(struct loop *l);
/* Runs until loop_stop. after_turn is called once after each turn in which
 * anything happened: the place where the walk goes. */
int loop_run(struct loop *l, loop_fn *after_turn, void *ctx);
void loop_stop(struct loop *l);

/* Calls fn while fd is readable. The descriptor is borrowed. */
int loop_add_fd(struct loop *l, int fd, loop_fn *fn, void *ctx,
	struct loop_source **ret);
int loop_add_signal(struct loop *l, int signo, loop_fn *fn, void *ctx,
	struct loop_source **ret);
/* A timer, not armed yet. */
int loop_add_timer(
	struct loop *l, loop_fn *fn, void *ctx, struct loop_source **ret);
/* Arms a timer once, in so many milliseconds; < 0 disarms it. */
void loop_arm(struct loop_source *timer, int64_t ms);
bool loop_is_armed(const struct loop_source *timer);
/* Stops or resumes the callbacks of a descriptor. */
void loop_pause(struct loop_source *fd_source, bool is_paused);
struct loop_source *loop_remove(struct loop_source *s);
/* For control.c, which uses libevent's buffers. */
struct event_base *loop_base(struct loop *l);
