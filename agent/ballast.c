// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns: the decision, and the one request under way for each filesystem.
 * Hands over to: the warden, whose confined child (act/ballast.c) does it.
 */
#include "ballast.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core.h"
#include "notice.h"
#include "wire.h"

#define REST_NS	 (3 * CLOCK_NS_PER_S) /* after a release */
#define RETRY_NS (60 * CLOCK_NS_PER_S) /* after a failure */
/* A snapshot may have taken hold of its blocks meanwhile. */
#define LOOK_NS (3600 * CLOCK_NS_PER_S)
/* A disk that does not answer holds up the components on it in any case. */
#define PATIENCE_NS (5 * CLOCK_NS_PER_S)

static bool has_room(const struct ballast *b, const struct ballast_view *view)
{
	uint64_t others = mem_sub_sat(view->used_bytes, b->bytes);
	uint64_t after = mem_add_sat(others, view->wanted_bytes);

	return mem_add_sat(after, view->limits->hysteresis_bytes) <=
	       view->limits->target_bytes;
}

enum ballast_op ballast_decide(
	const struct ballast *b, const struct ballast_view *view)
{
	if (b->asked != BALLAST_NONE)
		return BALLAST_NONE;
	if (!b->is_known)
		return view->now_boot_ns >= b->look_boot_ns ? BALLAST_LOOK
							    : BALLAST_NONE;
	/* wanted no more: a look removes it */
	if (!view->wanted_bytes)
		return b->bytes && view->now_boot_ns >= b->rest_boot_ns
			       ? BALLAST_LOOK
			       : BALLAST_NONE;
	if (view->level >= LEVEL_EMERGENCY)
		return b->bytes ? BALLAST_RELEASE : BALLAST_NONE;
	if (view->now_boot_ns >= b->look_boot_ns)
		return BALLAST_LOOK;
	if (b->bytes == view->wanted_bytes || b->is_lost ||
		view->level != LEVEL_OK ||
		view->now_boot_ns < b->rest_boot_ns || !has_room(b, view))
		return BALLAST_NONE;
	return BALLAST_MAKE;
}

bool ballast_is_lost(
	const struct ballast *b, const struct ballast_report *report)
{
	return !report->bytes && (b->is_lost || b->bytes) &&
	       !report->released_bytes && !report->is_spoilt;
}

/* ---- asking for it ---- */

static void told(struct ballast *b, const struct ballast_report *report)
{
	struct filesystem *f = filesystems_find(&b->agent->filesystems, b->dev);
	int64_t now = clock_boot_ns(b->agent->clock);
	uint64_t before = b->bytes;

	b->is_known = true;
	b->is_lost = ballast_is_lost(b, report);
	b->bytes = report->bytes;
	b->look_boot_ns = now + LOOK_NS;
	if (report->error)
		b->rest_boot_ns = now + RETRY_NS;
	if (!f)
		return;
	/* what was known of its free space is no more */
	if (report->bytes != before || report->released_bytes)
		f->cleaned_boot_ns = now;
	if (b->asked == BALLAST_RELEASE && report->released_bytes) {
		b->n_releases++;
		b->rest_boot_ns = now + REST_NS;
	}
	notice_ballast(b->agent, f, b->asked, before, report);
}

static void on_done(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct ballast *b = ctx;
	struct ballast_report report = {0};
	int64_t now = clock_boot_ns(b->agent->clock);

	b->wire = NULL;
	if (fds[0] >= 0 &&
		pread(fds[0], &report, sizeof(report), 0) == sizeof(report)) {
		told(b, &report);
	} else {
		/* it may have done it, or not: look */
		b->is_known = false;
		b->bytes = 0;
		b->look_boot_ns =
			now + (msg->status == -EBUSY ? REST_NS : RETRY_NS);
	}
	b->asked = BALLAST_NONE;
}

/* Any root on the filesystem names it. */
static int ask(struct agent *a, struct ballast *b, enum ballast_op op)
{
	struct channel_message msg = {.kind = CHANNEL_BALLAST,
		.digest = a->config->digest,
		.op = (uint8_t)op};

	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		for (size_t j = 0; j < c->policy->n_roots; j++) {
			if (feed_root(c->feed, j)->id.dev != b->dev)
				continue;
			msg.number = c->number;
			msg.root = (uint16_t)j;
			return wire_request(a->wire, &msg, NULL, 0, on_done, b);
		}
	}
	return -ENODEV;
}

static struct ballast *of(struct agent *a, struct filesystem *f)
{
	if (!f->ballast) {
		f->ballast = calloc(1, sizeof(*f->ballast));
		if (f->ballast)
			*f->ballast =
				(struct ballast){.agent = a, .dev = f->dev};
	}
	return f->ballast;
}

static void start(struct agent *a, struct ballast *b, enum ballast_op op)
{
	int64_t now = clock_boot_ns(a->clock);

	if (ask(a, b, op) < 0) {
		b->rest_boot_ns = now + RETRY_NS;
		b->look_boot_ns = MAX_OF(b->look_boot_ns, now + RETRY_NS);
		return;
	}
	b->wire = a->wire;
	b->asked = op;
	b->asked_boot_ns = now;
}

bool ballast_keep(struct agent *a, struct filesystem *f)
{
	struct ballast *b = of(a, f);
	struct trigger_limits limits;
	struct ballast_view view = {
		.wanted_bytes = ballast_wanted(a->config, f->facts.total_bytes),
		.used_bytes = filesystem_used(f),
		.limits = &limits,
		.level = f->level,
		.now_boot_ns = clock_boot_ns(a->clock),
	};
	enum ballast_op op;

	if (!b)
		return false;
	filesystem_limits(f, a->config, &limits);
	op = ballast_decide(b, &view);
	if (op != BALLAST_NONE)
		start(a, b, op);
	return (b->asked == BALLAST_RELEASE ||
		       (b->asked == BALLAST_LOOK && !b->is_known)) &&
	       view.now_boot_ns - b->asked_boot_ns < PATIENCE_NS;
}

void ballast_forget(struct ballast *b, bool has_moved)
{
	if (!b)
		return;
	b->is_known = false;
	b->look_boot_ns = 0;
	if (has_moved)
		b->bytes = 0;
}

struct ballast *ballast_free(struct ballast *b)
{
	if (b && b->wire)
		wire_forget(b->wire, b);
	free(b);
	return NULL;
}

uint64_t ballast_bytes(const struct filesystem *f)
{
	return f->ballast ? f->ballast->bytes : 0;
}
