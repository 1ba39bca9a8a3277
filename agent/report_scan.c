// SPDX-License-Identifier: GPL-2.0-or-later
/* What a component's figures were, and how far the counting is. */
#include "core.h"
#include "json.h"
#include "report.h"

typedef struct json_object json;

static bool has_saved(const struct component *c)
{
	return !c->is_scanned && c->figures.at_real_s;
}

static json *saved(const struct component *c, const struct index_totals *t)
{
	json *o = json_object_new_object();

	json_put_stamp(o, "at", c->figures.at_real_s);
	json_put_u64(o, "usedBytes", t->used_bytes);
	json_put_u64(o, "sizeBytes", t->size_bytes);
	json_put_u64(o, "files", t->files);
	return o;
}

void report_put_saved(const struct component *c, json *o, json *types)
{
	if (!has_saved(c))
		return;
	json_object_object_add(o, "saved", saved(c, &c->figures.whole));
	for (int t = 0; t < N_STYPES; t++)
		json_object_object_add(
			json_object_array_get_idx(types, (size_t)t), "saved",
			saved(c, &c->figures.types[t]));
}

/* Every directory that is known was listed, is being listed, or waits. */
void report_put_scan(const struct component *c, json *o)
{
	struct index_totals t =
		index_totals(feed_index(c->feed), INDEX_NODE_COMPONENT);
	size_t waiting = feed_backlog(c->feed);
	json *scan;

	if (!feed_is_scanning(c->feed))
		return;
	scan = json_object_new_object();
	json_put_u64(scan, "directories", mem_sub_sat(t.directories, waiting));
	json_put_u64(scan, "waiting", waiting);
	if (has_saved(c))
		json_put_u64(scan, "expected", c->figures.whole.directories);
	json_object_object_add(o, "scan", scan);
}
