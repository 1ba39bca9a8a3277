// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/slot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/ballast.h"
#include "base/mem.h"

#define ROOM "~room."

enum slot_kind slot_kind(const char *name, uint64_t *ret_n)
{
	size_t digits = strspn(name, "0123456789abcdef");

	if (strncmp(name, ROOM, strlen(ROOM)) == 0)
		return SLOT_ROOM;
	if (ballast_is_name(name))
		return SLOT_BALLAST;
	if (!digits || digits > 16)
		return SLOT_FOREIGN;
	*ret_n = strtoull(name, NULL, 16);
	name += digits;
	if (*name == '=')
		return SLOT_FILE;
	if (strcmp(name, "~file") == 0)
		return SLOT_LONG_FILE;
	return strncmp(name, "~path.", 6) == 0 ? SLOT_LINK : SLOT_FOREIGN;
}

/* Appends text so that it holds no slash. False: no room. */
static bool put_escaped(struct quarantine_slot *s, size_t *at, const char *text)
{
	for (; *text; text++) {
		bool is_special = *text == '/' || *text == '%';

		if (*at + (is_special ? 2 : 1) > NAME_MAX)
			return false;
		if (is_special)
			s->name[(*at)++] = '%';
		s->name[(*at)++] = *text == '/' ? 's' : *text;
	}
	s->name[*at] = '\0';
	return true;
}

bool slot_name(uint64_t n, const char *rel_dir, const char *name,
	struct quarantine_slot *ret)
{
	size_t at = (size_t)snprintf(
		ret->name, sizeof(ret->name), "%llx=", (unsigned long long)n);

	ret->n_links = 0;
	if (*rel_dir)
		if (!put_escaped(ret, &at, rel_dir) ||
			!put_escaped(ret, &at, "/"))
			return false;
	return put_escaped(ret, &at, name);
}

void slot_name_long(uint64_t n, char ret[SLOT_SHORT])
{
	snprintf(ret, SLOT_SHORT, "%llx~file", (unsigned long long)n);
}

void slot_name_link(uint64_t n, uint32_t i, char ret[SLOT_SHORT])
{
	snprintf(ret, SLOT_SHORT, "%llx~path.%u", (unsigned long long)n, i);
}

void slot_name_room(unsigned int i, char ret[NAME_MAX + 1])
{
	int len = snprintf(ret, NAME_MAX + 1, ROOM "%u", i);

	memset(ret + len, '.', (size_t)(NAME_MAX - len));
	ret[NAME_MAX] = '\0';
}

int slot_read(const char *slot, struct buf *ret)
{
	const char *text = strchr(slot, '=');

	if (!text)
		return -ENOENT;
	while (*++text) {
		char c = *text;

		if (c == '%') {
			text++;
			if (*text != 's' && *text != '%')
				return -ENOENT;
			c = *text == 's' ? '/' : '%';
		}
		if (buf_put(ret, &c, 1) < 0)
			return -ENOMEM;
	}
	return 0;
}

bool slot_split(struct buf *path, const char **ret_dir, const char **ret_name)
{
	char *slash;

	if (!path->len || path->data[0] == '/')
		return false;
	slash = strrchr(path->data, '/');
	*ret_dir = slash ? path->data : "";
	*ret_name = slash ? slash + 1 : path->data;
	if (slash)
		*slash = '\0';
	return **ret_name && strcmp(*ret_name, ".") != 0 &&
	       strcmp(*ret_name, "..") != 0;
}
