// SPDX-License-Identifier: GPL-2.0-or-later
#include "watch/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* 36 35 98:0 /root /point options tag:1 tag:2 - type source options */
#define FIELD_POINT 4

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Space, tab, newline, backslash and # are written as three octal digits. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && is_octal(s[1]) && is_octal(s[2]) &&
			is_octal(s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool is_above(const char *point, const char *path)
{
	size_t len = strlen(point);

	if (strcmp(point, "/") == 0)
		return true;
	return strncmp(point, path, len) == 0 &&
	       (path[len] == '/' || !path[len]);
}

/* Takes the line apart, in place. False: it is none. */
static bool split(char *line, char **ret_point, char **ret_source)
{
	char *rest, *point = NULL, *source;

	line[strcspn(line, "\n")] = '\0';
	/* No field holds a blank. */
	rest = strstr(line, " - ");
	if (!rest)
		return false;
	*rest = '\0';
	rest += strlen(" - ");
	for (int i = 0; i <= FIELD_POINT; i++)
		point = strsep(&line, " ");
	(void)strsep(&rest, " ");
	source = strsep(&rest, " ");
	if (!point || !source)
		return false;
	unescape(point);
	unescape(source);
	*ret_point = point;
	*ret_source = source;
	return *point == '/';
}

int mountinfo_find(FILE *lines, const char *path, struct mountinfo *ret)
{
	mem_autofree char *line = NULL;
	size_t best = 0, cap = 0;

	errno = 0;
	while (getline(&line, &cap, lines) > 0) {
		char *point, *source;

		if (!split(line, &point, &source) || strlen(point) < best ||
			strlen(point) >= sizeof(ret->point) ||
			!is_above(point, path))
			continue;
		best = strlen(point);
		strcpy(ret->point, point);
		snprintf(ret->source, sizeof(ret->source), "%s", source);
	}
	if (errno == ENOMEM)
		return -ENOMEM;
	return best ? 0 : -ENOENT;
}
