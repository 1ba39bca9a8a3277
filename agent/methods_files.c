// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods that answer about files: Why, Du, Largest, Oldest. */
#include <errno.h>
#include <string.h>

#include "core.h"
#include "json.h"
#include "locate.h"
#include "methods.h"
#include "order.h"
#include "report.h"
#include "why.h"

#define LIST_DEFAULT 20
#define LIST_MAX     1000

/* Whether a file is in use only a look at the file itself can tell: a reaper
 * goes all the way with it, but for the deletion. */
struct probing {
	struct control_call *call;
	struct json_object *reply;
};

static void on_probed(void *ctx, struct cleanup *run)
{
	struct probing *p = ctx;

	why_correct(p->reply, &cleanup_result(run)->skipped);
	if (p->call)
		control_reply(p->call, p->reply);
	else
		json_object_put(p->reply);
	free(p);
}

static void on_prober_gone(void *ctx, struct control_call *call)
{
	struct probing *p = ctx;

	(void)call;
	p->call = NULL;
}

/* Returns false if it cannot be done now. */
static bool probe(struct agent *a, const struct why_probe *what,
	struct control_call *call, struct json_object *reply)
{
	struct component *c = what->component;
	struct cleanup_order order = {
		.goal = {.reason = GOAL_MANUAL,
			.now_s = clock_real_s(a->clock)},
		.is_dry_run = true,
		.is_probe = true,
		.probe = what->pick,
	};
	struct cleanup_parts parts;
	struct probing *p;

	if (!c || c->cleanup || c->errand || a->is_panic ||
		!core_is_trusted(a, c))
		return false;
	order.strategy = strategy_find(c->policy->strategy);
	p = calloc(1, sizeof(*p));
	if (!p || !order.strategy) {
		free(p);
		return false;
	}
	*p = (struct probing){call, reply};
	order_parts(c, &parts);
	if (cleanup_start(&parts, &order,
		    &(struct cleanup_handlers){NULL, on_probed, p},
		    &c->cleanup) < 0) {
		free(p);
		return false;
	}
	control_on_gone(call, on_prober_gone, p);
	return true;
}

void methods_why(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	const char *path = json_get_text(parameters, "path");
	struct json_object *reply;
	struct why_probe what;

	if (!path || why_path(ctx, path, &reply, &what) < 0)
		control_invalid(call, "path");
	else if (!probe(ctx, &what, call, reply) &&
		 (!what.absent_from || !methods_trash_why(what.absent_from,
					       call, reply, path)))
		control_reply(call, reply);
}

static void add_all(struct json_object *to, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		json_object_array_add(to,
			json_object_get(json_object_array_get_idx(list, i)));
	json_object_put(list);
}

/* Without a path: every root. */
static struct json_object *du_of_roots(struct agent *a)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		for (size_t r = 0; r < c->policy->n_roots; r++) {
			uint32_t node = feed_root(c->feed, r)->node;
			struct json_object *list;

			if (node == INDEX_NONE)
				continue;
			list = report_du(c, node);
			json_object_array_add(out,
				json_object_get(
					json_object_array_get_idx(list, 0)));
			json_object_put(list);
		}
	}
	return out;
}

void methods_du(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	const char *path = json_get_text(parameters, "path");
	struct json_object *entries = NULL, *reply;
	struct located place = {0};

	if (!path) {
		entries = du_of_roots(ctx);
	} else if (locate(ctx, path, &place) < 0) {
		control_invalid(call, "path");
		return;
	} else if (place.component && place.node != INDEX_NONE) {
		entries = json_object_new_array();
		add_all(entries, report_du(place.component, place.node));
	}
	locate_fini(&place);
	if (!entries) {
		control_fail(call, "NotFound",
			"no managed directory of that path is known");
		return;
	}
	reply = json_object_new_object();
	json_object_object_add(reply, "entries", entries);
	control_reply(call, reply);
}

/* A list of the top files of one component or of all; their names are read
 * from disk, so the answer comes later. */
struct ranked {
	uint64_t key; /* larger is higher up */
	uint32_t component;
	struct pick pick;
};

struct listing {
	struct agent *agent;
	struct control_call *call;
	bool is_by_age;
	size_t limit;
	struct ranked *top; /* a heap, the lowest first, until it is sorted */
	size_t n;
	struct part {
		struct listing *listing;
		uint32_t component;
		struct pick *picks;
		uint32_t *positions; /* in the whole list */
		size_t n;
		struct resolve *resolve;
	} * parts;
	size_t n_parts, n_owed;
	struct json_object **rows; /* by position */
};

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n_parts; i++) {
		resolve_cancel(l->parts[i].resolve);
		free(l->parts[i].picks);
		free(l->parts[i].positions);
	}
	for (size_t i = 0; l->rows && i < l->n; i++)
		json_object_put(l->rows[i]);
	free(l->rows);
	free(l->parts);
	free(l->top);
	free(l);
}

static void sift_down(struct ranked *heap, size_t n, size_t at)
{
	for (;;) {
		size_t low = at, left = 2 * at + 1;
		struct ranked t;

		if (left < n && heap[left].key < heap[low].key)
			low = left;
		if (left + 1 < n && heap[left + 1].key < heap[low].key)
			low = left + 1;
		if (low == at)
			return;
		t = heap[at];
		heap[at] = heap[low];
		heap[low] = t;
		at = low;
	}
}

static void offer(struct listing *l, const struct ranked *r)
{
	if (l->n < l->limit) {
		l->top[l->n++] = *r;
		if (l->n == l->limit)
			for (size_t i = l->n / 2 + 1; i--;)
				sift_down(l->top, l->n, i);
	} else if (r->key > l->top[0].key) {
		l->top[0] = *r;
		sift_down(l->top, l->n, 0);
	}
}

static void offer_component(struct listing *l, uint32_t number)
{
	const struct component *c = &l->agent->components[number];
	int64_t now_s = clock_real_s(l->agent->clock);
	struct index_item item;
	uint32_t cursor = 0;

	while (index_next(feed_index(c->feed), &cursor, &item)) {
		int64_t used_s = strategy_used(&item);
		struct ranked r = {
			.component = number,
			.key = l->is_by_age ? (uint64_t)(INT64_MAX - used_s)
					    : item.used_bytes,
			.pick = {.entry = item.entry,
				.tag = index_entry_tag(
					feed_index(c->feed), item.entry),
				.used_bytes = item.used_bytes,
				.age_s = now_s - item.mtime_s},
		};

		if (item.is_file && !item.is_trashed)
			offer(l, &r);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->pick.entry < y->pick.entry ? -1 : 1;
}

static struct json_object *row_of(
	const struct component *c, const struct candidate *v, int64_t now_s)
{
	struct json_object *o = json_object_new_object();
	buf_auto struct buf path = {0};

	buf_printf(&path, "%s/%s%s%s", c->policy->roots[v->root].path,
		v->rel_dir, v->rel_dir[0] ? "/" : "", v->name);
	json_put_name(o, "path", path.data, path.len);
	json_put_text(o, "component", c->policy->component);
	json_put_text(o, "type", stype_name((enum stype)v->type));
	json_put_u64(o, "usedBytes", v->used_bytes);
	json_put_u64(o, "sizeBytes", v->size_bytes);
	json_put_u64(o, "age", v->age_s < 0 ? 0 : (uint64_t)v->age_s);
	json_put_stamp(o, "modifiedAt", now_s - v->age_s);
	json_put_stamp(o, "usedAt", v->used_real_s);
	return o;
}

static void finish_listing(struct listing *l)
{
	struct json_object *reply = json_object_new_object();
	struct json_object *files = json_object_new_array();
	size_t room = METHODS_ROOM;

	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i] && methods_take_room(l->rows[i], &room))
			json_object_array_add(files, mem_take(l->rows[i]));
	json_object_object_add(reply, "files", files);
	control_reply(l->call, reply);
	listing_free(l);
}

static void on_named(void *ctx, struct resolved *found, int error)
{
	struct part *p = ctx;
	struct listing *l = p->listing;
	struct component *c = &l->agent->components[p->component];

	p->resolve = NULL;
	for (size_t i = 0; !error && i < found->plan.n_items; i++)
		l->rows[p->positions[found->picks[i]]] = row_of(c,
			&found->plan.items[i], clock_real_s(l->agent->clock));
	if (--l->n_owed == 0)
		finish_listing(l);
}

static int split_parts(struct listing *l)
{
	l->n_parts = l->agent->n_components;
	l->parts = calloc(l->n_parts + 1, sizeof(*l->parts));
	l->rows = calloc(l->n + 1, sizeof(*l->rows));
	if (!l->parts || !l->rows)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_parts; i++) {
		struct part *p = &l->parts[i];

		p->listing = l;
		p->component = (uint32_t)i;
		p->picks = calloc(l->n + 1, sizeof(*p->picks));
		p->positions = calloc(l->n + 1, sizeof(*p->positions));
		if (!p->picks || !p->positions)
			return -ENOMEM;
	}
	for (size_t i = 0; i < l->n; i++) {
		struct part *p = &l->parts[l->top[i].component];

		p->positions[p->n] = (uint32_t)i;
		p->picks[p->n++] = l->top[i].pick;
	}
	return 0;
}

static void on_gone(void *ctx, struct control_call *call)
{
	(void)call;
	listing_free(ctx);
}

static void start_listing(struct listing *l)
{
	l->n_owed = 1; /* this function's own, so that it ends here at last */
	for (size_t i = 0; i < l->n_parts; i++) {
		struct part *p = &l->parts[i];

		if (!p->n)
			continue;
		l->n_owed++;
		if (resolve_start(l->agent->components[i].feed, p->picks, p->n,
			    on_named, p, &p->resolve) < 0)
			l->n_owed--;
	}
	control_on_gone(l->call, on_gone, l);
	if (--l->n_owed == 0)
		finish_listing(l);
}

static void list_files(struct agent *a, struct control_call *call,
	struct json_object *parameters, bool is_by_age)
{
	const char *name = json_get_text(parameters, "component");
	uint64_t limit = json_get_u64(parameters, "limit");
	struct listing *l = calloc(1, sizeof(*l));

	if (name && !core_find(a, name)) {
		free(l);
		methods_component(a, call, parameters);
		return;
	}
	if (l) {
		l->agent = a;
		l->call = call;
		l->is_by_age = is_by_age;
		l->limit = MIN_OF(limit ? limit : LIST_DEFAULT, LIST_MAX);
		l->top = calloc(l->limit, sizeof(*l->top));
	}
	if (!l || !l->top) {
		free(l);
		control_fail(call, "Failed", "out of memory");
		return;
	}
	for (size_t i = 0; i < a->n_components; i++)
		if (!name ||
			strcmp(name, a->components[i].policy->component) == 0)
			offer_component(l, (uint32_t)i);
	qsort(l->top, l->n, sizeof(*l->top), by_key);
	if (split_parts(l) < 0) {
		control_fail(call, "Failed", "out of memory");
		listing_free(l);
		return;
	}
	start_listing(l);
}

void methods_largest(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	list_files(ctx, call, parameters, false);
}

void methods_oldest(
	void *ctx, struct control_call *call, struct json_object *parameters)
{
	list_files(ctx, call, parameters, true);
}
