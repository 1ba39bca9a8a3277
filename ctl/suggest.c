// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/suggest.h"

#include <string.h>

#include "base/mem.h"

#define LONGEST 31

size_t suggest_distance(const char *a, const char *b)
{
	size_t d[LONGEST + 1][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > LONGEST || lb > LONGEST)
		return LONGEST + 1;
	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			size_t least = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			least = MIN_OF(least, d[i - 1][j] + 1);
			least = MIN_OF(least, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1])
				least = MIN_OF(least, d[i - 2][j - 2] + 1);
			d[i][j] = least;
		}
	}
	return d[la][lb];
}

int suggest_is_near(const char *a, const char *b)
{
	size_t len = strlen(a);

	if (len >= 2 && strncmp(a, b, len) == 0)
		return 1;
	return suggest_distance(a, b) <= (len < 5 ? 1 : 2);
}
