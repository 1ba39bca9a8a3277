// SPDX-License-Identifier: GPL-2.0-or-later
#include "ledger.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "control.h"
#include "core.h"
#include "wire.h"

#define DESCRIBED   3 /* holders, the largest */
#define PATIENCE_NS (3 * CLOCK_NS_PER_S)

struct waiter {
	struct control_call *call;
	struct waiter *next;
};

struct ledger {
	struct wire *wire; /* that an answer comes over, while one is owed */
	const struct clock *clock;
	struct deleted_report report;
	bool is_known;
	int64_t at_real_s, at_boot_ns, asked_boot_ns;
	struct waiter *waiters; /* for the look that is owed */
};

struct ledger *ledger_new(void)
{
	return calloc(1, sizeof(struct ledger));
}

struct ledger *ledger_free(struct ledger *l)
{
	if (!l)
		return NULL;
	if (l->wire)
		wire_forget(l->wire, l);
	while (ledger_take_call(l))
		;
	free(l);
	return NULL;
}

/* Rows that are cut off are not there. */
static bool read_report(int fd, struct deleted_report *ret)
{
	size_t head = offsetof(struct deleted_report, rows);
	ssize_t n = fd < 0 ? -1 : pread(fd, ret, sizeof(*ret), 0);

	if (n < (ssize_t)head)
		return false;
	ret->n_rows = (uint32_t)MIN_OF(
		(size_t)ret->n_rows, ((size_t)n - head) / sizeof(ret->rows[0]));
	for (uint32_t i = 0; i < ret->n_rows; i++)
		ret->rows[i].by[PROCS_TEXT - 1] = '\0';
	return true;
}

static void on_done(
	void *ctx, const struct channel_message *msg, const int fds[4])
{
	struct ledger *l = ctx;

	l->wire = NULL;
	if (msg->status || !read_report(fds[0], &l->report))
		return;
	l->is_known = true;
	l->at_real_s = clock_real_s(l->clock);
	l->at_boot_ns = clock_boot_ns(l->clock);
}

void ledger_look(struct agent *a, int64_t no_older_ns)
{
	struct channel_message msg = {
		.kind = CHANNEL_DELETED, .digest = a->config->digest};
	int64_t now = clock_boot_ns(a->clock);
	struct ledger *l = a->ledger;

	if (l->wire ||
		(l->asked_boot_ns && now - l->asked_boot_ns < no_older_ns))
		return;
	l->clock = a->clock;
	l->asked_boot_ns = now;
	if (wire_request(a->wire, &msg, NULL, 0, on_done, l) == 0)
		l->wire = a->wire;
}

bool ledger_is_owed(const struct ledger *l)
{
	return l->wire &&
	       clock_boot_ns(l->clock) - l->asked_boot_ns < PATIENCE_NS;
}

void ledger_forget(struct ledger *l)
{
	if (l->wire)
		wire_forget(l->wire, l);
	l->wire = NULL;
	l->is_known = false;
	l->asked_boot_ns = 0;
	l->report.n_rows = 0;
}

const struct deleted_report *ledger_report(const struct ledger *l)
{
	return l->is_known ? &l->report : NULL;
}

int64_t ledger_at_real_s(const struct ledger *l)
{
	return l->at_real_s;
}

static bool is_of(
	const struct deleted_row *row, uint64_t dev, uint32_t component)
{
	return (!dev || row->dev == dev) &&
	       (component == DELETED_NOWHERE || row->component == component);
}

uint64_t ledger_bytes(const struct ledger *l, uint64_t dev, uint32_t component)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->report.n_rows; i++)
		if (is_of(&l->report.rows[i], dev, component))
			sum = mem_add_sat(sum, l->report.rows[i].bytes);
	return sum;
}

int ledger_describe(const struct ledger *l, uint64_t dev, uint32_t component,
	struct buf *ret)
{
	uint64_t bytes = ledger_bytes(l, dev, component);
	char size[UNITS_SIZE];
	int n = 0, r = 0;

	if (!bytes)
		return 0;
	r = buf_printf(ret,
		"; %s held by deleted files that are still open (restart who "
		"holds them): ",
		units_size(bytes, size));
	for (uint32_t i = 0; r == 0 && i < l->report.n_rows && n < DESCRIBED;
		i++) {
		const struct deleted_row *row = &l->report.rows[i];

		if (is_of(row, dev, component))
			r = buf_printf(ret, "%s%s %s", n++ ? ", " : "",
				row->by[0] ? row->by : "others",
				units_size(row->bytes, size));
	}
	return r;
}

/* ---- who waits ---- */

static void on_gone(void *ctx, struct control_call *call)
{
	struct ledger *l = ctx;
	struct waiter **at = &l->waiters;

	while (*at && (*at)->call != call)
		at = &(*at)->next;
	if (*at) {
		struct waiter *w = *at;

		*at = w->next;
		free(w);
	}
}

void ledger_await(struct ledger *l, struct control_call *call)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w) {
		control_fail(call, "Failed", "out of memory");
		return;
	}
	*w = (struct waiter){call, l->waiters};
	l->waiters = w;
	control_on_gone(call, on_gone, l);
}

struct control_call *ledger_take_call(struct ledger *l)
{
	struct waiter *w = l->wire ? NULL : l->waiters;
	struct control_call *call = w ? w->call : NULL;

	if (!w)
		return NULL;
	l->waiters = w->next;
	free(w);
	return call;
}
