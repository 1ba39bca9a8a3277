// SPDX-License-Identifier: GPL-2.0-or-later
/* Restoring. Each value is taken for what it is; what makes no sense is left
 * out. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "core.h"
#include "json.h"
#include "proto/jsoncheck.h"
#include "state.h"
#include "state_file.h"
#include "state_impl.h"

void state_boot_id(char ret[37])
{
	fd_auto int fd =
		open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret, 0, 37);
	if (fd >= 0 && fd_read_full(fd, ret, 36) < 0)
		ret[0] = '\0';
}

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

/* Cut short, a name may end within a character; saved like that, the whole
 * file would be no JSON any more. */
static bool fits(const char *name, size_t size)
{
	return name && strlen(name) < size;
}

bool state_read_alert(struct json_object *o, struct alert *ret)
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

static size_t length_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array)
		       ? json_object_array_length(list)
		       : 0;
}

static void read_skipped(struct json_object *list, struct skipped *ret)
{
	size_t n = length_of(list);

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

static void read_blockers(struct json_object *list, struct blockers *ret)
{
	size_t n = length_of(list);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *by = json_get_text(o, "by");
		int r = word_of(
			json_get_text(o, "cause"), reason_word_at, N_REASONS);
		struct blocker b = {.reason = (enum reason)r,
			.files = json_get_u64(o, "files"),
			.bytes = json_get_u64(o, "bytes")};

		if (r < 0)
			continue;
		escape_fit(b.by, sizeof(b.by), by ? by : "");
		blockers_add(ret, &b);
	}
}

static void read_steps(struct json_object *list, struct cleanup_result *ret)
{
	size_t n = length_of(list);

	/* Written from the first step on, all of them. */
	for (size_t i = 0; i < n && i + 1 < CLEANUP_STEPS; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		ret->step_files[i + 1] = json_get_u64(o, "files");
		ret->step_bytes[i + 1] = json_get_u64(o, "freedBytes");
	}
}

bool state_read_cleanup(struct json_object *o, struct cleanup_result *ret)
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

	if (!fits(name, sizeof(ret->component)) || (!s && !is_trash) ||
		reason < 0 || mode < 0)
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
	read_blockers(json_object_object_get(o, "blockers"), &ret->blockers);
	read_steps(json_object_object_get(o, "steps"), ret);
	return true;
}

static void restore_cleanup(struct agent *a, struct json_object *o)
{
	struct cleanup_result r;

	if (state_read_cleanup(o, &r))
		history_add_cleanup(&a->history, &r);
}

static void restore_alert(struct agent *a, struct json_object *o)
{
	struct alert alert;

	if (!state_read_alert(o, &alert))
		return;
	history_add_alert(&a->history, &alert);
	alert_fini(&alert);
}

static void restore_open(struct agent *a, struct json_object *o)
{
	struct alert alert;

	if (!state_read_alert(o, &alert))
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

	if (!fits(name, sizeof(s.component)))
		return;
	snprintf(s.component, sizeof(s.component), "%s", name);
	history_add_sample(&a->history, &s);
}

static void restore_figures(struct agent *a, struct json_object *o)
{
	struct figures f;
	const char *name;
	struct component *c;

	if (!state_read_figures(o, &name, &f))
		return;
	c = core_find(a, name);
	if (c)
		c->figures = f;
}

static void restore_list(struct agent *a, struct json_object *state,
	const char *key, void (*one)(struct agent *a, struct json_object *o))
{
	struct json_object *list = json_object_object_get(state, key);
	size_t n = length_of(list);

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

static void restore_clock(struct agent *a, struct json_object *state)
{
	const char *saved_id = json_get_text(state, "bootId");
	struct wallclock_seen seen = {
		.real_s = json_get_stamp(state, "clockSeen"),
		.boot_s = (int64_t)json_get_u64(state, "bootSeconds"),
	};
	char boot_id[37];

	state_boot_id(boot_id);
	seen.is_same_boot =
		boot_id[0] && saved_id && strcmp(saved_id, boot_id) == 0;
	wallclock_restore(&a->wallclock, a->clock, &seen);
}

static int parse_once(
	const struct buf *text, size_t n_members, struct json_object **ret)
{
	struct json_tokener *t = json_tokener_new_ex(JSONCHECK_DEPTH + 1);
	struct json_object *o;
	int r = 0;

	if (!t)
		return -ENOMEM;
	o = json_tokener_parse_ex(t, text->data, (int)text->len);
	if (json_tokener_get_error(t) != json_tokener_success)
		r = -ENOMEM;
	else if (jsoncheck_members(o) != n_members ||
		 json_get_u64(o, "version") != STATE_VERSION)
		r = -EBADMSG;
	json_tokener_free(t);
	if (r < 0)
		json_object_put(o);
	else
		*ret = o;
	return r;
}

/*
 * What is taken must be good for being saved again, so the strict look comes
 * first. json-c leaves out without a word what it has no memory for: a second
 * try tells that from a key that is missing, or stands there twice.
 */
static int parse(const struct buf *text, struct json_object **ret)
{
	size_t n_members;
	int r = jsoncheck_text(text->data, text->len, &n_members);

	if (r < 0)
		return r;
	if (text->data[strspn(text->data, " \t\r\n")] != '{')
		return -EBADMSG;
	r = parse_once(text, n_members, ret);
	return r < 0 ? parse_once(text, n_members, ret) : r;
}

static void set_aside(struct agent *a, int error)
{
	const char *path = a->config->state_file;
	mem_autofree char *aside =
		state_file_set_aside(path, clock_real_s(a->clock));

	log_event(MSG_STATE_DAMAGED, NULL,
		"the state file %s cannot be read (%s); %s%s", path,
		strerror(-error),
		aside ? "set aside as " : "and could not be set aside",
		aside ? aside : "");
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

int state_read(struct agent *a, const struct buf *text)
{
	struct json_object *state = NULL;
	int r = text->len ? parse(text, &state) : -EBADMSG;

	if (r < 0)
		return r;
	restore_list(a, state, "cleanups", restore_cleanup);
	restore_list(a, state, "alerts", restore_alert);
	restore_list(a, state, "samples", restore_sample);
	restore_list(a, state, "openAlerts", restore_open);
	restore_list(a, state, "figures", restore_figures);
	restore_schedules(a, state);
	restore_clock(a, state);
	json_object_put(state);
	return 0;
}

int state_load(struct agent *a)
{
	buf_auto struct buf text = {0};
	int r = state_file_read(a->config->state_file, STATE_FILE_MAX, &text);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = state_read(a, &text);
	/* Our memory is at fault, not the file. */
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		set_aside(a, r);
	return 0;
}
