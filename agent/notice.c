// SPDX-License-Identifier: GPL-2.0-or-later
#include "notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/units.h"
#include "control.h"
#include "core.h"
#include "deliver.h"
#include "json.h"
#include "ledger.h"
#include "report.h"

/* Conditions for the alert engine. */

/* A path that was cut to fit into a message may end in half a character. */
void notice_condition(struct agent *a, const struct alert_condition *condition)
{
	struct alert_condition whole = *condition;
	buf_auto struct buf message = {0};
	int r = escape_line(
		&message, condition->message, strlen(condition->message));

	whole.message = message.data;
	if (r == 0)
		r = alerts_report(a->alerts, &whole, core_now(a));
	if (r < 0)
		log_note(LOG_ERR, "out of memory for an alert: %s",
			condition->message);
}

void notice_component(struct component *c, enum alert_kind kind,
	enum level level, const char *message)
{
	char scope[128];

	snprintf(scope, sizeof(scope), "component/%s", c->policy->component);
	notice_condition(c->agent, &(struct alert_condition){
					   .kind = kind,
					   .level = level,
					   .scope = scope,
					   .component = c->policy->component,
					   .message = message,
				   });
}

void notice_usage(struct component *c, uint64_t used_bytes)
{
	const char *name = c->policy->component;
	char scope[128], message[256], used[UNITS_SIZE], whole[UNITS_SIZE];
	char share[UNITS_SIZE];

	snprintf(scope, sizeof(scope), "component/%s", name);
	snprintf(message, sizeof(message),
		"%s uses %s, %s of its allocation of %s", name,
		units_size(used_bytes, used),
		units_share(used_bytes, c->allocation_bytes, share),
		units_size(c->allocation_bytes, whole));
	notice_condition(c->agent,
		&(struct alert_condition){
			.kind = ALERT_KIND_USAGE,
			.level = c->level,
			.scope = scope,
			.component = name,
			.used_bytes = used_bytes,
			.limit_bytes = trigger_limit(&c->limits, c->level),
			.message = message,
		});
	if (c->level == LEVEL_OK)
		notice_condition(
			c->agent, &(struct alert_condition){
					  .kind = ALERT_KIND_TARGET_MISSED,
					  .level = LEVEL_OK,
					  .scope = scope,
					  .component = name,
					  .used_bytes = used_bytes,
					  .limit_bytes = c->limits.target_bytes,
					  .message = message,
				  });
}

/* Cleanups. */

void notice_cleanup_started(
	struct component *c, const struct cleanup_order *order)
{
	if (order->is_plan)
		return;
	log_event(MSG_CLEANUP_STARTED,
		LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component},
			{"ULLAGE_STRATEGY", order->strategy->name}),
		"cleanup of %s (%s, %s)", c->policy->component,
		order->strategy->name, goal_reason_name(order->goal.reason));
}

void notice_cleanup_progress(struct component *c, const struct cleanup *run)
{
	const struct cleanup_result *r = cleanup_result(run);
	struct json_object *reply, *progress;

	if (!c->caller || !control_wants_more(c->caller))
		return;
	reply = json_object_new_object();
	progress = json_object_new_object();
	json_put_u64(progress, "judged", cleanup_judged(run));
	json_put_u64(progress, "files", r->files);
	json_put_u64(progress, "freedBytes", r->freed_bytes);
	json_object_object_add(reply, "progress", progress);
	if (control_continue(c->caller, reply) < 0) {
		control_drop(c->caller);
		c->caller = NULL;
	}
}

static void notice_target(struct component *c, const struct cleanup_result *r)
{
	buf_auto struct buf why = {0};
	buf_auto struct buf held = {0};
	mem_autofree char *details = report_blockers(&r->blockers);
	char message[1664], used[UNITS_SIZE], target[UNITS_SIZE];
	char scope[128];
	bool is_missed = !r->is_reached && c->level != LEVEL_OK &&
			 r->used_after > r->target_bytes;

	snprintf(scope, sizeof(scope), "component/%s", c->policy->component);
	(void)blockers_describe(&r->blockers, &why);
	(void)ledger_describe(c->agent->ledger, 0, c->number, &held);
	snprintf(message, sizeof(message),
		is_missed ? "the cleanup of %s ended at %s, above its target "
			    "of %s%s%s%s%s%s"
			  : "%s is at %s, target %s%.0s%.0s%.0s%.0s%.0s",
		c->policy->component, units_size(r->used_after, used),
		units_size(r->target_bytes, target),
		r->stop != REASON_DELETED || r->is_cut ? "; stopped: " : "",
		r->stop != REASON_DELETED ? reason_sentence(r->stop)
		: r->is_dry_run		  ? " (the policy only observes)"
		: r->is_cut		  ? "a guard rail of one run"
					  : "",
		why.len ? "; left: " : "", why.len ? why.data : "",
		held.len ? held.data : "");
	notice_condition(
		c->agent, &(struct alert_condition){
				  .kind = ALERT_KIND_TARGET_MISSED,
				  .level = is_missed ? c->level : LEVEL_OK,
				  .scope = scope,
				  .component = c->policy->component,
				  .used_bytes = r->used_after,
				  .limit_bytes = r->target_bytes,
				  .message = message,
				  .details = is_missed ? details : NULL,
			  });
}

/* A reaper that cannot delete safely deletes nothing; that this is so must not
 * be found out when the disk is full. */
static void notice_unsafe(struct component *c, const struct cleanup_result *r)
{
	const char *name = c->policy->component;
	bool is_unsafe = r->stop == REASON_UNSUPPORTED ||
			 r->skipped.files[REASON_UNSUPPORTED];

	if (!is_unsafe && !r->files) /* nothing was tried */
		return;
	if (is_unsafe && !c->is_unsafe)
		log_event(MSG_DELETION_UNSAFE,
			LOG_FIELDS({"ULLAGE_COMPONENT", name}),
			"%s: nothing is deleted: %s; audit.log says what is "
			"missing",
			name, reason_sentence(REASON_UNSUPPORTED));
	c->is_unsafe = is_unsafe;
	notice_component(c, ALERT_KIND_AGENT,
		is_unsafe ? LEVEL_CRITICAL : LEVEL_OK,
		is_unsafe ? "nothing is deleted here: a kernel feature is "
			    "missing or forbidden; audit.log says which"
			  : "files can be deleted here");
}

static void log_cleanup(
	const struct component *c, const struct cleanup_result *r)
{
	char freed[UNITS_SIZE], bytes[32], trashed[UNITS_SIZE];

	snprintf(bytes, sizeof(bytes), "%" PRIu64, r->freed_bytes);
	log_event(r->error ? MSG_CLEANUP_FAILED : MSG_CLEANUP_DONE,
		LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component},
			{"ULLAGE_STRATEGY", r->strategy},
			{"ULLAGE_FREED_BYTES", bytes}),
		"cleanup of %s (%s, %s)%s: %" PRIu64
		" files, %s freed%s%s, target %s%s%s",
		c->policy->component, r->strategy, goal_reason_name(r->reason),
		r->is_dry_run ? ", dry run" : "", r->files,
		units_size(r->freed_bytes, freed),
		r->trashed_files ? ", in the trash " : "",
		r->trashed_files ? units_size(r->trashed_bytes, trashed) : "",
		r->is_reached ? "reached" : "not reached", r->error ? ": " : "",
		r->error ? strerror(-r->error) : "");
}

static void answer_caller(
	struct component *c, struct cleanup *run, bool is_plan)
{
	if (!c->caller)
		return;
	control_reply(c->caller, is_plan ? report_plan(c, run)
					 : report_cleanup(cleanup_result(run)));
	c->caller = NULL;
}

void notice_cleanup_done(struct component *c, struct cleanup *run)
{
	const struct cleanup_result *r = cleanup_result(run);
	struct agent *a = c->agent;
	bool is_plan = cleanup_is_plan(run);
	bool is_asked = c->caller;

	answer_caller(c, run, is_plan);
	if (is_plan)
		return;
	/* A try again that found nothing to do is not worth a record. */
	if (r->files || r->error || is_asked || r->reason != c->last_reason ||
		r->reason == GOAL_SCHEDULED) {
		log_cleanup(c, r);
		history_add_cleanup(&a->history, r);
		notice_event(a, "cleanup", c->policy->component, "cleanup done",
			report_cleanup(r));
		a->is_dirty = true;
	}
	c->last_reason = r->reason;
	notice_unsafe(c, r);
	if (r->reason == GOAL_EMERGENCY)
		c->blockers = r->blockers;
	if (!r->is_dry_run || r->reason != GOAL_MANUAL)
		notice_target(c, r);
}

void notice_emptied(struct component *c, const struct cleanup_result *r)
{
	struct agent *a = c->agent;
	char freed[UNITS_SIZE], bytes[32];

	snprintf(bytes, sizeof(bytes), "%" PRIu64, r->freed_bytes);
	log_event(r->error ? MSG_CLEANUP_FAILED : MSG_TRASH_EMPTIED,
		LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component},
			{"ULLAGE_FREED_BYTES", bytes}),
		"trash of %s emptied (%s)%s: %" PRIu64 " files, %s freed%s%s",
		c->policy->component, goal_reason_name(r->reason),
		r->is_dry_run ? ", dry run" : "", r->files,
		units_size(r->freed_bytes, freed), r->error ? ": " : "",
		r->error ? strerror(-r->error) : "");
	history_add_cleanup(&a->history, r);
	notice_event(a, "cleanup", c->policy->component, "trash emptied",
		report_cleanup(r));
	a->is_dirty = true;
}

void notice_restored(
	struct component *c, uint64_t files, uint64_t bytes, uid_t by)
{
	char size[UNITS_SIZE];

	log_event(MSG_TRASH_RESTORED,
		LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component}),
		"%" PRIu64 " files of %s, %s, restored from its trash by uid "
		"%d",
		files, c->policy->component, units_size(bytes, size), (int)by);
	notice_event(c->agent, "trash", c->policy->component,
		"files restored from the trash", NULL);
}

/* Alerts. */

static void log_alert(const struct alert *a)
{
	char used[32], limit[32];

	snprintf(used, sizeof(used), "%" PRIu64, a->used_bytes);
	snprintf(limit, sizeof(limit), "%" PRIu64, a->limit_bytes);
	log_event(a->event == ALERT_RESOLVED   ? MSG_ALERT_RESOLVED
		  : a->level == LEVEL_CRITICAL ? MSG_ALERT_CRITICAL
					       : MSG_ALERT,
		LOG_FIELDS({"ULLAGE_ALERT_KIND", alert_kind_word(a->kind)},
			{"ULLAGE_ALERT_EVENT", alert_event_word(a->event)},
			{"ULLAGE_LEVEL", level_word(a->level)},
			{"ULLAGE_COMPONENT", a->component ? a->component : ""},
			{"ULLAGE_FILESYSTEM",
				a->filesystem ? a->filesystem : ""},
			{"ULLAGE_USED_BYTES", used},
			{"ULLAGE_LIMIT_BYTES", limit}),
		"%s %s (%s): %s", level_word(a->level),
		alert_kind_word(a->kind), alert_event_word(a->event),
		a->message);
}

static int put_env(struct buf *b, const struct alert *alert, const char *host)
{
	char stamp[CLOCK_STAMP_SIZE];

	return buf_printf(b,
		"ULLAGE_ID=%" PRIu64 "\nULLAGE_EVENT=%s\nULLAGE_LEVEL=%s\n"
		"ULLAGE_KIND=%s\nULLAGE_SCOPE=%s\nULLAGE_COMPONENT=%s\n"
		"ULLAGE_FILESYSTEM=%s\nULLAGE_USED_BYTES=%" PRIu64
		"\nULLAGE_LIMIT_BYTES=%" PRIu64
		"\nULLAGE_MESSAGE=%s\nULLAGE_HOST=%s\nULLAGE_TIME=%s\n",
		alert->id, alert_event_word(alert->event),
		level_word(alert->level), alert_kind_word(alert->kind),
		alert->scope, alert->component ? alert->component : "",
		alert->filesystem ? alert->filesystem : "", alert->used_bytes,
		alert->limit_bytes, alert->message, host,
		clock_stamp(alert->at_real_s, stamp));
}

static void hand_to_hooks(
	struct agent *a, const struct alert *alert, struct json_object *payload)
{
	buf_auto struct buf env = {0};

	if (put_env(&env, alert, a->host) < 0 ||
		deliver_add(a->deliver,
			json_object_to_json_string_ext(payload,
				JSON_C_TO_STRING_PLAIN |
					JSON_C_TO_STRING_NOSLASHESCAPE),
			env.data) < 0)
		log_note(LOG_ERR, "out of memory to deliver an alert: %s",
			alert->message);
}

void notice_alert(struct agent *a, const struct alert *alert, bool is_silenced)
{
	struct json_object *payload = report_alert(a, alert);

	log_alert(alert);
	history_add_alert(&a->history, alert);
	a->is_dirty = true;
	if (!is_silenced && payload)
		hand_to_hooks(a, alert, payload);
	notice_event(a, "alert", alert->component, alert->message, payload);
}

void notice_hook_failed(void *agent, const char *report, int tries)
{
	(void)agent;
	log_event(MSG_HOOK_FAILED, NULL, "alert hooks failed (try %d): %s",
		tries, report);
}

void notice_event(struct agent *a, const char *kind, const char *component,
	const char *message, struct json_object *value)
{
	struct subscriber **at = &a->subscribers;

	while (*at) {
		struct subscriber *s = *at;
		struct json_object *reply = json_object_new_object();
		struct json_object *event = json_object_new_object();

		json_put_text(event, "kind", kind);
		json_put_stamp(event, "time", clock_real_s(a->clock));
		if (component)
			json_put_text(event, "component", component);
		json_put_text(event, "message", message);
		if (value)
			json_object_object_add(
				event, kind, json_object_get(value));
		json_object_object_add(reply, "event", event);
		if (control_continue(s->call, reply) == 0) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		control_drop(s->call);
		free(s);
	}
	json_object_put(value);
}
