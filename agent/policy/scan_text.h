// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The words of JSON text: blanks, comments, strings, numbers. at is moved
 * behind what was read; on a fault it stays and bad says where it is. */

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* RFC 3629: no surrogates, nothing overlong, nothing over U+10FFFF. */
bool scan_text_is_utf8(const char *text, size_t len, size_t *ret_bad);
/* A byte order mark in front becomes blanks. */
void scan_text_blank_bom(char *text, size_t len);

/* Skips blanks; comments of both kinds are overwritten with blanks, all but
 * their line ends. Returns 0 or -EBADMSG (not closed). */
int scan_text_skip(char *text, size_t len, size_t *at, size_t *bad);

/*
 * A string from its opening quote on. out, if not NULL, takes the decoded
 * bytes and is moved behind them; it needs as much room as the quoted form.
 * Returns NULL, or what is wrong.
 */
const char *scan_text_string(
	const char *text, size_t len, size_t *at, size_t *bad, char **out);
/* A number. Returns NULL, or what is wrong. */
const char *scan_text_number(
	const char *text, size_t len, size_t *at, size_t *bad);
/* The length of the run of letters, digits, '_', '+', '.' and '-' at at. */
size_t scan_text_word(const char *text, size_t len, size_t at);

/* Appends at most 64 bytes of text for a message, escaped. */
int scan_text_quote(const char *text, size_t len, struct buf *ret);
/* Appends what stands at at, for a message. Returns 0 or -ENOMEM. */
int scan_text_describe(
	const char *text, size_t len, size_t at, struct buf *ret);
