// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/rules.h"

#include <stdlib.h>
#include <string.h>

/*
 * The matcher follows every way through the pattern at once: a set of
 * positions in the pattern that the bytes so far may have led to, one bit
 * each. Names are chosen by attackers, and matchers that step back need time
 * beyond all bounds for "*a*a*a*b". It also tells at every slash whether the
 * directory so far matches, so that one pass judges a whole path.
 */
#define N_WORDS (RULES_PATTERN_MAX / 64 + 1)

struct positions {
	uint64_t words[N_WORDS];
};

struct glob {
	const unsigned char *pattern;
	size_t len;
	size_t n_words;
	size_t classes_end; /* no class closes at or after this position */
	struct positions at;
};

static void set(struct positions *p, size_t i)
{
	p->words[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool is_set(const struct positions *p, size_t i)
{
	return p->words[i / 64] >> (i % 64) & 1;
}

static size_t count_stars(const struct glob *g, size_t i)
{
	size_t n = 0;

	while (i + n < g->len && g->pattern[i + n] == '*')
		n++;
	return n;
}

/* Reaches position i: also what comes after a run of stars there. */
static void reach(const struct glob *g, struct positions *to, size_t i)
{
	size_t n = count_stars(g, i);

	while (n) {
		bool is_start = i == 0 || g->pattern[i - 1] == '/';

		set(to, i);
		set(to, i + n);
		/* A component of stars also stands for no directory at all. */
		if (n < 2 || !is_start || i + n >= g->len ||
			g->pattern[i + n] != '/')
			return;
		i += n + 1;
		n = count_stars(g, i);
	}
	set(to, i);
}

static bool is_class_end(const struct glob *g, size_t at, size_t first)
{
	return g->pattern[at] == ']' && at > first;
}

/* One byte of a class, which a backslash may quote. */
static unsigned char class_byte(const struct glob *g, size_t *at)
{
	if (g->pattern[*at] == '\\' && *at + 1 < g->len)
		++*at;
	return g->pattern[(*at)++];
}

/*
 * Does the class that starts at i take byte c? Returns the position after it,
 * or 0 if there is no closing bracket: then the bracket is an ordinary byte.
 */
static size_t match_class(
	const struct glob *g, size_t i, unsigned char c, bool *ret_is_match)
{
	size_t at = i + 1, first;
	bool is_negated, is_match = false;

	if (at >= g->classes_end)
		return 0;
	is_negated =
		at < g->len && (g->pattern[at] == '!' || g->pattern[at] == '^');
	at += is_negated;
	first = at;
	while (at < g->len && !is_class_end(g, at, first)) {
		unsigned char low = class_byte(g, &at), high = low;

		if (at + 1 < g->len && g->pattern[at] == '-' &&
			g->pattern[at + 1] != ']') {
			at++;
			high = class_byte(g, &at);
		}
		is_match |= c >= low && c <= high;
	}
	if (at >= g->len)
		return 0;
	*ret_is_match = is_match != is_negated && c != '/';
	return at + 1;
}

/* Where byte c leads from position i. */
static void step(
	const struct glob *g, struct positions *to, size_t i, unsigned char c)
{
	unsigned char p = g->pattern[i];
	bool is_match = false;
	size_t next = 0;

	if (p == '*') {
		size_t n = count_stars(g, i);

		if (n == 1 && c == '/')
			return;
		set(to, i);
		set(to, i + n);
		return;
	}
	if (p == '[')
		next = match_class(g, i, c, &is_match);
	if (p == '?') {
		is_match = c != '/';
		next = i + 1;
	} else if (!next) {
		if (p == '\\' && i + 1 < g->len)
			i++;
		is_match = g->pattern[i] == c;
		next = i + 1;
	}
	if (is_match)
		reach(g, to, next);
}

static void glob_start(struct glob *g, const char *pattern, size_t len)
{
	g->pattern = (const unsigned char *)pattern;
	g->len = len;
	g->n_words = len / 64 + 1;
	g->classes_end = len;
	while (g->classes_end && pattern[g->classes_end - 1] != ']')
		g->classes_end--;
	memset(g->at.words, 0, g->n_words * sizeof(g->at.words[0]));
	reach(g, &g->at, 0);
}

/* Returns false when no way is left. */
static bool glob_feed(struct glob *g, unsigned char c)
{
	struct positions to;
	uint64_t any = 0;

	memset(to.words, 0, g->n_words * sizeof(to.words[0]));
	for (size_t w = 0; w < g->n_words; w++)
		for (uint64_t bits = g->at.words[w]; bits; bits &= bits - 1) {
			size_t i = w * 64 + (size_t)__builtin_ctzll(bits);

			if (i < g->len)
				step(g, &to, i, c);
		}
	for (size_t w = 0; w < g->n_words; w++)
		any |= g->at.words[w] = to.words[w];
	return any;
}

static bool glob_is_match(const struct glob *g)
{
	return is_set(&g->at, g->len);
}

/* Most names end otherwise than "*.lock" does; that is seen at once. */
static bool is_end_possible(
	const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	char last = pattern_len ? pattern[pattern_len - 1] : '*';

	if (strchr("*?]/", last))
		return true;
	return len && text[len - 1] == last;
}

static bool match(
	const char *pattern, size_t pattern_len, const char *text, size_t len)
{
	struct glob g;

	if (pattern_len > RULES_PATTERN_MAX)
		return true;
	if (!is_end_possible(pattern, pattern_len, text, len))
		return false;
	glob_start(&g, pattern, pattern_len);
	for (size_t i = 0; i < len; i++)
		if (!glob_feed(&g, (unsigned char)text[i]))
			return false;
	return glob_is_match(&g);
}

bool rules_glob(const char *pattern, const char *path)
{
	return match(pattern, strlen(pattern), path, strlen(path));
}

/* A pattern without a slash: any component of the path. */
static bool is_component_matched(const char *pattern, size_t pattern_len,
	const char *rel_dir, const char *name)
{
	while (*rel_dir) {
		size_t len = strcspn(rel_dir, "/");

		if (len && match(pattern, pattern_len, rel_dir, len))
			return true;
		rel_dir += len;
		rel_dir += strspn(rel_dir, "/");
	}
	return match(pattern, pattern_len, name, strlen(name));
}

/* A pattern with a slash: the path or a directory on the way to it. */
static bool is_path_matched(const char *pattern, size_t pattern_len,
	const char *rel_dir, const char *name)
{
	struct glob g;

	if (pattern_len > RULES_PATTERN_MAX)
		return true;
	glob_start(&g, pattern, pattern_len);
	for (const char *at = rel_dir; *at; at++) {
		if (*at == '/' && glob_is_match(&g))
			return true;
		if (!glob_feed(&g, (unsigned char)*at))
			return false;
	}
	if (*rel_dir && glob_is_match(&g))
		return true;
	if (*rel_dir && !glob_feed(&g, '/'))
		return false;
	for (; *name; name++)
		if (!glob_feed(&g, (unsigned char)*name))
			return false;
	return glob_is_match(&g);
}

/* The length of a pattern without the slashes around it, and where it
 * begins. */
static size_t trim(const char **pattern)
{
	size_t len;

	while (**pattern == '/')
		++*pattern;
	len = strlen(*pattern);
	while (len && (*pattern)[len - 1] == '/')
		len--;
	return len;
}

static bool is_protected_by(
	const char *pattern, const char *rel_dir, const char *name)
{
	size_t len = trim(&pattern);

	if (!len)
		return false;
	return memchr(pattern, '/', len)
		       ? is_path_matched(pattern, len, rel_dir, name)
		       : is_component_matched(pattern, len, rel_dir, name);
}

const char *rules_protects(
	const struct rules *r, const char *rel_dir, const char *name)
{
	for (size_t i = 0; i < r->n_protect; i++)
		if (is_protected_by(r->protect[i], rel_dir, name))
			return r->protect[i];
	return NULL;
}

bool rules_protects_all(const struct rules *r, const char *rel_dir)
{
	/* What matches the empty name matches all: it ends in stars. */
	return *rel_dir && rules_protects(r, rel_dir, "");
}

bool rules_protects_one(const struct rules *r, const char *rel_dir,
	const char *name, size_t name_len)
{
	for (size_t i = 0; i < r->n_protect; i++) {
		const char *pattern = r->protect[i];
		size_t len = trim(&pattern);

		if (!len || !is_end_possible(pattern, len, name, name_len))
			continue;
		if (memchr(pattern, '/', len)
				? is_path_matched(pattern, len, rel_dir, name)
				: match(pattern, len, name, name_len))
			return true;
	}
	return false;
}

bool rules_is_owner(const struct rules *r, uid_t uid, uid_t root_uid)
{
	if (r->is_any_owner)
		return true;
	for (size_t i = 0; i < r->n_owners; i++)
		if (r->owners[i] == uid)
			return true;
	return !r->n_owners && uid == root_uid;
}

void rules_fini(struct rules *r)
{
	for (size_t i = 0; i < r->n_protect; i++)
		free(r->protect[i]);
	free(r->protect);
	free(r->owners);
	*r = (struct rules){0};
}
