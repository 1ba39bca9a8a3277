// SPDX-License-Identifier: GPL-2.0-or-later
#include "blockers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/units.h"
#include "cleanup.h"
#include "wire.h"

#define MAX_NAMES 128 /* of protected files */

/* ---- the value ---- */

static bool is_blocker(enum reason reason)
{
	switch (reason) {
	case REASON_DELETED:
	case REASON_WOULD_DELETE:
	case REASON_GONE:
	case REASON_CHANGED:
	case REASON_REACHED:
		return false;
	default:
		return reason < N_REASONS;
	}
}

static struct blocker *find(
	struct blockers *b, enum reason reason, const char *by)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].reason == reason &&
			(!by || strcmp(b->items[i].by, by) == 0))
			return &b->items[i];
	return NULL;
}

void blockers_add(struct blockers *b, const struct blocker *more)
{
	struct blocker *at = find(b, more->reason, more->by);

	if (!at && b->n < BLOCKERS_MAX) {
		b->items[b->n++] = *more;
		return;
	}
	if (!at) {
		at = find(b, more->reason, NULL);
		if (!at)
			return;
		at->by[0] = '\0';
	}
	at->files += more->files;
	at->bytes = mem_add_sat(at->bytes, more->bytes);
}

void blockers_merge(struct blockers *b, const struct blockers *more)
{
	for (size_t i = 0; i < more->n; i++)
		blockers_add(b, &more->items[i]);
}

static int by_bytes(const void *a, const void *b)
{
	const struct blocker *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->files != y->files)
		return x->files > y->files ? -1 : 1;
	return (int)x->reason - (int)y->reason;
}

void blockers_complete(struct blockers *b, const struct skipped *skipped)
{
	for (int r = 0; r < N_REASONS; r++) {
		struct blocker rest = {.reason = (enum reason)r,
			.files = skipped->files[r],
			.bytes = skipped->bytes[r]};

		for (size_t i = 0; i < b->n; i++) {
			if (b->items[i].reason != rest.reason)
				continue;
			rest.files = mem_sub_sat(rest.files, b->items[i].files);
			rest.bytes = mem_sub_sat(rest.bytes, b->items[i].bytes);
		}
		/* what holds no bytes is in nobody's way */
		if (rest.bytes && is_blocker(rest.reason))
			blockers_add(b, &rest);
	}
	qsort(b->items, b->n, sizeof(b->items[0]), by_bytes);
}

int blockers_describe(const struct blockers *b, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->n; i++) {
		const struct blocker *at = &b->items[i];
		char bytes[UNITS_SIZE];

		r = buf_printf(ret, "%s%s%s%s: %" PRIu64 " file%s, %s",
			i ? "; " : "", reason_word(at->reason),
			at->by[0] ? " by " : "", at->by, at->files,
			at->files == 1 ? "" : "s",
			units_size(at->bytes, bytes));
	}
	return r;
}

/* ---- finding the names ---- */

struct busy {
	char *path;
	struct identity id;
	uint64_t bytes;
};

struct blocking {
	const struct cleanup_parts
		*parts; /* the run's: a reload changes them */
	struct busy busy[HOLDERS_MAX];
	size_t n_busy;
	struct pick picks[MAX_NAMES]; /* protected files */
	size_t n_picks;
	struct resolve *resolve;
	struct blockers *ret;
	void (*done)(void *ctx);
	void *ctx;
	bool is_asking; /* the warden */
};

struct blocking *blocking_new(void)
{
	return calloc(1, sizeof(struct blocking));
}

struct blocking *blocking_free(struct blocking *b)
{
	if (!b)
		return NULL;
	resolve_cancel(b->resolve);
	if (b->is_asking)
		wire_forget(b->parts->wire, b);
	for (size_t i = 0; i < b->n_busy; i++)
		free(b->busy[i].path);
	free(b);
	return NULL;
}

void blocking_note_busy(
	struct blocking *b, const char *root, const struct candidate *item)
{
	struct busy *at;

	if (!b || b->n_busy == HOLDERS_MAX)
		return;
	at = &b->busy[b->n_busy];
	if (asprintf(&at->path, "%s/%s%s%s", root, item->rel_dir,
		    item->rel_dir[0] ? "/" : "", item->name) < 0)
		return;
	at->id = item->id;
	at->bytes = item->used_bytes;
	b->n_busy++;
}

/* ---- who holds what is in use ---- */

static void take_holders(struct blocking *b, int fd)
{
	for (size_t i = 0; i < b->n_busy; i++) {
		struct blocker one = {.reason = REASON_BUSY,
			.files = 1,
			.bytes = b->busy[i].bytes};

		if (pread(fd, one.by, sizeof(one.by),
			    (off_t)(i * sizeof(one.by))) != sizeof(one.by))
			return;
		one.by[sizeof(one.by) - 1] = '\0';
		if (one.by[0])
			blockers_add(b->ret, &one);
	}
}

static void on_holders(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct blocking *b = ctx;

	b->is_asking = false;
	if (msg->status == 0 && fds[0] >= 0)
		take_holders(b, fds[0]);
	b->done(b->ctx);
}

static int put_question(const struct blocking *b, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->n_busy; i++) {
		const struct busy *at = &b->busy[i];

		r = buf_put(ret, &at->id.dev, sizeof(at->id.dev));
		if (r == 0)
			r = buf_put(ret, &at->id.ino, sizeof(at->id.ino));
		if (r == 0)
			r = buf_put(ret, at->path, strlen(at->path) + 1);
	}
	return r;
}

/* Returns true if an answer will come. */
static bool ask_holders(struct blocking *b)
{
	struct channel_message msg = {.kind = CHANNEL_HOLDERS,
		.number = b->parts->number,
		.digest = b->parts->digest};
	buf_auto struct buf question = {0};
	fd_auto int fd = -1;

	if (!b->n_busy || put_question(b, &question) < 0 ||
		fd_memfile("ullage-busy", question.data, question.len, &fd) <
			0 ||
		wire_request(b->parts->wire, &msg, &fd, 1, on_holders, b) < 0)
		return false;
	b->is_asking = true;
	return true;
}

/* ---- which pattern protects ---- */

static void note_protected(
	struct blocking *b, const char *pattern, uint64_t files, uint64_t bytes)
{
	buf_auto struct buf text = {0};
	struct blocker one = {
		.reason = REASON_PROTECTED, .files = files, .bytes = bytes};

	if (escape_name(&text, pattern, strnlen(pattern, 60)) == 0 && text.len)
		escape_fit(one.by, sizeof(one.by), text.data);
	blockers_add(b->ret, &one);
}

static void on_names(void *ctx, struct resolved *found, int error)
{
	struct blocking *b = ctx;
	const struct rules *rules = &b->parts->policy->rules;

	b->resolve = NULL;
	for (size_t i = 0; !error && i < found->plan.n_items; i++) {
		const struct candidate *c = &found->plan.items[i];
		const char *pattern =
			rules_protects(rules, c->rel_dir, c->name);

		if (pattern)
			note_protected(b, pattern, 1,
				b->picks[found->picks[i]].used_bytes);
	}
	if (!ask_holders(b))
		b->done(b->ctx);
}

/* The largest protected files, in no order. */
static void choose_protected(struct blocking *b)
{
	const struct index *ix = feed_index(b->parts->feed);
	struct index_item item;
	uint32_t cursor = 0;
	size_t least = 0;

	while (index_next(ix, &cursor, &item)) {
		struct pick pick = {.entry = item.entry,
			.tag = index_entry_tag(ix, item.entry),
			.used_bytes = item.used_bytes};

		if (!item.is_file || !item.is_protected)
			continue;
		if (b->n_picks < MAX_NAMES) {
			b->picks[b->n_picks++] = pick;
			continue;
		}
		if (pick.used_bytes <= b->picks[least].used_bytes)
			continue;
		b->picks[least] = pick;
		for (size_t i = 0; i < MAX_NAMES; i++)
			if (b->picks[i].used_bytes < b->picks[least].used_bytes)
				least = i;
	}
}

/* Returns true if an answer will come. */
static bool ask_names(struct blocking *b, const struct skipped *skipped)
{
	const struct rules *rules = &b->parts->policy->rules;
	uint64_t files = skipped->files[REASON_PROTECTED];

	if (!files || !rules->n_protect)
		return false;
	if (rules->n_protect == 1) {
		note_protected(b, rules->protect[0], files,
			skipped->bytes[REASON_PROTECTED]);
		return false;
	}
	choose_protected(b);
	return b->n_picks && resolve_start(b->parts->feed, b->picks, b->n_picks,
				     on_names, b, &b->resolve) == 0;
}

bool blocking_start(struct blocking *b, const struct cleanup_parts *parts,
	const struct skipped *skipped, struct blockers *ret,
	void (*done)(void *ctx), void *ctx)
{
	if (!b)
		return false;
	b->parts = parts;
	b->ret = ret;
	b->done = done;
	b->ctx = ctx;
	return ask_names(b, skipped) || ask_holders(b);
}
