// SPDX-License-Identifier: GPL-2.0-or-later
#include "history.h"

#include <errno.h>
#include <string.h>

int history_init(struct history *h)
{
	*h = (struct history){
		.cleanups = calloc(HISTORY_CLEANUPS, sizeof(*h->cleanups)),
		.alerts = calloc(HISTORY_ALERTS, sizeof(*h->alerts)),
		.samples = calloc(HISTORY_SAMPLES, sizeof(*h->samples)),
	};
	if (h->cleanups && h->alerts && h->samples)
		return 0;
	history_fini(h);
	return -ENOMEM;
}

void history_fini(struct history *h)
{
	for (size_t i = 0; i < h->n_alerts; i++)
		alert_fini(&h->alerts[i]);
	free(h->cleanups);
	free(h->alerts);
	free(h->samples);
	*h = (struct history){0};
}

/* Makes room for one more of size bytes at the end; the position of it. */
static size_t make_room(void *items, size_t *n, size_t max, size_t size)
{
	if (*n == max) {
		memmove(items, (char *)items + size, (max - 1) * size);
		(*n)--;
	}
	return (*n)++;
}

void history_add_cleanup(struct history *h, const struct cleanup_result *r)
{
	h->cleanups[make_room(h->cleanups, &h->n_cleanups, HISTORY_CLEANUPS,
		sizeof(*r))] = *r;
}

void history_add_alert(struct history *h, const struct alert *a)
{
	struct alert copy;

	if (alert_copy(a, &copy) < 0)
		return;
	if (h->n_alerts == HISTORY_ALERTS)
		alert_fini(&h->alerts[0]);
	h->alerts[make_room(
		h->alerts, &h->n_alerts, HISTORY_ALERTS, sizeof(copy))] = copy;
}

void history_add_sample(struct history *h, const struct sample *s)
{
	h->samples[make_room(
		h->samples, &h->n_samples, HISTORY_SAMPLES, sizeof(*s))] = *s;
}

const struct sample *history_sample(
	const struct history *h, const char *component, int64_t at_real_s)
{
	const struct sample *ret = NULL;

	for (size_t i = 0; i < h->n_samples; i++) {
		const struct sample *s = &h->samples[i];

		if (strcmp(s->component, component) == 0 &&
			(!ret || s->at_real_s <= at_real_s))
			ret = s;
	}
	return ret;
}

uint64_t history_growth(
	const struct history *h, const char *component, int64_t now_real_s)
{
	const struct sample *first = NULL, *last = NULL;
	int64_t span_s;

	for (size_t i = 0; i < h->n_samples; i++) {
		const struct sample *s = &h->samples[i];

		if (strcmp(s->component, component) != 0 ||
			s->at_real_s < now_real_s - 86400)
			continue;
		if (!first)
			first = s;
		last = s;
	}
	if (!first || last->used_bytes <= first->used_bytes)
		return 0;
	span_s = last->at_real_s - first->at_real_s;
	if (span_s < HISTORY_SAMPLE_S)
		return 0;
	return mem_mul_div(
		last->used_bytes - first->used_bytes, 3600, (uint64_t)span_s);
}
