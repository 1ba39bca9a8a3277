// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "act/audit.h"
#include "act/extent.h"
#include "act/inuse.h"
#include "act/keep.h"
#include "act/quarantine.h"
#include "act/trash.h"
#include "base/fd.h"
#include "policy/admit.h"
#include "policy/policy.h"

static void refuse(struct site_root *root, enum reason reason, int r)
{
	root->refused = reason;
	root->error = r < 0 ? -r : 0;
	root->fd = fd_close(root->fd);
}

/* ---- roots ---- */

/* The measure of its filesystem, shared with other roots on it. */
static int find_gain(struct sites *s, struct site_root *root)
{
	int r;

	for (size_t i = 0; i < s->n_gains; i++)
		if (s->gains[i].dev == root->st.id.dev) {
			root->gain = &s->gains[i];
			return 0;
		}
	r = gain_init(&s->gains[s->n_gains], root->st.id.dev, root->fd);
	if (r == 0)
		root->gain = &s->gains[s->n_gains++];
	return r;
}

static void open_root(struct sites *s, size_t i, const struct admitted *known)
{
	struct site_root *root = &s->roots[i];
	struct admitted now;
	int r = admit_root(s->policy->roots[i].path, known, &now, &root->fd);

	if (r == X_E_ADMIT_CHANGED) {
		refuse(root, REASON_ROOT, 0);
		return;
	}
	if (r < 0) {
		refuse(root, r == -ENOSYS ? REASON_UNSUPPORTED : REASON_ROOT,
			r);
		return;
	}
	/* Of what is open, not of what admit_root saw. */
	r = beneath_stat(root->fd, "", &root->st);
	if (r == 0)
		r = inuse_is_supported(root->fd);
	if (r == 0)
		r = find_gain(s, root);
	if (r == 0)
		root->can_be_shared = extent_can_be_shared(root->fd);
	if (r < 0)
		refuse(root,
			r == -EOPNOTSUPP ? REASON_UNSUPPORTED : REASON_ERROR,
			r);
}

static void open_once(struct sites *s, size_t i, const struct admitted *known)
{
	if (s->roots[i].fd < 0 && s->roots[i].refused == REASON_DELETED)
		open_root(s, i, &known[i]);
}

/* The newest files of a type may be in any of its roots. */
static void need(struct sites *s, size_t root, const struct admitted *known)
{
	const struct policy *policy = s->policy;
	enum stype type = policy->roots[root].type;

	open_once(s, root, known);
	if (s->is_type_kept[type] || !policy->rules.keep_newest[type])
		return;
	s->is_type_kept[type] = true;
	for (size_t i = 0; i < s->n_roots; i++)
		if (policy->roots[i].type == type)
			open_once(s, i, known);
}

int site_open(struct sites *s, const struct policy *policy,
	const struct admitted *known, const struct plan *plan)
{
	int r;

	*s = (struct sites){
		.policy = policy, .n_roots = policy->n_roots, .own_fd = -1};
	s->place.dir_fd = -1;
	s->roots = calloc(s->n_roots + 1, sizeof(*s->roots));
	s->gains = calloc(s->n_roots + 1, sizeof(*s->gains));
	for (size_t i = 0; s->roots && i < s->n_roots; i++)
		s->roots[i].fd = -1;
	if (!s->roots || !s->gains) {
		site_close(s);
		return -ENOMEM;
	}
	r = inuse_open_own(&s->own_fd);
	if (r < 0 && r != -EOPNOTSUPP) {
		site_close(s);
		return r;
	}
	for (size_t i = 0; i < plan->n_items; i++)
		if (plan->items[i].root < s->n_roots)
			need(s, plan->items[i].root, known);
	return 0;
}

void site_close(struct sites *s)
{
	if (!s->policy) /* it was never opened */
		return;
	site_leave(s);
	for (size_t i = 0; s->roots && i < s->n_roots; i++) {
		trash_close(s->roots[i].trash);
		quarantine_close(s->roots[i].quarantine);
		fd_close(s->roots[i].fd);
	}
	s->own_fd = fd_close(s->own_fd);
	free(s->roots);
	free(s->gains);
	s->roots = NULL;
	s->gains = NULL;
}

size_t site_fds(const struct sites *s, int *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_roots; i++)
		if (s->roots[i].fd >= 0)
			ret[n++] = s->roots[i].fd;
	return n;
}

int site_find_newest(const struct sites *s, struct keep *keep)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_roots; i++) {
		enum stype type = s->policy->roots[i].type;

		if (s->is_type_kept[type] && s->roots[i].fd >= 0)
			r = keep_walk(
				keep, &s->policy->rules, type, s->roots[i].fd);
	}
	keep_seal(keep);
	return r;
}

static void found_one(void *ctx, const char *path, bool is_restored)
{
	audit_found(ctx, path, is_restored);
}

void site_lock(struct sites *s, struct audit *audit)
{
	struct quarantine_found found = {.on_each = found_one, .ctx = audit};

	for (size_t i = 0; i < s->n_roots; i++) {
		struct site_root *root = &s->roots[i];
		int r;

		if (root->fd < 0)
			continue;
		audit->root = s->policy->roots[i].path;
		r = quarantine_open(root->fd, &root->quarantine);
		if (r == 0)
			r = quarantine_recover(root->quarantine, &found);
		if (r == X_E_QUARANTINE_BUSY)
			refuse(root, REASON_BUSY, 0);
		else if (r < 0)
			refuse(root, REASON_ERROR, r);
	}
	audit_flush(audit);
}

void site_use_trash(struct sites *s)
{
	for (size_t i = 0; i < s->n_roots; i++) {
		struct site_root *root = &s->roots[i];
		int r = root->fd < 0 ? 0
				     : trash_open(root->fd, true, &root->trash);

		/* No room to make it: then there is none for an undo. */
		if (r < 0 && r != -ENOSPC && r != -EDQUOT)
			refuse(root, REASON_ERROR, r);
	}
}

struct gain *site_gain(const struct sites *s, const struct candidate *c)
{
	return s->roots[c->root].gain;
}

/* ---- the directory at hand ---- */

void site_leave(struct sites *s)
{
	s->place.dir_fd = fd_close(s->place.dir_fd);
	s->at = NULL;
}

static enum reason explain_open(int r)
{
	switch (r) {
	case 0:
		return REASON_DELETED;
	case -ENOENT:
		return REASON_GONE;
	case -ENOTDIR:
	case -ELOOP:
		return REASON_CHANGED;
	case -EXDEV:
		return REASON_MOUNT;
	default:
		return REASON_ERROR;
	}
}

/* A lock on a directory is meant for all below it. Those on the way down are
 * only looked at; the root is where the way begins.
 * Returns 0, X_E_INUSE_BUSY or -errno. */
static int look_above(const struct site_root *root, const char *rel_dir,
	bool is_urgent, bool *is_open)
{
	buf_auto struct buf path = {0};
	char *slash;
	int r;

	if (!*rel_dir)
		return 0;
	r = buf_puts(&path, rel_dir);
	while (r == 0) {
		fd_auto int fd = -1;
		struct beneath_stat dir;

		slash = strrchr(path.data, '/');
		if (slash)
			*slash = '\0';
		r = beneath_open_dir(root->fd, slash ? path.data : "", &fd);
		if (r == 0)
			r = beneath_stat(fd, "", &dir);
		if (r == 0)
			r = inuse_dir_locked(fd, is_urgent);
		*is_open |= r == 0 && reap_is_open(&dir);
		if (!slash)
			break;
	}
	return r;
}

/* Returns 0, X_E_INUSE_BUSY or -errno. */
static int open_place(struct sites *s, const struct candidate *c)
{
	const struct site_root *root = &s->roots[c->root];
	fd_auto int fd = -1;
	struct beneath_stat dir;
	bool is_open = false;
	int r = look_above(root, c->rel_dir, s->is_urgent, &is_open);

	if (r == 0)
		r = beneath_open_dir(root->fd, c->rel_dir, &fd);
	if (r == 0)
		r = beneath_stat(fd, "", &dir);
	if (r == 0 && dir.id.dev != root->st.id.dev)
		r = -EXDEV;
	if (r == 0)
		r = inuse_dir_lock(fd, s->is_urgent);
	if (r)
		return r;
	s->place = (struct reap_place){
		.dir_fd = fd_take(&fd),
		.own_fd = s->own_fd,
		.is_open = is_open || reap_is_open(&dir),
		.root_uid = root->st.uid,
		.root_dev = root->st.id.dev,
		.type = s->policy->roots[c->root].type,
		.quarantine = root->quarantine,
		.can_be_shared = root->can_be_shared,
		.trash = root->trash,
	};
	return 0;
}

static bool is_at(const struct sites *s, const struct candidate *c)
{
	return s->at && s->at->root == c->root &&
	       (s->at->rel_dir == c->rel_dir ||
		       strcmp(s->at->rel_dir, c->rel_dir) == 0);
}

enum reason site_enter(struct sites *s, const struct candidate *c,
	const struct reap_place **ret, int *ret_error)
{
	const struct site_root *root;
	int r;

	*ret_error = 0;
	/* a root that the policy does not have */
	if (c->root >= s->n_roots)
		return REASON_ROOT;
	root = &s->roots[c->root];
	if (root->refused != REASON_DELETED) {
		*ret_error = root->error;
		return root->refused;
	}
	if (quarantine_is_in(c->rel_dir))
		return REASON_PROTECTED;
	if (!is_at(s, c)) {
		site_leave(s);
		r = open_place(s, c);
		s->refused =
			r == X_E_INUSE_BUSY ? REASON_BUSY : explain_open(r);
		s->error = s->refused == REASON_ERROR ? -r : 0;
		s->at = c;
	}
	*ret_error = s->error;
	if (s->refused == REASON_DELETED)
		*ret = &s->place;
	return s->refused;
}
