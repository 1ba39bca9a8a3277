// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Do values that are each allowed make sense together? */

#include "policy/admit.h"
#include "policy/policy.h"
#include "policy/problem.h"

/* Where a policy and each of its directories came from. */
struct origin {
	struct source *src;
	const struct scan_node **root_nodes; /* owned; NULL: a base directory */
};

/* Of ullage.json: the order of the levels, quiet hours, silences. */
void sense_check_main(
	struct problems *p, struct source *src, const struct config *c);

/* What no directory may be or lie above: admit_path_among. */
struct sense_taboo {
	const char **own_paths; /* NULL-terminated */
	struct admit_homes homes;
};

/* Of one policy: levels against each other and the allocation, directories,
 * patterns; and remarks about what nobody may want. Returns 0 or -ENOMEM. */
int sense_check_policy(struct problems *p, const struct origin *origin,
	const struct policy *policy, const struct sense_taboo *taboo);

/* Of all policies (origins in the same order): one file a component, no
 * directory in or above another. Returns 0 or -ENOMEM. */
int sense_check_all(struct problems *p, const struct origin *origins,
	const struct policy *policies, size_t n);
