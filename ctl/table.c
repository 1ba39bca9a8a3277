// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

struct cell {
	char *text;
	enum color color;
};

struct table {
	const struct print *print;
	const struct table_column *columns;
	size_t n_columns;
	struct cell *cells;
	size_t n_cells, cap;
};

struct table *table_new(
	const struct print *p, const struct table_column *columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t) {
		print_error("out of memory");
		return NULL;
	}
	t->print = p;
	t->columns = columns;
	while (columns[t->n_columns].title)
		t->n_columns++;
	for (size_t i = 0; i < t->n_columns; i++)
		table_put(t, COLOR_TITLE, "%s", columns[i].title);
	return t;
}

void table_put(struct table *t, enum color color, const char *fmt, ...)
{
	buf_auto struct buf raw = {0};
	struct buf clean = {0};
	va_list ap;
	int r;

	if (!t)
		return;
	va_start(ap, fmt);
	r = buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	if (r == 0)
		r = mem_grow((void **)&t->cells, &t->cap, t->n_cells + 1,
			sizeof(*t->cells));
	if (r == 0)
		r = buf_puts(&clean, "");
	if (r == 0)
		r = print_clean(t->print, &clean, raw.data);
	if (r < 0) {
		buf_fini(&clean);
		return;
	}
	t->cells[t->n_cells++] = (struct cell){clean.data, color};
}

void table_size(struct table *t, uint64_t bytes)
{
	char text[UNITS_SIZE];

	table_put(t, COLOR_NONE, "%s", units_size(bytes, text));
}

void table_count(struct table *t, uint64_t n)
{
	char text[PRINT_COUNT_SIZE];

	table_put(t, COLOR_NONE, "%s", print_count(n, text));
}

void table_level(struct table *t, const char *level)
{
	table_put(t, print_level_color(level), "%s", level);
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < t->n_cells; i += t->n_columns)
		width = MAX_OF(width, print_width(t->print, t->cells[i].text));
	return width;
}

static void pad(FILE *out, size_t n)
{
	while (n--)
		fputc(' ', out);
}

static void print_cell(const struct table *t, size_t i, size_t width)
{
	const struct cell *cell = &t->cells[i];
	size_t column = i % t->n_columns;
	size_t gap = width - print_width(t->print, cell->text);
	bool is_last = column + 1 == t->n_columns;

	if (t->columns[column].is_right)
		pad(t->print->out, gap);
	print_text(t->print, cell->color, "%s", cell->text);
	if (!t->columns[column].is_right && !is_last)
		pad(t->print->out, gap);
	fputs(is_last ? "\n" : "  ", t->print->out);
}

static void table_print(const struct table *t)
{
	size_t *widths = calloc(t->n_columns, sizeof(*widths));

	if (!widths) {
		print_error("out of memory");
		return;
	}
	for (size_t i = 0; i < t->n_columns; i++)
		widths[i] = column_width(t, i);
	for (size_t i = 0; i < t->n_cells; i++)
		print_cell(t, i, widths[i % t->n_columns]);
	free(widths);
}

void table_end(struct table *t)
{
	if (!t)
		return;
	table_print(t);
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}
