// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A configuration from strings, for the tests of policy. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy_json.h"

static const char *const help_strategies[] = {
	"time", "size", "lru", "priority", "adaptive", NULL};

struct help {
	struct bundle bundle;
	struct config_env env;
	struct config *config;
	struct buf errors, notes;
};

static inline void help_add(
	struct help *h, const char *path, const char *text, bool is_main)
{
	struct bundle *b = &h->bundle;

	assert_int_equal(mem_grow((void **)&b->files, &b->cap, b->n_files + 1,
				 sizeof(*b->files)),
		0);
	b->files[b->n_files++] = (struct bundle_file){
		.path = strdup(path),
		.text = strdup(text),
		.len = strlen(text),
		.is_main = is_main,
	};
}

static inline int help_parse(struct help *h)
{
	if (!h->env.strategies)
		h->env.strategies = help_strategies;
	config_free(mem_take(h->config));
	buf_reset(&h->errors);
	buf_reset(&h->notes);
	assert_int_equal(buf_puts(&h->errors, ""), 0);
	assert_int_equal(buf_puts(&h->notes, ""), 0);
	return config_parse(
		&h->bundle, &h->env, &h->config, &h->errors, &h->notes);
}

static inline void help_fini(struct help *h)
{
	bundle_fini(&h->bundle);
	config_free(h->config);
	buf_fini(&h->errors);
	buf_fini(&h->notes);
	*h = (struct help){0};
}
