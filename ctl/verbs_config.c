// SPDX-License-Identifier: GPL-2.0-or-later
/* config, reload, reconcile, panic, index check. */
#include <json-c/json.h>

#include "base/units.h"
#include "ctl/field.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void show_list(const struct print *p, enum color color,
	struct json_object *reply, const char *key)
{
	struct json_object *line;

	FIELD_EACH(line, reply, key)
	print_text(p, color, "%s\n", json_object_get_string(line));
}

void verbs_show_check_config(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_list(p, COLOR_BAD, reply, "errors");
	show_list(p, COLOR_WARNING, reply, "notes");
	if (verbs_judge_check_config(reply) == EXIT_DONE)
		print_text(p, COLOR_GOOD, "the configuration is good\n");
}

int verbs_judge_check_config(struct json_object *reply)
{
	return field_count(field_get(reply, "errors")) ? EXIT_FAILED
						       : EXIT_DONE;
}

/* Configuration is JSON already; that is how people write it. */
static void show_json(const struct print *p, struct json_object *o)
{
	struct print always = *p;

	always.is_terminal = true;
	print_json(&always, o, false);
}

void verbs_show_config(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	struct json_object *policy;

	(void)asked;
	if (field_has(reply, "config"))
		show_json(p, field_get(reply, "config"));
	FIELD_EACH(policy, reply, "policies")
	show_json(p, policy);
}

void verbs_show_schema(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_json(p, field_get(reply, "schema"));
}

void verbs_show_reload(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_list(p, COLOR_WARNING, reply, "notes");
	print_text(p, COLOR_GOOD, "the files on disk are in force\n");
}

static void put_change(struct table *t, int64_t bytes)
{
	uint64_t size = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	char text[UNITS_SIZE];

	table_put(t, COLOR_NONE, "%s%s", bytes < 0 ? "-" : "+",
		units_size(size, text));
}

void verbs_show_reconcile(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {{"COMPONENT", false},
		{"DIFFERENCES", true}, {"USED", true}, {"FILES", true},
		{NULL, false}};
	struct table *t;
	struct json_object *d;
	uint64_t n = 0;

	(void)asked;
	FIELD_EACH(d, reply, "drift")
	n += field_u64(d, "differences");
	if (n == 0) {
		print_text(p, COLOR_GOOD, "index and disk agree\n");
		return;
	}
	t = table_new(p, columns);
	FIELD_EACH(d, reply, "drift")
	{
		table_put(t, COLOR_NONE, "%s", field_text(d, "component", "?"));
		table_count(t, field_u64(d, "differences"));
		put_change(t, field_int(d, "usedBytes"));
		table_put(t, COLOR_NONE, "%+lld",
			(long long)field_int(d, "files"));
	}
	table_end(t);
	print_text(p, COLOR_WARNING, "corrected\n");
}

void verbs_show_panic(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	if (field_flag(reply, "panic"))
		print_text(p, COLOR_BAD,
			"every deletion is stopped; ullagectl panic --release lifts it\n");
	else
		print_text(p, COLOR_GOOD, "deletions are possible again\n");
}

void verbs_show_index(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_list(p, COLOR_BAD, reply, "differences");
	if (verbs_judge_index(reply) == EXIT_DONE)
		print_text(p, COLOR_GOOD, "the index is sound\n");
}

int verbs_judge_index(struct json_object *reply)
{
	return field_count(field_get(reply, "differences")) ? EXIT_FAILED
							    : EXIT_DONE;
}
