// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * File names are any bytes; records and JSON are not. escape_name makes a
 * lossless, printable, valid UTF-8 form: bytes that are no valid UTF-8,
 * control characters (C0, DEL, C1), line and bidi controls (U+2028, U+2029,
 * U+200E, U+200F, U+202A..U+202E, U+2066..U+2069, U+061C, U+FEFF) become
 * \xHH byte by byte, a backslash becomes \\.
 */

#include <stddef.h>

#include "base/mem.h"

/* Appends the escaped form of len bytes. Returns 0 or -ENOMEM. */
int escape_name(struct buf *b, const char *name, size_t len);
/* The same for text that people read: a backslash stays, so that escaped
 * names within it stay as they are. Not to be undone. */
int escape_line(struct buf *b, const char *text, size_t len);
/* The front of text, as far as it fits into size bytes with its NUL, and no
 * half a character. */
void escape_fit(char *ret, size_t size, const char *text);
/* Appends the bytes that an escaped form stands for.
 * Returns 0, -ENOMEM, or -EINVAL for a bad escape. */
int escape_undo(struct buf *b, const char *text);
