// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * What the targets have in common. A target does two things: it hands bytes
 * from outside to a parser, where the sanitizers watch, and it holds what
 * comes out to a promise of the header; must() is the promise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool is_so)
{
	if (!is_so)
		abort();
}

/* The input, taken from the front; at its end there are zeros. */
struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t input_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

/* At most len bytes. ret_len: how many they are. */
static inline const void *input_run(
	struct input *in, size_t len, size_t *ret_len)
{
	const void *run = in->at;

	*ret_len = MIN_OF(len, in->left);
	in->at += *ret_len;
	in->left -= *ret_len;
	return run;
}

/* Up to a NUL, at most max bytes, as a string. Owned by the caller. */
static inline char *input_string(struct input *in, size_t max)
{
	size_t len = strnlen((const char *)in->at, MIN_OF(max, in->left));
	char *text = malloc(len + 1);

	must(text != NULL);
	if (len)
		memcpy(text, in->at, len);
	text[len] = '\0';
	in->at += len;
	in->left -= len;
	/* The NUL belongs to the string. */
	(void)input_byte(in);
	return text;
}
