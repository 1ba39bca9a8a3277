// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Tables that several verbs show. */

#include "ctl/print.h"

struct json_object;

/* The list in "alerts". */
void show_alerts(const struct print *p, struct json_object *reply);
/* The list in "cleanups". */
void show_cleanups(const struct print *p, struct json_object *reply);
/* The list in "blockers" of those whose name is known. */
void show_blockers(const struct print *p, struct json_object *reply);
/* The list in "skipped", with the agent's sentence for each reason. */
void show_skipped(const struct print *p, struct json_object *reply);
