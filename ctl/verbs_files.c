// SPDX-License-Identifier: GPL-2.0-or-later
/* du, largest, oldest, growth, held. */
#include <json-c/json.h>

#include "base/units.h"
#include "ctl/field.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

void verbs_show_du(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"USED", true},
		{"SIZE", true}, {"FILES", true}, {"DIRECTORIES", true},
		{"COMPONENT", false}, {"TYPE", false}, {"PATH", false},
		{NULL, false}};
	struct table *t = table_new(p, columns);
	bool is_inexact = false;
	struct json_object *e;

	(void)asked;
	FIELD_EACH(e, reply, "entries")
	{
		table_size(t, field_u64(e, "usedBytes"));
		table_size(t, field_u64(e, "sizeBytes"));
		table_count(t, field_u64(e, "files"));
		table_count(t, field_u64(e, "directories"));
		table_put(t, COLOR_NONE, "%s", field_text(e, "component", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(e, "type", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(e, "path", "?"));
		is_inexact |=
			field_has(e, "trusted") && !field_flag(e, "trusted");
	}
	table_end(t);
	if (is_inexact)
		print_text(p, COLOR_WARNING,
			"the figures are not exact yet: a scan is under way\n");
}

void verbs_show_files(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"USED", true},
		{"SIZE", true}, {"AGE", true}, {"LAST USED", false},
		{"COMPONENT", false}, {"TYPE", false}, {"PATH", false},
		{NULL, false}};
	struct table *t;
	struct json_object *f;
	char age[UNITS_SIZE];

	(void)asked;
	if (!field_count(field_get(reply, "files"))) {
		print_text(p, COLOR_NONE, "no files\n");
		return;
	}
	t = table_new(p, columns);
	FIELD_EACH(f, reply, "files")
	{
		table_size(t, field_u64(f, "usedBytes"));
		table_size(t, field_u64(f, "sizeBytes"));
		table_put(t, COLOR_NONE, "%s",
			units_duration(field_int(f, "age"), age));
		table_put(t, COLOR_NONE, "%s", field_text(f, "usedAt", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(f, "component", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(f, "type", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(f, "path", "?"));
	}
	table_end(t);
}

#define GROWTH_ROWS 5 /* of each kind, for people */

static void put_change(struct table *t, struct json_object *o, const char *key)
{
	int64_t bytes = field_int(o, key);
	uint64_t size = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	char text[UNITS_SIZE];

	if (!field_has(o, key))
		table_put(t, COLOR_DIM, "-");
	else
		table_put(t, COLOR_NONE, "%s%s",
			bytes < 0   ? "-"
			: bytes > 0 ? "+"
				    : "",
			units_size(size, text));
}

static void put_growth(struct table *t, struct json_object *o,
	const char *component, const char *how, const char *what)
{
	put_change(t, o, "hourBytes");
	put_change(t, o, "dayBytes");
	table_put(t, COLOR_NONE, "%s", component);
	table_put(t, COLOR_NONE, "%s%s", how, what);
}

static void put_component(struct table *t, struct json_object *c)
{
	const char *name = field_text(c, "component", "?");
	struct json_object *o;

	put_growth(t, c, name, "in all", "");
	FIELD_EACH(o, c, "writers")
	{
		if (i_o < GROWTH_ROWS)
			put_growth(t, o, name, "by ",
				field_text(o, "writer", "?"));
	}
	FIELD_EACH(o, c, "directories")
	{
		if (i_o < GROWTH_ROWS)
			put_growth(
				t, o, name, "in ", field_text(o, "path", "?"));
	}
}

void verbs_show_growth(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"LAST HOUR", true},
		{"LAST DAY", true}, {"COMPONENT", false}, {"WHERE", false},
		{NULL, false}};
	struct table *t = table_new(p, columns);
	bool is_unknown = false;
	struct json_object *c;

	(void)asked;
	FIELD_EACH(c, reply, "components")
	{
		put_component(t, c);
		is_unknown |= !field_flag(c, "writersKnown");
	}
	table_end(t);
	if (is_unknown)
		print_text(p, COLOR_DIM,
			"who writes is told by fanotify alone; ullaged(8) says how to have it\n");
}

void verbs_show_held(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"HELD", true},
		{"FILES", true}, {"COMPONENT", false}, {"FILESYSTEM", false},
		{"BY", false}, {NULL, false}};
	uint64_t n_hidden = field_u64(reply, "hiddenProcesses");
	char count[PRINT_COUNT_SIZE];
	struct json_object *h;
	struct table *t;

	(void)asked;
	if (field_count(field_get(reply, "held"))) {
		t = table_new(p, columns);
		FIELD_EACH(h, reply, "held")
		{
			table_size(t, field_u64(h, "heldBytes"));
			table_count(t, field_u64(h, "files"));
			table_put(t, COLOR_NONE, "%s",
				field_text(h, "component", "-"));
			table_put(t, COLOR_NONE, "%s",
				field_text(h, "filesystem", "-"));
			table_put(t, COLOR_NONE, "%s",
				field_text(h, "by", "others"));
		}
		table_end(t);
		print_text(p, COLOR_DIM,
			"it comes free when who holds it is restarted, or "
			"opens its files anew\n");
	} else {
		print_text(p, COLOR_NONE, "nobody holds a deleted file\n");
	}
	if (n_hidden)
		print_text(p, COLOR_DIM,
			"%s processes could not be looked at\n",
			print_count(n_hidden, count));
}
