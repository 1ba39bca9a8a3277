// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/problem.h"

#include <string.h>

#include "base/escape.h"

static int put_line(struct buf *out, const struct source *src, size_t at,
	const struct scan_node *node, const char *what)
{
	buf_auto struct buf line = {0};
	unsigned row, column;
	int e;

	scan_json_place(&src->scan, at, &row, &column);
	e = escape_name(&line, src->file, strlen(src->file));
	if (e == 0)
		e = buf_printf(&line, ":%u:%u: ", row, column);
	if (e == 0)
		e = scan_json_pointer(node, &line);
	if (e == 0)
		e = buf_printf(&line, ": %s\n", what);
	return e < 0 ? e : buf_put(out, line.data, line.len);
}

static const struct scan_node *node_or_whole(
	const struct source *src, const struct scan_node *node)
{
	return node ? node : src->scan.nodes;
}

void problem_add_at(struct problems *p, struct source *src, size_t at,
	const struct scan_node *node, const char *what)
{
	p->is_any = true;
	src->n_problems++;
	if (!p->errors || src->n_problems > PROBLEM_MAX + 1)
		return;
	if (src->n_problems == PROBLEM_MAX + 1)
		what = "more problems follow: mend these first";
	if (put_line(p->errors, src, at, node, what) < 0)
		p->is_oom = true;
}

static void mem_printf(5, 0) add(struct problems *p, struct source *src,
	size_t at, const struct scan_node *node, const char *fmt, va_list ap)
{
	buf_auto struct buf what = {0};

	p->is_any = true;
	if (buf_vprintf(&what, fmt, ap) < 0)
		p->is_oom = true;
	else
		problem_add_at(p, src, at, node, what.data);
}

/* Of a text that could not be read for want of memory nothing can be said. */
static bool is_lost(struct problems *p, const struct scan_node *node)
{
	if (!node)
		p->is_any = p->is_oom = true;
	return !node;
}

void problem_add(struct problems *p, struct source *src,
	const struct scan_node *node, const char *fmt, ...)
{
	va_list ap;

	node = node_or_whole(src, node);
	if (is_lost(p, node))
		return;
	va_start(ap, fmt);
	add(p, src, node->at, node, fmt, ap);
	va_end(ap);
}

void problem_add_key(struct problems *p, struct source *src,
	const struct scan_node *node, const char *fmt, ...)
{
	va_list ap;

	node = node_or_whole(src, node);
	if (is_lost(p, node))
		return;
	va_start(ap, fmt);
	add(p, src, node->key_at, node, fmt, ap);
	va_end(ap);
}

void problem_note(struct problems *p, struct source *src,
	const struct scan_node *node, const char *fmt, ...)
{
	buf_auto struct buf what = {0};
	va_list ap;
	int e;

	if (!p->notes || src->n_notes++ >= PROBLEM_MAX)
		return;
	node = node_or_whole(src, node);
	if (is_lost(p, node))
		return;
	va_start(ap, fmt);
	e = buf_vprintf(&what, fmt, ap);
	va_end(ap);
	if (e < 0 || put_line(p->notes, src, node->key_at, node, what.data) < 0)
		p->is_oom = true;
}
