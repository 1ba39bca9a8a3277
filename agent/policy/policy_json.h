// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Bytes to configuration, all or nothing. */

#include "base/mem.h"
#include "policy/bundle.h"
#include "policy/policy.h"

/*
 * Parses every file of the bundle. Purely: touches no disk but the user
 * database. On success *ret_config is owned by the caller, and notes holds
 * one line a remark (such as: compression is read but not active yet).
 * On failure errors holds one line a problem,
 *   file:line:column: /json/pointer: what, and what is allowed
 * with a suggestion for misspelt keys, and nothing else changes.
 * Checked here: types, ranges, duplicate and unknown keys, overlapping roots
 * (over all policies), forbidden roots (admit.h), warning < critical,
 * target < warning, duplicate components.
 * Returns 0, -EINVAL, or -ENOMEM.
 */
int config_parse(const struct bundle *b, const struct config_env *env,
	struct config **ret_config, struct buf *errors, struct buf *notes);

/* The JSON Schema (draft 2020-12) of a policy, or of ullage.json, made from
 * the same table of keys. Returns 0 or -ENOMEM. */
int config_schema(bool is_main, struct buf *ret);
/* The effective configuration as JSON in the policy language (comments tell
 * nothing here): what the agent goes by, defaults filled in. component NULL:
 * ullage.json; else the policy of that component, with the paths of every
 * type. Read again it gives the same. -ENOENT: no such component. */
int config_show(const struct config *c, const char *component, struct buf *ret);
