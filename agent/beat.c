// SPDX-License-Identifier: GPL-2.0-or-later
#include "beat.h"

#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/units.h"
#include "core.h"
#include "wire.h"

void beat_begin(struct agent *a)
{
	const char *text = getenv("WATCHDOG_USEC");
	long long usec = text ? strtonum(text, 1, INT64_MAX / 1000, NULL) : 0;

	/* A third of what is allowed, so that one may be late. */
	a->beat_ns = usec / 3 * 1000;
}

static const struct component *fullest(const struct agent *a)
{
	const struct component *most = NULL;

	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		if (!c->allocation_bytes)
			continue;
		if (!most || mem_mul_div(c->judged_bytes, 1000,
				     c->allocation_bytes) >
				     mem_mul_div(most->judged_bytes, 1000,
					     most->allocation_bytes))
			most = c;
	}
	return most;
}

static void tell_status(struct agent *a)
{
	const struct component *c = fullest(a);
	struct channel_message msg = {.kind = CHANNEL_STATUS};
	char line[sizeof(a->status_line)], share[UNITS_SIZE];
	fd_auto int fd = -1;

	if (!c)
		return;
	/* Whole percents: the line changes when it says something new. */
	snprintf(share, sizeof(share), "%u",
		(unsigned)mem_mul_div(
			c->judged_bytes, 100, c->allocation_bytes));
	snprintf(line, sizeof(line), "%zu components, fullest %s at %s%%%s",
		a->n_components, c->policy->component, share,
		a->is_panic ? "; panic latch set" : "");
	if (strcmp(line, a->status_line) == 0 ||
		fd_memfile("status", line, strlen(line), &fd) < 0)
		return;
	strcpy(a->status_line, line);
	wire_request(a->wire, &msg, &fd, 1, NULL, NULL);
}

void beat_keep(struct agent *a)
{
	struct channel_message msg = {.kind = CHANNEL_ALIVE};
	int64_t now = clock_boot_ns(a->clock);

	tell_status(a);
	if (!a->beat_ns || now < a->beat_due_boot_ns)
		return;
	a->beat_due_boot_ns = now + a->beat_ns;
	wire_request(a->wire, &msg, NULL, 0, NULL, NULL);
}

int64_t beat_due(const struct agent *a)
{
	return a->beat_ns ? a->beat_due_boot_ns : INT64_MAX;
}
