// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "core.h"
#include "json.h"
#include "proto/jsoncheck.h"
#include "report.h"
#include "state_impl.h"

#define SAVE_PAUSE_NS (10 * CLOCK_NS_PER_S)

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
	return o;
}

static int write_aside(int dir_fd, const char *name, const char *text)
{
	fd_auto int fd = -1;
	int r;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, text, strlen(text));
	if (r < 0)
		return r;
	/* A failed fsync is never tried again and trusted: the pages may be
	 * marked clean. The next save writes another file. */
	return fsync(fd) < 0 ? -errno : 0;
}

static int replace(const char *path, const char *text)
{
	mem_autofree char *aside = NULL;
	fd_auto int dir = -1;
	const char *name;
	int r = state_open_parent(path, &name, &dir);

	if (r < 0)
		return r;
	if (asprintf(&aside, "%s.new", name) < 0) {
		aside = NULL;
		return -ENOMEM;
	}
	r = write_aside(dir, aside, text);
	if (r < 0) {
		unlinkat(dir, aside, 0);
		return r;
	}
	if (renameat(dir, aside, dir, name) < 0) {
		r = -errno;
		unlinkat(dir, aside, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
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

static size_t count_members(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += count_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach (o, key, value) {
			(void)key;
			n += 1 + count_members(value);
		}
	}
	return n;
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
	       n_members == count_members(o);
}

int state_save(struct agent *a)
{
	struct json_object *o = state_of(a);
	const char *text = o ? json_object_to_json_string_ext(o,
				       JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE)
			     : NULL;
	int r = text && is_whole(a, o, text)
			? replace(a->config->state_file, text)
			: -ENOMEM;

	json_object_put(o);
	return r;
}

void state_keep(struct agent *a)
{
	int64_t now = clock_boot_ns(a->clock);
	int r;

	if (!a->is_dirty || now < a->save_due_boot_ns)
		return;
	a->save_due_boot_ns = now + SAVE_PAUSE_NS;
	r = state_save(a);
	if (r < 0) {
		log_event(MSG_STATE_FAILED, NULL,
			"state not saved to %s: %s; it is tried again",
			a->config->state_file, strerror(-r));
		return;
	}
	a->is_dirty = false;
}

int64_t state_due(const struct agent *a)
{
	return a->is_dirty ? a->save_due_boot_ns : INT64_MAX;
}
