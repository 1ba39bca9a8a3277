// SPDX-License-Identifier: GPL-2.0-or-later
/* Saying what the feed of a component met: notice.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/quarantine.h"
#include "base/log.h"
#include "base/units.h"
#include "core.h"
#include "notice.h"

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
		notice_component(c, ALERT_KIND_OVERFLOW, LEVEL_WARNING,
			"events were lost; totals are provisional and nothing "
			"is deleted until the component is listed again");
	} else if (c->is_overflow_open && is_over) {
		c->is_overflow_open = false;
		notice_component(c, ALERT_KIND_OVERFLOW, LEVEL_OK,
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
		notice_component(c, ALERT_KIND_WATCH_DEGRADED,
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
	notice_component(c, ALERT_KIND_ROOT_CHANGED,
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
	notice_condition(
		c->agent, &(struct alert_condition){
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
