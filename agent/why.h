// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Why a file is kept, or would go: before the fact, from memory. */

#include "model/plan.h"
#include "strategies/strategies.h"

struct agent;
struct component;
struct json_object;

/*
 * The reply of Why for a path. Returns 0 and a new object, -EINVAL for a path
 * that is not absolute, or -ENOMEM. ret_probe: if the rules would let the
 * file go, its component and pick, for a reaper to look at the file itself
 * (without deleting); else component is NULL.
 */
struct why_probe {
	struct component *component;
	struct pick pick;
	/* It is not there, but may lie in this component's trash. */
	struct component *absent_from;
};
int why_path(struct agent *a, const char *path, struct json_object **ret,
	struct why_probe *ret_probe);
/* What the trash says of an absent file: it lies there since at_real_s. */
void why_add_trashed(struct json_object *reply, const struct component *c,
	int64_t at_real_s, enum plan_rule rule);
/* What the reaper said of it: corrects the reply. */
void why_correct(struct json_object *reply, const struct skipped *said);
