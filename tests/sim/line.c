// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "policy/policy.h"

_Noreturn void line_give_up(const struct line *l, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", l->file, l->number);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

const char *line_option(struct line *l, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 1; i < l->n; i++)
		if (strncmp(l->words[i], key, len) == 0 &&
			l->words[i][len] == '=') {
			l->is_used[i] = true;
			return l->words[i] + len + 1;
		}
	return NULL;
}

bool line_flag(struct line *l, const char *word)
{
	for (size_t i = 1; i < l->n; i++)
		if (strcmp(l->words[i], word) == 0) {
			l->is_used[i] = true;
			return true;
		}
	return false;
}

const char *line_argument(struct line *l, size_t i)
{
	if (i >= l->n)
		line_give_up(l, "%s: something is missing", l->words[0]);
	l->is_used[i] = true;
	return l->words[i];
}

void line_size(struct line *l, const char *key, uint64_t *ret)
{
	const char *text = line_option(l, key);

	if (text && units_parse_size(text, ret) < 0)
		line_give_up(l, "%s: not a size", text);
}

int64_t line_parse_duration(const struct line *l, const char *text)
{
	bool is_negative = text[0] == '-';
	int64_t s;

	if (units_parse_duration(text + is_negative, &s) < 0)
		line_give_up(l, "%s: not a duration", text);
	return is_negative ? -s : s;
}

void line_duration(struct line *l, const char *key, int64_t *ret)
{
	const char *text = line_option(l, key);

	if (text)
		*ret = line_parse_duration(l, text);
}

uint64_t line_limit(struct line *l, const char *key, const char *fallback,
	uint64_t whole_bytes)
{
	const char *text = line_option(l, key);
	struct amount a = {.is_share = true};

	text = text ? text : fallback;
	if (units_parse_percent(text, &a.ppm) < 0) {
		a.is_share = false;
		if (units_parse_size(text, &a.bytes) < 0)
			line_give_up(l, "%s: neither share nor size", text);
	}
	return amount_bytes(&a, whole_bytes);
}

void line_split(struct line *l, char *text)
{
	text[strcspn(text, "#\n")] = '\0';
	l->n = 0;
	memset(l->is_used, 0, sizeof(l->is_used));
	for (char *word; (word = strsep(&text, " \t"));) {
		if (!*word)
			continue;
		if (l->n == MAX_WORDS)
			line_give_up(l, "too long");
		l->words[l->n++] = word;
	}
}
