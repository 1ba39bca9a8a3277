// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/show.h"

#include <json-c/json.h>

#include "base/units.h"
#include "ctl/field.h"
#include "ctl/table.h"

void show_alerts(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"LEVEL", false},
		{"EVENT", false}, {"TIME", false}, {"KIND", false},
		{"WHERE", false}, {"MESSAGE", false}, {NULL, false}};
	struct table *t = table_new(p, columns);
	struct json_object *a;

	FIELD_EACH(a, reply, "alerts")
	{
		table_level(t, field_text(a, "level", "?"));
		table_put(t, COLOR_NONE, "%s", field_text(a, "event", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(a, "time", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(a, "kind", "-"));
		table_put(t, COLOR_NONE, "%s",
			field_text(a, "component",
				field_text(a, "filesystem",
					field_text(a, "scope", "-"))));
		table_put(t, COLOR_NONE, "%s", field_text(a, "message", ""));
	}
	table_end(t);
}

static void put_change(struct table *t, struct json_object *c)
{
	char before[UNITS_SIZE], after[UNITS_SIZE];

	table_put(t, COLOR_NONE, "%s -> %s",
		units_size(field_u64(c, "usedBefore"), before),
		units_size(field_u64(c, "usedAfter"), after));
}

/* What went to the trash is not free yet. */
static void put_yield(struct table *t, struct json_object *c)
{
	char trashed[UNITS_SIZE], freed[UNITS_SIZE];

	if (field_u64(c, "trashedFiles"))
		table_put(t, COLOR_NONE, "%s (trash %s)",
			units_size(field_u64(c, "freedBytes"), freed),
			units_size(field_u64(c, "trashedBytes"), trashed));
	else
		table_size(t, field_u64(c, "freedBytes"));
}

static void put_end(struct table *t, struct json_object *c)
{
	if (field_has(c, "error"))
		table_put(t, COLOR_BAD, "failed: %s",
			field_text(c, "error", "?"));
	else if (field_flag(c, "dryRun"))
		table_put(t, COLOR_DIM, "dry run");
	else if (!field_u64(c, "targetBytes"))
		table_put(t, COLOR_NONE, "done");
	else if (field_flag(c, "reached"))
		table_put(t, COLOR_GOOD, "reached");
	else
		table_put(t, COLOR_WARNING, "missed");
}

void show_cleanups(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"CLEANUP", false},
		{"COMPONENT", false}, {"STRATEGY", false}, {"REASON", false},
		{"FILES", true}, {"FREED", true}, {"USED", false},
		{"TARGET", false}, {NULL, false}};
	struct table *t = table_new(p, columns);
	struct json_object *c;

	FIELD_EACH(c, reply, "cleanups")
	{
		table_put(t, COLOR_NONE, "%s", field_text(c, "startedAt", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(c, "component", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(c, "strategy", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(c, "reason", "-"));
		table_count(t, field_u64(c, "files"));
		put_yield(t, c);
		put_change(t, c);
		put_end(t, c);
	}
	table_end(t);
}

void show_skipped(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"LEFT", false},
		{"FILES", true}, {"BYTES", true}, {"BECAUSE", false},
		{NULL, false}};
	struct table *t;
	struct json_object *s;

	if (!field_count(field_get(reply, "skipped")))
		return;
	t = table_new(p, columns);
	FIELD_EACH(s, reply, "skipped")
	{
		table_put(t, COLOR_NONE, "%s", field_text(s, "reason", "?"));
		table_count(t, field_u64(s, "files"));
		table_size(t, field_u64(s, "bytes"));
		table_put(t, COLOR_DIM, "%s", field_text(s, "sentence", "-"));
	}
	table_end(t);
}

void show_blockers(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"IN THE WAY", false},
		{"FILES", true}, {"BYTES", true}, {"BY", false}, {NULL, false}};
	struct table *t = NULL;
	struct json_object *b;

	FIELD_EACH(b, reply, "blockers")
	{
		if (!field_has(b, "by"))
			continue;
		if (!t)
			t = table_new(p, columns);
		table_put(t, COLOR_NONE, "%s", field_text(b, "cause", "?"));
		table_count(t, field_u64(b, "files"));
		table_size(t, field_u64(b, "bytes"));
		table_put(t, COLOR_NONE, "%s", field_text(b, "by", "-"));
	}
	if (t)
		table_end(t);
}
