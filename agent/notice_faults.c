// SPDX-License-Identifier: GPL-2.0-or-later
/* Saying what is wrong with disks and with the clock: notice.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "core.h"
#include "notice.h"

static void describe(const struct filesystem *f, char *ret, size_t size)
{
	static const char nothing[] = "nothing on it is deleted until";
	uint64_t n = mem_sub_sat(f->health.n_errors, f->accepted_errors);

	if (f->health.is_shut_down)
		snprintf(ret, size,
			"%.300s has shut down; %s it is mounted again", f->path,
			nothing);
	else if (f->fault)
		snprintf(ret, size,
			"%.300s: a system call failed: %s; %s it is mounted "
			"again, or a reload accepts it",
			f->path, strerror(-f->fault), nothing);
	else if (n)
		snprintf(ret, size,
			"%.300s reports %" PRIu64 " error%s; %s it is checked, "
			"or a reload accepts it",
			f->path, n, n == 1 ? "" : "s", nothing);
	else
		snprintf(ret, size, "%.300s reports no new errors", f->path);
}

static void notice_errors(
	struct agent *a, const struct filesystem *f, const char *scope)
{
	enum filesystem_health health = filesystem_health(f);
	char message[512];

	describe(f, message, sizeof(message));
	notice_condition(a,
		&(struct alert_condition){
			.kind = ALERT_KIND_FILESYSTEM_ERROR,
			.level = health == FILESYSTEM_ERRORS ||
						 health == FILESYSTEM_SHUT_DOWN
					 ? LEVEL_CRITICAL
					 : LEVEL_OK,
			.scope = scope,
			.filesystem = f->path,
			.message = message,
		});
}

void notice_faults(
	struct agent *a, const struct filesystem *f, const char *scope)
{
	bool is_read_only = f->facts.is_read_only || f->health.is_read_only;
	char message[512];

	snprintf(message, sizeof(message), "%.300s is %s", f->path,
		is_read_only ? "mounted read-only: nothing on it can be deleted"
			     : "writable again");
	notice_condition(
		a, &(struct alert_condition){
			   .kind = ALERT_KIND_READ_ONLY,
			   .level = is_read_only ? LEVEL_CRITICAL : LEVEL_OK,
			   .scope = scope,
			   .filesystem = f->path,
			   .message = message,
		   });
	if (f->is_health_known)
		notice_errors(a, f, scope);
}

/* "3d" forward, "2h" back. */
static void describe_step(int64_t step_ns, char *ret, size_t size)
{
	char text[UNITS_SIZE];
	int64_t step_s = step_ns / CLOCK_NS_PER_S;

	units_duration(step_s < 0 ? -step_s : step_s, text);
	snprintf(ret, size,
		"the wall clock was set %s by %s; nothing is deleted until it "
		"has been stable for a minute",
		step_s < 0 ? "back" : "forward", text);
}

void notice_clock(struct agent *a, bool is_step)
{
	const struct wallclock *w = &a->wallclock;
	bool is_trusted = wallclock_is_trusted(w);
	char message[256], text[UNITS_SIZE];

	if (is_trusted && !a->is_clock_told)
		return;
	if (!is_step && is_trusted == !a->is_clock_told)
		return;
	if (is_trusted)
		snprintf(message, sizeof(message), "the wall clock is stable");
	else if (wallclock_behind_s(w))
		snprintf(message, sizeof(message),
			"the wall clock is %s behind the last time that was "
			"seen; nothing is deleted until it is set, or a reload "
			"accepts it",
			units_duration(wallclock_behind_s(w), text));
	else
		describe_step(w->stepped_ns, message, sizeof(message));
	a->is_clock_told = !is_trusted;
	if (!is_trusted)
		log_event(MSG_CLOCK_JUMPED, NULL, "%s", message);
	notice_condition(
		a, &(struct alert_condition){
			   .kind = ALERT_KIND_AGENT,
			   .level = is_trusted ? LEVEL_OK : LEVEL_WARNING,
			   .scope = "agent/clock",
			   .message = message,
		   });
}
