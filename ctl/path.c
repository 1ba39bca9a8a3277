// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/path.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"

/* Without ".", ".." and doubled slashes, by the text alone: for what is no
 * longer there. path is absolute and changed in place. */
static int put_lexical(struct buf *b, char *path)
{
	char *rest = path, *part;
	int r = 0;

	while (r == 0 && (part = strsep(&rest, "/"))) {
		char *slash;

		if (!*part || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") != 0) {
			r = buf_printf(b, "/%s", part);
			continue;
		}
		slash = b->len ? strrchr(b->data, '/') : NULL;
		if (slash) {
			b->len = (size_t)(slash - b->data);
			*slash = '\0';
		}
	}
	return r == 0 && b->len == 0 ? buf_puts(b, "/") : r;
}

static int put_absolute(struct buf *b, const char *path)
{
	mem_autofree char *cwd = NULL;

	if (path[0] == '/')
		return buf_puts(b, path);
	cwd = getcwd(NULL, 0);
	return cwd ? buf_printf(b, "%s/%s", cwd, path) : -errno;
}

/* By the disk: only the directories are followed. -ENOENT and the like if
 * they are not there. */
static int put_real(struct buf *b, const char *path)
{
	mem_autofree char *for_dir = strdup(path);
	mem_autofree char *for_name = strdup(path);
	mem_autofree char *dir = NULL;
	const char *name;

	if (!for_dir || !for_name)
		return -ENOMEM;
	name = basename(for_name);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strcmp(name, "/") == 0) {
		dir = realpath(path, NULL);
		return dir ? buf_puts(b, dir) : -errno;
	}
	dir = realpath(dirname(for_dir), NULL);
	if (!dir)
		return -errno;
	return buf_printf(b, "%s/%s", strcmp(dir, "/") ? dir : "", name);
}

int path_resolve(const char *path, char **ret)
{
	buf_auto struct buf absolute = {0};
	buf_auto struct buf clean = {0};
	struct buf escaped = {0};
	int r = put_absolute(&absolute, path);

	if (r < 0)
		return r;
	r = put_real(&clean, absolute.data);
	if (r < 0 && r != -ENOMEM) {
		buf_reset(&clean);
		r = put_lexical(&clean, absolute.data);
	}
	if (r == 0)
		r = escape_name(&escaped, clean.data, clean.len);
	if (r < 0) {
		buf_fini(&escaped);
		return r;
	}
	*ret = escaped.data;
	return 0;
}
