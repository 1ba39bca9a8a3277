// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Protect patterns against names, both any bytes. The matcher is held to the
 * meaning of a pattern, which a slow recursion tells; and a protected
 * directory protects what is below it.
 */
#include "fuzz.h"

#include "model/rules.h"

/* The recursion is exponential; this many steps are worth waiting for. */
#define MAX_STEPS 200000

struct slow {
	long steps;
};

/* The end of the class at p if it takes c, after its bracket; NULL: it has no
 * closing bracket. */
static const char *class_end(const char *p, unsigned char c, bool *ret)
{
	const char *at = p + 1;
	bool is_negated = *at == '!' || *at == '^', is_in = false;
	const char *first = at += is_negated;

	while (*at && (*at != ']' || at == first)) {
		unsigned char low, high;

		at += *at == '\\' && at[1];
		high = low = (unsigned char)*at++;
		if (at[0] == '-' && at[1] && at[1] != ']') {
			at++;
			at += *at == '\\' && at[1];
			high = (unsigned char)*at++;
		}
		is_in |= c >= low && c <= high;
	}
	if (!*at)
		return NULL;
	*ret = is_in != is_negated && c != '/' && c;
	return at + 1;
}

static bool meaning(struct slow *s, const char *p, const char *t, bool is_start)
{
	size_t n = strspn(p, "*");
	const char *end;
	bool is_in;

	if (++s->steps > MAX_STEPS)
		return false;
	if (!*p)
		return !*t;
	if (n >= 2 && is_start && p[n] == '/' && meaning(s, p + n + 1, t, true))
		return true;
	for (; n; t++) {
		if (meaning(s, p + n, t, false))
			return true;
		if (!*t || (n == 1 && *t == '/'))
			return false;
	}
	if (*p == '[' && (end = class_end(p, (unsigned char)*t, &is_in)))
		return is_in && meaning(s, end, t + 1, false);
	if (*p == '?')
		return *t && *t != '/' && meaning(s, p + 1, t + 1, false);
	p += *p == '\\' && p[1];
	return *t && *p == *t && meaning(s, p + 1, t + 1, *p == '/');
}

static void compare(const char *pattern, const char *path)
{
	struct slow s = {0};
	bool is_meant = meaning(&s, pattern, path, true);

	if (s.steps <= MAX_STEPS)
		must(rules_glob(pattern, path) == is_meant);
}

static bool protects(char *pattern, const char *dir, const char *name)
{
	const struct rules r = {.protect = &pattern, .n_protect = 1};
	const char *found = rules_protects(&r, dir, name);

	must(!found || found == pattern);
	return found != NULL;
}

static void protect(char *pattern, const char *dir, const char *name)
{
	buf_auto struct buf below = {0};

	if (!*name || strchr(name, '/') || *dir == '/')
		return;
	if (!protects(pattern, dir, name))
		return;
	must(buf_printf(&below, "%s%s%s", dir, *dir ? "/" : "", name) == 0);
	must(protects(pattern, below.data, "x"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	mem_autofree char *pattern = input_string(&in, RULES_PATTERN_MAX + 2);
	mem_autofree char *dir = input_string(&in, 5000);
	mem_autofree char *name = input_string(&in, 255);

	if (strlen(pattern) <= RULES_PATTERN_MAX)
		compare(pattern, dir);
	else
		must(rules_glob(pattern, dir));
	protect(pattern, dir, name);
	return 0;
}
