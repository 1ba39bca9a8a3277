// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the saved state. What is restored is saved and restored as the
 * same, and no schedule lies further away than an interval.
 */
#include "fuzz.h"

#include <errno.h>

#include "core.h"
#include "state.h"

#define NOW	   INT64_C(1800000000)
#define INTERVAL_S 3600

static struct history history;

struct desk {
	struct config config;
	struct policy policy;
	struct component component;
	struct clock clock;
	struct agent agent;
};

/* Its room is made once: it is half a megabyte. */
static void empty_history(struct history *h)
{
	if (!h->samples)
		must(history_init(h) == 0);
	while (h->n_alerts)
		alert_fini(&h->alerts[--h->n_alerts]);
	h->n_cleanups = h->n_samples = 0;
}

static void begin(struct desk *d)
{
	empty_history(&history);
	*d = (struct desk){
		.policy = {.component = (char *)"web",
			.interval_s = INTERVAL_S},
		.clock = {.is_fake = true,
			.fake_real_ns = NOW * CLOCK_NS_PER_S,
			.fake_boot_ns = 5000 * CLOCK_NS_PER_S},
	};
	d->component.policy = &d->policy;
	d->component.scheduled_boot_ns = d->clock.fake_boot_ns;
	d->agent = (struct agent){
		.config = &d->config,
		.clock = &d->clock,
		.host = "host",
		.components = &d->component,
		.n_components = 1,
		.alerts = alerts_new(3600),
		.history = history,
	};
	must(d->agent.alerts != NULL);
}

/* Restores from text, and saves. */
static int around(const struct buf *text, struct buf *ret)
{
	struct desk d;
	int64_t wait_ns;
	int r;

	begin(&d);
	r = state_read(&d.agent, text);
	must(r == 0 || r == -EBADMSG);
	wait_ns = d.component.scheduled_boot_ns - d.clock.fake_boot_ns;
	must(wait_ns >= 0 && wait_ns <= INTERVAL_S * CLOCK_NS_PER_S);
	if (r == 0)
		must(state_write(&d.agent, ret) == 0);
	alerts_free(d.agent.alerts);
	history = d.agent.history;
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	buf_auto struct buf text = {0}, first = {0}, second = {0};

	must(buf_put(&text, data, size) == 0);
	if (around(&text, &first) < 0)
		return 0;
	must(around(&first, &second) == 0);
	must(strcmp(first.data, second.data) == 0);
	return 0;
}
