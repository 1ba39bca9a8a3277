// SPDX-License-Identifier: GPL-2.0-or-later
/* GetGrowth: how fast components grow, by whom, and where. */
#include <string.h>

#include "actors.h"
#include "core.h"
#include "growth.h"
#include "history.h"
#include "json.h"
#include "methods.h"
#include "report.h"

#define HOUR_S 3600
#define DAY_S  86400

static struct json_object *row_of(const struct growth_row *row)
{
	struct json_object *o = json_object_new_object();

	json_put_i64(o, "hourBytes", row->hour_bytes);
	json_put_i64(o, "dayBytes", row->day_bytes);
	return o;
}

static struct json_object *writers_of(
	const struct agent *a, const struct component *c)
{
	struct json_object *list = json_object_new_array();
	struct growth_row rows[GROWTH_SLOTS];
	size_t n = growth_list(
		&feed_growth(c->feed)->actors, clock_boot_ns(a->clock), rows);

	for (size_t i = 0; i < n; i++) {
		const char *name =
			actors_name(a->actors, (uint16_t)rows[i].key);
		struct json_object *o = row_of(&rows[i]);

		json_put_name(o, "writer", name, strlen(name));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *directories_of(
	const struct agent *a, const struct component *c)
{
	struct json_object *list = json_object_new_array();
	struct growth_row rows[GROWTH_SLOTS];
	size_t n = growth_list(
		&feed_growth(c->feed)->dirs, clock_boot_ns(a->clock), rows);

	for (size_t i = 0; i < n; i++) {
		uint32_t dir = (uint32_t)rows[i].key;
		buf_auto struct buf path = {0};
		struct json_object *o;

		/* Gone, or another's number by now. */
		if (!index_is_dir(feed_index(c->feed), dir) ||
			rows[i].key != growth_dir(dir, feed_life(c->feed, dir)))
			continue;
		if (report_path(c, dir, &path) < 0)
			continue;
		o = row_of(&rows[i]);
		json_put_name(o, "path", path.data, path.len);
		json_object_array_add(list, o);
	}
	return list;
}

/* From the samples, which outlive a restart; nothing where they do not reach
 * back to any time before now. */
static void put_change(struct json_object *o, const char *key,
	const struct agent *a, const struct component *c, int64_t span_s)
{
	int64_t now_s = clock_real_s(a->clock);
	const struct sample *s = history_sample(
		&a->history, c->policy->component, now_s - span_s);
	struct index_totals t =
		index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);
	int64_t bytes;

	if (s && !__builtin_sub_overflow(t.used_bytes, s->used_bytes, &bytes))
		json_put_i64(o, key, bytes);
	else
		json_object_object_add(o, key, NULL);
}

static struct json_object *growth_of(
	const struct agent *a, const struct component *c)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "component", c->policy->component);
	put_change(o, "hourBytes", a, c, HOUR_S);
	put_change(o, "dayBytes", a, c, DAY_S);
	json_put_bool(o, "writersKnown", feed_knows_actors(c->feed));
	json_object_object_add(o, "writers", writers_of(a, c));
	json_object_object_add(o, "directories", directories_of(a, c));
	return o;
}

void methods_growth(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	struct json_object *reply, *list;
	struct agent *a = ctx;
	struct component *only;

	if (!methods_filter(a, call, parameters, &only))
		return;
	reply = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < a->n_components; i++)
		if (!only || only == &a->components[i])
			json_object_array_add(
				list, growth_of(a, &a->components[i]));
	json_object_object_add(reply, "components", list);
	json_put_stamp(reply, "since", a->started_real_s);
	control_reply(call, reply);
}
