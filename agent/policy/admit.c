// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/admit.h"

#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

/* Nothing at, above or below these is ever a component's storage. */
static const char *const sealed[] = {
	"/bin",
	"/boot",
	"/dev",
	"/efi",
	"/etc",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/lost+found",
	"/nix",
	"/proc",
	"/run/dbus",
	"/run/systemd",
	"/run/udev",
	"/sbin",
	"/sys",
	"/usr",
	"/var/lib/apt",
	"/var/lib/dpkg",
	"/var/lib/rpm",
	"/var/lib/systemd",
	"/var/lib/ullage",
	"/var/log/journal",
};

/* Shared by others; a directory in them is fine. */
static const char *const shared[] = {
	"/dev/shm",
	"/media/*",
	"/run/lock",
	"/run/user",
	"/run/user/*",
	"/var/*",
	"/var/lib/containers",
	"/var/lib/docker",
	"/var/spool/cron",
	"/var/spool/mail",
};

/* uids of people begin here on every distribution that we know. */
#define FIRST_PERSON 1000

static int mem_printf(2, 3) refuse(struct buf *why, const char *fmt, ...)
{
	va_list ap;
	int e;

	va_start(ap, fmt);
	e = buf_vprintf(why, fmt, ap);
	va_end(ap);
	return e < 0 ? e : -EPERM;
}

static bool has_control(const char *path)
{
	for (; *path; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7f)
			return true;
	return false;
}

int admit_normal(const char *path, struct buf *why)
{
	size_t len = strlen(path);

	if (path[0] != '/')
		return refuse(why, "it is not absolute: begin with \"/\"");
	if (has_control(path))
		return refuse(why, "it contains a control character");
	if (strstr(path, "//"))
		return refuse(why, "\"//\" is not allowed: write one slash");
	if (len > 1 && path[len - 1] == '/')
		return refuse(why, "a slash at the end is not allowed");
	for (const char *at = path; *at;) {
		size_t n = strcspn(++at, "/");

		if (n == 2 && memcmp(at, "..", 2) == 0)
			return refuse(why, "\"..\" is not allowed");
		if (n == 1 && at[0] == '.')
			return refuse(why, "\".\" is not allowed");
		at += n;
	}
	return 0;
}

static bool is_at_or_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (strcmp(above, "/") == 0)
		return true;
	return strncmp(path, above, n) == 0 &&
	       (path[n] == '\0' || path[n] == '/');
}

int admit_overlaps(const char *a, const char *b)
{
	return is_at_or_below(a, b) || is_at_or_below(b, a);
}

static int check_system(const char *path, struct buf *why)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (fnmatch(shared[i], path, FNM_PATHNAME) == 0)
			return refuse(why,
				"it is shared with the rest of the system: "
				"name a directory below it");
	if (is_at_or_below(path, "/dev/shm"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(sealed); i++)
		if (admit_overlaps(path, sealed[i]))
			return refuse(why,
				"%s belongs to the system: nothing at, above "
				"or below it is managed",
				sealed[i]);
	return 0;
}

void admit_homes_fini(struct admit_homes *homes)
{
	for (size_t i = 0; i < homes->n_names; i++)
		free(homes->names[i]);
	free(homes->names);
	*homes = (struct admit_homes){0};
}

static int add_home(struct admit_homes *homes, const struct passwd *pw)
{
	char **pair;

	if (mem_grow((void **)&homes->names, &homes->cap, homes->n_names + 2,
		    sizeof(*homes->names)) < 0)
		return -ENOMEM;
	pair = homes->names + homes->n_names;
	pair[0] = strdup(pw->pw_name);
	pair[1] = strdup(pw->pw_dir);
	homes->n_names += 2;
	return pair[0] && pair[1] ? 0 : -ENOMEM;
}

/* Homes of services are storage like any other (/var/lib/postgresql). */
int admit_homes_read(struct admit_homes *ret)
{
	struct admit_homes homes = {0};
	const struct passwd *pw;
	int e = 0;

	setpwent();
	while (e == 0 && (pw = getpwent()) != NULL) {
		if (pw->pw_uid != 0 && pw->pw_uid < FIRST_PERSON)
			continue;
		/* "/" and names of no directory are nobody's home */
		if (pw->pw_dir[0] == '/' && pw->pw_dir[1] != '\0')
			e = add_home(&homes, pw);
	}
	endpwent();
	if (e == 0)
		*ret = homes;
	else
		admit_homes_fini(&homes);
	return e;
}

static int check_home(
	const char *path, const struct admit_homes *homes, struct buf *why)
{
	if (strcmp(path, "/root") == 0 ||
		fnmatch("/home/*", path, FNM_PATHNAME) == 0)
		return refuse(why,
			"it is a home directory: name a directory below it");
	for (size_t i = 0; i < homes->n_names; i += 2)
		if (is_at_or_below(homes->names[i + 1], path))
			return refuse(why,
				"it is, or is above, the home directory of %s",
				homes->names[i]);
	return 0;
}

int admit_path_among(const char *path, const char *const *own_paths,
	const struct admit_homes *homes, struct buf *why)
{
	int e = admit_normal(path, why);

	if (e < 0)
		return e;
	if (strcmp(path, "/") == 0 || !strchr(path + 1, '/'))
		return refuse(
			why, "it is too near to \"/\": at least two levels");
	e = check_system(path, why);
	if (e == 0)
		e = check_home(path, homes, why);
	for (; e == 0 && own_paths && *own_paths; own_paths++)
		if (is_at_or_below(*own_paths, path))
			e = refuse(why, "it is above %s, a file of ours",
				*own_paths);
	return e;
}

int admit_path(const char *path, const char *const *own_paths, struct buf *why)
{
	struct admit_homes homes;
	int e = admit_homes_read(&homes);

	if (e < 0)
		return e;
	e = admit_path_among(path, own_paths, &homes, why);
	admit_homes_fini(&homes);
	return e;
}

/* The same directory by way of another mount is the same directory: its disk
 * was unmounted and mounted again. */
static bool is_known(const struct admitted *known, const struct admitted *now)
{
	return identity_equal(&known->id, &now->id) && known->uid == now->uid;
}

int admit_root(const char *path, const struct admitted *known,
	struct admitted *ret, int *ret_fd)
{
	fd_auto int fd = -1;
	struct beneath_stat st;
	struct admitted now;
	bool is_changed, is_overlay = false;
	int e = beneath_open_root(path, ret_fd == NULL, &fd);

	if (e < 0)
		return e;
	e = beneath_stat(fd, "", &st);
	if (e == 0)
		e = beneath_is_overlay(fd, &is_overlay);
	if (e < 0)
		return e;
	if (is_overlay)
		beneath_forget_birth(&st);
	now = (struct admitted){
		.id = st.id,
		.uid = st.uid,
		.mode = st.mode,
	};
	is_changed = known && !is_known(known, &now); /* may be ret */
	*ret = now;
	if (is_changed)
		return X_E_ADMIT_CHANGED;
	if (ret_fd)
		*ret_fd = fd_take(&fd);
	return 0;
}
