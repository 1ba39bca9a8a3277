// SPDX-License-Identifier: GPL-2.0-or-later
#include "deletions.h"

#include <string.h>

void deletions_init(struct deletions *d)
{
	*d = (struct deletions){.key = hash_key_random()};
}

static uint64_t hash_path(const struct deletions *d, const char *path)
{
	return hash_bytes(d->key, path, strlen(path)) | 1;
}

void deletions_add(
	struct deletions *d, const char *path, const struct deletion *what)
{
	struct deletion *slot = &d->items[d->next++ % DELETIONS_KEPT];

	*slot = *what;
	slot->path_hash = hash_path(d, path);
}

const struct deletion *deletions_find(
	const struct deletions *d, const char *path)
{
	uint64_t hash = hash_path(d, path);

	for (size_t i = 1; i <= DELETIONS_KEPT; i++) {
		const struct deletion *at =
			&d->items[(d->next - i) % DELETIONS_KEPT];

		if (at->path_hash == hash)
			return at;
	}
	return NULL;
}
