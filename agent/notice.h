// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Saying what happened: conditions to the alert engine, messages to the log,
 * records to the history, events to subscribers. Decides nothing.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "act/ballast.h"
#include "model/alert.h"

struct agent;
struct alert;
struct alert_condition;
struct cleanup;
struct cleanup_order;
struct cleanup_result;
struct component;
struct filesystem;
struct json_object;

/* To the alert engine. */
void notice_condition(struct agent *a, const struct alert_condition *condition);
/* The same of a component, without figures. */
void notice_component(struct component *c, enum alert_kind kind,
	enum level level, const char *message);
/* The component's level and what it uses. */
void notice_usage(struct component *c, uint64_t used_bytes);
void notice_filesystem(struct agent *a, const struct filesystem *f);
/* The root whose disk does not answer; NULL: every one does. */
void notice_hung(struct agent *a, const char *root);
/* Do the figures of a filesystem make sense? */
void notice_nonsense(struct agent *a, struct filesystem *f);
/* What was asked for a filesystem's ballast, and what came of it. */
void notice_ballast(struct agent *a, const struct filesystem *f,
	enum ballast_op op, uint64_t bytes_before,
	const struct ballast_report *report);
/* What is wrong with a filesystem beside its bytes: inodes, and faults. */
void notice_health(struct agent *a, const struct filesystem *f);
/* Read-only mounts and errors. */
void notice_faults(
	struct agent *a, const struct filesystem *f, const char *scope);
/* Whether the wall clock is trusted; is_step: it has just been set. */
void notice_clock(struct agent *a, bool is_step);
void notice_emergency_missed(struct agent *a, const struct filesystem *f);
/* What the feed has to tell: first scan, overflows, drift, lost roots,
 * directories without a watch. */
void notice_feed(struct component *c);
void notice_cleanup_started(
	struct component *c, const struct cleanup_order *order);
void notice_cleanup_progress(struct component *c, const struct cleanup *run);
void notice_cleanup_done(struct component *c, struct cleanup *run);
/* Of the trash; record: as of a cleanup, for log, history and subscribers. */
void notice_emptied(struct component *c, const struct cleanup_result *record);
void notice_restored(
	struct component *c, uint64_t files, uint64_t bytes, uid_t by);
/* An alert to journal, hooks, history and subscribers. */
void notice_alert(struct agent *a, const struct alert *alert, bool is_silenced);
void notice_hook_failed(void *agent, const char *report, int tries);
/* An event to all subscribers; value (taken, may be NULL) goes under kind. */
void notice_event(struct agent *a, const char *kind, const char *component,
	const char *message, struct json_object *value);
