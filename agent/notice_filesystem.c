// SPDX-License-Identifier: GPL-2.0-or-later
/* Saying how full filesystems are, and what of their ballast: notice.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ballast.h"
#include "base/log.h"
#include "base/units.h"
#include "core.h"
#include "ledger.h"
#include "notice.h"
#include "report.h"

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
	notice_condition(
		a, &(struct alert_condition){
			   .kind = ALERT_KIND_FILESYSTEM,
			   .level = f->level,
			   .scope = scope,
			   .filesystem = f->path,
			   .used_bytes = filesystem_used(f),
			   .limit_bytes = trigger_limit(&limits, f->level),
			   .message = message,
		   });
	notice_condition(
		a, &(struct alert_condition){
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
		notice_condition(
			a, &(struct alert_condition){
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
	notice_condition(a, &(struct alert_condition){
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
	notice_condition(
		a, &(struct alert_condition){
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
	notice_condition(a, &(struct alert_condition){
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
	notice_condition(a, &(struct alert_condition){
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
