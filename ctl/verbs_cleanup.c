// SPDX-License-Identifier: GPL-2.0-or-later
/* cleanup, plan, why. */
#include <string.h>

#include <json-c/json.h>

#include "base/units.h"
#include "ctl/field.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void show_target(const struct print *p, struct json_object *reply)
{
	uint64_t target = field_u64(reply, "targetBytes");
	bool is_reached = field_flag(reply, "reached");
	char before[UNITS_SIZE], after[UNITS_SIZE], bytes[UNITS_SIZE];

	print_text(p, COLOR_NONE, "used %s -> %s\n",
		units_size(field_u64(reply, "usedBefore"), before),
		units_size(field_u64(reply, "usedAfter"), after));
	if (target)
		print_text(p, is_reached ? COLOR_GOOD : COLOR_WARNING,
			"target %s: %s\n", units_size(target, bytes),
			is_reached ? "reached" : "not reached");
}

static void show_steps(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"STEP", false},
		{"FILES", true}, {"FREED", true}, {NULL, false}};
	struct table *t;
	struct json_object *s;

	if (!field_count(field_get(reply, "steps")))
		return;
	t = table_new(p, columns);
	FIELD_EACH(s, reply, "steps")
	{
		if (field_has(s, "active") && !field_flag(s, "active"))
			continue;
		table_put(t, COLOR_NONE, "%s", field_text(s, "rule", "?"));
		table_count(t, field_u64(s, "files"));
		table_size(t, field_u64(s, "freedBytes"));
	}
	table_end(t);
}

/* Nothing is free yet, and everything can be had back. */
static void show_trashed(const struct print *p, struct json_object *reply)
{
	uint64_t n = field_u64(reply, "trashedFiles");
	uint64_t n_deleted = mem_sub_sat(field_u64(reply, "files"), n);
	char files[PRINT_COUNT_SIZE], deleted[PRINT_COUNT_SIZE];
	char size[UNITS_SIZE], freed[UNITS_SIZE];

	print_text(p, COLOR_TITLE, "%s: %s file%s, %s, moved to the trash",
		field_text(reply, "component", "?"), print_count(n, files),
		n == 1 ? "" : "s",
		units_size(field_u64(reply, "trashedBytes"), size));
	if (n_deleted)
		print_text(p, COLOR_TITLE, "; %s deleted, %s freed",
			print_count(n_deleted, deleted),
			units_size(field_u64(reply, "freedBytes"), freed));
	print_text(p, COLOR_NONE,
		" (ullagectl trash list shows them, trash restore puts them back)\n");
}

static void show_yield(
	const struct print *p, struct json_object *reply, bool is_done)
{
	uint64_t n = field_u64(reply, "files");
	char files[PRINT_COUNT_SIZE], freed[UNITS_SIZE], expected[UNITS_SIZE];
	const char *name = field_text(reply, "component", "?");

	print_count(n, files);
	units_size(field_u64(reply, "freedBytes"), freed);
	units_size(field_u64(reply, "estimatedBytes"), expected);
	if (is_done && field_u64(reply, "trashedFiles"))
		show_trashed(p, reply);
	else if (is_done)
		print_text(p, COLOR_TITLE,
			"%s: %s file%s deleted, %s freed (%s expected)\n", name,
			files, n == 1 ? "" : "s", freed, expected);
	else
		print_text(p, COLOR_TITLE,
			"%s: %s file%s would go, %s would come free\n", name,
			files, n == 1 ? "" : "s", expected);
	print_text(p, COLOR_NONE, "strategy %s, %s\n",
		field_text(reply, "strategy", "?"),
		field_text(reply, "reason", "?"));
	if (strcmp(field_text(reply, "mode", ""), "observe") == 0)
		print_text(p, COLOR_WARNING,
			"the policy only observes: nothing is deleted until its mode is canary or enforce\n");
	if (field_has(reply, "stopped"))
		print_text(p, COLOR_WARNING, "stopped early: %s\n",
			field_text(reply, "stopped", "?"));
	if (field_flag(reply, "cut"))
		print_text(p, COLOR_WARNING,
			"the limits of one run ended it; the rest waits for the next run, or for --force\n");
}

void verbs_show_cleanup(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_yield(p, reply, !field_flag(reply, "dryRun"));
	show_target(p, reply);
	show_steps(p, reply);
	show_skipped(p, reply);
	show_blockers(p, reply);
	if (field_has(reply, "error"))
		print_error("%s", field_text(reply, "error", "it failed"));
}

int verbs_judge_cleanup(struct json_object *reply)
{
	return field_has(reply, "error") ? EXIT_FAILED : EXIT_DONE;
}

void verbs_show_plan(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"#", true},
		{"USED", true}, {"AGE", true}, {"TYPE", false}, {"RULE", false},
		{"PATH", false}, {NULL, false}};
	struct table *t;
	struct json_object *v;
	uint64_t rank = 0;
	char age[UNITS_SIZE];

	(void)asked;
	if (field_count(field_get(reply, "victims"))) {
		t = table_new(p, columns);
		FIELD_EACH(v, reply, "victims")
		{
			table_count(t, ++rank);
			table_size(t, field_u64(v, "usedBytes"));
			table_put(t, COLOR_NONE, "%s",
				units_duration(field_int(v, "age"), age));
			table_put(t, COLOR_NONE, "%s",
				field_text(v, "type", "-"));
			table_put(t, COLOR_NONE, "%s",
				field_text(v, "rule", "-"));
			table_put(t, COLOR_NONE, "%s",
				field_text(v, "path", "?"));
		}
		table_end(t);
		fputc('\n', p->out);
	}
	show_yield(p, reply, false);
	show_target(p, reply);
	show_skipped(p, reply);
}

static enum color verdict_color(const char *verdict)
{
	if (strcmp(verdict, "due") == 0)
		return COLOR_BAD;
	if (strcmp(verdict, "candidate") == 0)
		return COLOR_WARNING;
	return COLOR_GOOD;
}

static void show_line(const struct print *p, const char *label,
	struct json_object *o, const char *key)
{
	if (field_has(o, key))
		print_text(p, COLOR_NONE, "  %-10s %s\n", label,
			field_text(o, key, "?"));
}

static void show_age(const struct print *p, struct json_object *reply)
{
	char age[UNITS_SIZE];

	if (field_has(reply, "age"))
		print_text(p, COLOR_NONE, "  %-10s %s (%s)\n", "age",
			units_duration(field_int(reply, "age"), age),
			field_text(reply, "ageSource", "source unknown"));
}

void verbs_show_why(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	const char *verdict = field_text(reply, "verdict", "?");
	struct json_object *reason;
	char rank[PRINT_COUNT_SIZE];

	(void)asked;
	print_text(p, COLOR_TITLE, "%s\n", field_text(reply, "path", "?"));
	print_text(
		p, verdict_color(verdict), "  %-10s %s\n", "verdict", verdict);
	show_line(p, "component", reply, "component");
	show_line(p, "type", reply, "type");
	show_line(p, "rule", reply, "rule");
	show_age(p, reply);
	show_line(p, "due", reply, "dueAt");
	if (field_has(reply, "rank"))
		print_text(p, COLOR_NONE, "  %-10s %s\n", "rank",
			print_count(field_u64(reply, "rank"), rank));
	FIELD_EACH(reason, reply, "reasons")
	print_text(p, COLOR_NONE, "  - %s\n", json_object_get_string(reason));
}
