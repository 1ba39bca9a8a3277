// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns what a unit's drop-in says. Must not look at any component's disk: it
 * goes by the configuration and the mount table.
 */
#include "warden_unit.h"

#include <errno.h>
#include <fnmatch.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "policy/admit.h"

#define MOUNT_TABLE "/proc/self/mounts"
#define FSTAB	    "/etc/fstab"
#define HOOK_USER   "nobody" /* the fallback of alerts.hookUser */

/* Filesystems that nobody unmounts while the host runs; on these the fence is
 * drawn closer, around each root. */
static const char *const system_mounts[] = {"/", "/dev", "/dev/*", "/home",
	"/opt", "/run", "/run/*", "/tmp", "/usr", "/usr/*", "/var", "/var/*"};

/* What a unit may write to, whatever its fence: of the kernel, of a container's
 * manager, or its own. */
static const char *const not_disks[] = {"/dev", "/proc", "/run/credentials",
	"/run/host", "/run/systemd", "/sys", "/tmp", "/var/tmp"};

static bool is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strcmp(above, "/") == 0 ||
	       (strncmp(path, above, n) == 0 &&
		       (path[n] == '\0' || path[n] == '/'));
}

static bool is_system(const char *mount)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_mounts); i++)
		if (fnmatch(system_mounts[i], mount, FNM_PATHNAME) == 0)
			return true;
	return false;
}

/* The mount point at or above path that is longer than *best. */
static int find_mount(const char *table, const char *path, char **best)
{
	FILE *file = setmntent(table, "re");
	const struct mntent *m;
	int r = 0;

	while (r == 0 && file && (m = getmntent(file))) {
		char *copy;

		if (m->mnt_dir[0] != '/' || !is_below(path, m->mnt_dir) ||
			(*best && strlen(m->mnt_dir) <= strlen(*best)))
			continue;
		copy = strdup(m->mnt_dir);
		if (!copy) {
			r = -ENOMEM;
			break;
		}
		free(*best);
		*best = copy;
	}
	if (file)
		endmntent(file);
	return r;
}

struct list {
	char **paths;
	size_t n, cap;
};

static void list_fini(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->paths[i]);
	free(l->paths);
}
#define list_auto mem_cleanup(list_fini)

/* Unless it is below one that is there; those below it go. */
static int list_add(struct list *l, const char *path)
{
	size_t kept = 0;
	char *copy;

	for (size_t i = 0; i < l->n; i++)
		if (is_below(path, l->paths[i]))
			return 0;
	copy = strdup(path);
	if (!copy || mem_grow((void **)&l->paths, &l->cap, l->n + 1,
			     sizeof(char *)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	for (size_t i = 0; i < l->n; i++)
		if (is_below(l->paths[i], path))
			free(l->paths[i]);
		else
			l->paths[kept++] = l->paths[i];
	l->paths[kept++] = copy;
	l->n = kept;
	return 0;
}

/* path, or the mount point of its filesystem. */
static int add_disk(
	struct list *l, const char *path, const char *const mounts[2])
{
	mem_autofree char *mount = NULL;
	int r = find_mount(mounts[0], path, &mount);

	if (r == 0)
		r = find_mount(mounts[1], path, &mount);
	if (r < 0)
		return r;
	return list_add(l, mount && !is_system(mount) ? mount : path);
}

static int add_parent(struct list *l, const char *path)
{
	mem_autofree char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!dir)
		return -ENOMEM;
	if (!slash || slash == dir)
		return 0;
	*slash = '\0';
	return list_add(l, dir);
}

static int add_roots(struct list *l, const struct config *c,
	const struct policy *p, const char *const mounts[2])
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n_roots; i++) {
		const struct root *root = &p->roots[i];

		r = add_disk(l, root->is_base ? c->root : root->path, mounts);
		/* With filesystems of their own below the base. */
		if (r == 0 && root->is_base)
			r = add_disk(l, root->path, mounts);
	}
	return r;
}

static int find_paths(
	const struct config *c, const char *const mounts[2], struct list *ret)
{
	int r = add_parent(ret, c->state_file);

	if (r == 0)
		r = add_parent(ret, c->socket_path);
	for (size_t i = 0; r == 0 && i < c->n_policies; i++)
		r = add_roots(ret, c, &c->policies[i], mounts);
	return r;
}

int warden_unit_paths(
	const struct config *c, const char *const mounts[2], struct buf *ret)
{
	list_auto struct list l = {0};
	int r = find_paths(c, mounts, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = buf_put(ret, l.paths[i], strlen(l.paths[i]) + 1);
	return r;
}

/* As systemd.syntax(7) and systemd.unit(5) want it: quoted, specifiers
 * doubled. Missing ones are passed over by "-". */
static int put_path(struct buf *b, const char *path)
{
	int r = buf_puts(b, "ReadWritePaths=\"-");

	for (; r == 0 && *path; path++) {
		if (*path == '"' || *path == '\\')
			r = buf_puts(b, "\\");
		else if (*path == '%')
			r = buf_puts(b, "%");
		if (r == 0)
			r = buf_put(b, path, 1);
	}
	return r < 0 ? r : buf_puts(b, "\"\n");
}

static bool has_root_below(const struct list *l, const char *const dirs[])
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; dirs[j]; j++)
			if (is_below(l->paths[i], dirs[j]))
				return true;
	return false;
}

static int put_main(const struct config *c, struct buf *b)
{
	static const char *const mounts[2] = {MOUNT_TABLE, FSTAB};
	static const char *const homes[] = {
		"/home", "/root", "/run/user", NULL};
	static const char *const tmp[] = {"/tmp", "/var/tmp", NULL};
	list_auto struct list l = {0};
	int r = find_paths(c, mounts, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = put_path(b, l.paths[i]);
	if (r == 0 && has_root_below(&l, homes))
		r = buf_puts(b, "ProtectHome=read-only\n");
	if (r == 0 && has_root_below(&l, tmp))
		r = buf_puts(b, "PrivateTmp=no\n");
	return r;
}

static int put_hooks(const struct config *c, struct buf *b)
{
	/* The unit has a user of its own in place of nobody. */
	if (strcmp(c->hook_user, HOOK_USER) == 0)
		return 0;
	return buf_printf(b, "User=%s\n", c->hook_user);
}

int warden_unit_dropin(
	const struct config *c, const char *unit, struct buf *ret)
{
	buf_auto struct buf b = {0};
	int r = -ENOENT;

	if (strcmp(unit, "ullaged.service") == 0)
		r = put_main(c, &b);
	else if (strcmp(unit, "ullage-hooks@.service") == 0)
		r = put_hooks(c, &b);
	if (r < 0 || b.len == 0)
		return r;
	r = buf_puts(ret, "# Made from the policies, and again at each "
			  "systemctl daemon-reload.\n[Service]\n");
	return r < 0 ? r : buf_put(ret, b.data, b.len);
}

bool warden_unit_is_fenced(void)
{
	struct statvfs fs;

	return getenv("INVOCATION_ID") && statvfs("/", &fs) == 0 &&
	       (fs.f_flag & ST_RDONLY);
}

static bool is_disk(const struct mntent *m)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_disks); i++)
		if (is_below(m->mnt_dir, not_disks[i]))
			return false;
	return true;
}

static bool is_wanted(const struct list *l, const char *mount)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_below(mount, l->paths[i]))
			return true;
	return false;
}

void warden_unit_check(const struct config *c, struct buf *notes)
{
	static const char *const mounts[2] = {MOUNT_TABLE, FSTAB};
	list_auto struct list l = {0};
	const struct mntent *m;
	FILE *file;

	if (!warden_unit_is_fenced() || find_paths(c, mounts, &l) < 0)
		return;
	file = setmntent(MOUNT_TABLE, "re");
	while (file && (m = getmntent(file)))
		if (hasmntopt(m, MNTOPT_RW) && is_disk(m) &&
			!is_wanted(&l, m->mnt_dir))
			(void)buf_printf(notes,
				"this unit may write to %s, which no policy "
				"needs: %s\n",
				m->mnt_dir, WARDEN_UNIT_REMEDY);
	if (file)
		endmntent(file);
}
