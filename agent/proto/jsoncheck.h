// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * A strict look at JSON text from strangers before a lenient parser sees it:
 * RFC 8259 to the letter, at most JSONCHECK_DEPTH levels, valid UTF-8, no
 * NUL in a string, no lone surrogate, integers within 64 bits.
 */

#include <stddef.h>

#define JSONCHECK_DEPTH 32

struct json_object;

/*
 * Checks that text is one JSON value with nothing but white space around it.
 * ret_members: how many members its objects have together; a parser that
 * keeps fewer (jsoncheck_members) has met a key twice. Returns 0 or -EBADMSG.
 */
int jsoncheck_text(const char *text, size_t len, size_t *ret_members);
/* How many members all objects in o have together. */
size_t jsoncheck_members(struct json_object *o);

/* The length of the UTF-8 sequence at the start of len > 0 bytes (1 to 4),
 * or 0 if they start none: overlong, surrogate, beyond U+10FFFF, cut. */
size_t jsoncheck_utf8(const char *text, size_t len);
