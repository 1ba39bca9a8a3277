// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns one errand. Hands over to: the warden (reapers), the feed (what is no
 * longer in the trash). Reads no trash itself.
 */
#include "errand.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "act/slot.h"
#include "base/fd.h"
#include "loop.h"
#include "wire.h"

struct errand {
	struct cleanup_parts parts;
	struct errand_order order;
	struct errand_handlers handlers;
	struct errand_result result;
	struct buf stream; /* what was read and is not whole yet */
	int record_fd;
	struct loop_source *source;
	size_t at; /* of picks that name files: the next slice's first */
	uint64_t n_before; /* files when this reaper began */
	bool is_reaper_gone, is_more, has_end, is_done;
	int status;
};

/* ---- records in ---- */

/* The trash's directory is smaller by that file; events say so too, but the
 * next errand may be due before they are read. */
static void forget_file(
	struct errand *e, const struct trash_record *r, const char *path)
{
	struct feed *f = e->parts.feed;
	struct quarantine_slot slot = {.n_links = 0};
	struct observation gone = {
		.dir = feed_trash(f, r->root), .kind = OBS_GONE};
	buf_auto struct buf split = {0};
	const char *dir, *name;
	struct index_change change;

	if (gone.dir == INDEX_NONE || buf_puts(&split, path) < 0 ||
		!slot_split(&split, &dir, &name))
		return;
	if (!slot_name(r->number, dir, name, &slot))
		slot_name_long(r->number, slot.name);
	gone.name = slot.name;
	gone.name_len = (uint16_t)strlen(slot.name);
	index_apply(feed_index(f), &gone, 0, &change);
	feed_look(f, gone.dir, slot.name);
	if (r->reason != REASON_RESTORED)
		return;
	gone.dir =
		index_find_dir(feed_index(f), feed_root(f, r->root)->node, dir);
	if (gone.dir != INDEX_NONE)
		feed_look(f, gone.dir, name);
}

/* For good: why can answer for it yet. */
static void remember(
	struct errand *e, const struct trash_record *r, const char *path)
{
	buf_auto struct buf whole = {0};

	if (buf_printf(&whole, "%s/%s", e->parts.policy->roots[r->root].path,
		    path) < 0)
		return;
	deletions_add(e->parts.deletions, whole.data,
		&(struct deletion){
			.at_real_s = clock_real_s(e->parts.clock),
			.strategy = "trash",
			.rule = (uint8_t)trash_number_rule(r->number),
			.reason = (uint8_t)e->order.reason,
		});
}

static void note_file(
	struct errand *e, const struct trash_record *r, const char *path)
{
	struct errand_result *res = &e->result;

	if (r->reason == REASON_DELETED || r->reason == REASON_RESTORED)
		forget_file(e, r, path);
	if (r->reason == REASON_DELETED)
		remember(e, r, path);
	switch (r->reason) {
	case REASON_DELETED:
	case REASON_RESTORED:
	case REASON_WOULD_DELETE:
	case REASON_TRASHED:
		res->files++;
		res->bytes = mem_add_sat(res->bytes, r->used_bytes);
		break;
	default:
		res->skipped.files[r->reason]++;
		res->skipped.bytes[r->reason] = mem_add_sat(
			res->skipped.bytes[r->reason], r->used_bytes);
	}
	if (e->handlers.file)
		e->handlers.file(e->handlers.ctx, r, path);
}

static void note_end(struct errand *e, const struct trash_record *r)
{
	e->has_end = true;
	e->is_more = r->is_more;
	e->result.oldest_real_s = r->number ? trash_number_at(r->number) : 0;
	if (r->reason == REASON_DELETED || r->reason == REASON_REACHED)
		return;
	e->result.stop = (enum reason)r->reason;
	e->result.error = -r->error;
}

/* Takes whole records out of the stream. Returns 0 or -EBADMSG. */
static int take_records(struct errand *e)
{
	size_t at = 0;
	struct trash_record r;
	int error = 0;

	while (error == 0 && e->stream.len - at >= sizeof(r)) {
		mem_autofree char *path = NULL;

		memcpy(&r, e->stream.data + at, sizeof(r));
		if (!trash_record_is_sound(
			    &r, (uint32_t)e->parts.policy->n_roots) ||
			e->has_end)
			return -EBADMSG;
		if (e->stream.len - at < sizeof(r) + r.path_len)
			break;
		path = strndup(e->stream.data + at + sizeof(r), r.path_len);
		if (!path)
			return -ENOMEM;
		at += sizeof(r) + r.path_len;
		if (r.is_end)
			note_end(e, &r);
		else
			note_file(e, &r, path);
	}
	if (at) {
		memmove(e->stream.data, e->stream.data + at,
			e->stream.len - at);
		e->stream.len -= at;
	}
	return error;
}

/* ---- one reaper ---- */

static void start_next(struct errand *e);

static void finish(struct errand *e, int error)
{
	if (e->is_done)
		return;
	e->is_done = true;
	if (error)
		e->result.error = error;
	if (e->order.action != TRASH_LIST)
		feed_reaping(e->parts.feed, false);
	e->handlers.done(e->handlers.ctx, e);
}

static bool is_enough(const struct errand *e)
{
	return e->order.free_bytes && e->result.bytes >= e->order.free_bytes;
}

/* Of files, what was not named yet, whatever the reaper says; of whole roots,
 * what it left, unless it got nowhere. */
static bool has_more(const struct errand *e)
{
	return e->order.picks[0].number
		       ? e->at < e->order.n_picks
		       : e->is_more && e->result.files > e->n_before;
}

/* A reaper is through once its stream has ended and it was waited for. */
static void maybe_end(struct errand *e)
{
	if (e->record_fd >= 0 || !e->is_reaper_gone)
		return;
	if (e->status || !e->has_end) {
		finish(e, e->status < 0	    ? e->status
			  : e->result.error ? e->result.error
					    : -EIO);
		return;
	}
	e->at += TRASH_SLICE;
	if (e->result.stop == REASON_DELETED && !is_enough(e) && has_more(e))
		start_next(e);
	else
		finish(e, 0);
}

static void close_stream(struct errand *e)
{
	e->source = loop_remove(e->source);
	e->record_fd = fd_close(e->record_fd);
}

static void on_records(void *ctx)
{
	struct errand *e = ctx;
	char data[16384];
	ssize_t n = read(e->record_fd, data, sizeof(data));
	int r = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		r = buf_put(&e->stream, data, (size_t)n);
	if (n > 0 && r == 0)
		r = take_records(e);
	if (n > 0 && r == 0)
		return;
	close_stream(e);
	if (r < 0)
		finish(e, r);
	else
		maybe_end(e);
}

static void on_reaper_gone(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct errand *e = ctx;

	(void)fds;
	e->is_reaper_gone = true;
	e->status = msg->status;
	if (!e->is_done)
		maybe_end(e);
}

static uint64_t left(uint64_t limit, uint64_t used)
{
	return limit == UINT64_MAX ? limit : mem_sub_sat(limit, used);
}

static int send_order(struct errand *e, int picks_fd, int record_fd)
{
	const struct errand_order *o = &e->order;
	struct channel_message msg = {
		.kind = CHANNEL_TRASH,
		.number = e->parts.number,
		.digest = e->parts.digest,
		.free_bytes = mem_sub_sat(o->free_bytes, e->result.bytes),
		.max_files = left(o->max_files, e->result.files),
		.max_bytes = left(o->max_bytes, e->result.bytes),
		.reason = (uint8_t)o->reason,
		.is_forced = o->is_forced,
		.is_dry_run = o->is_dry_run,
		.action = (uint8_t)o->action,
	};

	return wire_request(e->parts.wire, &msg, (int[]){picks_fd, record_fd},
		2, on_reaper_gone, e);
}

/* Whole roots are named each time; files in slices. */
static int start_reaper(struct errand *e)
{
	const struct errand_order *o = &e->order;
	size_t from = o->picks[0].number ? e->at : 0;
	size_t n = MIN_OF(o->n_picks - from, (size_t)TRASH_SLICE);
	fd_auto int picks_fd = -1;
	fd_auto int theirs = -1;
	int pair[2], r;

	r = fd_memfile("ullage-trash", o->picks + from, n * sizeof(*o->picks),
		&picks_fd);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	e->record_fd = pair[0];
	theirs = pair[1];
	e->is_reaper_gone = e->has_end = e->is_more = false;
	e->n_before = e->result.files;
	memset(&e->result.skipped, 0, sizeof(e->result.skipped));
	r = loop_add_fd(e->parts.loop, e->record_fd, on_records, e, &e->source);
	return r < 0 ? r : send_order(e, picks_fd, theirs);
}

static void start_next(struct errand *e)
{
	int r = start_reaper(e);

	if (r == 0)
		return;
	close_stream(e);
	finish(e, r);
}

/* ---- the errand ---- */

static bool has_work(const struct cleanup_parts *parts,
	const struct errand_order *order, size_t root)
{
	return order->action == TRASH_RECOVER
		       ? feed_orphans_in(parts->feed, root) > 0
		       : feed_trash(parts->feed, root) != INDEX_NONE;
}

int errand_pick_roots(const struct cleanup_parts *parts, uint64_t dev,
	struct errand_order *ret)
{
	size_t n = parts->policy->n_roots;

	ret->picks = calloc(n + 1, sizeof(*ret->picks));
	ret->n_picks = 0;
	if (!ret->picks)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (has_work(parts, ret, i) &&
			(!dev || feed_root(parts->feed, i)->id.dev == dev))
			ret->picks[ret->n_picks++].root = (uint32_t)i;
	return 0;
}

int errand_start(const struct cleanup_parts *parts,
	const struct errand_order *order,
	const struct errand_handlers *handlers, struct errand **ret)
{
	struct errand *e = order->n_picks ? calloc(1, sizeof(*e)) : NULL;
	int r;

	if (!e) {
		free(order->picks);
		return order->n_picks ? -ENOMEM : -ENOENT;
	}
	e->parts = *parts;
	e->order = *order;
	e->handlers = *handlers;
	e->record_fd = -1;
	e->result.started_real_s = clock_real_s(parts->clock);
	r = start_reaper(e);
	if (r < 0) {
		errand_free(e);
		return r;
	}
	if (order->action != TRASH_LIST)
		feed_reaping(parts->feed, true);
	*ret = e;
	return 0;
}

struct errand *errand_free(struct errand *e)
{
	if (!e)
		return NULL;
	if (!e->is_done && e->order.action != TRASH_LIST)
		feed_reaping(e->parts.feed, false);
	wire_forget(e->parts.wire, e);
	close_stream(e);
	buf_fini(&e->stream);
	free(e->order.picks);
	free(e);
	return NULL;
}

bool errand_is_done(const struct errand *e)
{
	return e->is_done;
}

const struct errand_order *errand_order(const struct errand *e)
{
	return &e->order;
}

const struct errand_result *errand_result(const struct errand *e)
{
	return &e->result;
}
