// SPDX-License-Identifier: GPL-2.0-or-later
/* du, largest, oldest. */
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
