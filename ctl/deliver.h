// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What is done with a reply, wherever it came from. */

#include <stdbool.h>

#include "ctl/print.h"

struct args;
struct json_object;

struct delivery {
	const struct args *args;
	struct print print;
	bool has_progress; /* shown on stderr, to be wiped */
};

/* Shows a reply, or prints it as JSON. Returns its exit code. */
int deliver_reply(struct delivery *d, struct json_object *reply);
/* Shows how far a cleanup is. */
void deliver_progress(struct delivery *d, struct json_object *reply);
