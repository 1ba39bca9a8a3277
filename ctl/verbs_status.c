// SPDX-License-Identifier: GPL-2.0-or-later
/* status, metrics, dashboard, check. */
#include <string.h>

#include <json-c/json.h>

#include "base/units.h"
#include "ctl/field.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define BAR_CELLS 12

static void put_bar(const struct print *p, struct table *t, const char *level,
	uint64_t used, uint64_t whole)
{
	char bar[PRINT_BAR_SIZE], share[UNITS_SIZE];

	table_put(t, print_level_color(level), "%s",
		print_bar(p, used, whole, BAR_CELLS, bar));
	table_put(t, COLOR_NONE, "%s", units_share(used, whole, share));
}

/* What counts against the limits of a component: what lies in its trash comes
 * free when room is needed. */
static uint64_t counted(struct json_object *component)
{
	return mem_sub_sat(field_u64(component, "usedBytes"),
		field_u64(component, "trashBytes"));
}

/* What there was before the agent started, while less than that is counted
 * yet; NULL: what is counted stands for itself. */
static struct json_object *recalled(struct json_object *o)
{
	struct json_object *saved = field_get(o, "saved");

	return field_u64(saved, "usedBytes") > field_u64(o, "usedBytes") ? saved
									 : NULL;
}

/* Used space and files, marked if they are those of before. */
static void put_recalled_size(
	struct table *t, struct json_object *o, const char *key)
{
	struct json_object *saved = recalled(o);
	char size[UNITS_SIZE];

	if (saved)
		table_put(t, COLOR_DIM, "~%s",
			units_size(field_u64(saved, key), size));
	else
		table_size(t, field_u64(o, key));
}

static void put_recalled_files(struct table *t, struct json_object *o)
{
	struct json_object *saved = recalled(o);
	char count[PRINT_COUNT_SIZE];

	if (saved)
		table_put(t, COLOR_DIM, "~%s",
			print_count(field_u64(saved, "files"), count));
	else
		table_count(t, field_u64(o, "files"));
}

/* Of more directories than there were, the rest of the way is not known. */
static bool scan_share(struct json_object *scan, char ret[UNITS_SIZE])
{
	uint64_t n = field_u64(scan, "directories");
	uint64_t expected = field_u64(scan, "expected");

	if (!field_has(scan, "expected") ||
		n + field_u64(scan, "waiting") > expected)
		return false;
	units_share(n, expected, ret);
	return true;
}

static void put_work(struct table *t, struct json_object *c)
{
	const char *work = field_text(
		c, "work", field_flag(c, "trusted") ? "-" : "scanning");
	char share[UNITS_SIZE];

	if (scan_share(field_get(c, "scan"), share))
		table_put(t, COLOR_DIM, "%s %s", work, share);
	else
		table_put(t, COLOR_DIM, "%s", work);
}

static void show_components(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"COMPONENT", false},
		{"LEVEL", false}, {"USED", true}, {"OF", true}, {"", false},
		{"", true}, {"FILES", true}, {"PRIORITY", false},
		{"STRATEGY", false}, {"MODE", false}, {"WORK", false},
		{NULL, false}};
	struct table *t = table_new(p, columns);
	struct json_object *c;

	FIELD_EACH(c, reply, "components")
	{
		const char *level = field_text(c, "level", "?");
		uint64_t whole = field_u64(c, "allocationBytes");

		table_put(t, COLOR_NONE, "%s", field_text(c, "name", "?"));
		table_level(t, level);
		put_recalled_size(t, c, "usedBytes");
		table_size(t, whole);
		/* what the level is of */
		put_bar(p, t, level,
			recalled(c) ? field_u64(recalled(c), "usedBytes")
				    : counted(c),
			whole);
		put_recalled_files(t, c);
		table_put(t, COLOR_NONE, "%s", field_text(c, "priority", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(c, "strategy", "-"));
		table_put(t, COLOR_NONE, "%s", field_text(c, "mode", "-"));
		put_work(t, c);
	}
	table_end(t);
}

/* Who has which note, once each, in the order of their coming; a new object,
 * or NULL. */
static struct json_object *collect_notes(struct json_object *reply)
{
	struct json_object *all = json_object_new_object();
	struct json_object *c, *note, *names;

	FIELD_EACH(c, reply, "components")
	FIELD_EACH(note, c, "notes")
	{
		const char *text = json_object_get_string(note);

		if (!all || !text)
			continue;
		if (!json_object_object_get_ex(all, text, &names)) {
			names = json_object_new_array();
			json_object_object_add(all, text, names);
		}
		json_object_array_add(names,
			json_object_new_string(field_text(c, "name", "?")));
	}
	return all;
}

/* One line a note: most are of many components. */
static void show_notes(const struct print *p, struct json_object *reply)
{
	struct json_object *all = collect_notes(reply);

	if (!all)
		return;
	json_object_object_foreach (all, note, names) {
		buf_auto struct buf line = {0};
		size_t n = json_object_array_length(names);

		for (size_t i = 0; i < n; i++)
			(void)buf_printf(&line, "%s%s", i ? ", " : "",
				json_object_get_string(
					json_object_array_get_idx(names, i)));
		if (line.len)
			print_text(p, COLOR_DIM, "%s: %s\n", line.data, note);
	}
	json_object_put(all);
}

static void show_trash(const struct print *p, struct json_object *c)
{
	uint64_t n = field_u64(c, "trashFiles");
	char bytes[UNITS_SIZE], files[PRINT_COUNT_SIZE];

	if (n)
		print_text(p, COLOR_DIM,
			"%s: %s of it in %s file%s in the trash, which no limit counts\n",
			field_text(c, "name", "?"),
			units_size(field_u64(c, "trashBytes"), bytes),
			print_count(n, files), n == 1 ? "" : "s");
}

static void put_progress(struct buf *line, struct json_object *scan)
{
	char n[PRINT_COUNT_SIZE], of[PRINT_COUNT_SIZE], share[UNITS_SIZE];

	if (!scan)
		return;
	print_count(field_u64(scan, "directories"), n);
	if (scan_share(scan, share))
		(void)buf_printf(line, " (%s, %s of %s directories)", share, n,
			print_count(field_u64(scan, "expected"), of));
	else
		(void)buf_printf(line, " (%s directories, %s waiting)", n,
			print_count(field_u64(scan, "waiting"), of));
}

static void show_untrusted(const struct print *p, struct json_object *c)
{
	struct json_object *saved = recalled(c);
	buf_auto struct buf progress = {0};
	const char *name = field_text(c, "name", "?");
	char used[UNITS_SIZE], files[PRINT_COUNT_SIZE];

	put_progress(&progress, field_get(c, "scan"));
	if (saved)
		print_text(p, COLOR_WARNING,
			"%s: ~%s in %s files as of %s, being counted%s; nothing is deleted until that is done\n",
			name, units_size(field_u64(saved, "usedBytes"), used),
			print_count(field_u64(saved, "files"), files),
			field_text(saved, "at", "?"),
			progress.len ? progress.data : "");
	else
		print_text(p, COLOR_WARNING,
			"%s: the figures are not exact yet%s; nothing is deleted until they are\n",
			name, progress.len ? progress.data : "");
}

/* Of every component, what is not as one would expect. */
static void show_remarks(const struct print *p, struct json_object *reply)
{
	struct json_object *c;

	FIELD_EACH(c, reply, "components")
	if (!field_flag(c, "trusted"))
		show_untrusted(p, c);
	FIELD_EACH(c, reply, "components")
	show_trash(p, c);
	show_notes(p, reply);
}

static void show_types(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"COMPONENT", false},
		{"TYPE", false}, {"USED", true}, {"SIZE", true},
		{"FILES", true}, {"PATHS", false}, {NULL, false}};
	struct table *t = table_new(p, columns);
	struct json_object *c, *type, *path;

	FIELD_EACH(c, reply, "components")
	FIELD_EACH(type, c, "types")
	{
		buf_auto struct buf paths = {0};

		FIELD_EACH(path, type, "paths")
		if (buf_printf(&paths, "%s%s", paths.len ? " " : "",
			    json_object_get_string(path)) < 0)
			break;
		table_put(t, COLOR_NONE, "%s", field_text(c, "name", "?"));
		table_put(t, COLOR_NONE, "%s", field_text(type, "type", "?"));
		put_recalled_size(t, type, "usedBytes");
		put_recalled_size(t, type, "sizeBytes");
		put_recalled_files(t, type);
		table_put(t, COLOR_DIM, "%s", paths.len ? paths.data : "-");
	}
	table_end(t);
}

static void show_filesystems(const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"FILESYSTEM", false},
		{"LEVEL", false}, {"FREE", true}, {"OF", true}, {"", false},
		{"", true}, {"BALLAST", true}, {"DEVICE", false},
		{"HEALTH", false}, {NULL, false}};
	struct table *t;
	struct json_object *f;

	if (!field_count(field_get(reply, "filesystems")))
		return;
	t = table_new(p, columns);
	FIELD_EACH(f, reply, "filesystems")
	{
		const char *level = field_text(f, "level", "?");
		const char *health = field_text(f, "health", "-");
		uint64_t free_bytes = field_u64(f, "availableBytes");
		uint64_t total = field_u64(f, "totalBytes");

		table_put(t, COLOR_NONE, "%s", field_text(f, "path", "?"));
		table_level(t, level);
		table_size(t, free_bytes);
		table_size(t, total);
		put_bar(p, t, level, mem_sub_sat(total, free_bytes), total);
		if (field_u64(f, "ballastBytes"))
			table_size(t, field_u64(f, "ballastBytes"));
		else
			table_put(t, COLOR_NONE, "-");
		table_put(t, COLOR_NONE, "%s", field_text(f, "device", "-"));
		table_put(t, strcmp(health, "ok") ? COLOR_BAD : COLOR_GOOD,
			"%s", health);
	}
	table_end(t);
}

static bool is_fed_alike(struct json_object *a, struct json_object *b)
{
	return strcmp(field_text(a, "source", ""),
		       field_text(b, "source", "")) == 0 &&
	       strcmp(field_text(a, "sourceReason", ""),
		       field_text(b, "sourceReason", "")) == 0;
}

static struct json_object *first_fed_like(
	struct json_object *reply, struct json_object *component)
{
	struct json_object *c = NULL;

	FIELD_EACH(c, reply, "components")
	if (is_fed_alike(c, component))
		break;
	return c;
}

/* Where the news of changes come from, and why from there: a line for all
 * components of which the same is true. */
static void show_sources(const struct print *p, struct json_object *reply)
{
	struct json_object *c, *other;

	FIELD_EACH(c, reply, "components")
	{
		buf_auto struct buf names = {0};
		const char *why = field_text(c, "sourceReason", NULL);

		if (first_fed_like(reply, c) != c)
			continue;
		FIELD_EACH(other, reply, "components")
		if (is_fed_alike(c, other))
			(void)buf_printf(&names, "%s%s", names.len ? ", " : "",
				field_text(other, "name", "?"));
		print_text(p, COLOR_DIM, "changes told by %s: %s%s%s%s\n",
			field_text(c, "source", "?"),
			names.len ? names.data : "?", why ? " (" : "",
			why ? why : "", why ? ")" : "");
	}
}

static void show_agent(const struct print *p, struct json_object *reply)
{
	struct json_object *a = field_get(reply, "agent");
	char files[PRINT_COUNT_SIZE], dirs[PRINT_COUNT_SIZE];
	char events[PRINT_COUNT_SIZE], lost[PRINT_COUNT_SIZE];
	char index[UNITS_SIZE];

	if (field_flag(a, "panic"))
		print_text(p, COLOR_BAD,
			"every deletion is stopped by hand; ullagectl panic --release lifts it\n");
	print_text(p, COLOR_DIM,
		"ullaged %s: %s files in %s directories, index %s, %s events, %s overflows\n",
		field_text(a, "version", "?"),
		print_count(field_u64(a, "files"), files),
		print_count(field_u64(a, "directories"), dirs),
		units_size(field_u64(a, "indexBytes"), index),
		print_count(field_u64(a, "events"), events),
		print_count(field_u64(a, "overflows"), lost));
}

static void show_usage(const struct print *p, struct json_object *reply)
{
	show_components(p, reply);
	show_remarks(p, reply);
	fputc('\n', p->out);
	show_filesystems(p, reply);
	if (field_count(field_get(reply, "alerts"))) {
		fputc('\n', p->out);
		show_alerts(p, reply);
	}
}

void verbs_show_status(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	(void)asked;
	show_usage(p, reply);
	fputc('\n', p->out);
	show_types(p, reply);
	fputc('\n', p->out);
	show_sources(p, reply);
	show_agent(p, reply);
}

static void show_growth(struct table *t, struct json_object *c)
{
	int64_t growth = field_int(c, "growthBytesPerHour");
	uint64_t size = growth < 0 ? -(uint64_t)growth : (uint64_t)growth;
	char text[UNITS_SIZE];

	if (!field_has(c, "growthBytesPerHour"))
		table_put(t, COLOR_NONE, "-");
	else
		table_put(t, COLOR_NONE, "%s%s", growth < 0 ? "-" : "+",
			units_size(size, text));
}

static void show_component_metrics(
	const struct print *p, struct json_object *reply)
{
	static const struct table_column columns[] = {{"COMPONENT", false},
		{"USED", true}, {"OF", true}, {"", true}, {"SIZE", true},
		{"FILES", true}, {"GROWTH/H", true}, {"CLEANUPS", true},
		{"FREED", true}, {NULL, false}};
	struct table *t = table_new(p, columns);
	struct json_object *c;
	char share[UNITS_SIZE];

	FIELD_EACH(c, reply, "components")
	{
		uint64_t used = field_u64(c, "usedBytes");
		uint64_t whole = field_u64(c, "allocationBytes");

		table_put(t, COLOR_NONE, "%s", field_text(c, "name", "?"));
		table_size(t, used);
		table_size(t, whole);
		table_put(t, COLOR_NONE, "%s", units_share(used, whole, share));
		table_size(t, field_u64(c, "sizeBytes"));
		table_count(t, field_u64(c, "files"));
		show_growth(t, c);
		table_count(t, field_u64(c, "cleanups"));
		table_size(t, field_u64(c, "freedBytes"));
	}
	table_end(t);
}

void verbs_show_metrics(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	static const struct table_column columns[] = {
		{"COUNTER", false}, {"VALUE", true}, {NULL, false}};
	struct json_object *counters = field_get(reply, "counters");
	struct table *t;

	(void)asked;
	show_component_metrics(p, reply);
	fputc('\n', p->out);
	show_filesystems(p, reply);
	if (!json_object_is_type(counters, json_type_object))
		return;
	fputc('\n', p->out);
	t = table_new(p, columns);
	json_object_object_foreach (counters, key, value) {
		table_put(t, COLOR_NONE, "%s", key);
		table_count(t, json_object_get_uint64(value));
	}
	table_end(t);
}

/* How a component's usage went: a line of small bars. */
static void show_samples(const struct print *p, struct json_object *reply,
	struct json_object *component)
{
	const char *name = field_text(component, "name", "?");
	uint64_t whole = field_u64(component, "allocationBytes");
	struct json_object *saved = recalled(component);
	buf_auto struct buf line = {0};
	struct json_object *s;
	char bytes[UNITS_SIZE];

	FIELD_EACH(s, reply, "samples")
	if (strcmp(field_text(s, "component", ""), name) == 0 &&
		buf_puts(&line,
			print_spark(p, field_u64(s, "usedBytes"), whole)) < 0)
		return;
	if (line.len)
		print_text(p, COLOR_NONE, "%-20s %s %s%s\n", name, line.data,
			saved ? "~" : "",
			units_size(field_u64(saved ? saved : component,
					   "usedBytes"),
				bytes));
}

void verbs_show_dashboard(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	const char *level = field_text(reply, "level", "?");
	struct json_object *c;

	(void)asked;
	print_text(p, print_level_color(level), "%s  %s\n",
		field_text(reply, "time", ""), level);
	show_usage(p, reply);
	if (field_count(field_get(reply, "samples")) && p->is_utf8) {
		fputc('\n', p->out);
		FIELD_EACH(c, reply, "components")
		show_samples(p, reply, c);
	}
	if (field_count(field_get(reply, "cleanups"))) {
		fputc('\n', p->out);
		show_cleanups(p, reply);
	}
	fputc('\n', p->out);
	show_agent(p, reply);
}

static bool is_over(struct json_object *o)
{
	return strcmp(field_text(o, "level", "ok"), "ok") != 0;
}

static void show_over(const struct print *p, const char *name,
	const char *level, uint64_t used, uint64_t whole)
{
	char of_used[UNITS_SIZE], of_whole[UNITS_SIZE], share[UNITS_SIZE];

	print_text(p, print_level_color(level), "%s: %s: %s of %s (%s)\n", name,
		level, units_size(used, of_used), units_size(whole, of_whole),
		units_share(used, whole, share));
}

void verbs_show_check(const struct print *p, struct json_object *reply,
	struct json_object *asked)
{
	struct json_object *o;

	(void)asked;
	FIELD_EACH(o, reply, "components")
	if (is_over(o))
		show_over(p, field_text(o, "name", "?"),
			field_text(o, "level", "?"), counted(o),
			field_u64(o, "allocationBytes"));
	FIELD_EACH(o, reply, "filesystems")
	if (is_over(o))
		show_over(p, field_text(o, "path", "?"),
			field_text(o, "level", "?"),
			mem_sub_sat(field_u64(o, "totalBytes"),
				field_u64(o, "availableBytes")),
			field_u64(o, "totalBytes"));
	if (verbs_judge_check(reply) == EXIT_DONE)
		print_text(p, COLOR_GOOD, "ok: nothing is over a limit\n");
}

int verbs_judge_check(struct json_object *reply)
{
	struct json_object *o;

	FIELD_EACH(o, reply, "components")
	if (is_over(o))
		return EXIT_OVER;
	FIELD_EACH(o, reply, "filesystems")
	if (is_over(o))
		return EXIT_OVER;
	return EXIT_DONE;
}
