// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ballast.h"
#include "base/log.h"
#include "core.h"
#include "deliver.h"
#include "json.h"
#include "ledger.h"
#include "sources.h"

typedef struct json_object json;

static json *types_of(const struct component *c)
{
	const struct index *ix = feed_index(c->feed);
	json *list = json_object_new_array();

	for (int t = 0; t < N_STYPES; t++) {
		struct index_totals s = index_totals(ix, INDEX_NODE_TYPE(t));
		json *o = json_object_new_object();
		json *paths = json_object_new_array();

		json_put_text(o, "type", stype_name((enum stype)t));
		json_put_u64(o, "usedBytes", s.used_bytes);
		json_put_u64(o, "sizeBytes", s.size_bytes);
		json_put_u64(o, "files", s.files);
		for (size_t i = 0; i < c->policy->n_roots; i++)
			if ((int)c->policy->roots[i].type == t)
				json_object_array_add(paths,
					json_object_new_string(
						c->policy->roots[i].path));
		json_object_object_add(o, "paths", paths);
		json_object_array_add(list, o);
	}
	return list;
}

/* A limit that cannot be reached warns nobody. */
static void note_allocation(const struct component *c, json *list)
{
	struct filesystem *f =
		c->policy->n_roots ? filesystems_find(&c->agent->filesystems,
					     feed_root(c->feed, 0)->id.dev)
				   : NULL;

	if (f && f->is_known && f->facts.total_bytes &&
		c->allocation_bytes > f->facts.total_bytes)
		json_object_array_add(list,
			json_object_new_string(
				"the allocation is larger than the filesystem "
				"of the first directory: its levels may never "
				"be reached"));
}

static json *notes_of(struct agent *a, const struct component *c)
{
	const char *obstacle = core_obstacle(a, c);
	json *list = json_object_new_array();

	/* What keeps the index and the roots from being exact is said below,
	 * or by work. */
	if (obstacle && feed_is_trusted(c->feed))
		json_object_array_add(list, json_object_new_string(obstacle));
	if (c->policy->is_compression_asked)
		json_object_array_add(list,
			json_object_new_string("compression is not active "
					       "yet"));
	if (c->policy->is_backup_asked)
		json_object_array_add(list,
			json_object_new_string("backup is not active yet"));
	note_allocation(c, list);
	for (size_t i = 0; i < c->policy->n_roots; i++) {
		const struct feed_root *root = feed_root(c->feed, i);
		char text[512];

		if (root->state == ROOT_HERE || root->state == ROOT_UNSEEN)
			continue;
		snprintf(text, sizeof(text), "%s: %s", c->policy->roots[i].path,
			root->state == ROOT_CHANGED
				? "another directory stands there now; nothing "
				  "is deleted until: ullagectl reload"
				: strerror(root->error));
		json_object_array_add(list, json_object_new_string(text));
	}
	return list;
}

static const char *work_of(const struct component *c)
{
	if (c->cleanup)
		return "cleanup";
	if (feed_is_scanning(c->feed))
		return "scan";
	return feed_is_reconciling(c->feed) ? "reconcile" : NULL;
}

static json *component_status(struct agent *a, const struct component *c)
{
	struct index_totals t =
		index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);
	struct index_totals trash = feed_trash_totals(c->feed, 0);
	json *o = json_object_new_object(), *types = types_of(c);

	json_put_text(o, "name", c->policy->component);
	json_put_text(o, "priority", priority_name(c->policy->priority));
	json_put_text(o, "level", level_word(c->level));
	json_put_text(o, "mode", mode_name(c->policy->mode));
	json_put_text(o, "strategy", c->policy->strategy);
	json_put_u64(o, "usedBytes", t.used_bytes);
	json_put_u64(o, "sizeBytes", t.size_bytes);
	json_put_u64(o, "files", t.files);
	json_put_u64(o, "trashBytes", trash.used_bytes);
	json_put_u64(o, "trashFiles", trash.files);
	if (ledger_report(a->ledger))
		json_put_u64(
			o, "heldBytes", ledger_bytes(a->ledger, 0, c->number));
	json_put_u64(o, "allocationBytes", c->allocation_bytes);
	json_put_u64(o, "warningBytes", c->limits.warning_bytes);
	json_put_u64(o, "criticalBytes", c->limits.critical_bytes);
	json_put_u64(o, "targetBytes", c->limits.target_bytes);
	json_put_text(o, "source", feed_source(c->feed));
	if (sources_reason(a, c))
		json_put_text(o, "sourceReason", sources_reason(a, c));
	json_put_bool(o, "trusted", core_is_trusted(a, c));
	if (work_of(c))
		json_put_text(o, "work", work_of(c));
	report_put_saved(c, o, types);
	report_put_scan(c, o);
	json_object_object_add(o, "notes", notes_of(a, c));
	json_object_object_add(o, "types", types);
	return o;
}

static json *components_of(struct agent *a, const struct component *one)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < a->n_components; i++)
		if (!one || one == &a->components[i])
			json_object_array_add(
				list, component_status(a, &a->components[i]));
	return list;
}

static json *filesystems_of(const struct agent *a)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < a->filesystems.n_items; i++) {
		const struct filesystem *f = &a->filesystems.items[i];
		json *o = json_object_new_object();

		json_put_text(o, "path", f->path);
		json_put_text(o, "device", f->device);
		json_put_u64(o, "totalBytes", f->facts.total_bytes);
		json_put_u64(o, "availableBytes", f->facts.available_bytes);
		json_put_percent(o, "usedPercent", filesystem_used(f),
			filesystem_whole(f));
		json_put_u64(o, "ballastBytes", ballast_bytes(f));
		json_put_u64(o, "ballastReleases",
			f->ballast ? f->ballast->n_releases : 0);
		if (ledger_report(a->ledger))
			json_put_u64(o, "heldBytes",
				ledger_bytes(
					a->ledger, f->dev, DELETED_NOWHERE));
		json_put_text(o, "level", level_word(f->level));
		json_put_text(o, "health",
			f->facts.is_nonsense
				? "nonsense"
				: filesystem_health_word(filesystem_health(f)));
		json_object_array_add(list, o);
	}
	return list;
}

static json *agent_info(struct agent *a)
{
	uint64_t files = 0, dirs = 0, bytes = 0, events = 0, overflows = 0;
	json *o = json_object_new_object();

	for (size_t i = 0; i < a->n_components; i++) {
		const struct feed *f = a->components[i].feed;
		struct index_totals t =
			index_totals(feed_index(f), INDEX_NODE_COMPONENT);

		files += t.files;
		dirs += t.directories;
		bytes += index_memory(feed_index(f));
		events += feed_counters(f)->events;
		overflows += feed_counters(f)->overflows;
	}
	json_put_text(o, "version", a->version);
	json_put_u64(o, "files", files);
	json_put_u64(o, "directories", dirs);
	json_put_u64(o, "indexBytes", bytes);
	json_put_u64(o, "events", events);
	json_put_u64(o, "overflows", overflows);
	json_put_bool(o, "panic", a->is_panic);
	json_put_u64(o, "pid", (uint64_t)getpid());
	json_put_stamp(o, "startedAt", a->started_real_s);
	json_put_u64(o, "droppedMessages", log_dropped());
	return o;
}

json *report_alert(const struct agent *a, const struct alert *alert)
{
	json *o = json_object_new_object();
	json *details =
		alert->details ? json_tokener_parse(alert->details) : NULL;

	json_put_u64(o, "id", alert->id);
	json_put_text(o, "event", alert_event_word(alert->event));
	json_put_text(o, "level", level_word(alert->level));
	json_put_text(o, "kind", alert_kind_word(alert->kind));
	json_put_text(o, "scope", alert->scope);
	json_put_text(o, "component", alert->component);
	json_put_text(o, "filesystem", alert->filesystem);
	json_put_u64(o, "usedBytes", alert->used_bytes);
	json_put_u64(o, "limitBytes", alert->limit_bytes);
	json_put_percent(o, "percent", alert->used_bytes, alert->limit_bytes);
	json_put_text(o, "message", alert->message);
	json_put_text(o, "host", a->host);
	json_put_stamp(o, "time", alert->at_real_s);
	json_object_object_add(
		o, "details", details ? details : json_object_new_object());
	return o;
}

json *report_open_alerts(const struct agent *a)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < alerts_n_open(a->alerts); i++)
		json_object_array_add(list,
			report_alert(a, alerts_get_open(a->alerts, i).alert));
	return list;
}

json *report_status(struct agent *a, const struct component *one)
{
	json *o = json_object_new_object();

	json_object_object_add(o, "components", components_of(a, one));
	json_object_object_add(o, "filesystems", filesystems_of(a));
	json_object_object_add(o, "alerts", report_open_alerts(a));
	json_object_object_add(o, "agent", agent_info(a));
	return o;
}

static json *skipped_of(const struct skipped *skipped)
{
	json *list = json_object_new_array();

	for (int r = 0; r < N_REASONS; r++) {
		json *o;

		if (!skipped->files[r])
			continue;
		o = json_object_new_object();
		json_put_text(o, "reason", reason_word((enum reason)r));
		json_put_u64(o, "files", skipped->files[r]);
		json_put_u64(o, "bytes", skipped->bytes[r]);
		json_put_text(o, "sentence", reason_sentence((enum reason)r));
		json_object_array_add(list, o);
	}
	return list;
}

static json *blockers_of(const struct blockers *b)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < b->n; i++) {
		json *o = json_object_new_object();

		json_put_text(o, "cause", reason_word(b->items[i].reason));
		if (b->items[i].by[0])
			json_put_text(o, "by", b->items[i].by);
		json_put_u64(o, "files", b->items[i].files);
		json_put_u64(o, "bytes", b->items[i].bytes);
		json_object_array_add(list, o);
	}
	return list;
}

char *report_blockers(const struct blockers *b)
{
	json *o = json_object_new_object();
	const char *text;
	char *copy = NULL;

	json_object_object_add(o, "blockers", blockers_of(b));
	text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)
		 : NULL;
	if (text)
		copy = strdup(text);
	json_object_put(o);
	return copy;
}

static json *steps_of(const struct cleanup_result *r)
{
	json *list = json_object_new_array();

	for (int i = STEP_TIME; i < N_STEPS; i++) {
		json *o = json_object_new_object();

		json_put_text(o, "rule", strategy_steps[i].name);
		json_put_bool(o, "active", strategy_steps[i].is_active);
		json_put_u64(o, "files", r->step_files[i]);
		json_put_u64(o, "freedBytes", r->step_bytes[i]);
		json_object_array_add(list, o);
	}
	return list;
}

json *report_cleanup(const struct cleanup_result *r)
{
	json *o = json_object_new_object();

	json_put_text(o, "component", r->component);
	json_put_text(o, "strategy", r->strategy);
	json_put_text(o, "mode", r->mode);
	json_put_bool(o, "dryRun", r->is_dry_run);
	json_put_text(o, "reason", goal_reason_name(r->reason));
	json_put_u64(o, "files", r->files);
	json_put_u64(o, "freedBytes", r->freed_bytes);
	json_put_u64(o, "estimatedBytes", r->estimated_bytes);
	json_put_u64(o, "trashedFiles", r->trashed_files);
	json_put_u64(o, "trashedBytes", r->trashed_bytes);
	json_put_u64(o, "usedBefore", r->used_before);
	json_put_u64(o, "usedAfter", r->used_after);
	json_put_u64(o, "targetBytes", r->target_bytes);
	json_put_bool(o, "reached", r->is_reached);
	json_put_bool(o, "cut", r->is_cut);
	json_put_stamp(o, "startedAt", r->started_real_s);
	json_put_stamp(o, "endedAt", r->ended_real_s);
	if (r->stop != REASON_DELETED)
		json_put_text(o, "stopped", reason_word(r->stop));
	if (r->error)
		json_put_text(o, "error",
			r->stop == REASON_UNSUPPORTED ? reason_sentence(r->stop)
						      : strerror(-r->error));
	if (strcmp(r->strategy, "adaptive") == 0)
		json_object_object_add(o, "steps", steps_of(r));
	json_object_object_add(o, "skipped", skipped_of(&r->skipped));
	json_object_object_add(o, "blockers", blockers_of(&r->blockers));
	return o;
}

static json *victim(const struct component *c, const struct candidate *v)
{
	json *o = json_object_new_object();
	buf_auto struct buf path = {0};

	buf_printf(&path, "%s/%s%s%s", c->policy->roots[v->root].path,
		v->rel_dir, v->rel_dir[0] ? "/" : "", v->name);
	json_put_name(o, "path", path.data, path.len);
	json_put_text(o, "type", stype_name((enum stype)v->type));
	json_put_u64(o, "usedBytes", v->used_bytes);
	json_put_u64(o, "age", v->age_s < 0 ? 0 : (uint64_t)v->age_s);
	json_put_text(o, "rule", plan_rule_word((enum plan_rule)v->rule));
	return o;
}

json *report_plan(const struct component *c, const struct cleanup *run)
{
	const struct resolved *found = cleanup_victims(run);
	json *o = report_cleanup(cleanup_result(run));
	json *list = json_object_new_array();

	for (size_t i = 0; i < found->plan.n_items; i++)
		json_object_array_add(list, victim(c, &found->plan.items[i]));
	json_object_object_add(o, "victims", list);
	return o;
}

static json *cleanups_of(
	const struct history *h, const char *component, size_t limit)
{
	json *list = json_object_new_array();

	for (size_t i = h->n_cleanups; i && limit; i--) {
		const struct cleanup_result *r = &h->cleanups[i - 1];

		if (component && strcmp(component, r->component) != 0)
			continue;
		json_object_array_add(list, report_cleanup(r));
		limit--;
	}
	return list;
}

static json *alerts_of(
	const struct agent *a, const char *component, size_t limit)
{
	json *list = json_object_new_array();

	for (size_t i = a->history.n_alerts; i && limit; i--) {
		const struct alert *alert = &a->history.alerts[i - 1];

		if (component &&
			(!alert->component ||
				strcmp(component, alert->component) != 0))
			continue;
		json_object_array_add(list, report_alert(a, alert));
		limit--;
	}
	return list;
}

json *report_history(struct agent *a, const char *component, size_t limit)
{
	json *o = json_object_new_object();

	json_object_object_add(
		o, "cleanups", cleanups_of(&a->history, component, limit));
	json_object_object_add(o, "alerts", alerts_of(a, component, limit));
	return o;
}

/* Files that cleanups left, by reason: every reason, so that a counter is there
 * before it counts. */
static json *skipped_count(const struct component *c)
{
	json *o = json_object_new_object();

	for (int r = REASON_GONE; r < N_REASONS; r++)
		json_put_u64(
			o, reason_word((enum reason)r), c->skipped_files[r]);
	return o;
}

static json *component_metrics(struct agent *a, const struct component *c)
{
	struct index_totals t =
		index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);
	json *o = json_object_new_object();

	json_put_text(o, "name", c->policy->component);
	json_put_u64(o, "usedBytes", t.used_bytes);
	json_put_u64(o, "sizeBytes", t.size_bytes);
	json_put_u64(o, "files", t.files);
	json_put_u64(o, "allocationBytes", c->allocation_bytes);
	json_put_percent(o, "usedPercent", t.used_bytes, c->allocation_bytes);
	json_put_u64(o, "growthBytesPerHour",
		history_growth(&a->history, c->policy->component,
			clock_real_s(a->clock)));
	json_put_u64(o, "cleanups", c->n_cleanups);
	json_put_u64(o, "freedBytes", c->freed_bytes);
	json_object_object_add(o, "skipped", skipped_count(c));
	json_object_object_add(o, "types", types_of(c));
	return o;
}

static json *counters_of(const struct agent *a)
{
	struct feed_counters s = {0};
	json *o = json_object_new_object();

	for (size_t i = 0; i < a->n_components; i++) {
		const struct feed_counters *f =
			feed_counters(a->components[i].feed);

		s.events += f->events;
		s.looks += f->looks;
		s.listings += f->listings;
		s.overflows += f->overflows;
		s.drift += f->drift;
		s.reconciliations += f->reconciliations;
		s.unreadable += f->unreadable;
		s.unwatched += f->unwatched;
	}
	json_put_u64(o, "events", s.events);
	json_put_u64(o, "looks", s.looks);
	json_put_u64(o, "listings", s.listings);
	json_put_u64(o, "overflows", s.overflows);
	json_put_u64(o, "drift", s.drift);
	json_put_u64(o, "reconciliations", s.reconciliations);
	json_put_u64(o, "unreadable", s.unreadable);
	json_put_u64(o, "unwatched", s.unwatched);
	json_put_u64(o, "droppedMessages", log_dropped());
	json_put_u64(o, "droppedAlerts", deliver_dropped(a->deliver));
	return o;
}

json *report_metrics(struct agent *a)
{
	json *o = json_object_new_object(), *list = json_object_new_array();
	uint64_t used = 0, size = 0, files = 0, allocation = 0;

	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];
		struct index_totals t =
			index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);

		used = mem_add_sat(used, t.used_bytes);
		size = mem_add_sat(size, t.size_bytes);
		files += t.files;
		allocation = mem_add_sat(allocation, c->allocation_bytes);
		json_object_array_add(list, component_metrics(a, c));
	}
	json_put_stamp(o, "time", clock_real_s(a->clock));
	json_put_u64(o, "usedBytes", used);
	json_put_u64(o, "sizeBytes", size);
	json_put_u64(o, "files", files);
	json_put_u64(o, "allocationBytes", allocation);
	json_object_object_add(o, "components", list);
	json_object_object_add(o, "filesystems", filesystems_of(a));
	json_object_object_add(o, "counters", counters_of(a));
	return o;
}

static enum level worst_level(const struct agent *a)
{
	enum level worst = LEVEL_OK;

	for (size_t i = 0; i < a->n_components; i++)
		worst = MAX_OF(worst, a->components[i].level);
	for (size_t i = 0; i < a->filesystems.n_items; i++)
		worst = MAX_OF(worst, a->filesystems.items[i].level);
	return worst;
}

static json *samples_of(const struct history *h)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < h->n_samples; i++) {
		const struct sample *s = &h->samples[i];
		json *o = json_object_new_object();

		json_put_stamp(o, "time", s->at_real_s);
		json_put_text(o, "component", s->component);
		json_put_u64(o, "usedBytes", s->used_bytes);
		json_put_u64(o, "files", s->files);
		json_object_array_add(list, o);
	}
	return list;
}

json *report_dashboard(struct agent *a)
{
	json *o = report_status(a, NULL);

	json_put_stamp(o, "time", clock_real_s(a->clock));
	json_put_text(o, "level", level_word(worst_level(a)));
	json_object_object_add(
		o, "cleanups", cleanups_of(&a->history, NULL, 20));
	json_object_object_add(o, "samples", samples_of(&a->history));
	return o;
}

int report_path(const struct component *c, uint32_t node, struct buf *ret)
{
	const struct index *ix = feed_index(c->feed);
	buf_auto struct buf rel = {0};
	int r = index_rel_path(ix, node, &rel);

	return r < 0 ? r
		     : buf_printf(ret, "%s%s%s",
			       c->policy->roots[index_root(ix, node)].path,
			       rel.len ? "/" : "", rel.len ? rel.data : "");
}

static json *du_entry(const struct component *c, uint32_t node)
{
	const struct index *ix = feed_index(c->feed);
	struct index_totals t = index_totals(ix, node);
	json *o = json_object_new_object();
	buf_auto struct buf path = {0};

	(void)report_path(c, node, &path);
	json_put_name(o, "path", path.data, path.len);
	json_put_text(o, "component", c->policy->component);
	json_put_text(o, "type", stype_name(index_type(ix, node)));
	json_put_u64(o, "usedBytes", t.used_bytes);
	json_put_u64(o, "sizeBytes", t.size_bytes);
	json_put_u64(o, "files", t.files);
	json_put_u64(o, "directories", t.directories);
	json_put_bool(o, "trusted", feed_is_trusted(c->feed));
	return o;
}

json *report_du(const struct component *c, uint32_t node)
{
	const struct index *ix = feed_index(c->feed);
	json *list = json_object_new_array();

	json_object_array_add(list, du_entry(c, node));
	for (uint32_t at = index_first_child(ix, node); at != INDEX_NONE;
		at = index_next_sibling(ix, at))
		json_object_array_add(list, du_entry(c, at));
	return list;
}
