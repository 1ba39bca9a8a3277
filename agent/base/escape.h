// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * File names are any bytes; records and JSON are not. escape_name makes a
 * lossless, printable, valid UTF-8 form: bytes that are no valid UTF-8 and
 * characters that are not to be printed (escape_is_control) become \xHH byte
 * by byte, a backslash becomes \\.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Appends the escaped form of len bytes. Returns 0 or -ENOMEM. */
int escape_name(struct buf *b, const char *name, size_t len);
/* The same for text that people read: a backslash stays, so that escaped
 * names within it stay as they are. Not to be undone. */
int escape_line(struct buf *b, const char *text, size_t len);
/* What moves the cursor, ends a line, turns the direction of writing, or is
 * not seen at all. */
bool escape_is_control(uint32_t c);
/* The front of text, as far as it fits into size bytes with its NUL, and no
 * half a character. */
void escape_fit(char *ret, size_t size, const char *text);
/* Appends the bytes that an escaped form stands for.
 * Returns 0, -ENOMEM, or -EINVAL for a bad escape. */
int escape_undo(struct buf *b, const char *text);
