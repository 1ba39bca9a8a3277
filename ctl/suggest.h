// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>

/* How many letters must be changed, added, left out or exchanged with their
 * neighbour to make b of a; words beyond 31 letters are far from all others.
 * (Optimal string alignment: Damerau 1964, Levenshtein 1966.) */
size_t suggest_distance(const char *a, const char *b);

/* Whether b is what somebody who wrote a may have meant. */
int suggest_is_near(const char *a, const char *b);
