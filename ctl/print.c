// SPDX-License-Identifier: GPL-2.0-or-later
#define _XOPEN_SOURCE 700 /* wcwidth */
#include "ctl/print.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <json-c/json.h>

#include "base/escape.h"
#include "proto/jsoncheck.h"

static const char *const color_codes[] = {
	[COLOR_NONE] = "",
	[COLOR_GOOD] = "\033[32m",
	[COLOR_WARNING] = "\033[33m",
	[COLOR_BAD] = "\033[1;31m",
	[COLOR_DIM] = "\033[2m",
	[COLOR_TITLE] = "\033[1m",
};

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

void print_init(struct print *p, bool wants_color)
{
	const char *term = getenv("TERM");
	bool is_dumb = !term || strcmp(term, "dumb") == 0;

	p->out = stdout;
	p->is_terminal = isatty(STDOUT_FILENO);
	p->is_color = p->is_terminal && wants_color && !is_dumb &&
		      !is_set("NO_COLOR");
	p->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static uint32_t decode(const char *text, size_t n)
{
	const unsigned char *u = (const unsigned char *)text;
	uint32_t code = n == 1 ? u[0] : u[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | (u[i] & 0x3f);
	return code;
}

int print_clean(const struct print *p, struct buf *b, const char *text)
{
	size_t len = strlen(text);
	int r = 0;

	for (size_t i = 0; i < len && r == 0;) {
		size_t n = jsoncheck_utf8(text + i, len - i);

		if (n == 0 || escape_is_control(decode(text + i, n)) ||
			(n > 1 && !p->is_utf8))
			r = buf_puts(b, "?");
		else
			r = buf_put(b, text + i, n);
		i += n ? n : 1;
	}
	return r;
}

size_t print_width(const struct print *p, const char *text)
{
	size_t len = strlen(text), width = 0;

	if (!p->is_utf8)
		return len;
	for (size_t i = 0; i < len;) {
		size_t n = jsoncheck_utf8(text + i, len - i);
		int w = n ? wcwidth((wchar_t)decode(text + i, n)) : 1;

		width += w > 0 ? (size_t)w : 0;
		i += n ? n : 1;
	}
	return width;
}

void print_text(const struct print *p, enum color color, const char *fmt, ...)
{
	buf_auto struct buf raw = {0};
	buf_auto struct buf clean = {0};
	bool is_colored = p->is_color && color != COLOR_NONE;
	size_t len;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	if (r < 0 || !raw.len)
		return;
	/* A line's end is ours, not the agent's. */
	len = raw.len - (raw.data[raw.len - 1] == '\n');
	raw.data[len] = '\0';
	if (print_clean(p, &clean, raw.data) < 0)
		return;
	fprintf(p->out, "%s%s%s%s", is_colored ? color_codes[color] : "",
		clean.data ? clean.data : "", is_colored ? "\033[0m" : "",
		len < raw.len ? "\n" : "");
}

void print_error(const char *fmt, ...)
{
	struct print p = {.is_utf8 = true};
	buf_auto struct buf raw = {0};
	char *rest, *line;
	va_list ap;
	int r;

	p.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	va_start(ap, fmt);
	r = buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	/* What was printed before comes before. */
	fflush(stdout);
	rest = r == 0 ? raw.data : NULL;
	while ((line = strsep(&rest, "\n"))) {
		buf_auto struct buf clean = {0};

		if (print_clean(&p, &clean, line) == 0 && clean.len)
			fprintf(stderr, "ullagectl: %s\n", clean.data);
	}
}

/* Controls that JSON lets pass stand only in strings: \u says the same. */
static void put_json(FILE *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		size_t n = jsoncheck_utf8(text + i, len - i);
		uint32_t code = n ? decode(text + i, n) : 0xfffd;

		if (n == 0 || (code != '\n' && escape_is_control(code)))
			fprintf(out, "\\u%04x", code);
		else
			fwrite(text + i, 1, n, out);
		i += n ? n : 1;
	}
	fputc('\n', out);
}

void print_json(const struct print *p, struct json_object *o, bool is_line)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;

	if (p->is_terminal && !is_line)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	else
		flags |= JSON_C_TO_STRING_PLAIN;
	text = json_object_to_json_string_ext(o, flags);
	if (text)
		put_json(p->out, text);
}

enum color print_level_color(const char *level)
{
	if (strcmp(level, "ok") == 0)
		return COLOR_GOOD;
	if (strcmp(level, "warning") == 0)
		return COLOR_WARNING;
	if (strcmp(level, "critical") == 0 || strcmp(level, "emergency") == 0)
		return COLOR_BAD;
	return COLOR_NONE;
}

const char *print_bar(const struct print *p, uint64_t used, uint64_t whole,
	unsigned n_cells, char ret[PRINT_BAR_SIZE])
{
	const char *full = p->is_utf8 ? "█" : "#";
	const char *empty = p->is_utf8 ? "░" : "-";
	uint64_t n =
		whole ? mem_mul_div(MIN_OF(used, whole), n_cells, whole) : 0;
	char *at = ret;

	/* A little is not nothing; less than half a cell is. */
	if (n == 0 && whole && mem_mul_div(used, 2 * n_cells, whole))
		n = 1;
	for (unsigned i = 0; i < n_cells; i++)
		at = stpcpy(at, i < n ? full : empty);
	*at = '\0';
	return ret;
}

const char *print_count(uint64_t n, char ret[PRINT_COUNT_SIZE])
{
	char digits[24];
	int len =
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	char *at = ret;

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return ret;
}

const char *print_spark(const struct print *p, uint64_t n, uint64_t most)
{
	static const char *const heights[] = {
		"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

	if (!p->is_utf8)
		return "";
	return heights[most ? mem_mul_div(MIN_OF(n, most), 7, most) : 0];
}
