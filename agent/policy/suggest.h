// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* "did you mean": the word somebody meant when he wrote another. */

/*
 * The nearest of the NULL-terminated words by edit distance (insert, delete,
 * replace, swap of neighbours; case does not count), or NULL if none is near:
 * at most a third of the word's length away, and at least one letter is.
 */
const char *suggest_nearest(const char *got, const char *const *words);
