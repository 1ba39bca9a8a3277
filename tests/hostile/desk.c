// SPDX-License-Identifier: GPL-2.0-or-later
#include "hostile/desk.h"

#include <stdio.h>

#include "state.h"

void desk_init(struct desk *d, struct world *w)
{
	*d = (struct desk){.w = w};
	d->clock = (struct clock){.is_fake = true,
		.fake_real_ns = INT64_C(1800000000) * CLOCK_NS_PER_S,
		.fake_boot_ns = 5000 * CLOCK_NS_PER_S};
	snprintf(d->path, sizeof(d->path), "%s/state", w->path);
	d->config.state_file = d->path;
	d->agent = (struct agent){.config = &d->config,
		.clock = &d->clock,
		.host = "host",
		.alerts = alerts_new(3600)};
	must(d->agent.alerts);
	must(history_init(&d->agent.history) == 0);
}

void desk_fini(struct desk *d)
{
	history_fini(&d->agent.history);
	alerts_free(d->agent.alerts);
}

void desk_note(struct desk *d)
{
	struct sample s = {.at_real_s = 1800000000,
		.used_bytes = ++d->generation,
		.component = "web"};

	for (int i = 0; i < 100; i++)
		history_add_sample(&d->agent.history, &s);
}

uint64_t desk_find(struct desk *d)
{
	const struct history *h;
	struct desk other;
	uint64_t found;

	desk_init(&other, d->w);
	must(state_load(&other.agent) == 0);
	h = &other.agent.history;
	found = h->n_samples ? h->samples[h->n_samples - 1].used_bytes : 0;
	desk_fini(&other);
	return found;
}
