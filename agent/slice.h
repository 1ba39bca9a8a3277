// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * One slice of a plan in the hands of one fresh reaper: sent to the warden,
 * its outcomes taken in as they come. Knows nothing of what they mean.
 */

#include <stdint.h>

#include "channel.h"
#include "model/plan.h"

struct loop;
struct slice;
struct wire;

struct slice_handlers {
	/* One candidate, or the end of the run (is_end). */
	void (*outcome)(void *ctx, const struct outcome *o);
	/* Nothing more will come: the reaper has ended, and was waited for.
	 * status: its exit status, or -errno. Called once; the slice may be
	 * freed from there. */
	void (*over)(void *ctx, int status);
	void *ctx;
};

/* The items [from, to) of a plan in memory, as a reaper takes them; its
 * outcomes count from 0. May be made while another is at work.
 * Returns 0 or -errno; ret_fd is owned by the caller. */
int slice_encode(const struct plan *plan, size_t from, size_t to, int *ret_fd);
/* plan_fd: of slice_encode; borrowed. request: what the warden is to be told
 * beside it (kind and serial are filled in). Returns 0 or -errno. */
int slice_start(struct loop *loop, struct wire *wire, int plan_fd,
	const struct channel_message *request,
	const struct slice_handlers *handlers, struct slice **ret);
/* Stops listening. NULL is fine. Returns NULL. */
struct slice *slice_free(struct slice *s);
