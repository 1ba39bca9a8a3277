// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the kernel's table of mounts: what is found lies above the
 * path. And a line as the kernel writes it, of a mount point and a source of
 * any bytes: both are found as they were.
 */
#include "fuzz.h"

#include <errno.h>

#include "watch/mountinfo.h"

static int find(
	const void *lines, size_t len, const char *path, struct mountinfo *ret)
{
	FILE *file = fmemopen((void *)lines, len, "r");
	int r;

	must(file != NULL);
	r = mountinfo_find(file, path, ret);
	fclose(file);
	return r;
}

static void any(const void *lines, size_t len)
{
	static const char path[] = "/srv/data/feeds";
	struct mountinfo m;
	int r = len ? find(lines, len, path, &m) : -ENOENT;

	must(r == 0 || r == -ENOENT);
	if (r == 0)
		must(strncmp(m.point, path, strlen(m.point)) == 0);
}

/* mangle() of the kernel. */
static void put_mangled(struct buf *b, const char *text)
{
	for (; *text; text++)
		must((strchr(" \t\n\\#", *text) ? buf_printf(b, "\\%03o", *text)
						: buf_put(b, text, 1)) == 0);
}

static void around(const char *point, const char *source)
{
	buf_auto struct buf lines = {0}, path = {0};
	struct mountinfo m;

	must(buf_puts(&lines, "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
			      "23 22 0:42 / /") == 0);
	put_mangled(&lines, point);
	must(buf_puts(&lines, " rw,nosuid shared:7 - fuse.x ") == 0);
	put_mangled(&lines, source);
	must(buf_puts(&lines, " rw\n") == 0);
	must(buf_printf(&path, "/%s", point) == 0);
	must(find(lines.data, lines.len, path.data, &m) == 0);
	must(strcmp(m.point, path.data) == 0);
	must(strcmp(m.source, source) == 0);
	/* A name that only begins alike is not below it. */
	must(buf_puts(&path, "x") == 0);
	must(find(lines.data, lines.len, path.data, &m) == 0);
	must(!*point || strcmp(m.point, "/") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	mem_autofree char *point = input_string(&in, 4094);
	mem_autofree char *source = input_string(&in, 255);

	any(data, size);
	around(point, source);
	return 0;
}
