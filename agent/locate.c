// SPDX-License-Identifier: GPL-2.0-or-later
#include "locate.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "core.h"

void locate_fini(struct located *p)
{
	buf_fini(&p->rel);
	*p = (struct located){0};
}

/* What path has below root, or NULL. */
static const char *below(const char *path, const char *root)
{
	size_t len = strlen(root);

	if (strncmp(path, root, len) != 0)
		return NULL;
	if (!path[len])
		return path + len;
	return path[len] == '/' ? path + len + 1 : NULL;
}

static const char *find_root(
	struct agent *a, const char *path, struct located *ret)
{
	for (size_t i = 0; i < a->n_components; i++) {
		struct component *c = &a->components[i];

		for (size_t r = 0; r < c->policy->n_roots; r++) {
			const char *rel = below(path, c->policy->roots[r].path);

			if (!rel)
				continue;
			ret->component = c;
			ret->root = r;
			return rel;
		}
	}
	return NULL;
}

static void find_nodes(struct located *p)
{
	const struct index *ix = feed_index(p->component->feed);
	uint32_t root = feed_root(p->component->feed, p->root)->node;
	char *slash = strrchr(p->rel.data, '/');

	p->name = slash ? slash + 1 : p->rel.data;
	if (root == INDEX_NONE)
		return;
	p->node = index_find_dir(ix, root, p->rel.data);
	if (slash)
		*slash = '\0';
	p->parent = slash ? index_find_dir(ix, root, p->rel.data) : root;
	if (slash)
		*slash = '/';
}

/* Takes trailing slashes off, and doubles. */
static int normalise(const char *path, struct buf *ret)
{
	int r = 0;

	for (; r == 0 && *path; path++)
		if (*path != '/' || (path[1] && path[1] != '/'))
			r = buf_put(ret, path, 1);
	return r ? r : buf_put(ret, "", 0);
}

int locate(struct agent *a, const char *path, struct located *ret)
{
	buf_auto struct buf raw = {0};
	buf_auto struct buf clean = {0};
	struct located p = {.node = INDEX_NONE, .parent = INDEX_NONE};
	const char *rel;
	int r;

	if (path[0] != '/')
		return -EINVAL;
	r = escape_undo(&raw, path);
	if (r == 0)
		r = normalise(raw.data, &clean);
	if (r < 0)
		return r;
	rel = find_root(a, clean.data, &p);
	if (rel) {
		r = buf_puts(&p.rel, rel);
		if (r < 0)
			return r;
		find_nodes(&p);
	}
	*ret = p;
	return 0;
}
