// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/mem.h"
#include "model/rules.h"

static void globs_match_as_documented(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool is_match;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "anything at all", true},
		{"*", "a/b", false},
		{"*.lock", "x.lock", true},
		{"*.lock", ".lock", true},
		{"*.lock", "x.lock2", false},
		{"*.lock", "d/x.lock", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-b-b-", false},
		{"?", "a", true},
		{"?", "", false},
		{"?", "/", false},
		{"??", "\xc3\xa9", true}, /* bytes, not characters */
		{"?", "\xc3\xa9", false},
		{"?", "\xff", true},
		{"*/b", "a/b", true},
		{"*/b", "x/a/b", false},
		{"**", "", true},
		{"**", "a/b/c", true},
		{"**/b", "b", true},
		{"**/b", "a/b", true},
		{"**/b", "x/y/b", true},
		{"**/b", "xb", false},
		{"**/b", "x/ab", false},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "axb", false},
		{"a/**/b", "a/xb", false},
		{"a/**", "a/x/y", true},
		{"a/**", "a", false},
		{"a**z", "a/b/z", true},
		{"a**z", "az", true},
		{"***/b", "b", true},
		{"**/**/b", "b", true},
		{"**/**/b", "x/b", true},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[!a-c]x", "dx", true},
		{"[!a-c]x", "bx", false},
		{"[^a-c]x", "bx", false},
		{"a[!b]c", "a/c", false}, /* no class takes a slash */
		{"a[/]c", "a/c", false},
		{"a[.-0]c", "a/c", false},
		{"[]]", "]", true},
		{"[!]]", "]", false},
		{"[]a]", "a", true},
		{"[a-]", "-", true},
		{"[a\\]]", "]", true},
		{"[\\\\]", "\\", true},
		{"[z-a]", "m", false},
		{"[\x80-\xff]", "\xc3", true},
		{"[\x80-\xff]", "a", false},
		{"[ab", "[ab", true}, /* never closed: ordinary bytes */
		{"[ab", "a", false},
		{"[]", "[]", true},
		{"[!", "[!", true},
		{"x[", "x[", true},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\a", "a", true},
		{"a\\", "a\\", true}, /* a last backslash is itself */
		{"\\[a]", "[a]", true},
		{"\\?", "x", false},
		{"*\n*", "a\nb", true},
		{"*", "\x1b[31m", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rules_glob(rows[i].pattern, rows[i].path) !=
			rows[i].is_match)
			fail_msg("'%s' and '%s': expected %d", rows[i].pattern,
				rows[i].path, rows[i].is_match);
}

/* The meaning, written down as plainly as it can be; hopelessly slow. */
static bool meaning(const char *p, const char *t, bool is_start)
{
	size_t n = strspn(p, "*");

	if (!*p)
		return !*t;
	if (n >= 2 && is_start && p[n] == '/' && meaning(p + n + 1, t, true))
		return true;
	if (!n)
		return *t && (*p == *t || (*p == '?' && *t != '/')) &&
		       meaning(p + 1, t + 1, *p == '/');
	for (;; t++) {
		if (meaning(p + n, t, false))
			return true;
		if (!*t || (n == 1 && *t == '/'))
			return false;
	}
}

static void nth_string(unsigned n, const char *alphabet, size_t len, char *ret)
{
	size_t n_letters = strlen(alphabet);

	for (size_t i = 0; i < len; i++, n /= n_letters)
		ret[i] = alphabet[n % n_letters];
	ret[len] = '\0';
}

static unsigned power(unsigned base, size_t exponent)
{
	return exponent ? base * power(base, exponent - 1) : 1;
}

static unsigned compare_all(size_t pattern_len, size_t text_len)
{
	char pattern[8], text[8];
	unsigned n_matches = 0;

	for (unsigned i = 0; i < power(4, pattern_len); i++)
		for (unsigned j = 0; j < power(3, text_len); j++) {
			bool is_match;

			nth_string(i, "a/*?", pattern_len, pattern);
			nth_string(j, "ab/", text_len, text);
			is_match = meaning(pattern, text, true);
			if (rules_glob(pattern, text) != is_match)
				fail_msg("'%s' and '%s': meant %d", pattern,
					text, is_match);
			n_matches += is_match;
		}
	return n_matches;
}

/* Every pattern of up to 6 letters against every text of up to 4. */
static void globs_match_as_meant(void **state)
{
	unsigned n_matches = 0;

	(void)state;
	for (size_t p = 0; p <= 6; p++)
		for (size_t t = 0; t <= 4; t++)
			n_matches += compare_all(p, t);
	assert_true(n_matches > 1000);
}

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* A matcher that steps back needs 2^60 steps and more for these. */
static void hostile_names_cost_little(void **state)
{
	char pattern[RULES_PATTERN_MAX + 1] = "", name[256];
	double start = cpu_s();

	(void)state;
	memset(name, 'a', 255);
	name[255] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(pattern, "*a");
	strcat(pattern, "*[!a]");
	for (int i = 0; i < 100; i++)
		assert_false(rules_glob(pattern, name));
	pattern[0] = '\0';
	for (int i = 0; i < 60; i++)
		strcat(pattern, "**/a*");
	strcat(pattern, "?[b]");
	for (int i = 1; i < 255; i += 2)
		name[i] = '/';
	for (int i = 0; i < 100; i++)
		assert_false(rules_glob(pattern, name));
	memset(pattern, '[', RULES_PATTERN_MAX - 1);
	memset(name, '[', 255);
	pattern[0] = '*';
	pattern[RULES_PATTERN_MAX - 1] = '?';
	for (int i = 0; i < 100; i++)
		assert_false(rules_glob(pattern, name));
	assert_true(cpu_s() - start < 5.0);
}

static void patterns_have_a_longest_length(void **state)
{
	char pattern[RULES_PATTERN_MAX + 2], path[RULES_PATTERN_MAX + 2];

	(void)state;
	memset(pattern, 'a', sizeof(pattern));
	memset(path, 'a', sizeof(path));
	pattern[RULES_PATTERN_MAX] = path[RULES_PATTERN_MAX] = '\0';
	assert_true(rules_glob(pattern, path));
	path[RULES_PATTERN_MAX - 1] = 'b';
	assert_false(rules_glob(pattern, path));
	/* What is too long to be judged protects everything. */
	pattern[RULES_PATTERN_MAX] = 'a';
	pattern[RULES_PATTERN_MAX + 1] = '\0';
	assert_true(rules_glob(pattern, "x"));
}

static void patterns_protect_files(void **state)
{
	static const struct {
		const char *pattern, *rel_dir, *name;
		bool is_protected;
	} rows[] = {
		/* No slash: any name, and any directory above it. */
		{"*.lock", "", "x.lock", true},
		{"*.lock", "a/b", "x.lock", true},
		{"*.lock", "a/b.lock/c", "x", true},
		{"*.lock", "b.lock", "x", true},
		{"*.lock", "a/b", "x.locked", false},
		{"b", "ab", "c", false},
		{"keys", "a/keys/b", "c", true},
		{"/keys", "a/keys", "c", true}, /* leading slash: ignored */
		{"keys/", "keys", "c", true},
		{"//keys//", "", "keys", true},
		/* A slash: the path below the root, or a directory of it. */
		{"keys/**", "keys", "x", true},
		{"keys/**", "keys/a/b", "x", true},
		{"keys/**", "a/keys", "x", false},
		{"keys/**", "", "keys", false},
		{"/keys/*", "keys", "x", true},
		{"keys/*", "keys/a", "x", true}, /* keys/a is protected */
		{"keys/*", "keys", "x", true},
		{"keys/a", "keys/a", "x", true},
		{"keys/a/", "keys/a/b/c", "x", true},
		{"keys/a", "keys/ab", "x", false},
		{"keys/a", "x/keys/a", "x", false},
		{"keys/a", "keys", "a", true},
		{"**/keys/*.pem", "x/y/keys", "a.pem", true},
		{"**/keys/*.pem", "keys", "a.pem", true},
		{"**/keys/*.pem", "keys", "a.pem2", false},
		{"a/*/c", "a/b/c/d/e", "f", true},
		{"a/*/c", "a/b/d/c", "f", false},
		{"", "a", "b", false},
		{"/", "a", "b", false},
		{"**", "", "b", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *pattern = (char *)rows[i].pattern;
		struct rules r = {.protect = &pattern, .n_protect = 1};
		const char *got =
			rules_protects(&r, rows[i].rel_dir, rows[i].name);

		bool in_two = rules_protects_all(&r, rows[i].rel_dir) ||
			      rules_protects_one(&r, rows[i].rel_dir,
				      rows[i].name, strlen(rows[i].name));

		if (got != (rows[i].is_protected ? pattern : NULL) ||
			in_two != rows[i].is_protected)
			fail_msg("'%s' and '%s' '%s': expected %d", pattern,
				rows[i].rel_dir, rows[i].name,
				rows[i].is_protected);
	}
}

/* A short random text of a few telling bytes. */
static void put_random(uint64_t *rng, const char *bytes, char *ret, size_t max)
{
	size_t n = *rng % max;

	for (size_t i = 0; i < n; i++) {
		*rng ^= *rng << 13;
		*rng ^= *rng >> 7;
		*rng ^= *rng << 17;
		ret[i] = bytes[*rng % strlen(bytes)];
	}
	*rng += 0x9e3779b97f4a7c15;
	ret[n] = '\0';
}

static void asked_in_two_steps_the_answer_is_the_same(void **state)
{
	char text[12], dir[10], name[6], *pattern = text;
	struct rules r = {.protect = &pattern, .n_protect = 1};
	uint64_t rng = 88172645463325252;

	(void)state;
	for (int i = 0; i < 400000; i++) {
		bool is_all, is_one;

		put_random(&rng, "ab**/?", text, sizeof(text));
		put_random(&rng, "ab/", dir, sizeof(dir));
		put_random(&rng, "ab", name, sizeof(name));
		if (!*name)
			continue;
		is_all = rules_protects_all(&r, dir);
		is_one = rules_protects_one(&r, dir, name, strlen(name));
		if ((is_all || is_one) != !!rules_protects(&r, dir, name))
			fail_msg("'%s' and '%s' '%s': %d, %d", text, dir, name,
				is_all, is_one);
	}
}

static void the_first_pattern_that_matches_is_told(void **state)
{
	char *patterns[] = {(char *)"x", (char *)"*.a", (char *)"f.*"};
	struct rules r = {.protect = patterns, .n_protect = 3};

	(void)state;
	assert_ptr_equal(rules_protects(&r, "", "f.a"), patterns[1]);
	assert_ptr_equal(rules_protects(&r, "", "f.b"), patterns[2]);
	assert_null(rules_protects(&r, "", "g.b"));
	r.n_protect = 0;
	assert_null(rules_protects(&r, "", "x"));
}

static void owners_are_the_roots_or_those_named(void **state)
{
	uid_t named[] = {10, 0};
	struct rules r = {0};

	(void)state;
	assert_true(rules_is_owner(&r, 7, 7));
	assert_false(rules_is_owner(&r, 8, 7));
	assert_false(rules_is_owner(&r, 0, 7));
	r.owners = named;
	r.n_owners = 2;
	assert_true(rules_is_owner(&r, 10, 7));
	assert_true(rules_is_owner(&r, 0, 7));
	assert_false(rules_is_owner(&r, 7, 7));
	r.is_any_owner = true;
	assert_true(rules_is_owner(&r, 12345, 7));
}

static void rules_end_empty(void **state)
{
	struct rules r = {.n_protect = 2, .n_owners = 1};

	(void)state;
	r.protect = calloc(2, sizeof(*r.protect));
	r.protect[0] = strdup("a");
	r.protect[1] = strdup("b");
	r.owners = calloc(1, sizeof(*r.owners));
	rules_fini(&r);
	assert_null(r.protect);
	assert_int_equal(r.n_protect, 0);
	rules_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs_match_as_documented),
		cmocka_unit_test(globs_match_as_meant),
		cmocka_unit_test(hostile_names_cost_little),
		cmocka_unit_test(patterns_have_a_longest_length),
		cmocka_unit_test(patterns_protect_files),
		cmocka_unit_test(asked_in_two_steps_the_answer_is_the_same),
		cmocka_unit_test(the_first_pattern_that_matches_is_told),
		cmocka_unit_test(owners_are_the_roots_or_those_named),
		cmocka_unit_test(rules_end_empty),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
