// SPDX-License-Identifier: GPL-2.0-or-later
#include "deliver.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/fd.h"
#include "wire.h"

struct parcel {
	char *payload;
	char *env;
	char *only; /* lines "@NAME" of the scripts to run; NULL: all */
	int tries;
	int64_t due_boot_ns;
	TAILQ_ENTRY(parcel) link;
};

struct deliver {
	struct wire *wire;
	const struct clock *clock;
	deliver_failed_fn *failed;
	void *ctx;
	TAILQ_HEAD(, parcel) waiting;
	struct parcel *sent; /* with the warden */
	size_t n_waiting;
	uint64_t dropped;
};

/* Seconds to wait before try n + 1. */
static const int pauses_s[DELIVER_TRIES] = {0, 5, 30, 120, 600};

int deliver_new(struct wire *wire, const struct clock *clock,
	deliver_failed_fn *failed, void *ctx, struct deliver **ret)
{
	struct deliver *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->wire = wire;
	d->clock = clock;
	d->failed = failed;
	d->ctx = ctx;
	TAILQ_INIT(&d->waiting);
	*ret = d;
	return 0;
}

static struct parcel *parcel_free(struct parcel *p)
{
	if (!p)
		return NULL;
	free(p->payload);
	free(p->env);
	free(p->only);
	free(p);
	return NULL;
}

struct deliver *deliver_free(struct deliver *d)
{
	struct parcel *p;

	if (!d)
		return NULL;
	wire_forget(d->wire, d);
	while ((p = TAILQ_FIRST(&d->waiting))) {
		TAILQ_REMOVE(&d->waiting, p, link);
		parcel_free(p);
	}
	parcel_free(d->sent);
	free(d);
	return NULL;
}

static void drop_oldest(struct deliver *d)
{
	struct parcel *p = TAILQ_FIRST(&d->waiting);

	TAILQ_REMOVE(&d->waiting, p, link);
	d->n_waiting--;
	d->dropped++;
	parcel_free(p);
}

int deliver_add(struct deliver *d, const char *payload, const char *env)
{
	struct parcel *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->payload = strdup(payload);
	p->env = strdup(env);
	if (!p->payload || !p->env) {
		parcel_free(p);
		return -ENOMEM;
	}
	/* One that is tried again may have come on top. */
	while (d->n_waiting >= DELIVER_QUEUE)
		drop_oldest(d);
	TAILQ_INSERT_TAIL(&d->waiting, p, link);
	d->n_waiting++;
	return 0;
}

static void try_again(struct deliver *d, struct parcel *p)
{
	if (p->tries >= DELIVER_TRIES) {
		d->dropped++;
		parcel_free(p);
		return;
	}
	p->due_boot_ns =
		clock_boot_ns(d->clock) + pauses_s[p->tries] * CLOCK_NS_PER_S;
	TAILQ_INSERT_TAIL(&d->waiting, p, link);
	d->n_waiting++;
}

/* For the log: one hook, and what comes now. */
static void tell(struct deliver *d, const struct parcel *p, const char *what)
{
	buf_auto struct buf line = {0};
	int r;

	if (p->tries < DELIVER_TRIES)
		r = buf_printf(
			&line, "%s; again in %d s", what, pauses_s[p->tries]);
	else
		r = buf_printf(&line, "%s; that was the last try", what);
	d->failed(d->ctx, r < 0 ? what : line.data, p->tries);
}

/* The report's lines are NAME <tab> STATUS <tab> OUTPUT. Tells of those that
 * failed; next time only they are asked. */
static void take_report(
	struct deliver *d, struct parcel *p, const struct buf *report)
{
	struct buf only = {0};
	char *at = report->data, *line;

	while (at && (line = strsep(&at, "\n"))) {
		char *name = strsep(&line, "\t");
		char *status = strsep(&line, "\t");
		buf_auto struct buf what = {0};

		if (!status || strcmp(status, "ok") == 0)
			continue;
		/* The directory itself is no hook: then all are asked. */
		if (!strchr(name, '/'))
			buf_printf(&only, "@%s\n", name);
		if (buf_printf(&what, "%s: %s%s%s", name, status,
			    line && *line ? ": " : "", line ? line : "") == 0)
			tell(d, p, what.data);
	}
	free(p->only);
	p->only = only.data;
}

/* Where all others went well: nothing is to be tried again, but somebody has
 * to hear of a hook that is not run. */
static void tell_refused(
	struct deliver *d, const struct parcel *p, const struct buf *report)
{
	char *at = report->data, *line;

	while (at && (line = strsep(&at, "\n"))) {
		char *name = strsep(&line, "\t");
		char *status = strsep(&line, "\t");
		buf_auto struct buf what = {0};

		if (status && strcmp(status, "refused") == 0 &&
			buf_printf(&what, "%s: refused: %s", name,
				line ? line : "") == 0)
			d->failed(d->ctx, what.data, p->tries);
	}
}

static void on_done(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct deliver *d = ctx;
	struct parcel *p = mem_take(d->sent);
	buf_auto struct buf report = {0};

	if (fds[0] >= 0)
		buf_read_fd(&report, fds[0], 65536);
	if (!msg->status) {
		tell_refused(d, p, &report);
		parcel_free(p);
		return;
	}
	if (report.len)
		take_report(d, p, &report);
	else
		tell(d, p,
			msg->status < 0 ? strerror(-msg->status) : "no report");
	try_again(d, p);
}

static int send_parcel(struct deliver *d, const struct parcel *p)
{
	struct channel_message msg = {.kind = CHANNEL_HOOKS};
	buf_auto struct buf lines = {0};
	fd_auto int payload = -1;
	fd_auto int env = -1;
	int r = fd_memfile(
		"ullage-alert", p->payload, strlen(p->payload), &payload);

	if (r == 0)
		r = buf_printf(&lines, "%s%s", p->env, p->only ? p->only : "");
	if (r == 0)
		r = fd_memfile("ullage-alert-env", lines.data, lines.len, &env);
	if (r < 0)
		return r;
	return wire_request(
		d->wire, &msg, (int[]){payload, env}, 2, on_done, d);
}

void deliver_run(struct deliver *d)
{
	int64_t now = clock_boot_ns(d->clock);
	struct parcel *p;

	if (d->sent)
		return;
	TAILQ_FOREACH (p, &d->waiting, link)
		if (p->due_boot_ns <= now)
			break;
	if (!p)
		return;
	TAILQ_REMOVE(&d->waiting, p, link);
	d->n_waiting--;
	p->tries++;
	if (send_parcel(d, p) < 0)
		try_again(d, p);
	else
		d->sent = p;
}

int64_t deliver_due(const struct deliver *d)
{
	int64_t due = INT64_MAX;
	const struct parcel *p;

	if (d->sent)
		return due;
	TAILQ_FOREACH (p, &d->waiting, link)
		due = MIN_OF(due, p->due_boot_ns);
	return due;
}

uint64_t deliver_dropped(const struct deliver *d)
{
	return d->dropped;
}
