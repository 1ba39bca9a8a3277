// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The scanner in front of json-c: json-c tells no positions and lets pass
 * what a configuration must not contain. It accepts RFC 8259 and comments,
 * refuses everything else, and remembers where each value stands.
 */

#include <stddef.h>
#include <stdint.h>

#include <bsd/sys/tree.h>

#include "base/mem.h"

#define SCAN_MAX_DEPTH	32
#define SCAN_MAX_VALUES 100000

/* One value of the text, found by parent and key (or index in an array). */
struct scan_node {
	RB_ENTRY(scan_node) by_name;
	const struct scan_node *parent; /* NULL: the whole text */
	const char *key; /* decoded, UTF-8; NULL in an array */
	uint32_t index; /* position in its parent */
	size_t key_at; /* offset of the key, or of the value without one */
	size_t at; /* offset of the value */
};

RB_HEAD(scan_tree, scan_node);

struct scan {
	char *text; /* a copy: comments are blanks, offsets are the same */
	size_t len;
	struct scan_node *nodes; /* in the order of the text; [0]: the whole */
	size_t n_nodes;
	struct scan_tree tree;
	char *keys; /* all decoded keys */
};

/* What is wrong at offset at, inside of node (never NULL, but it may hold no
 * value yet). what is one printable line. */
typedef void scan_fault_fn(
	void *ctx, size_t at, const struct scan_node *node, const char *what);

/*
 * Scans len bytes, NUL-terminated. Refused: bad UTF-8, unterminated strings
 * and comments, control characters and NUL in strings, halves of surrogate
 * pairs, duplicate keys, NaN and Infinity, integers beyond 64 bits, numbers
 * beyond 1e308, text after the value, more than SCAN_MAX_DEPTH levels or
 * SCAN_MAX_VALUES values. Of duplicate keys the first 32 are told, of the
 * rest the first.
 * Returns 0, -EBADMSG after a fault (positions remain usable), or -ENOMEM.
 * scan_json_fini in every case.
 */
int scan_json_run(struct scan *s, const char *text, size_t len,
	scan_fault_fn *on_fault, void *ctx);
void scan_json_fini(struct scan *s);

/* NULL if there is no such member or item. */
const struct scan_node *scan_json_member(
	const struct scan *s, const struct scan_node *parent, const char *key);
const struct scan_node *scan_json_item(
	const struct scan *s, const struct scan_node *parent, uint32_t index);
/* By a pointer of plain keys, such as "/limits/files"; "" is the whole. */
const struct scan_node *scan_json_find(
	const struct scan *s, const char *pointer);

/* Line and column (characters, not bytes) of an offset, both from 1. */
void scan_json_place(const struct scan *s, size_t at, unsigned *ret_line,
	unsigned *ret_column);
/* Appends the JSON pointer (RFC 6901), "/" for the whole text; unprintable
 * bytes escaped, long keys cut. Returns 0 or -ENOMEM. */
int scan_json_pointer(const struct scan_node *node, struct buf *ret);
