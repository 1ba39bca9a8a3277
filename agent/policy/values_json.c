// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/value_impl.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "policy/admit.h"

/* Patterns and owners are gone through for every file there is. */
#define MAX_ITEMS 4096
/* Room for a base directory of each type is left. */
#define MAX_PATHS (POLICY_MAX_ROOTS - N_STYPES)

/* Calls set with each string of an array; what is no string is told. */
static int each_text(const struct value *v,
	int (*set)(const struct value *v, const struct scan_node *node,
		const char *text))
{
	size_t n;

	if (!json_object_is_type(v->json, json_type_array))
		return value_wrong_type(v);
	n = json_object_array_length(v->json);
	if (n > MAX_ITEMS) {
		problem_add(v->r->problems, v->r->src, v->node, "over %u items",
			MAX_ITEMS);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct value item = *v;
		int e;

		item.json = json_object_array_get_idx(v->json, i);
		item.node = v->node ? scan_json_item(&v->r->src->scan, v->node,
					      (uint32_t)i)
				    : NULL;
		if (!value_text(&item)) {
			problem_add(v->r->problems, v->r->src, item.node,
				"expected %s, found %s",
				value_item_needs(v->param->kind),
				value_type_name(item.json));
			continue;
		}
		e = set(v, item.node, value_text(&item));
		if (e < 0)
			return e;
	}
	return 0;
}

static int add_text(
	const struct value *v, const struct scan_node *node, const char *text)
{
	char ***items = v->field;
	size_t *n = (size_t *)((char *)v->target + v->param->at_n);
	char **grown;

	(void)node;
	grown = reallocarray(*items, *n + 1, sizeof(**items));
	if (!grown)
		return -ENOMEM;
	*items = grown;
	grown[*n] = strdup(text);
	if (!grown[*n])
		return -ENOMEM;
	++*n;
	return 0;
}

int values_set_texts(const struct value *v)
{
	return each_text(v, add_text);
}

/* A part of a path that no path has: the pattern would match nothing. */
static const char *part_fault(const char *part, size_t len)
{
	if (len == 0)
		return "nothing stands between two \"/\"";
	if (strncmp(part, ".", len) == 0 || strncmp(part, "..", len) == 0)
		return "no path has \".\" or \"..\" in it";
	return NULL;
}

static const char *parts_fault(const char *text)
{
	const char *why = NULL;

	for (text += *text == '/'; !why && *text;) {
		size_t len = strcspn(text, "/");

		why = part_fault(text, len);
		text += len + (text[len] == '/');
	}
	return why;
}

static unsigned char take_member(const char **at)
{
	*at += **at == '\\' && (*at)[1];
	return (unsigned char)*(*at)++;
}

/* As model/rules.c reads the members of a set, up to its end. */
static bool has_empty_range(const char *at, const char *end)
{
	while (at < end) {
		unsigned char low = take_member(&at);

		if (at + 1 < end && *at == '-') {
			at++;
			if (take_member(&at) < low)
				return true;
		}
	}
	return false;
}

/* What is wrong with a pattern, or NULL. */
static const char *pattern_fault(const char *text)
{
	size_t n = strlen(text), first = strspn(text, "/");
	const char *why;

	if (text[first] == '\0')
		return "it is empty";
	if (n > RULES_PATTERN_MAX)
		return "it is longer than 1023 bytes";
	why = parts_fault(text);
	if (why)
		return why;
	for (; *text; text++)
		if (*text == '\\') {
			if (!*++text)
				return "nothing follows \"\\\"";
		} else if (*text == '{') {
			return "\"{\" makes no alternatives: write a pattern "
			       "for each, or \"\\{\" for the character";
		} else if (*text == '[') {
			/* "]" as the first of a set is a member */
			const char *set = text + 1, *members;

			set += *set == '!' || *set == '^';
			members = set;
			set += *set == ']';
			if (strncmp(set, "[:", 2) == 0)
				return "\"[:\" names no class: write a range, "
				       "such as [a-zA-Z]";
			text = strchr(set, ']');
			if (!text)
				return "\"[\" is not closed";
			if (has_empty_range(members, text))
				return "a range goes from the lower to the "
				       "higher";
		}
	return NULL;
}

static int add_pattern(
	const struct value *v, const struct scan_node *node, const char *text)
{
	const char *why = pattern_fault(text);

	return why ? value_wrong_text(v, node, text, why)
		   : add_text(v, node, text);
}

int values_set_patterns(const struct value *v)
{
	return each_text(v, add_pattern);
}

static int add_user(
	const struct value *v, const struct scan_node *node, const char *text)
{
	uint32_t uid;

	if (value_find_user(v, node, text, &uid) < 0)
		return -ENOMEM;
	return add_text(v, node, text);
}

int values_set_users(const struct value *v)
{
	return each_text(v, add_user);
}

/* An owner who is not known (if that is let pass) is one who owns nothing:
 * without any, the list would mean everybody whose directory it is. */
static int add_owner(
	const struct value *v, const struct scan_node *node, const char *text)
{
	struct rules *rules = v->field;
	uint32_t uid;
	uid_t *grown;

	if (strcmp(text, "*") == 0) {
		rules->is_any_owner = true;
		return 0;
	}
	if (value_find_user(v, node, text, &uid) < 0)
		return -ENOMEM;
	grown = reallocarray(
		rules->owners, rules->n_owners + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rules->owners = grown;
	grown[rules->n_owners++] = (uid_t)uid;
	return 0;
}

int values_set_owners(const struct value *v)
{
	const struct rules *rules = v->field;
	int e;

	if (json_object_is_type(v->json, json_type_array) &&
		json_object_array_length(v->json) == 0)
		problem_add(v->r->problems, v->r->src, v->node,
			"an empty list is not allowed: name users, or \"*\", "
			"or leave the key out");
	e = each_text(v, add_owner);
	if (e == 0 && rules->is_any_owner && rules->n_owners)
		problem_add(v->r->problems, v->r->src, v->node,
			"\"*\" is anyone: name it alone, or name users");
	return e;
}

int value_add_root(struct reading *r, struct policy *p, const char *path,
	enum stype type, const struct scan_node *node)
{
	struct root *root;

	if (mem_grow((void **)&p->roots, &r->cap_roots, p->n_roots + 1,
		    sizeof(*p->roots)) < 0 ||
		mem_grow((void **)&r->root_nodes, &r->cap_nodes, p->n_roots + 1,
			sizeof(*r->root_nodes)) < 0)
		return -ENOMEM;
	root = &p->roots[p->n_roots];
	*root = (struct root){.type = type, .is_base = node == NULL};
	root->path = strdup(path);
	if (!root->path)
		return -ENOMEM;
	r->root_nodes[p->n_roots++] = node;
	return 0;
}

static int add_path(
	const struct value *v, const struct scan_node *node, const char *text)
{
	buf_auto struct buf why = {0};
	struct policy *p = v->target;
	int e = admit_normal(text, &why);

	if (e == -EPERM)
		return value_wrong_text(v, node, text, why.data);
	if (e < 0)
		return e;
	if (strlen(text) > 3800)
		return value_wrong_text(v, node, text, "it is too long");
	if (p->n_roots == MAX_PATHS) {
		problem_add(v->r->problems, v->r->src, node,
			"over %u directories in one policy", MAX_PATHS);
		return 0;
	}
	return value_add_root(v->r, p, text, v->param->stype, node);
}

int values_set_paths(const struct value *v)
{
	v->r->is_type_given[v->param->stype] = true;
	return each_text(v, add_path);
}
