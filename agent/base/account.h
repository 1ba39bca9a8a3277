// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Users and groups as a configuration names them: by name or number. What
 * consists of digits is a number, whatever names there are. */

#include <sys/types.h>

#define ACCOUNT_NAME_MAX 64

struct account {
	uid_t uid;
	gid_t gid; /* its primary group; the same number if it has no name */
	char name[ACCOUNT_NAME_MAX]; /* "": a number that has none */
};

/* A number need not be anybody's: there are files of users who are gone, and
 * users that only a container knows. -1, which chown takes for nobody, is
 * no number. Returns 0, -ENOENT, -ENAMETOOLONG or -errno of the lookup. */
int account_find_user(const char *text, struct account *ret);
int account_find_group(const char *text, gid_t *ret);
