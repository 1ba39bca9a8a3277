// SPDX-License-Identifier: GPL-2.0-or-later
/* trash list, restore, empty. */
#include <string.h>

#include <json-c/json.h>

#include "base/units.h"
#include "ctl/field.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void show_sum(const struct print *p, const char *what,
	struct json_object *reply, const char *bytes_key, const char *where)
{
	uint64_t n = field_u64(reply, "files");
	char files[PRINT_COUNT_SIZE], bytes[UNITS_SIZE];

	print_text(p, COLOR_TITLE, "%s file%s %s, %s%s\n",
		print_count(n, files), n == 1 ? "" : "s", what,
		units_size(field_u64(reply, bytes_key), bytes), where);
}

void verbs_show_trash(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"TRASHED", false},
		{"GOES", false}, {"USED", true}, {"RULE", false}, {"ID", false},
		{"PATH", false}, {NULL, false}};
	uint64_t omitted = field_u64(reply, "omitted");
	char more[PRINT_COUNT_SIZE];
	struct json_object *e;
	struct table *t;

	(void)asked;
	if (!field_count(field_get(reply, "entries"))) {
		print_text(p, COLOR_NONE, "nothing lies in the trash\n");
		return;
	}
	t = table_new(p, columns);
	FIELD_EACH(e, reply, "entries")
	{
		table_put(t, COLOR_NONE, "%s", field_text(e, "trashedAt", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(e, "expiresAt", "-"));
		table_size(t, field_u64(e, "usedBytes"));
		table_put(t, COLOR_NONE, "%s", field_text(e, "rule", "-"));
		table_put(t, COLOR_DIM, "%s", field_text(e, "id", "?"));
		table_put(t, COLOR_NONE, "%s", field_text(e, "path", "?"));
	}
	table_end(t);
	if (omitted)
		print_text(p, COLOR_DIM, "and %s more; --limit shows them\n",
			print_count(omitted, more));
	show_sum(p, "in the trash", reply, "usedBytes",
		" that come free when room is needed");
}

/* Those that did not do what was asked. */
static void show_failures(const struct print *p, struct json_object *reply)
{
	struct json_object *o;

	FIELD_EACH(o, reply, "outcomes")
	if (field_has(o, "error"))
		print_text(p, COLOR_WARNING, "%s: %s: %s\n",
			field_text(o, "path", "?"),
			field_text(o, "reason", "?"),
			field_text(o, "error", "?"));
}

void verbs_show_trash_restore(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_sum(p, "restored", reply, "usedBytes", "");
	show_failures(p, reply);
}

int verbs_judge_trash_restore(struct json_object *reply)
{
	struct json_object *o;

	FIELD_EACH(o, reply, "outcomes")
	if (field_has(o, "error"))
		return EXIT_FAILED;
	return EXIT_DONE;
}

void verbs_show_trash_empty(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	bool is_dry_run = field_flag(asked, "dryRun");

	show_sum(p, is_dry_run ? "would go" : "deleted", reply, "freedBytes",
		is_dry_run ? "" : " freed");
	show_failures(p, reply);
	if (field_has(reply, "stopped"))
		print_text(p, COLOR_WARNING, "stopped early: %s\n",
			field_text(reply, "stopped", "?"));
}
