// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The keys of ullage.json and of a policy: one table each. Reading, checking,
 * suggestions, the JSON Schema, the effective configuration and the manual
 * pages are made from them; a key that is not here does not exist.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/stype.h"

/* How a value is written, and the type of the field that takes it. */
#define PARAM_KIND_TABLE(X)                                                    \
	X(OBJECT, "an object")                                                 \
	X(COMPONENT, "a name of at most 64 of the characters a-z 0-9 . _ -, "  \
		     "beginning with a letter or digit")                       \
	X(TEXT, "a string")                                                    \
	X(BOOL, "true or false")                                               \
	X(CHOICE, "a word") /* enum */                                         \
	X(STRATEGY, "the name of a strategy")                                  \
	X(COUNT, "a whole number") /* uint64_t */                              \
	X(COUNT32, "a whole number") /* uint32_t */                            \
	X(DURATION, "a duration such as \"48h\", \"90d\" or \"10min\"")        \
	X(SHARE, "a share such as \"20%\"") /* uint32_t, ppm */                \
	X(LEVEL, "a share such as \"80%\"") /* struct amount */                \
	X(AMOUNT, "a size with a unit such as \"3000MB\", or a share such as " \
		  "\"20%\"") /* struct amount */                               \
	X(CLOCK, "a time of day such as \"08:00\"") /* minutes, uint16_t */    \
	X(PATH, "an absolute path")                                            \
	X(PATHS, "an array of absolute paths")                                 \
	X(USER, "a user name or number")                                       \
	X(GROUP, "a group name or number")                                     \
	X(OWNERS, "an array of user names or numbers, or [\"*\"]")             \
	X(USERS, "an array of user names or numbers")                          \
	X(PATTERNS, "an array of patterns such as \"*.lock\" or \"keys/**\"")  \
	X(TEXTS, "an array of strings")

enum param_kind {
#define X(id, needs) PARAM_##id,
	PARAM_KIND_TABLE(X)
#undef X
};

struct param {
	const char *pointer; /* "/limits/files" */
	enum param_kind kind;
	bool is_required;
	bool is_inactive; /* read and checked, but nothing acts on it yet */
	bool is_stored; /* in a field at offset at; else checked alone */
	bool is_forever_allowed; /* durations: "forever" */
	enum stype stype; /* PATHS: whose */
	size_t at; /* offset in struct config or policy */
	size_t at_n; /* arrays: offset of the number */
	/* bounds: seconds, counts, parts per million, or bytes (characters
	 * of paths); 0 and 0: none */
	uint64_t min, max;
	uint64_t min_ppm; /* AMOUNT, if written as a share */
	const char *const *choices; /* CHOICE, STRATEGY */
	const char *fallback; /* default, as JSON; NULL: none */
	const char *inherits; /* default is this key of ullage.json */
	const char *sentence; /* what it is for */
};

struct param_table {
	const struct param *params;
	size_t n_params;
};

const struct param_table *param_table(bool is_main);
/* By pointer; NULL if there is none. */
const struct param *param_find(
	const struct param_table *table, const char *pointer);
/* The key without its parents: "files" of "/limits/files". */
const char *param_key(const struct param *param);
/* Is param directly below parent ("" is the whole)? */
bool param_is_child(const struct param *param, const char *parent);
/* Appends what a value of it may be, as in "a duration such as "48h", from
 * 1s to 10y". Returns 0 or -ENOMEM. */
int param_put_allowed(const struct param *param, struct buf *ret);
/* Bytes of the field that takes a value; 0: it owns memory. */
size_t param_field_size(enum param_kind kind);
