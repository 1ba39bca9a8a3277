// SPDX-License-Identifier: GPL-2.0-or-later
#include "silence.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void silence_fini(struct silences *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i].glob);
	free(s->items);
	*s = (struct silences){0};
}

static int parse_kind(const char *word, size_t len, const char **ret)
{
	if (len == 1 && word[0] == '*') {
		*ret = NULL;
		return 0;
	}
	for (int k = 0; k < N_ALERT_KINDS; k++) {
		const char *kind = alert_kind_word((enum alert_kind)k);

		if (strlen(kind) == len && memcmp(kind, word, len) == 0) {
			*ret = kind;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse(const char *text, struct silence *ret)
{
	size_t len = strcspn(text, ":");
	const char *kind;
	char *glob = NULL;
	int r = parse_kind(text, len, &kind);

	if (r < 0)
		return r;
	if (text[len] == ':') {
		if (!text[len + 1])
			return -EINVAL;
		glob = strdup(text + len + 1);
		if (!glob)
			return -ENOMEM;
	}
	*ret = (struct silence){kind, glob};
	return 0;
}

int silence_parse_all(char *const *texts, size_t n_texts, struct silences *ret)
{
	struct silences s = {calloc(MAX_OF(n_texts, 1), sizeof(*s.items)), 0};

	if (!s.items)
		return -ENOMEM;
	for (; s.n < n_texts; s.n++) {
		int r = parse(texts[s.n], &s.items[s.n]);

		if (r < 0) {
			silence_fini(&s);
			return r;
		}
	}
	silence_fini(ret);
	*ret = s;
	return 0;
}

static bool is_name(const char *glob, const char *name)
{
	return name && fnmatch(glob, name, 0) == 0;
}

static bool is_about(const struct silence *item, const struct alert *a)
{
	return !item->glob || is_name(item->glob, a->component) ||
	       is_name(item->glob, a->filesystem) ||
	       is_name(item->glob, a->scope);
}

bool silence_has(const struct silences *s, const struct alert *a)
{
	const char *kind = alert_kind_word(a->kind);

	for (size_t i = 0; i < s->n; i++) {
		const struct silence *item = &s->items[i];

		if ((!item->kind || strcmp(item->kind, kind) == 0) &&
			is_about(item, a))
			return true;
	}
	return false;
}
