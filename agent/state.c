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
#include "report.h"

#define STATE_VERSION	1
#define STATE_MAX_BYTES (64u << 20)
#define SAVE_PAUSE_NS	(10 * CLOCK_NS_PER_S)

/* Saving. */

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

static struct json_object *state_of(struct agent *a)
{
	struct json_object *o = json_object_new_object();

	json_put_u64(o, "version", STATE_VERSION);
	json_put_stamp(o, "savedAt", clock_real_s(a->clock));
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

/* The directory of a path, and the name in it. */
static int open_parent(const char *path, const char **ret_name, int *ret_fd)
{
	const char *slash = strrchr(path, '/');
	mem_autofree char *dir = NULL;
	int fd;

	if (!slash || !slash[1])
		return -EINVAL;
	dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_name = slash + 1;
	*ret_fd = fd;
	return 0;
}

static int replace(const char *path, const char *text)
{
	mem_autofree char *aside = NULL;
	fd_auto int dir = -1;
	const char *name;
	int r = open_parent(path, &name, &dir);

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

int state_save(struct agent *a)
{
	struct json_object *o = state_of(a);
	const char *text = o ? json_object_to_json_string_ext(o,
				       JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE)
			     : NULL;
	int r = text ? replace(a->config->state_file, text) : -ENOMEM;

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

/* Restoring. Each value is taken for what it is; what makes no sense is left
 * out. */

static int word_of(const char *text, const char *(*word)(int), int n)
{
	for (int i = 0; text && i < n; i++)
		if (strcmp(text, word(i)) == 0)
			return i;
	return -1;
}

static const char *event_word(int i)
{
	return alert_event_word((enum alert_event)i);
}

static const char *kind_word(int i)
{
	return alert_kind_word((enum alert_kind)i);
}

static const char *level_word_at(int i)
{
	return level_word((enum level)i);
}

static const char *goal_word(int i)
{
	return goal_reason_name((enum goal_reason)i);
}

static const char *mode_word(int i)
{
	return mode_name((enum mode)i);
}

static const char *reason_word_at(int i)
{
	return reason_word((enum reason)i);
}

static char *copy_text(struct json_object *o, const char *key)
{
	const char *text = json_get_text(o, key);

	return text ? strdup(text) : NULL;
}

static bool read_alert(struct json_object *o, struct alert *ret)
{
	int event = word_of(json_get_text(o, "event"), event_word, 4);
	int kind = word_of(json_get_text(o, "kind"), kind_word, N_ALERT_KINDS);
	int level = word_of(json_get_text(o, "level"), level_word_at, 4);

	if (event < 0 || kind < 0 || level < 0 || !json_get_text(o, "scope"))
		return false;
	*ret = (struct alert){
		.id = json_get_u64(o, "id"),
		.event = (enum alert_event)event,
		.kind = (enum alert_kind)kind,
		.level = (enum level)level,
		.scope = copy_text(o, "scope"),
		.component = copy_text(o, "component"),
		.filesystem = copy_text(o, "filesystem"),
		.used_bytes = json_get_u64(o, "usedBytes"),
		.limit_bytes = json_get_u64(o, "limitBytes"),
		.message = copy_text(o, "message"),
		.at_real_s = json_get_stamp(o, "time"),
	};
	if (!ret->message)
		ret->message = strdup("");
	if (ret->scope && ret->message)
		return true;
	alert_fini(ret);
	return false;
}

static void read_skipped(struct json_object *list, struct skipped *ret)
{
	size_t n = json_object_is_type(list, json_type_array)
			   ? json_object_array_length(list)
			   : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		int r = word_of(
			json_get_text(o, "reason"), reason_word_at, N_REASONS);

		if (r < 0)
			continue;
		ret->files[r] = json_get_u64(o, "files");
		ret->bytes[r] = json_get_u64(o, "bytes");
	}
}

static void read_steps(struct json_object *list, struct cleanup_result *ret)
{
	size_t n = json_object_is_type(list, json_type_array)
			   ? json_object_array_length(list)
			   : 0;

	/* Written from the first step on, all of them. */
	for (size_t i = 0; i < n && i + 1 < CLEANUP_STEPS; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		ret->step_files[i + 1] = json_get_u64(o, "files");
		ret->step_bytes[i + 1] = json_get_u64(o, "freedBytes");
	}
}

static bool read_cleanup(struct json_object *o, struct cleanup_result *ret)
{
	const char *name = json_get_text(o, "component");
	const char *strategy_name = json_get_text(o, "strategy");
	const struct strategy *s =
		strategy_name ? strategy_find(strategy_name) : NULL;
	int reason = word_of(json_get_text(o, "reason"), goal_word, 5);
	int mode = word_of(json_get_text(o, "mode"), mode_word, N_MODES);
	int stop =
		word_of(json_get_text(o, "stopped"), reason_word_at, N_REASONS);

	/* Emptying the trash is told like a cleanup, and is none. */
	bool is_trash = strategy_name && strcmp(strategy_name, "trash") == 0;

	if (!name || (!s && !is_trash) || reason < 0 || mode < 0)
		return false;
	*ret = (struct cleanup_result){
		.strategy = s ? s->name : "trash",
		.mode = mode_name((enum mode)mode),
		/* A run that went to its end has no such word. */
		.stop = stop < 0 ? REASON_DELETED : (enum reason)stop,
		.reason = (enum goal_reason)reason,
		.is_dry_run = json_get_bool(o, "dryRun"),
		.is_reached = json_get_bool(o, "reached"),
		.is_cut = json_get_bool(o, "cut"),
		.started_real_s = json_get_stamp(o, "startedAt"),
		.ended_real_s = json_get_stamp(o, "endedAt"),
		.files = json_get_u64(o, "files"),
		.freed_bytes = json_get_u64(o, "freedBytes"),
		.estimated_bytes = json_get_u64(o, "estimatedBytes"),
		.trashed_files = json_get_u64(o, "trashedFiles"),
		.trashed_bytes = json_get_u64(o, "trashedBytes"),
		.used_before = json_get_u64(o, "usedBefore"),
		.used_after = json_get_u64(o, "usedAfter"),
		.target_bytes = json_get_u64(o, "targetBytes"),
	};
	snprintf(ret->component, sizeof(ret->component), "%s", name);
	read_skipped(json_object_object_get(o, "skipped"), &ret->skipped);
	read_steps(json_object_object_get(o, "steps"), ret);
	return true;
}

static void restore_cleanup(struct agent *a, struct json_object *o)
{
	struct cleanup_result r;

	if (read_cleanup(o, &r))
		history_add_cleanup(&a->history, &r);
}

static void restore_alert(struct agent *a, struct json_object *o)
{
	struct alert alert;

	if (!read_alert(o, &alert))
		return;
	history_add_alert(&a->history, &alert);
	alert_fini(&alert);
}

static void restore_open(struct agent *a, struct json_object *o)
{
	struct alert alert;

	if (!read_alert(o, &alert))
		return;
	alerts_restore(a->alerts,
		&(struct alerts_open){
			.alert = &alert,
			.raised_real_s = json_get_stamp(o, "raisedAt"),
			.heard_real_s = json_get_stamp(o, "heardAt"),
			.is_held = json_get_bool(o, "held"),
		},
		core_now(a));
	alert_fini(&alert);
}

static void restore_sample(struct agent *a, struct json_object *o)
{
	const char *name = json_get_text(o, "component");
	struct sample s = {
		.at_real_s = json_get_stamp(o, "time"),
		.used_bytes = json_get_u64(o, "usedBytes"),
		.files = json_get_u64(o, "files"),
	};

	if (!name)
		return;
	snprintf(s.component, sizeof(s.component), "%s", name);
	history_add_sample(&a->history, &s);
}

static void restore_list(struct agent *a, struct json_object *state,
	const char *key, void (*one)(struct agent *a, struct json_object *o))
{
	struct json_object *list = json_object_object_get(state, key);
	size_t n = json_object_is_type(list, json_type_array)
			   ? json_object_array_length(list)
			   : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_object))
			one(a, o);
	}
}

/* A schedule goes on where it was: at most an interval away, whatever the
 * file says. */
static void restore_schedules(struct agent *a, struct json_object *state)
{
	struct json_object *o = json_object_object_get(state, "schedules");
	int64_t boot = clock_boot_ns(a->clock);
	int64_t now_s = clock_real_s(a->clock);

	if (!json_object_is_type(o, json_type_object))
		return;
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];
		int64_t at_s = json_get_stamp(o, c->policy->component);
		int64_t wait_s = MIN_OF(at_s - now_s, c->policy->interval_s);

		if (at_s)
			c->scheduled_boot_ns =
				boot + MAX_OF(wait_s, 0) * CLOCK_NS_PER_S;
	}
}

static int parse(const struct buf *text, struct json_object **ret)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *o;
	int r = 0;

	if (!t)
		return -ENOMEM;
	json_tokener_set_flags(t, JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text->data, (int)text->len);
	if (json_tokener_get_error(t) != json_tokener_success ||
		!json_object_is_type(o, json_type_object) ||
		json_get_u64(o, "version") != STATE_VERSION) {
		json_object_put(o);
		r = -EBADMSG;
	}
	json_tokener_free(t);
	if (r == 0)
		*ret = o;
	return r;
}

static int read_file(const char *path, struct buf *ret)
{
	fd_auto int dir = -1;
	fd_auto int fd = -1;
	struct stat st;
	const char *name;
	int r = open_parent(path, &name, &dir);

	if (r < 0)
		return r;
	fd = openat(dir, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	return buf_read_fd(ret, fd, STATE_MAX_BYTES);
}

static void set_aside(struct agent *a, int error)
{
	const char *path = a->config->state_file;
	mem_autofree char *aside = NULL;

	if (asprintf(&aside, "%s.damaged-%" PRId64, path,
		    clock_real_s(a->clock)) < 0) {
		aside = NULL;
		return;
	}
	if (rename(path, aside) < 0)
		aside[0] = '\0';
	log_event(MSG_STATE_DAMAGED, NULL,
		"the state file %s cannot be read (%s); %s%s", path,
		strerror(-error),
		aside[0] ? "set aside as " : "and could not be set aside",
		aside);
	alerts_report(a->alerts,
		&(struct alert_condition){
			.kind = ALERT_KIND_AGENT,
			.level = LEVEL_WARNING,
			.scope = "agent/state",
			.message = "the saved state was damaged and has been "
				   "set aside; history starts anew",
		},
		core_now(a));
}

int state_load(struct agent *a)
{
	buf_auto struct buf text = {0};
	struct json_object *state = NULL;
	int r = read_file(a->config->state_file, &text);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = text.len ? parse(&text, &state) : -EBADMSG;
	if (r < 0) {
		set_aside(a, r);
		return r == -ENOMEM ? r : 0;
	}
	restore_list(a, state, "cleanups", restore_cleanup);
	restore_list(a, state, "alerts", restore_alert);
	restore_list(a, state, "samples", restore_sample);
	restore_list(a, state, "openAlerts", restore_open);
	restore_schedules(a, state);
	json_object_put(state);
	return 0;
}
