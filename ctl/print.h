// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Output for people: colours, bars, numbers. No control character of what
 * the agent sent reaches the terminal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"

struct json_object;

enum color {
	COLOR_NONE,
	COLOR_GOOD,
	COLOR_WARNING,
	COLOR_BAD,
	COLOR_DIM,
	COLOR_TITLE
};

struct print {
	FILE *out;
	bool is_terminal;
	bool is_color;
	bool is_utf8;
};

/* What stdout can show. wants_color: it was not forbidden. */
void print_init(struct print *p, bool wants_color);

/* Appends text as it may be shown. Returns 0 or -ENOMEM. */
int print_clean(const struct print *p, struct buf *b, const char *text);
/* Columns that text takes on the screen. */
size_t print_width(const struct print *p, const char *text);

/* Prints, cleaned and in a colour. */
void print_text(const struct print *p, enum color color, const char *fmt, ...)
	mem_printf(3, 4);
/* A message on stderr: "ullagectl: ..." */
void print_error(const char *fmt, ...) mem_printf(1, 2);

/* As JSON: indented on a terminal unless is_line, else on one line. */
void print_json(const struct print *p, struct json_object *o, bool is_line);

/* How bad a level is: "ok", "warning", "emergency", "critical". */
enum color print_level_color(const char *level);

#define PRINT_BAR_SIZE 64
/* A bar of n_cells (at most 20), full at used >= whole. */
const char *print_bar(const struct print *p, uint64_t used, uint64_t whole,
	unsigned n_cells, char ret[PRINT_BAR_SIZE]);

#define PRINT_COUNT_SIZE 32
/* "1,234,567" */
const char *print_count(uint64_t n, char ret[PRINT_COUNT_SIZE]);

/* One of eight heights, "" where they cannot be shown. */
const char *print_spark(const struct print *p, uint64_t n, uint64_t most);
