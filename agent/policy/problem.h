// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Where the problems of a configuration are collected, each as a line
 * file:line:column: /json/pointer: what, and what is allowed. */

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "policy/scan_json.h"

#define PROBLEM_MAX 20 /* told of one file, and as many remarks */

/* A file that is being judged. */
struct source {
	const char *file; /* borrowed */
	struct scan scan;
	unsigned n_problems; /* also those that were not told */
	unsigned n_notes;
};

struct problems {
	struct buf *errors; /* may be NULL: counted, not told */
	struct buf *notes; /* may be NULL */
	bool is_any; /* an error was added */
	bool is_oom;
};

/* An error at a value, at its key, or at any place inside of it. A NULL node
 * is the whole file. */
void problem_add(struct problems *p, struct source *src,
	const struct scan_node *node, const char *fmt, ...) mem_printf(4, 5);
void problem_add_key(struct problems *p, struct source *src,
	const struct scan_node *node, const char *fmt, ...) mem_printf(4, 5);
void problem_add_at(struct problems *p, struct source *src, size_t at,
	const struct scan_node *node, const char *what);
/* A remark; no error. */
void problem_note(struct problems *p, struct source *src,
	const struct scan_node *node, const char *fmt, ...) mem_printf(4, 5);
