// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* JSON objects put together by pointers of plain keys. */

#include "base/mem.h"

struct json_object;

/* Puts value (taken) at pointer below top, making the objects on the way.
 * A NULL value is out of memory. Returns 0 or -ENOMEM. */
int tree_put(struct json_object *top, const char *pointer,
	struct json_object *value);
/* Appends the text for people: two blanks a level, a newline at the end.
 * Returns 0 or -ENOMEM. */
int tree_print(struct json_object *top, struct buf *ret);
