// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Where the configuration is read from, and reading it. */

#include <stdbool.h>

#include "base/mem.h"
#include "policy/bundle.h"
#include "policy/policy.h"
#include "warden.h"

#define WARDEN_MAX_DIRS 4

/* Found once, from options and environment; every reload goes by it. */
struct warden_source {
	const char *main_path;
	bool is_main_optional;
	const char *const *dirs; /* NULL-terminated */
	struct config_env env;
	char *owned[WARDEN_MAX_DIRS + 2]; /* what the above point to */
	const char *usual_dirs[WARDEN_MAX_DIRS + 1];
	size_t n_owned;
	const char *claims_dir; /* see warden_claims.h */
};

/* One configuration that was read: the files, what they mean, and remarks. */
struct warden_config {
	struct bundle bundle;
	struct config *config;
	struct buf notes; /* a line each */
};

/* options are borrowed for the source's life. Returns 0 or -ENOMEM. */
int warden_source_init(
	const struct warden_options *options, struct warden_source *ret);
void warden_source_fini(struct warden_source *s);

/* Returns 0, -EINVAL with errors filled, or -errno (errors says so too). */
int warden_config_read(
	struct warden_source *s, struct warden_config *ret, struct buf *errors);
void warden_config_fini(struct warden_config *c);
