// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core.h"
#include "json.h"
#include "proto/jsoncheck.h"
#include "report.h"
#include "state_file.h"
#include "state_impl.h"
#include "state_saver.h"

#define SAVE_PAUSE_NS (10 * CLOCK_NS_PER_S)
#define SAVE_SLOW_NS  (30 * CLOCK_NS_PER_S)

/* What is to be saved. */

static struct json_object *samples_of(const struct history *h)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < h->n_samples; i++) {
		const struct sample *s = &h->samples[i];
		struct json_object *o = json_object_new_object();

		json_put_stamp(o, "time", s->at_real_s);
		json_put_text(o, "component", s->component);
		json_put_u64(o, "usedBytes", s->used_bytes);
		json_put_u64(o, "files", s->files);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *open_of(const struct agent *a)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < alerts_n_open(a->alerts); i++) {
		struct alerts_open open = alerts_get_open(a->alerts, i);
		struct json_object *o = report_alert(a, open.alert);

		json_put_stamp(o, "raisedAt", open.raised_real_s);
		json_put_stamp(o, "heardAt", open.heard_real_s);
		json_put_bool(o, "held", open.is_held);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *schedules_of(const struct agent *a)
{
	struct json_object *o = json_object_new_object();
	int64_t now_s = clock_real_s(a->clock);
	int64_t boot = clock_boot_ns(a->clock);

	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		json_put_stamp(o, c->policy->component,
			now_s + (c->scheduled_boot_ns - boot) / CLOCK_NS_PER_S);
	}
	return o;
}

static struct json_object *reversed(struct json_object *list)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = json_object_array_length(list); i; i--)
		json_object_array_add(
			out, json_object_get(
				     json_object_array_get_idx(list, i - 1)));
	json_object_put(list);
	return out;
}

/* The oldest first, as it is read back. */
static void put_history(struct agent *a, struct json_object *o)
{
	struct json_object *h = report_history(a, NULL, SIZE_MAX);
	const char *const keys[] = {"cleanups", "alerts"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_object_add(o, keys[i],
			reversed(json_object_get(
				json_object_object_get(h, keys[i]))));
	json_object_put(h);
}

/* What a later start compares the clocks with. */
static void put_clock(const struct agent *a, struct json_object *o)
{
	struct wallclock_seen seen;
	char boot_id[37];

	wallclock_seen(&a->wallclock, a->clock, &seen);
	state_boot_id(boot_id);
	json_put_stamp(o, "clockSeen", seen.real_s);
	json_put_u64(o, "bootSeconds", (uint64_t)MAX_OF(seen.boot_s, 0));
	json_put_text(o, "bootId", boot_id);
}

static struct json_object *state_of(struct agent *a)
{
	struct json_object *o = json_object_new_object();

	json_put_u64(o, "version", STATE_VERSION);
	json_put_stamp(o, "savedAt", clock_real_s(a->clock));
	put_clock(a, o);
	put_history(a, o);
	json_object_object_add(o, "samples", samples_of(&a->history));
	json_object_object_add(o, "openAlerts", open_of(a));
	json_object_object_add(o, "schedules", schedules_of(a));
	json_object_object_add(o, "figures", state_write_figures(a));
	return o;
}

/* Saving. */

static size_t count_cleanups(struct json_object *list)
{
	struct cleanup_result r;
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		n += state_read_cleanup(json_object_array_get_idx(list, i), &r);
	return n;
}

static size_t count_alerts(struct json_object *list)
{
	struct alert alert;
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (!state_read_alert(
			    json_object_array_get_idx(list, i), &alert))
			continue;
		alert_fini(&alert);
		n++;
	}
	return n;
}

static size_t count_samples(struct json_object *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		n += json_get_text(json_object_array_get_idx(list, i),
			     "component") != NULL;
	return n;
}

static size_t count_figures(struct json_object *list)
{
	struct figures f;
	const char *name;
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		n += state_read_figures(
			json_object_array_get_idx(list, i), &name, &f);
	return n;
}

/* Would a restart find all of it? */
static bool is_restorable(const struct agent *a, struct json_object *o)
{
	const struct {
		const char *key;
		size_t (*count)(struct json_object *list);
		size_t want;
	} parts[] = {
		{"cleanups", count_cleanups, a->history.n_cleanups},
		{"alerts", count_alerts, a->history.n_alerts},
		{"samples", count_samples, a->history.n_samples},
		{"openAlerts", count_alerts, alerts_n_open(a->alerts)},
		{"figures", count_figures, state_n_figures(a)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct json_object *list =
			json_object_object_get(o, parts[i].key);

		if (!json_object_is_type(list, json_type_array) ||
			parts[i].count(list) != parts[i].want)
			return false;
	}
	return json_get_u64(o, "version") == STATE_VERSION &&
	       json_get_stamp(o, "clockSeen");
}

/*
 * Out of memory, the JSON library leaves out what it has no room for, and says
 * nothing: the text is good for replacing the last one only if everything
 * there is to tell is in it.
 */
static bool is_whole(
	const struct agent *a, struct json_object *o, const char *text)
{
	size_t n_members;

	return is_restorable(a, o) &&
	       jsoncheck_text(text, strlen(text), &n_members) == 0 &&
	       n_members == jsoncheck_members(o);
}

int state_write(struct agent *a, struct buf *ret)
{
	struct json_object *o = state_of(a);
	const char *text = o ? json_object_to_json_string_ext(o,
				       JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE)
			     : NULL;
	int r = text && is_whole(a, o, text) ? buf_puts(ret, text) : -ENOMEM;

	json_object_put(o);
	return r;
}

int state_save(struct agent *a)
{
	buf_auto struct buf text = {0};
	int r = state_write(a, &text);

	return r < 0 ? r : state_file_replace(a->config->state_file, text.data);
}

static void note_failed(struct agent *a, const char *why)
{
	log_event(MSG_STATE_FAILED, NULL,
		"state not saved to %s: %s; it is tried again",
		a->config->state_file, why);
}

/* Returns true while a save is under way. */
static bool watch_save(struct agent *a, int64_t now)
{
	int r;

	if (state_saver_take(a->saver, &r)) {
		a->is_save_slow = false;
		a->is_dirty |= r < 0;
		if (r < 0)
			note_failed(a, strerror(-r));
	}
	if (!state_saver_is_busy(a->saver))
		return false;
	if (!a->is_save_slow && now - a->save_begun_boot_ns >= SAVE_SLOW_NS) {
		a->is_save_slow = true;
		note_failed(a, "its disk has not answered for 30 s");
	}
	return true;
}

static int begin_save(struct agent *a)
{
	buf_auto struct buf text = {0};
	int r = state_write(a, &text);

	return r < 0 ? r
		     : state_saver_start(a->saver, a->config->state_file,
			       mem_take(text.data));
}

void state_keep(struct agent *a)
{
	int64_t now = clock_boot_ns(a->clock);
	int r;

	if (watch_save(a, now) || !a->is_dirty || now < a->save_due_boot_ns)
		return;
	a->save_begun_boot_ns = now;
	a->save_due_boot_ns = now + SAVE_PAUSE_NS;
	/* What comes from here on is for the next one. */
	r = begin_save(a);
	if (r < 0)
		note_failed(a, strerror(-r));
	a->is_dirty = r < 0;
}

int64_t state_due(const struct agent *a)
{
	if (state_saver_is_busy(a->saver))
		return a->is_save_slow ? INT64_MAX
				       : a->save_begun_boot_ns + SAVE_SLOW_NS;
	return a->is_dirty ? a->save_due_boot_ns : INT64_MAX;
}
