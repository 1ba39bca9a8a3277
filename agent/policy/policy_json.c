// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/policy_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "policy/admit.h"
#include "policy/params.h"
#include "policy/problem.h"
#include "policy/scan_text.h"
#include "policy/sense.h"
#include "policy/suggest.h"
#include "policy/value_json.h"

#define MAX_POINTER 64 /* bytes of the pointer of any known key */
#define MAX_KEYS    48 /* known keys beside each other */

/* Everything of one call; the configuration leaves it only at its end. */
struct parse {
	const struct config_env *env;
	struct problems problems;
	struct config *config;
	size_t cap_policies;
	struct source *sources; /* as bundle->files; one more for no file */
	size_t n_sources;
	struct origin *origins; /* as config->policies */
	struct sense_taboo taboo;
	bool is_root_refused;
};

static void on_fault(
	void *ctx, size_t at, const struct scan_node *node, const char *what)
{
	struct reading *r = ctx;

	problem_add_at(r->problems, r->src, at, node, what);
}

static json_object *tokenize(const struct scan *scan)
{
	/* the scanner bounds the depth; json-c counts scalars as a level */
	struct json_tokener *tok = json_tokener_new_ex(SCAN_MAX_DEPTH + 2);
	json_object *json;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
	json = json_tokener_parse_ex(tok, scan->text, (int)scan->len);
	json_tokener_free(tok);
	return json;
}

/* Scans and parses one text. *ret stays NULL if it was refused. */
static int read_json(
	struct reading *r, const char *text, size_t len, json_object **ret)
{
	struct source *src = r->src;
	json_object *json;
	int e = scan_json_run(&src->scan, text, len, on_fault, r);

	if (e == -EBADMSG)
		return 0;
	if (e < 0)
		return e;
	if (src->scan.text[src->scan.nodes->at] != '{') {
		problem_add(
			r->problems, src, NULL, "expected an object: { ... }");
		return 0;
	}
	json = tokenize(&src->scan);
	if (!json)
		problem_add(r->problems, src, NULL, "json-c refuses this file");
	*ret = json;
	return 0;
}

static const char *suggest_key(
	const struct param_table *table, const char *parent, const char *key)
{
	const char *keys[MAX_KEYS + 1] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < table->n_params && n < MAX_KEYS; i++)
		if (param_is_child(&table->params[i], parent))
			keys[n++] = param_key(&table->params[i]);
	return suggest_nearest(key, keys);
}

/* The same key at another place of the same file, if there is but one. */
static const char *elsewhere(const struct param_table *table, const char *key)
{
	const char *found = NULL;

	for (size_t i = 0; i < table->n_params; i++)
		if (strcmp(param_key(&table->params[i]), key) == 0) {
			if (found)
				return NULL;
			found = table->params[i].pointer;
		}
	return found;
}

static int unknown_key(struct reading *r, const struct param_table *table,
	const char *parent, const struct scan_node *node)
{
	buf_auto struct buf hint = {0};
	const char *near = suggest_key(table, parent, node->key);
	const char *place = elsewhere(table, node->key);
	int e = 0, n = 0;

	if (near)
		e = buf_printf(&hint, "; did you mean \"%s\"?", near);
	else if (place)
		e = buf_printf(&hint, "; did you mean %s?", place);
	for (size_t i = 0; !hint.len && i < table->n_params && e == 0; i++)
		if (param_is_child(&table->params[i], parent))
			n++;
	if (n)
		e = buf_puts(&hint, ": allowed are");
	for (size_t i = 0; n && i < table->n_params && e == 0; i++)
		if (param_is_child(&table->params[i], parent) &&
			table->params[i].pointer[1] != '$')
			e = buf_printf(
				&hint, " %s", param_key(&table->params[i]));
	if (e < 0)
		return e;
	problem_add_key(r->problems, r->src, node, "unknown key%s", hint.data);
	return 0;
}

static void note_inactive(struct reading *r, const struct param *param,
	json_object *json, const struct scan_node *node)
{
	bool is_off = json_object_is_type(json, json_type_boolean) &&
		      !json_object_get_boolean(json);

	if (param->is_inactive && !is_off)
		problem_note(r->problems, r->src, node,
			"read and checked, but not active yet");
}

static int read_members(struct reading *r, const struct param_table *table,
	json_object *json, const struct scan_node *node, const char *pointer,
	void *target);

static int read_member(struct reading *r, const struct param_table *table,
	json_object *json, const struct scan_node *node, const char *parent,
	void *target)
{
	const struct param *param = NULL;
	char pointer[MAX_POINTER];
	int n = snprintf(pointer, sizeof(pointer), "%s/%s", parent, node->key);

	if (n < (int)sizeof(pointer) && !strchr(node->key, '/'))
		param = param_find(table, pointer);
	if (!param)
		return unknown_key(r, table, parent, node);
	note_inactive(r, param, json, node);
	if (param->kind == PARAM_OBJECT &&
		json_object_is_type(json, json_type_object))
		return read_members(r, table, json, node, pointer, target);
	return value_set(r, param, json, node, target);
}

/* In the order of the text, so that problems are told in it. */
static int read_members(struct reading *r, const struct param_table *table,
	json_object *json, const struct scan_node *node, const char *pointer,
	void *target)
{
	const struct scan *scan = &r->src->scan;
	int e = 0;

	for (size_t i = 0; i < scan->n_nodes && e == 0; i++) {
		const struct scan_node *member = &scan->nodes[i];
		json_object *value;

		if (member->parent != node)
			continue;
		value = json_object_object_get(json, member->key);
		e = read_member(r, table, value, member, pointer, target);
	}
	return e;
}

static int add_missing(struct reading *r, const struct param_table *table)
{
	for (size_t i = 0; i < table->n_params; i++) {
		const struct param *param = &table->params[i];
		buf_auto struct buf allowed = {0};

		if (!param->is_required ||
			scan_json_find(&r->src->scan, param->pointer))
			continue;
		if (param_put_allowed(param, &allowed) < 0)
			return -ENOMEM;
		problem_add(r->problems, r->src, NULL,
			"\"%s\" is missing: expected %s", param_key(param),
			allowed.data);
	}
	return 0;
}

static int set_fallback(struct reading *r, const struct param *param,
	const struct config *config, void *target)
{
	json_object *json;
	int e;

	if (param->inherits) {
		const struct param *from =
			param_find(param_table(true), param->inherits);

		memcpy((char *)target + param->at,
			(const char *)config + from->at,
			param_field_size(param->kind));
		return 0;
	}
	if (!param->fallback)
		return 0;
	json = json_tokener_parse(param->fallback);
	if (!json)
		return -ENOMEM;
	e = value_set(r, param, json, NULL, target);
	json_object_put(json);
	return e;
}

/* Defaults first, then what the file says. */
static int read_file(struct reading *r, const struct param_table *table,
	const struct bundle_file *file, const struct config *config,
	void *target)
{
	json_object *json = NULL;
	int e = 0;

	for (size_t i = 0; i < table->n_params && e == 0; i++)
		e = set_fallback(r, &table->params[i], config, target);
	if (e == 0)
		e = read_json(r, file->text, file->len, &json);
	if (e == 0 && json) {
		e = read_members(
			r, table, json, r->src->scan.nodes, "", target);
		if (e == 0)
			e = add_missing(r, table);
	}
	json_object_put(json);
	return e;
}

static int override(char **field, const char *text)
{
	char *copy;

	if (!text)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int check_override(struct parse *p, const char *option, const char *path)
{
	buf_auto struct buf why = {0};
	int e = path ? admit_normal(path, &why) : 0;

	if (e != -EPERM)
		return e;
	p->problems.is_any = true;
	if (!p->problems.errors)
		return 0;
	return buf_printf(p->problems.errors, "%s: %s\n", option, why.data);
}

static int apply_overrides(struct parse *p)
{
	const struct config_env *env = p->env;

	if (check_override(p, "--root", env->root_override) < 0 ||
		check_override(p, "--state", env->state_override) < 0 ||
		check_override(p, "--socket", env->socket_override) < 0 ||
		override(&p->config->root, env->root_override) < 0 ||
		override(&p->config->state_file, env->state_override) < 0 ||
		override(&p->config->socket_path, env->socket_override) < 0)
		return -ENOMEM;
	return 0;
}

/* A base directory that nobody could use is told once, not for each policy. */
static int check_root(struct parse *p, struct source *src)
{
	buf_auto struct buf probe = {0}, why = {0};
	const char *root = p->config->root;
	int e = buf_printf(&probe, "%s/%s/x", strcmp(root, "/") ? root : "",
		stype_name(STYPE_DATA));

	if (e == 0)
		e = admit_path_among(probe.data, NULL, &p->taboo.homes, &why);
	if (e != -EPERM)
		return e;
	p->is_root_refused = true;
	if (!p->env->root_override) {
		problem_add(&p->problems, src,
			scan_json_find(&src->scan, "/root"),
			"\"%s\" cannot be managed: %s", probe.data, why.data);
		return 0;
	}
	p->problems.is_any = true;
	if (!p->problems.errors)
		return 0;
	return buf_printf(p->problems.errors,
		"--root: \"%s\" cannot be managed: %s\n", probe.data, why.data);
}

static int read_main(
	struct parse *p, const struct bundle_file *file, struct source *src)
{
	struct reading r = {
		.problems = &p->problems,
		.src = src,
		.env = p->env,
	};
	int e;

	src->file = file->path;
	e = read_file(&r, param_table(true), file, p->config, p->config);
	if (e == 0 && src->scan.nodes)
		sense_check_main(&p->problems, src, p->config);
	if (e == 0)
		e = apply_overrides(p);
	return e < 0 ? e : check_root(p, src);
}

/* <root>/<type>/<component> of the types that "paths" does not name. */
static int add_base_roots(
	struct reading *r, struct policy *policy, const char *root)
{
	for (int i = 0; i < N_STYPES; i++) {
		buf_auto struct buf path = {0};
		enum stype type = (enum stype)i;

		if (r->is_type_given[i])
			continue;
		if (buf_printf(&path, "%s/%s/%s",
			    strcmp(root, "/") == 0 ? "" : root,
			    stype_name(type), policy->component) < 0 ||
			value_add_root(r, policy, path.data, type, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_policy(
	struct parse *p, const struct bundle_file *file, struct source *src)
{
	struct policy *policy = &p->config->policies[p->config->n_policies];
	struct origin *origin = &p->origins[p->config->n_policies];
	struct reading r = {
		.problems = &p->problems,
		.src = src,
		.env = p->env,
	};
	int e;

	p->config->n_policies++;
	src->file = file->path;
	for (int i = 0; i < N_STYPES; i++)
		policy->rules.retention_s[i] = RULES_FOREVER;
	e = override(&policy->file, file->path);
	if (e == 0)
		e = read_file(&r, param_table(false), file, p->config, policy);
	if (e == 0 && policy->component && !p->is_root_refused)
		e = add_base_roots(&r, policy, p->config->root);
	*origin = (struct origin){src, r.root_nodes};
	if (e == 0 && policy->component)
		e = sense_check_policy(&p->problems, origin, policy, &p->taboo);
	return e;
}

static int list_own_paths(struct parse *p, const struct bundle *b)
{
	size_t n = 0;

	p->taboo.own_paths =
		calloc(b->n_files + 4, sizeof(*p->taboo.own_paths));
	if (!p->taboo.own_paths)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_files; i++)
		p->taboo.own_paths[n++] = b->files[i].path;
	p->taboo.own_paths[n++] = p->config->state_file;
	p->taboo.own_paths[n++] = p->config->socket_path;
	p->taboo.own_paths[n++] = p->config->hooks_dir;
	return 0;
}

static int read_all(struct parse *p, const struct bundle *b)
{
	static const struct bundle_file none = {
		(char *)"(defaults)", (char *)"{}", 2, true};
	const struct bundle_file *main_file = &none;
	size_t at = b->n_files;
	int e;

	for (size_t i = 0; i < b->n_files; i++)
		if (b->files[i].is_main) {
			main_file = &b->files[i];
			at = i;
		}
	e = read_main(p, main_file, &p->sources[at]);
	if (e == 0)
		e = list_own_paths(p, b);
	for (size_t i = 0; i < b->n_files && e == 0; i++)
		if (!b->files[i].is_main)
			e = read_policy(p, &b->files[i], &p->sources[i]);
	if (e == 0)
		e = sense_check_all(&p->problems, p->origins,
			p->config->policies, p->config->n_policies);
	return e;
}

static int compare_policies(const void *a, const void *b)
{
	return strcmp(((const struct policy *)a)->component,
		((const struct policy *)b)->component);
}

/* The same bytes and overrides make the same configuration. */
static int digest(
	const struct bundle *b, const struct config_env *env, uint64_t *ret)
{
	static const struct hash_key key = {0x756c6c616765, 1};
	buf_auto struct buf all = {0};
	const char *more[] = {
		env->root_override, env->state_override, env->socket_override};
	int e = bundle_encode(b, &all);

	for (size_t i = 0; i < ARRAY_SIZE(more) && e == 0; i++)
		e = buf_put(&all, more[i] ? more[i] : "",
			more[i] ? strlen(more[i]) + 1 : 1);
	if (e == 0)
		*ret = hash_bytes(key, all.data, all.len);
	return e;
}

static void parse_fini(struct parse *p)
{
	for (size_t i = 0; p->sources && i < p->n_sources; i++)
		scan_json_fini(&p->sources[i].scan);
	for (size_t i = 0; p->origins && i < p->n_sources; i++)
		free(p->origins[i].root_nodes);
	free(p->sources);
	free(p->origins);
	free(p->taboo.own_paths);
	admit_homes_fini(&p->taboo.homes);
	config_free(p->config);
}

static int prepare(struct parse *p, const struct bundle *b)
{
	p->n_sources = b->n_files + 1;
	p->sources = calloc(p->n_sources, sizeof(*p->sources));
	p->origins = calloc(p->n_sources, sizeof(*p->origins));
	p->config = calloc(1, sizeof(*p->config));
	if (!p->sources || !p->origins || !p->config)
		return -ENOMEM;
	p->config->policies =
		calloc(p->n_sources, sizeof(*p->config->policies));
	return p->config->policies ? admit_homes_read(&p->taboo.homes)
				   : -ENOMEM;
}

int config_parse(const struct bundle *b, const struct config_env *env,
	struct config **ret_config, struct buf *errors, struct buf *notes)
{
	struct parse p = {
		.env = env, .problems = {.errors = errors, .notes = notes}};
	int e = prepare(&p, b);

	if (e == 0)
		e = read_all(&p, b);
	if (e == 0)
		e = digest(b, env, &p.config->digest);
	if (e == 0 && p.problems.is_oom)
		e = -ENOMEM;
	if (e == 0 && p.problems.is_any)
		e = -EINVAL;
	if (e == 0) {
		qsort(p.config->policies, p.config->n_policies,
			sizeof(*p.config->policies), compare_policies);
		*ret_config = mem_take(p.config);
	}
	parse_fini(&p);
	return e;
}
