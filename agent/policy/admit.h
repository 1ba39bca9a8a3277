// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* P0: which directories may be managed at all. */

#include <stddef.h>
#include <stdint.h>

#include "base/beneath.h"
#include "base/mem.h"

/*
 * Is it absolute and normalised: no "//", ".", "..", slash at the end or
 * control character? why gets the reason as a sentence. Returns 0 or -EPERM
 * (-ENOMEM).
 */
int admit_normal(const char *path, struct buf *why);

/*
 * Judges a path as text: absolute, normalised, no "..", at least two deep,
 * not a system directory (or above or, for the sensitive ones, below it),
 * not a home directory, not above any of our own files.
 * own_paths: NULL-terminated. why gets the reason as a sentence.
 * Home directories: /home/NAME, /root, and those of the user database that
 * belong to people (uid 0 or 1000 and above); below them is allowed.
 * Returns 0 or -EPERM (-ENOMEM).
 */
int admit_path(const char *path, const char *const *own_paths, struct buf *why);

/* The same of many paths, with the user database read but once. */
struct admit_homes {
	char **names; /* of the user, then of his home, by turns */
	size_t n_names;
	size_t cap;
};
int admit_homes_read(struct admit_homes *ret); /* 0 or -ENOMEM */
void admit_homes_fini(struct admit_homes *homes);
int admit_path_among(const char *path, const char *const *own_paths,
	const struct admit_homes *homes, struct buf *why);

/*
 * Looks at the directory itself: opens it beneath no symlink, compares with
 * known (NULL the first time): another directory or another owner is a
 * change; another mount of the same directory is none. ret describes what
 * stands there now, also when it changed. ret_fd may be NULL; it is set on 0
 * alone and owned by the caller.
 * Returns 0; X_E_ADMIT_CHANGED if it is not the known one; -errno (-ELOOP:
 * a component is a symlink).
 */
#define X_E_ADMIT_CHANGED 1
struct admitted {
	struct identity id;
	uid_t uid;
	mode_t mode;
};
int admit_root(const char *path, const struct admitted *known,
	struct admitted *ret, int *ret_fd);

/* Two normalised absolute paths, one equal to or above the other? */
int admit_overlaps(const char *a, const char *b);
