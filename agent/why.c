// SPDX-License-Identifier: GPL-2.0-or-later
#include "why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "core.h"
#include "json.h"
#include "locate.h"
#include "model/trash.h"
#include "order.h"

struct answer {
	struct agent *agent;
	const struct located *place;
	struct json_object *reply;
	struct json_object *reasons;
	const char *verdict;
	struct why_probe probe;
};

static void say(struct answer *w, const char *fmt, ...) mem_printf(2, 3);

static void say(struct answer *w, const char *fmt, ...)
{
	buf_auto struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	if (buf_vprintf(&text, fmt, ap) == 0)
		json_object_array_add(
			w->reasons, json_object_new_string(text.data));
	va_end(ap);
}

static const char *age_source(
	const struct rules *rules, const struct index_item *item)
{
	if (rules->age_from == AGE_ACCESSED && item->atime_s > item->mtime_s)
		return item->is_access_observed ? "observed access"
						: "access time on disk";
	if (rules->age_from == AGE_BORN && item->btime_s > item->mtime_s)
		return "created";
	return "modified";
}

/* The guard rail that cut a selection. */
static enum reason rail_of(const struct selection *s)
{
	for (int r = 0; s->is_cut && r < N_REASONS; r++)
		if (s->skipped.files[r] && reason_is_cut((enum reason)r))
			return (enum reason)r;
	return REASON_DELETED;
}

/* Rank in the plan of now, by the policy's own strategy; 0: not in it, and
 * then ret_rail is the guard rail that cut the plan before it. */
static size_t rank_of(struct answer *w, uint32_t entry, struct pick *ret,
	enum reason *ret_rail)
{
	struct component *c = w->place->component;
	const struct policy *p = c->policy;
	mem_autofree uint64_t *dev = calloc(p->n_roots + 1, sizeof(*dev));
	struct selection s = {0};
	struct cleanup_order order;
	size_t rank = 0;

	order_make(w->agent, c, GOAL_MANUAL, &order);
	if (dev && order.strategy &&
		order.strategy->select(
			&(struct strategy_order){
				.index = feed_index(c->feed),
				.rules = &p->rules,
				.goal = &order.goal,
				.root_dev = dev,
				.n_roots = p->n_roots,
			},
			&s) == 0)
		rank = selection_rank(&s, entry);
	if (rank)
		*ret = s.picks[rank - 1];
	*ret_rail = rank ? REASON_DELETED : rail_of(&s);
	selection_fini(&s);
	return rank;
}

static void judge_kept(struct answer *w, enum reason reason,
	const struct index_item *item, int64_t age_s)
{
	const struct rules *rules = &w->place->component->policy->rules;
	const char *pattern;
	char a[UNITS_SIZE], b[UNITS_SIZE];

	w->verdict = reason == REASON_PROTECTED ? "protected" : "kept";
	json_put_text(w->reply, "rule", reason_word(reason));
	say(w, "%s", reason_sentence(reason));
	if (reason == REASON_PROTECTED) {
		mem_autofree char *dir = strdup(w->place->rel.data);

		if (!dir)
			return;
		*(strrchr(dir, '/') ? strrchr(dir, '/') : dir) = '\0';
		pattern = rules_protects(rules, dir, w->place->name);
		if (pattern)
			say(w, "protect pattern \"%s\"", pattern);
	}
	if (reason == REASON_YOUNG)
		say(w, "minAge is %s", units_duration(rules->min_age_s, a));
	if (reason == REASON_RETAINED &&
		rules->retention_s[item->type] == RULES_FOREVER)
		say(w, "%s has no retention: it never goes by age",
			stype_name(item->type));
	else if (reason == REASON_RETAINED)
		say(w, "%s old; %s keeps %s", units_duration(age_s, a),
			stype_name(item->type),
			units_duration(rules->retention_s[item->type], b));
	if (reason == REASON_NEWEST)
		say(w, "keepNewest keeps %" PRIu32 " of %s",
			rules->keep_newest[item->type], stype_name(item->type));
}

/* What holds all of its component now, or REASON_DELETED. */
static enum reason held_by(const struct answer *w)
{
	if (w->agent->is_panic)
		return REASON_PANIC;
	return core_is_trusted(w->agent, w->place->component)
		       ? REASON_DELETED
		       : REASON_UNTRUSTED;
}

static void judge_deletable(
	struct answer *w, const struct index_item *item, int64_t age_s)
{
	const struct policy *p = w->place->component->policy;
	bool is_due = strategy_is_due(&p->rules, item->type, age_s);
	struct pick pick = {0};
	enum reason rail;
	size_t rank = rank_of(w, item->entry, &pick, &rail);

	w->verdict = is_due ? "due" : "candidate";
	w->probe = (struct why_probe){.component = w->place->component,
		.pick = {.entry = item->entry,
			.tag = index_entry_tag(
				feed_index(w->place->component->feed),
				item->entry),
			.rule = is_due ? PLAN_RULE_RETENTION
				       : PLAN_RULE_PRIORITY,
			.used_bytes = item->used_bytes,
			.age_s = age_s}};
	json_put_text(w->reply, "rule",
		is_due ? plan_rule_word(PLAN_RULE_RETENTION)
		: rank ? plan_rule_word((enum plan_rule)pick.rule)
		       : p->strategy);
	if (is_due)
		say(w, "past its retention");
	if (rank) {
		json_put_u64(w->reply, "rank", rank);
		say(w, "number %zu in the plan of now", rank);
	} else if (!is_due) {
		say(w,
			"goes only when the component has to shrink; "
			"strategy %s decides the order",
			p->strategy);
	}
	if (p->mode == MODE_OBSERVE)
		say(w, "the policy only observes: nothing is deleted");
	if (held_by(w) != REASON_DELETED)
		rail = held_by(w);
	if (rail == REASON_DELETED)
		return;
	json_put_text(w->reply, "rule", reason_word(rail));
	say(w, "%s", reason_sentence(rail));
}

static void judge(struct answer *w, const struct index_item *item)
{
	const struct policy *p = w->place->component->policy;
	mem_autofree uint64_t *dev = calloc(p->n_roots + 1, sizeof(*dev));
	/* Under any pressure: what might go at all? */
	struct goal goal = {.reason = GOAL_MANUAL,
		.free_bytes = UINT64_MAX,
		.now_s = clock_real_s(w->agent->clock)};
	const struct strategy *strategy = strategy_find(p->strategy);
	int64_t age_s = 0, retention_s = p->rules.retention_s[item->type];
	enum reason reason;

	if (!dev || !strategy)
		return;
	reason = strategy_judge_by(strategy,
		&(struct strategy_order){
			.index = feed_index(w->place->component->feed),
			.rules = &p->rules,
			.goal = &goal,
			.root_dev = dev,
			.n_roots = p->n_roots,
		},
		item, &age_s);
	json_put_u64(w->reply, "usedBytes", item->used_bytes);
	json_put_u64(w->reply, "sizeBytes", item->size_bytes);
	json_put_u64(w->reply, "age", age_s < 0 ? 0 : (uint64_t)age_s);
	json_put_text(w->reply, "ageSource", age_source(&p->rules, item));
	if (retention_s != RULES_FOREVER)
		json_put_stamp(
			w->reply, "dueAt", goal.now_s - age_s + retention_s);
	if (dirty_has(&w->place->component->busy, item->dir, w->place->name,
		    strlen(w->place->name))) {
		w->verdict = "busy";
		json_put_text(w->reply, "rule", reason_word(REASON_BUSY));
		say(w, "was in use when the last cleanup came to it");
	} else if (reason == REASON_DELETED) {
		judge_deletable(w, item, age_s);
	} else {
		judge_kept(w, reason, item, age_s);
	}
}

static void explain_absent(struct answer *w)
{
	const struct located *p = w->place;
	const struct deletion *d;
	buf_auto struct buf path = {0};
	char stamp[CLOCK_STAMP_SIZE];

	w->verdict = "unmanaged";
	w->probe.absent_from = p->component;
	say(w, "no such file is known");
	if (buf_printf(&path, "%s/%s",
		    p->component->policy->roots[p->root].path, p->rel.data) < 0)
		return;
	d = deletions_find(w->agent->deletions, path.data);
	if (!d)
		return;
	json_put_text(
		w->reply, "rule", plan_rule_word((enum plan_rule)d->rule));
	say(w, "%s at %s by a cleanup (%s, strategy %s, rule %s)",
		d->is_trashed ? "moved to the trash" : "deleted",
		clock_stamp(d->at_real_s, stamp),
		goal_reason_name((enum goal_reason)d->reason), d->strategy,
		plan_rule_word((enum plan_rule)d->rule));
}

static void explain(struct answer *w)
{
	const struct located *p = w->place;
	struct index_item item;
	bool is_indexed;

	if (!p->component) {
		json_put_bool(w->reply, "indexed", false);
		w->verdict = "unmanaged";
		say(w, "no component has a root that holds it");
		return;
	}
	json_put_text(w->reply, "component", p->component->policy->component);
	json_put_text(w->reply, "type",
		stype_name(p->component->policy->roots[p->root].type));
	is_indexed = p->parent != INDEX_NONE &&
		     index_find(feed_index(p->component->feed), p->parent,
			     p->name, strlen(p->name), &item);
	json_put_bool(w->reply, "indexed", is_indexed || p->node != INDEX_NONE);
	w->verdict = "kept";
	if (is_indexed && item.is_file)
		judge(w, &item);
	else if (is_indexed)
		say(w, "%s: %s", "kept", reason_sentence(REASON_SPECIAL));
	else if (p->node != INDEX_NONE)
		say(w, "a directory; directories are kept");
	else
		explain_absent(w);
}

void why_add_trashed(struct json_object *reply, const struct component *c,
	int64_t at_real_s, enum plan_rule rule)
{
	int64_t keep_s = c->policy->trash_s ? c->policy->trash_s : TRASH_LEFT_S;
	struct json_object *reasons = json_object_object_get(reply, "reasons");
	struct answer w = {.reasons = reasons};
	char from[CLOCK_STAMP_SIZE], to[CLOCK_STAMP_SIZE];

	json_put_text(reply, "rule", plan_rule_word(rule));
	say(&w,
		"in the trash since %s; ullagectl trash restore puts it back, "
		"until %s or until room is needed",
		clock_stamp(at_real_s, from),
		clock_stamp(at_real_s + keep_s, to));
}

/* Reasons that a look at the file itself can bring, beyond the index. */
static bool is_about_file(enum reason reason)
{
	switch (reason) {
	case REASON_BUSY:
	case REASON_PROTECTED:
	case REASON_YOUNG:
	case REASON_NEWEST:
	case REASON_OWNER:
	case REASON_LINKED:
	case REASON_IMMUTABLE:
	case REASON_SPECIAL:
	case REASON_MOUNT:
	case REASON_CONFIG:
	case REASON_UNSUPPORTED:
		return true;
	default:
		return false;
	}
}

void why_correct(struct json_object *reply, const struct skipped *said)
{
	struct json_object *reasons = json_object_new_array();

	for (int r = 0; r < N_REASONS; r++) {
		enum reason reason = (enum reason)r;

		if (!said->files[r] || !is_about_file(reason))
			continue;
		json_put_text(reply, "verdict",
			reason == REASON_BUSY	     ? "busy"
			: reason == REASON_PROTECTED ? "protected"
						     : "kept");
		json_put_text(reply, "rule", reason_word(reason));
		json_object_array_add(reasons,
			json_object_new_string(reason_sentence(reason)));
		json_object_object_add(
			reply, "reasons", json_object_get(reasons));
		json_object_object_del(reply, "rank");
	}
	json_object_put(reasons);
}

int why_path(struct agent *a, const char *path, struct json_object **ret,
	struct why_probe *ret_probe)
{
	struct located place;
	struct answer w = {.agent = a, .place = &place};
	int r = locate(a, path, &place);

	if (r < 0)
		return r;
	w.reply = json_object_new_object();
	w.reasons = json_object_new_array();
	json_put_text(w.reply, "path", path);
	explain(&w);
	json_put_text(w.reply, "verdict", w.verdict);
	json_object_object_add(w.reply, "reasons", w.reasons);
	locate_fini(&place);
	*ret = w.reply;
	*ret_probe = w.probe;
	return 0;
}
