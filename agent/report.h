// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The agent's state as JSON, in the words of docs/contract and of the
 * interface description. Every function returns a new object, owned by the
 * caller, or NULL if out of memory; none changes anything.
 */

#include <stddef.h>
#include <stdint.h>

struct agent;
struct alert;
struct blockers;
struct buf;
struct cleanup;
struct cleanup_result;
struct component;
struct index;
struct json_object;

struct json_object *report_status(struct agent *a, const struct component *one);
struct json_object *report_metrics(struct agent *a);
struct json_object *report_dashboard(struct agent *a);
struct json_object *report_alert(
	const struct agent *a, const struct alert *alert);
struct json_object *report_open_alerts(const struct agent *a);
/* As contract.md's cleanup and plan; victims (plan) only if it holds any. */
struct json_object *report_cleanup(const struct cleanup_result *r);
struct json_object *report_plan(
	const struct component *c, const struct cleanup *run);
/* As text, {"blockers":[...]}: the details of an alert. NULL: no memory. */
char *report_blockers(const struct blockers *b);
struct json_object *report_history(
	struct agent *a, const char *component, size_t limit);
/* The absolute path of a directory. Returns 0 or -ENOMEM. */
int report_path(const struct component *c, uint32_t node, struct buf *ret);
/* Until the first scan is through: what was saved, of the component and of its
 * types (a list of all); and how far a scan is. */
void report_put_saved(const struct component *c, struct json_object *o,
	struct json_object *types);
void report_put_scan(const struct component *c, struct json_object *o);
/* A directory of a component and those right below it. */
struct json_object *report_du(const struct component *c, uint32_t node);
