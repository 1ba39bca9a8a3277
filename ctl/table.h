// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A table for people: cells first, then columns as wide as they need. */

#include "ctl/print.h"

struct table_column {
	const char *title;
	bool is_right; /* numbers */
};

struct table;

/* columns is borrowed, ended by a NULL title. NULL without memory: every
 * function here takes that, and prints nothing. */
struct table *table_new(
	const struct print *p, const struct table_column *columns);
/* The next cell, row by row. */
void table_put(struct table *t, enum color color, const char *fmt, ...)
	mem_printf(3, 4);
/* A size, a count, a level: the usual cells. */
void table_size(struct table *t, uint64_t bytes);
void table_count(struct table *t, uint64_t n);
void table_level(struct table *t, const char *level);
/* Prints it, with its titles, and frees it. */
void table_end(struct table *t);
