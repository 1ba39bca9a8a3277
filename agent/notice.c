// SPDX-License-Identifier: GPL-2.0-or-later
#include "notice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/quarantine.h"
#include "ballast.h"
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

static void report(struct agent *a, const struct alert_condition *condition)
{
	notice_condition(a, condition);
}

static uint64_t limit_of(const struct trigger_limits *l, enum level level)
{
	return level == LEVEL_CRITICAL	  ? l->critical_bytes
	       : level == LEVEL_EMERGENCY ? l->emergency_bytes
					  : l->warning_bytes;
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
	report(c->agent, &(struct alert_condition){
				 .kind = ALERT_KIND_USAGE,
				 .level = c->level,
				 .scope = scope,
				 .component = name,
				 .used_bytes = used_bytes,
				 .limit_bytes = limit_of(&c->limits, c->level),
				 .message = message,
			 });
	if (c->level == LEVEL_OK)
		report(c->agent, &(struct alert_condition){
					 .kind = ALERT_KIND_TARGET_MISSED,
					 .level = LEVEL_OK,
					 .scope = scope,
					 .component = name,
					 .used_bytes = used_bytes,
					 .limit_bytes = c->limits.target_bytes,
					 .message = message,
				 });
}

void notice_filesystem(struct agent *a, const struct filesystem *f)
{
	struct trigger_limits limits;
	char message[512], used[UNITS_SIZE], available[UNITS_SIZE];
	char share[UNITS_SIZE];
	char cleanup[160] = "emergency cleanup of every component on this "
			    "filesystem, low priority first";
	mem_autofree char *scope = NULL;

	if (asprintf(&scope, "filesystem/%s", f->path) < 0) {
		scope = NULL;
		return;
	}
	filesystem_limits(f, a->config, &limits);
	if (ballast_bytes(f))
		snprintf(cleanup, sizeof(cleanup),
			"the ballast of %s goes, then every component on this "
			"filesystem is cleaned, low priority first",
			units_size(ballast_bytes(f), used));
	snprintf(message, sizeof(message),
		"filesystem %.300s is %s full: %s used, %s available", f->path,
		units_share(filesystem_used(f), filesystem_whole(f), share),
		units_size(filesystem_used(f), used),
		units_size(f->facts.available_bytes, available));
	report(a, &(struct alert_condition){
			  .kind = ALERT_KIND_FILESYSTEM,
			  .level = f->level,
			  .scope = scope,
			  .filesystem = f->path,
			  .used_bytes = filesystem_used(f),
			  .limit_bytes = limit_of(&limits, f->level),
			  .message = message,
		  });
	report(a, &(struct alert_condition){
			  .kind = ALERT_KIND_EMERGENCY,
			  .level = f->level >= LEVEL_EMERGENCY ? f->level
							       : LEVEL_OK,
			  .scope = scope,
			  .filesystem = f->path,
			  .used_bytes = filesystem_used(f),
			  .limit_bytes = limits.emergency_bytes,
			  .message = f->level >= LEVEL_EMERGENCY
					     ? cleanup
					     : "the emergency is over",
		  });
	if (f->level < LEVEL_EMERGENCY)
		report(a, &(struct alert_condition){
				  .kind = ALERT_KIND_TARGET_MISSED,
				  .level = LEVEL_OK,
				  .scope = scope,
				  .filesystem = f->path,
				  .message = "the filesystem has room again",
			  });
}

static enum level level_of_inodes(
	const struct filesystem *f, const struct config *config)
{
	uint32_t ppm = mounts_inodes_ppm(&f->facts);

	if (!f->facts.total_inodes)
		return LEVEL_OK;
	if (ppm >= amount_bytes(&config->fs_critical, 1000000))
		return LEVEL_CRITICAL;
	return ppm >= amount_bytes(&config->fs_warning, 1000000) ? LEVEL_WARNING
								 : LEVEL_OK;
}

/* What is wrong with a filesystem beside its bytes. */
void notice_health(struct agent *a, const struct filesystem *f)
{
	mem_autofree char *scope = NULL;
	char message[512], share[UNITS_SIZE];
	uint64_t used = f->facts.total_inodes - f->facts.free_inodes;

	if (asprintf(&scope, "filesystem/%s", f->path) < 0) {
		scope = NULL;
		return;
	}
	snprintf(message, sizeof(message),
		"%s of the inodes of %.300s are used",
		units_share(used, f->facts.total_inodes, share), f->path);
	report(a, &(struct alert_condition){
			  .kind = ALERT_KIND_INODES,
			  .level = level_of_inodes(f, a->config),
			  .scope = scope,
			  .filesystem = f->path,
			  .used_bytes = 0,
			  .message = message,
		  });
	notice_faults(a, f, scope);
}

void notice_nonsense(struct agent *a, struct filesystem *f)
{
	mem_autofree char *scope = NULL;
	char message[512];

	if (f->is_nonsense_told == f->facts.is_nonsense)
		return;
	if (asprintf(&scope, "statfs/%s", f->path) < 0) {
		scope = NULL;
		return;
	}
	f->is_nonsense_told = f->facts.is_nonsense;
	snprintf(message, sizeof(message), "%.300s: %s", f->path,
		f->facts.is_nonsense
			? "statfs gives figures that cannot be; nothing is "
			  "deleted because of them"
			: "statfs makes sense again");
	report(a, &(struct alert_condition){
			  .kind = ALERT_KIND_FILESYSTEM_ERROR,
			  .level = f->facts.is_nonsense ? LEVEL_WARNING
							: LEVEL_OK,
			  .scope = scope,
			  .filesystem = f->path,
			  .message = message,
		  });
}

/* One that is gone, or cannot be made or given up, is no reserve. */
static void judge_ballast(struct agent *a, const struct filesystem *f,
	const struct ballast_report *report)
{
	bool is_lost = f->ballast && f->ballast->is_lost;
	bool is_wanted = ballast_wanted(a->config, f->facts.total_bytes) > 0;
	bool is_bad = is_wanted &&
		      (is_lost || (report->error && report->error != ENOSPC));
	char scope[400], message[600];

	snprintf(scope, sizeof(scope), "ballast/%.300s", f->path);
	snprintf(message, sizeof(message), "the ballast of %.300s %s%s",
		f->path,
		is_lost	 ? "was moved away or removed, and not by us; none is "
			   "made before the agent is started again"
		: is_bad ? "cannot be kept: "
			 : "is as it should be",
		is_bad && !is_lost ? strerror(report->error) : "");
	notice_condition(a, &(struct alert_condition){
				    .kind = ALERT_KIND_AGENT,
				    .level = is_bad ? LEVEL_WARNING : LEVEL_OK,
				    .scope = scope,
				    .filesystem = f->path,
				    .message = message,
			    });
}

static void log_ballast(
	enum message id, const struct filesystem *f, const char *text)
{
	log_event(id, LOG_FIELDS({"ULLAGE_FILESYSTEM", f->path}),
		"ballast of %s: %s", f->path, text);
}

void notice_ballast(struct agent *a, const struct filesystem *f,
	enum ballast_op op, uint64_t bytes_before,
	const struct ballast_report *report)
{
	char text[256], size[UNITS_SIZE], freed[UNITS_SIZE];

	if (report->released_bytes) {
		snprintf(text, sizeof(text), "%s given up, %s more are free",
			units_size(report->released_bytes, size),
			units_size(report->freed_bytes, freed));
		log_ballast(report->freed_bytes < report->released_bytes / 2
				    ? MSG_BALLAST_FAILED
				    : MSG_BALLAST_RELEASED,
			f, text);
		notice_event(a, "ballast", NULL, text, NULL);
	}
	judge_ballast(a, f, report);
	if (report->error) {
		log_ballast(MSG_BALLAST_FAILED, f, strerror(report->error));
	} else if (op == BALLAST_MAKE && report->bytes != bytes_before) {
		snprintf(text, sizeof(text), "%s are kept free",
			units_size(report->bytes, size));
		log_ballast(MSG_BALLAST_MADE, f, text);
		notice_event(a, "ballast", NULL, text, NULL);
	}
}

void notice_hung(struct agent *a, const char *root)
{
	char message[400];

	if (!root == !a->is_hung)
		return;
	a->is_hung = root;
	snprintf(message, sizeof(message),
		root ? "%s: the disk has not answered for half a minute"
		     : "every disk answers again%.0s",
		root ? root : "");
	if (root)
		log_event(MSG_DISK_HUNG, NULL, "%s", message);
	report(a, &(struct alert_condition){
			  .kind = ALERT_KIND_WATCH_DEGRADED,
			  .level = root ? LEVEL_CRITICAL : LEVEL_OK,
			  .scope = "agent/disk",
			  .message = message,
		  });
}

/* Of all components that were asked. */
static void sum_blockers(
	const struct agent *a, const struct filesystem *f, struct blockers *ret)
{
	const struct skipped none = {0};

	*ret = (struct blockers){0};
	for (size_t i = 0; i < a->n_components; i++)
		if (feed_is_on(a->components[i].feed, f->dev))
			blockers_merge(ret, &a->components[i].blockers);
	blockers_complete(ret, &none);
}

void notice_emergency_missed(struct agent *a, const struct filesystem *f)
{
	mem_autofree char *scope = NULL;
	mem_autofree char *details = NULL;
	buf_auto struct buf why = {0};
	buf_auto struct buf held = {0};
	struct blockers blockers;
	char message[1920];

	if (asprintf(&scope, "filesystem/%s", f->path) < 0) {
		scope = NULL;
		return;
	}
	if (f->level < LEVEL_EMERGENCY)
		return;
	sum_blockers(a, f, &blockers);
	(void)blockers_describe(&blockers, &why);
	(void)ledger_describe(a->ledger, f->dev, DELETED_NOWHERE, &held);
	details = report_blockers(&blockers);
	snprintf(message, sizeof(message),
		"the emergency cleanup of %.300s did not free enough; what "
		"else fills it is not managed here%s%s%s",
		f->path, why.len ? "; left: " : ", or protected",
		why.len ? why.data : "", held.len ? held.data : "");
	report(a, &(struct alert_condition){
			  .kind = ALERT_KIND_TARGET_MISSED,
			  .level = f->level,
			  .scope = scope,
			  .filesystem = f->path,
			  .used_bytes = filesystem_used(f),
			  .limit_bytes = filesystem_whole(f),
			  .message = message,
			  .details = details,
		  });
}

/* A condition of a component without figures. */
static void report_plain(struct component *c, enum alert_kind kind,
	enum level level, const char *message)
{
	char scope[128];

	snprintf(scope, sizeof(scope), "component/%s", c->policy->component);
	report(c->agent, &(struct alert_condition){
				 .kind = kind,
				 .level = level,
				 .scope = scope,
				 .component = c->policy->component,
				 .message = message,
			 });
}

/* What the feed has to tell. */

static void notice_scanned(struct component *c)
{
	const char *name = c->policy->component;
	struct index_totals t =
		index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);
	char used[UNITS_SIZE];

	if (c->is_scanned || feed_is_scanning(c->feed))
		return;
	c->is_scanned = true;
	c->agent->is_dirty = true; /* for the next start */
	log_event(MSG_SCAN_DONE, LOG_FIELDS({"ULLAGE_COMPONENT", name}),
		"%s: %" PRIu64 " files in %" PRIu64 " directories use %s", name,
		t.files, t.directories, units_size(t.used_bytes, used));
	notice_event(c->agent, "scan", name, "first scan done", NULL);
}

static void notice_overflow(struct component *c)
{
	uint64_t n = feed_counters(c->feed)->overflows;
	bool is_over = !feed_is_scanning(c->feed);

	if (n != c->overflows_told) {
		c->overflows_told = n;
		c->is_overflow_open = true;
		log_event(MSG_OVERFLOW,
			LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component}),
			"%s: events were lost; the component is listed again",
			c->policy->component);
		report_plain(c, ALERT_KIND_OVERFLOW, LEVEL_WARNING,
			"events were lost; totals are provisional and nothing "
			"is deleted until the component is listed again");
	} else if (c->is_overflow_open && is_over) {
		c->is_overflow_open = false;
		report_plain(c, ALERT_KIND_OVERFLOW, LEVEL_OK,
			"totals are exact again");
	}
}

/* What limits the watches of its source, or of its sources. */
static const char *watch_limit(const struct feed *f)
{
	const char *source = feed_source(f);

	if (!strstr(source, "fanotify"))
		return "fs.inotify.max_user_watches";
	return strstr(source, "inotify") ? "fs.inotify.max_user_watches and "
					   "fs.fanotify.max_user_marks"
					 : "fs.fanotify.max_user_marks";
}

static void notice_unwatched(struct component *c)
{
	uint64_t n = feed_counters(c->feed)->unwatched;
	char message[256];

	if (n == c->unwatched_told)
		return;
	if (!n != !c->unwatched_told) {
		if (n)
			snprintf(message, sizeof(message),
				"the kernel allows no more watches; %" PRIu64
				" directories are polled; raise %s by at "
				"least that",
				n, watch_limit(c->feed));
		else
			snprintf(message, sizeof(message),
				"every directory is watched again");
		if (n)
			log_event(MSG_WATCHES_EXHAUSTED,
				LOG_FIELDS({"ULLAGE_COMPONENT",
					c->policy->component}),
				"%s: %s", c->policy->component, message);
		report_plain(c, ALERT_KIND_WATCH_DEGRADED,
			n ? LEVEL_WARNING : LEVEL_OK, message);
	}
	c->unwatched_told = n;
}

static void notice_drift(struct component *c)
{
	const struct feed_counters *f = feed_counters(c->feed);

	if (f->reconciliations == c->reconciliations_told)
		return;
	c->reconciliations_told = f->reconciliations;
	if (f->drift != c->drift_told)
		log_event(MSG_DRIFT,
			LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component}),
			"%s: reconciliation corrected %" PRIu64
			" names that no event had announced",
			c->policy->component, f->drift - c->drift_told);
	c->drift_told = f->drift;
}

static void notice_roots(struct component *c)
{
	char message[512] = "every root directory is the known one";
	bool is_lost = false;

	for (size_t i = 0; i < c->policy->n_roots; i++) {
		const struct feed_root *root = feed_root(c->feed, i);

		if (root->state != ROOT_MISSING && root->state != ROOT_CHANGED)
			continue;
		is_lost = true;
		snprintf(message, sizeof(message),
			"%.300s: %s; nothing of the component is deleted",
			c->policy->roots[i].path,
			root->state == ROOT_CHANGED
				? "another directory stands there (ullagectl "
				  "reload accepts it)"
				: strerror(root->error));
	}
	if (is_lost == c->is_root_lost)
		return;
	c->is_root_lost = is_lost;
	if (is_lost)
		log_event(MSG_ROOT_CHANGED,
			LOG_FIELDS({"ULLAGE_COMPONENT", c->policy->component}),
			"%s: %s", c->policy->component, message);
	report_plain(c, ALERT_KIND_ROOT_CHANGED,
		is_lost ? LEVEL_CRITICAL : LEVEL_OK, message);
}

/* What a reaper that was cut off had in its hands, and could not be put back:
 * somebody has taken the name. */
static void notice_orphans(struct component *c)
{
	uint64_t files;
	char scope[128], message[400];

	if (feed_is_reaping(c->feed) || !feed_is_quiet(c->feed) || c->errand)
		return;
	files = feed_orphans(c->feed);
	if (files ? !c->recover_boot_ns : !c->orphans_told)
		return;
	c->orphans_told = files;
	snprintf(scope, sizeof(scope), "component/%s/quarantine",
		c->policy->component);
	snprintf(message, sizeof(message),
		files ? "%s: %" PRIu64 " file%s in " QUARANTINE_NAME
			": another has its name; move that one away, or this "
			"one to where you want it"
		      : "%s: nothing waits in a quarantine any more%.0" PRIu64
			"%.0s",
		c->policy->component, files,
		files == 1 ? " is left" : "s are left");
	report(c->agent, &(struct alert_condition){
				 .kind = ALERT_KIND_INTEGRITY,
				 .level = files ? LEVEL_WARNING : LEVEL_OK,
				 .scope = scope,
				 .component = c->policy->component,
				 .message = message,
			 });
}

void notice_feed(struct component *c)
{
	notice_scanned(c);
	notice_overflow(c);
	notice_unwatched(c);
	notice_drift(c);
	notice_roots(c);
	notice_orphans(c);
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
	report(c->agent, &(struct alert_condition){
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
	report_plain(c, ALERT_KIND_AGENT, is_unsafe ? LEVEL_CRITICAL : LEVEL_OK,
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
