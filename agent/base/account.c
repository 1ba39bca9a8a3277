// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A number of 32 bits that is not -1. */
static int read_id(const char *text, uint32_t *ret)
{
	uint64_t id = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 10 || strspn(text, "0123456789") != n)
		return -EINVAL;
	for (; *text; text++)
		id = id * 10 + (uint64_t)(*text - '0');
	if (id >= UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)id;
	return 0;
}

/* Modules of nsswitch say in several ways that they know of none. */
static int not_found(int error)
{
	return error == 0 || error == ESRCH || error == EBADF || error == EPERM
		       ? -ENOENT
		       : -error;
}

int account_find_user(const char *text, struct account *ret)
{
	struct account a = {0};
	uint32_t id;
	bool is_number = read_id(text, &id) == 0;
	const struct passwd *pw;

	errno = 0;
	if (is_number)
		pw = getpwuid(id);
	else
		pw = *text ? getpwnam(text) : NULL;
	if (!pw && !is_number)
		return not_found(errno);
	a.uid = pw ? pw->pw_uid : id;
	a.gid = pw ? pw->pw_gid : id;
	if (pw && strlen(pw->pw_name) >= sizeof(a.name))
		return -ENAMETOOLONG;
	if (pw)
		strcpy(a.name, pw->pw_name);
	*ret = a;
	return 0;
}

int account_find_group(const char *text, gid_t *ret)
{
	const struct group *gr;
	uint32_t id;

	if (read_id(text, &id) == 0) {
		*ret = id;
		return 0;
	}
	errno = 0;
	gr = *text ? getgrnam(text) : NULL;
	if (!gr)
		return not_found(errno);
	*ret = gr->gr_gid;
	return 0;
}
