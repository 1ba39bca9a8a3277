// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The part of a policy that says what may go and what stays: a plain value
 * that strategies select by, and that the reaper judges every candidate by
 * once more. The same functions answer both.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"
#include "model/stype.h"

enum age_from {
	AGE_BORN, /* newer of written (mtime) and created (birth time) */
	AGE_MODIFIED, /* mtime */
	AGE_ACCESSED, /* newest of observed access, atime and mtime */
};

#define RULES_FOREVER INT64_MAX /* retention of a type that has none */

struct rules {
	int64_t retention_s[N_STYPES]; /* RULES_FOREVER: never by age */
	uint32_t keep_newest[N_STYPES]; /* this many newest files stay */
	int64_t min_age_s; /* nothing younger goes, by any stamp */
	enum age_from age_from;
	bool is_config_allowed; /* config may go in an emergency */
	bool is_any_owner; /* "owners": ["*"] */
	uid_t *owners; /* else these; none: the owner of each root */
	size_t n_owners;
	char **protect; /* glob patterns, relative to the root */
	size_t n_protect;
};

void rules_fini(struct rules *r);

/* The stamp that a file's age counts from. */
static inline int64_t rules_stamp(
	const struct rules *r, int64_t mtime_s, int64_t btime_s, int64_t used_s)
{
	if (r->age_from == AGE_BORN)
		return MAX_OF(mtime_s, btime_s);
	return r->age_from == AGE_ACCESSED ? MAX_OF(mtime_s, used_s) : mtime_s;
}

/*
 * True if a protect pattern matches the file. rel_dir is the directory below
 * the root ("" for the root). A pattern without a slash matches the name in
 * any directory; one with a slash matches the path below the root; "**"
 * crosses directories; a leading or trailing slash is ignored; bytes, not
 * characters. A pattern that matches a directory protects all below it.
 * Returns the pattern that matched, or NULL.
 */
const char *rules_protects(
	const struct rules *r, const char *rel_dir, const char *name);

/*
 * The same for who asks for every name of a directory: first of the directory
 * whether all in it are protected, whatever their names, and if not, of each
 * name.
 */
bool rules_protects_all(const struct rules *r, const char *rel_dir);
bool rules_protects_one(const struct rules *r, const char *rel_dir,
	const char *name, size_t name_len);

/* May files of uid go, below a root that root_uid owns? */
bool rules_is_owner(const struct rules *r, uid_t uid, uid_t root_uid);

/*
 * One glob against one whole path: *, ?, [a-z], [!a-z], \x, and ** across
 * slashes (as a component of its own also none: "a/b" matches a, **, b). Only
 * ** and a literal slash match a slash. Linear in the product of the lengths,
 * no stepping back, no recursion. A pattern longer than RULES_PATTERN_MAX
 * bytes matches everything, for what cannot be judged stays: refuse it
 * when it is read.
 */
#define RULES_PATTERN_MAX 1023
bool rules_glob(const char *pattern, const char *path);
