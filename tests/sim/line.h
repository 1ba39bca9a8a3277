// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* One line of a story: WORD ARGUMENT... KEY=VALUE... FLAG... What is asked
 * for counts as understood; a value that cannot be read ends the program. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

#define MAX_WORDS 40

struct line {
	const char *file;
	int number;
	char *words[MAX_WORDS];
	bool is_used[MAX_WORDS];
	size_t n;
};

/* Cuts text into words, in place; a '#' begins a remark. */
void line_split(struct line *l, char *text);
_Noreturn void line_give_up(const struct line *l, const char *fmt, ...)
	mem_printf(2, 3);

/* Word i, which must be there. */
const char *line_argument(struct line *l, size_t i);
bool line_flag(struct line *l, const char *word);
/* The value of KEY=VALUE, or NULL. */
const char *line_option(struct line *l, const char *key);
/* These leave ret as it is if there is no such key. */
void line_size(struct line *l, const char *key, uint64_t *ret);
void line_duration(struct line *l, const char *key, int64_t *ret);
/* A size, or a share of the whole. */
uint64_t line_limit(struct line *l, const char *key, const char *fallback,
	uint64_t whole_bytes);
/* Seconds; may be negative. */
int64_t line_parse_duration(const struct line *l, const char *text);
