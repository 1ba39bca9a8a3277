// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Which alerts are recorded and not delivered: "KIND[:GLOB]". KIND is a word
 * of ALERT_KIND_TABLE or "*". The glob, as in fnmatch(3), where "*" matches
 * slashes too, is for the component, the filesystem, or the whole scope.
 */

#include <stdbool.h>
#include <stddef.h>

#include "model/alert.h"

struct silence {
	const char *kind; /* NULL: any */
	char *glob; /* NULL: whatever it is about */
};
struct silences {
	struct silence *items;
	size_t n;
};

void silence_fini(struct silences *s);
/* Replaces what is in ret. Returns 0, -EINVAL (no such kind, empty glob) or
 * -ENOMEM, with ret unchanged. */
int silence_parse_all(char *const *texts, size_t n_texts, struct silences *ret);
bool silence_has(const struct silences *s, const struct alert *a);
