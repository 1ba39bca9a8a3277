// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* One value of the configuration, from JSON into its field. */

#include "policy/params.h"
#include "policy/policy.h"
#include "policy/problem.h"

struct json_object;

/* What a value is read for. */
struct reading {
	struct problems *problems;
	struct source *src;
	const struct config_env *env;
	/* Directories in "paths" of the policy, and where each was named;
	 * for the checks that come when all is read. */
	const struct scan_node **root_nodes;
	size_t n_roots, cap_roots, cap_nodes;
	bool is_type_given[N_STYPES];
};

/*
 * Checks value and puts it into the field of param in target (struct config
 * or policy); what was there before is freed. node is NULL for a default:
 * then names of strategies, users and groups are not looked up. What is wrong
 * goes to the problems, and the field stays.
 * Returns 0 or -ENOMEM.
 */
int value_set(struct reading *r, const struct param *param,
	struct json_object *json, const struct scan_node *node, void *target);

/* Adds a directory to a policy. node: where it was named, or NULL. */
int value_add_root(struct reading *r, struct policy *p, const char *path,
	enum stype type, const struct scan_node *node);
