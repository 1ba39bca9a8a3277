// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What state.c, which saves, and state_load.c, which restores, share; nobody
 * else includes it. */

#include <stdbool.h>
#include <stddef.h>

struct agent;
struct alert;
struct cleanup_result;
struct figures;
struct json_object;

#define STATE_VERSION 1

/* Which start of the machine this is; "" if the kernel does not tell. */
void state_boot_id(char ret[37]);
/* False: it makes no sense. ret is owned by the caller. */
bool state_read_alert(struct json_object *o, struct alert *ret);
bool state_read_cleanup(struct json_object *o, struct cleanup_result *ret);
/* Takes those that are exact now. The list is the caller's. */
struct json_object *state_write_figures(struct agent *a);
/* How many of the components have any. */
size_t state_n_figures(const struct agent *a);
/* ret_component is borrowed from o. */
bool state_read_figures(
	struct json_object *o, const char **ret_component, struct figures *ret);
