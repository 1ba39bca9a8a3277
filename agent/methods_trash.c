// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Methods about the trash: ListTrash, RestoreTrash, EmptyTrash. What lies
 * there only a reaper can say, one component after the other, when no cleanup
 * is under way in it; so each answer comes later.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core.h"
#include "errand.h"
#include "json.h"
#include "locate.h"
#include "methods.h"
#include "notice.h"
#include "order.h"
#include "trashing.h"
#include "why.h"

typedef struct json_object json;

#define LIST_DEFAULT 1000
#define LIST_MAX     20000 /* files of one list */
#define OUTCOMES_MAX 1000 /* in a reply; the rest is only counted */
#define ID_SIZE	     128

struct found { /* a file of a list */
	struct trash_pick pick;
	uint64_t used_bytes, size_bytes;
	size_t component;
	char *path; /* below its root */
};

enum stage {
	STAGE_FIND, /* lists: for the reply, or to find what is meant */
	STAGE_DO, /* restores or empties */
};

struct undoing {
	struct agent *agent;
	struct control_call *call; /* NULL: its client is gone */
	uid_t uid;
	enum trash_action action;
	enum stage stage;
	size_t at, end; /* components still to be asked */
	bool is_running; /* an errand of the one at hand */
	bool is_over;
	bool is_forced, is_dry_run;
	size_t limit;
	struct trash_pick pick; /* RESTORE: of this root */
	char *below; /* by path: what is meant, below the root */
	json *why; /* the reply that is to be completed */
	struct found *found;
	size_t n_found, cap_found;
	size_t path_bytes; /* of found */
	uint64_t n_all; /* found so far, those that were dropped included */
	uint64_t files, bytes;
	json *outcomes;
	enum reason refused, stop;
	int error;
	struct undoing *next;
};

static void undoing_free(struct undoing *u)
{
	for (size_t i = 0; i < u->n_found; i++)
		free(u->found[i].path);
	free(u->found);
	free(u->below);
	json_object_put(u->outcomes);
	json_object_put(u->why);
	free(u);
}

static void unlink_undoing(struct agent *a, struct undoing *u)
{
	struct undoing **at = &a->undoing;

	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
}

/* ---- what is said of a file ---- */

static void put_id(
	json *o, const struct component *c, const struct trash_pick *pick)
{
	char id[ID_SIZE];

	snprintf(id, sizeof(id), "%s.%" PRIu32 ".%" PRIx64,
		c->policy->component, pick->root, pick->number);
	json_put_text(o, "id", id);
}

static void put_path(
	json *o, const struct component *c, uint32_t root, const char *path)
{
	buf_auto struct buf whole = {0};

	if (buf_printf(&whole, "%s/%s", c->policy->roots[root].path, path) == 0)
		json_put_name(o, "path", whole.data, whole.len);
	json_put_text(o, "component", c->policy->component);
}

static json *entry_of(const struct agent *a, const struct found *f)
{
	const struct component *c = &a->components[f->component];
	int64_t keep_s = c->policy->trash_s ? c->policy->trash_s : TRASH_LEFT_S;
	int64_t at_s = trash_number_at(f->pick.number);
	json *o = json_object_new_object();

	put_id(o, c, &f->pick);
	put_path(o, c, f->pick.root, f->path);
	json_put_text(
		o, "type", stype_name(c->policy->roots[f->pick.root].type));
	json_put_u64(o, "usedBytes", f->used_bytes);
	json_put_u64(o, "sizeBytes", f->size_bytes);
	json_put_stamp(o, "trashedAt", at_s);
	json_put_stamp(o, "expiresAt", at_s + keep_s);
	json_put_text(
		o, "rule", plan_rule_word(trash_number_rule(f->pick.number)));
	return o;
}

/* Of a failed restoration the kernel's word is not enough. */
static const char *explain(const struct trash_record *r)
{
	switch (r->error) {
	case 0:
		return reason_sentence((enum reason)r->reason);
	case EEXIST:
		return "a file of that name is there; move it away first";
	case ENOENT:
	case ENOTDIR:
		return "its directory is not there any more; make it first";
	case EBADMSG:
		return "where it was is not known";
	default:
		return strerror(r->error);
	}
}

static void add_outcome(struct undoing *u, const struct component *c,
	const struct trash_record *r, const char *path)
{
	const struct trash_pick pick = {.number = r->number, .root = r->root};
	json *o;

	if (json_object_array_length(u->outcomes) >= OUTCOMES_MAX)
		return;
	o = json_object_new_object();
	put_id(o, c, &pick);
	put_path(o, c, r->root, path);
	json_put_u64(o, "usedBytes", r->used_bytes);
	json_put_text(o, "reason", reason_word((enum reason)r->reason));
	if (r->reason != REASON_RESTORED)
		json_put_text(o, "error", explain(r));
	json_object_array_add(u->outcomes, o);
}

/* ---- files come ---- */

/* Is it the path that is meant, or below it? */
static bool is_meant(const struct undoing *u, const char *path)
{
	size_t n = u->below ? strlen(u->below) : 0;

	return !n || (strncmp(path, u->below, n) == 0 &&
			     (!path[n] || path[n] == '/'));
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->pick.number != y->pick.number)
		return x->pick.number > y->pick.number ? -1 : 1;
	return x->component < y->component ? -1 : x->component > y->component;
}

/* Of a list, the newest are kept that can be shown. */
static void keep_shown(struct undoing *u)
{
	size_t n = 0, bytes = 0;

	if (u->n_found)
		qsort(u->found, u->n_found, sizeof(*u->found), newest_first);
	while (n < MIN_OF(u->n_found, u->limit) &&
		bytes + strlen(u->found[n].path) <= METHODS_ROOM)
		bytes += strlen(u->found[n++].path);
	while (u->n_found > n)
		free(u->found[--u->n_found].path);
	u->path_bytes = bytes;
}

static bool is_too_much(const struct undoing *u)
{
	return u->limit &&
	       (u->n_found > 2 * u->limit || u->path_bytes > 2 * METHODS_ROOM);
}

static void find_one(
	struct undoing *u, const struct trash_record *r, const char *path)
{
	struct found *f;
	char *copy;

	if (r->reason != REASON_TRASHED || !is_meant(u, path))
		return;
	copy = strdup(path);
	if (!copy || mem_grow((void **)&u->found, &u->cap_found, u->n_found + 1,
			     sizeof(*u->found)) < 0) {
		free(copy);
		u->error = -ENOMEM;
		return;
	}
	f = &u->found[u->n_found++];
	*f = (struct found){.pick = {.number = r->number, .root = r->root},
		.used_bytes = r->used_bytes,
		.size_bytes = r->size_bytes,
		.component = u->at,
		.path = copy};
	u->n_all++;
	u->path_bytes += strlen(copy);
	if (is_too_much(u))
		keep_shown(u);
	u->bytes = mem_add_sat(u->bytes, r->used_bytes);
}

static void on_file(void *ctx, const struct trash_record *r, const char *path)
{
	struct undoing *u = ctx;

	if (!r->number) {
		u->refused = (enum reason)r->reason;
		return;
	}
	if (u->stage == STAGE_FIND)
		find_one(u, r, path);
	else if (r->reason != REASON_DELETED &&
		 r->reason != REASON_WOULD_DELETE)
		add_outcome(u, &u->agent->components[u->at], r, path);
}

/* ---- the end ---- */

static json *list_reply(struct undoing *u)
{
	json *o = json_object_new_object(), *list = json_object_new_array();
	size_t n = 0, room = METHODS_ROOM;

	keep_shown(u);
	for (; n < u->n_found; n++) {
		json *entry = entry_of(u->agent, &u->found[n]);

		if (!methods_take_room(entry, &room)) {
			json_object_put(entry);
			break;
		}
		json_object_array_add(list, entry);
	}
	json_object_object_add(o, "entries", list);
	json_put_u64(o, "files", u->n_all);
	json_put_u64(o, "usedBytes", u->bytes);
	json_put_u64(o, "omitted", u->n_all - n);
	return o;
}

static json *done_reply(struct undoing *u)
{
	json *o = json_object_new_object();

	json_put_u64(o, "files", u->files);
	json_put_u64(o, u->action == TRASH_RESTORE ? "usedBytes" : "freedBytes",
		u->bytes);
	json_object_object_add(o, "outcomes", mem_take(u->outcomes));
	if (u->action == TRASH_EMPTY && u->stop != REASON_DELETED)
		json_put_text(o, "stopped", reason_word(u->stop));
	return o;
}

/* Of the files that lie there from this path, the one trashed last. */
static json *why_reply(struct undoing *u)
{
	uint64_t number = 0;

	for (size_t i = 0; i < u->n_found; i++)
		if (strcmp(u->found[i].path, u->below) == 0)
			number = MAX_OF(number, u->found[i].pick.number);
	if (number)
		why_add_trashed(u->why, &u->agent->components[u->end - 1],
			trash_number_at(number), trash_number_rule(number));
	return mem_take(u->why);
}

static void answer(struct undoing *u)
{
	if (!u->call)
		return;
	if (u->why)
		control_reply(u->call, why_reply(u));
	else if (u->error)
		control_fail(u->call, "Failed",
			u->stop == REASON_UNSUPPORTED ? reason_sentence(u->stop)
						      : strerror(-u->error));
	else if (u->refused != REASON_DELETED && !u->files && !u->n_found)
		control_fail(u->call, "Failed", reason_sentence(u->refused));
	else if (u->action == TRASH_LIST)
		control_reply(u->call, list_reply(u));
	else if (u->action == TRASH_RESTORE && !u->files &&
		 !json_object_array_length(u->outcomes))
		control_fail(u->call, "NotFound",
			"nothing of that name lies in the trash");
	else
		control_reply(u->call, done_reply(u));
}

static void finish(struct undoing *u)
{
	if (u->action == TRASH_RESTORE && u->files)
		notice_restored(&u->agent->components[u->at], u->files,
			u->bytes, u->uid);
	answer(u);
	unlink_undoing(u->agent, u);
	undoing_free(u);
}

/* ---- errands ---- */

static void on_done(void *ctx, const struct errand *e)
{
	struct undoing *u = ctx;
	const struct errand_result *r = errand_result(e);

	u->is_running = false;
	if (r->error)
		u->error = r->error;
	if (r->stop != REASON_DELETED)
		u->stop = r->stop;
	if (u->stage == STAGE_FIND && u->action == TRASH_RESTORE) {
		u->stage = STAGE_DO;
		u->bytes = 0;
		return;
	}
	if (u->stage == STAGE_DO) {
		u->files += r->files;
		u->bytes = mem_add_sat(u->bytes, r->bytes);
	}
	if (u->action == TRASH_EMPTY)
		trashing_note_emptied(&u->agent->components[u->at], e);
	if (u->action == TRASH_RESTORE)
		u->is_over = true; /* at says whose it was */
	else
		u->at++;
}

static int by_path(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : newest_first(a, b);
}

/* Of each path the file that was trashed last. */
static int pick_found(struct undoing *u, struct errand_order *order)
{
	order->picks = calloc(u->n_found + 1, sizeof(*order->picks));
	if (!order->picks)
		return -ENOMEM;
	if (!u->below)
		order->picks[order->n_picks++] = u->pick;
	if (u->n_found)
		qsort(u->found, u->n_found, sizeof(*u->found), by_path);
	for (size_t i = 0; i < u->n_found; i++)
		if (i == 0 ||
			strcmp(u->found[i].path, u->found[i - 1].path) != 0)
			order->picks[order->n_picks++] = u->found[i].pick;
	return 0;
}

static int make_order(struct undoing *u, struct component *c,
	const struct cleanup_parts *parts, struct errand_order *ret)
{
	*ret = (struct errand_order){
		.action = u->stage == STAGE_FIND ? TRASH_LIST : u->action,
		.reason = GOAL_MANUAL,
		.max_files = UINT64_MAX,
		.max_bytes = UINT64_MAX};
	if (u->action == TRASH_EMPTY) {
		trashing_order(u->agent, c, GOAL_MANUAL, u->is_forced, ret);
		ret->is_dry_run = u->is_dry_run;
	}
	if (u->action != TRASH_RESTORE && !u->why)
		return errand_pick_roots(parts, 0, ret);
	if (u->stage == STAGE_DO)
		return pick_found(u, ret);
	ret->picks = calloc(1, sizeof(*ret->picks));
	if (!ret->picks)
		return -ENOMEM;
	ret->picks[ret->n_picks++] = u->pick;
	return 0;
}

/* Returns false if there is nothing to ask for. */
static bool start(struct undoing *u, struct component *c)
{
	struct errand_order order;
	struct cleanup_parts parts;
	int r;

	order_parts(c, &parts);
	r = make_order(u, c, &parts, &order);
	if (r == 0)
		r = errand_start(&parts, &order,
			&(struct errand_handlers){on_file, on_done, u},
			&c->errand);
	if (r == 0)
		u->is_running = true;
	else if (r != -ENOENT)
		u->error = r;
	return r == 0;
}

/* Goes on as far as it can now. Returns true when all is done. */
static bool step(struct undoing *u)
{
	while (!u->is_over && !u->error && !u->is_running && u->at < u->end) {
		struct component *c = &u->agent->components[u->at];

		if (c->cleanup || c->errand || start(u, c))
			return false;
		if (u->action == TRASH_RESTORE)
			u->is_over = true;
		else
			u->at++;
	}
	return !u->is_running;
}

void methods_trash_turn(struct agent *a)
{
	struct undoing *u = a->undoing, *next;

	for (; u; u = next) {
		next = u->next;
		if (step(u))
			finish(u);
	}
}

void methods_trash_forget(struct agent *a)
{
	while (a->undoing) {
		struct undoing *u = a->undoing;

		a->undoing = u->next;
		if (u->call)
			control_fail(u->call, "Busy",
				"the configuration changed meanwhile");
		undoing_free(u);
	}
}

static void on_gone(void *ctx, struct control_call *call)
{
	struct undoing *u = ctx;

	(void)call;
	u->call = NULL;
}

/* ---- the methods ---- */

/* For one component, or for all. NULL: answered. */
static struct undoing *begin(struct agent *a, struct control_call *call,
	enum trash_action action, struct component *one)
{
	struct undoing *u = calloc(1, sizeof(*u));

	if (!u) {
		control_fail(call, "Failed", "out of memory");
		return NULL;
	}
	*u = (struct undoing){.agent = a,
		.call = call,
		.uid = control_peer_uid(call),
		.action = action,
		.stage = action == TRASH_EMPTY ? STAGE_DO : STAGE_FIND,
		.at = one ? (size_t)(one - a->components) : 0,
		.end = one ? (size_t)(one - a->components) + 1
			   : a->n_components,
		.outcomes = json_object_new_array(),
		.next = a->undoing};
	a->undoing = u;
	control_on_gone(call, on_gone, u);
	return u;
}

void methods_list_trash(void *ctx, struct control_call *call, json *parameters)
{
	uint64_t limit = json_get_u64(parameters, "limit");
	struct component *one;
	struct undoing *u;

	if (!methods_filter(ctx, call, parameters, &one))
		return;
	u = begin(ctx, call, TRASH_LIST, one);
	if (u)
		u->limit = MIN_OF(limit ? limit : LIST_DEFAULT, LIST_MAX);
}

/* COMPONENT.ROOT.NUMBER */
static struct component *read_id(
	struct agent *a, const char *text, struct trash_pick *ret)
{
	mem_autofree char *copy = strdup(text);
	char *number = copy ? strrchr(copy, '.') : NULL, *root, *end;
	struct component *c;

	if (!number)
		return NULL;
	*number++ = '\0';
	root = strrchr(copy, '.');
	if (!root)
		return NULL;
	*root++ = '\0';
	c = core_find(a, copy);
	ret->root = (uint32_t)strtoul(root, &end, 10);
	if (!c || !*root || *end || ret->root >= c->policy->n_roots)
		return NULL;
	ret->number = strtoull(number, &end, 16);
	return *number && !*end && ret->number ? c : NULL;
}

/* What is to be restored, by id or by path. Returns 0, -ENOENT or -errno. */
static int read_target(struct agent *a, const char *target,
	struct component **ret, struct trash_pick *ret_pick, char **ret_below)
{
	struct located place = {0};
	int r;

	if (target[0] != '/') {
		*ret = read_id(a, target, ret_pick);
		return *ret ? 0 : -ENOENT;
	}
	r = locate(a, target, &place);
	if (r == 0 && !place.component)
		r = -ENOENT;
	if (r == 0) {
		*ret = place.component;
		ret_pick->root = (uint32_t)place.root;
		*ret_below = strdup(place.rel.data ? place.rel.data : "");
		if (!*ret_below)
			r = -ENOMEM;
	}
	locate_fini(&place);
	return r;
}

bool methods_trash_why(struct component *c, struct control_call *call,
	json *reply, const char *path)
{
	struct component *same;
	struct trash_pick pick = {0};
	mem_autofree char *below = NULL;
	struct undoing *u;

	if (c->cleanup || c->errand || !feed_trash_totals(c->feed, 0).files ||
		read_target(c->agent, path, &same, &pick, &below) < 0)
		return false;
	u = begin(c->agent, call, TRASH_LIST, c);
	if (!u) {
		json_object_put(reply);
		return true;
	}
	u->pick = pick;
	u->below = mem_take(below);
	u->why = reply;
	return true;
}

void methods_restore_trash(
	void *ctx, struct control_call *call, json *parameters)
{
	const char *target = json_get_text(parameters, "target");
	struct component *c = NULL;
	struct trash_pick pick = {0};
	mem_autofree char *below = NULL;
	struct undoing *u;
	int r = target ? read_target(ctx, target, &c, &pick, &below) : -EINVAL;

	if (r == -ENOENT)
		control_fail(call, "NotFound",
			"neither an id of ullagectl trash list nor a path "
			"below a managed directory");
	else if (r < 0)
		control_invalid(call, "target");
	if (r < 0)
		return;
	u = begin(ctx, call, TRASH_RESTORE, c);
	if (!u)
		return;
	u->pick = pick;
	u->below = mem_take(below);
	if (!u->below)
		u->stage = STAGE_DO;
}

/* Nothing is deleted now, and why. False: it may be. */
static bool refuse_emptying(struct agent *a, const struct component *one,
	struct control_call *call, bool is_dry_run)
{
	for (size_t i = 0; i < a->n_components; i++) {
		const struct component *c = &a->components[i];

		if ((one && one != c) || core_is_trusted(a, c))
			continue;
		control_fail(call, "NotTrusted",
			"the index is not exact at the moment; try again when "
			"status says so");
		return true;
	}
	if (!a->is_panic || is_dry_run)
		return false;
	control_fail(call, "Failed",
		"the panic latch is set: ullagectl panic --release lifts it");
	return true;
}

void methods_empty_trash(void *ctx, struct control_call *call, json *parameters)
{
	bool is_dry_run = json_get_bool(parameters, "dryRun");
	struct component *one;
	struct undoing *u;

	if (!methods_filter(ctx, call, parameters, &one) ||
		refuse_emptying(ctx, one, call, is_dry_run))
		return;
	u = begin(ctx, call, TRASH_EMPTY, one);
	if (!u)
		return;
	u->is_forced = json_get_bool(parameters, "force");
	u->is_dry_run = is_dry_run;
}
