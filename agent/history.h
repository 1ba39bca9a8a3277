// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What happened: cleanups, alerts and samples of usage, the newest last,
 * bounded. Saved by state.c, shown by report.c. */

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "model/alert.h"

#define HISTORY_CLEANUPS 500
#define HISTORY_ALERTS	 500
#define HISTORY_SAMPLES	 4032 /* of all components: two days of seven */
#define HISTORY_SAMPLE_S 300

struct sample {
	int64_t at_real_s;
	uint64_t used_bytes;
	uint64_t files;
	char component[80];
};

struct history {
	struct cleanup_result *cleanups;
	size_t n_cleanups;
	struct alert *alerts;
	size_t n_alerts;
	struct sample *samples;
	size_t n_samples;
};

/* Returns 0 or -ENOMEM. */
int history_init(struct history *h);
void history_fini(struct history *h);
/* Each copies; the oldest goes when there is no room. */
void history_add_cleanup(struct history *h, const struct cleanup_result *r);
void history_add_alert(struct history *h, const struct alert *a);
void history_add_sample(struct history *h, const struct sample *s);
/* The last sample of a component that is no newer than at_real_s, or else its
 * first; borrowed. NULL: there is none. */
const struct sample *history_sample(
	const struct history *h, const char *component, int64_t at_real_s);
/* Bytes a component grew an hour, over its samples of the last day; 0 if it
 * shrank or too little is known. */
uint64_t history_growth(
	const struct history *h, const char *component, int64_t now_real_s);
