// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * One component's policy and the whole configuration: immutable after load.
 * Names, defaults and meaning: ullage-policy(5), ullage.json(5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/rules.h"
#include "model/stype.h"

enum priority { /* in the order in which an emergency asks them */
	PRIORITY_LOW,
	PRIORITY_NORMAL,
	PRIORITY_HIGH,
	PRIORITY_CRITICAL,
	N_PRIORITIES,
};
enum mode {
	MODE_OBSERVE, /* decide, alert, log, delete nothing */
	MODE_CANARY, /* delete a small share a run: POLICY_CANARY_FILES */
	MODE_ENFORCE,
	N_MODES,
};
#define POLICY_CANARY_FILES 10

const char *priority_name(enum priority priority);
const char *mode_name(enum mode mode);
/* The words by value, ended by NULL. */
extern const char *const priority_names[];
extern const char *const mode_names[];
extern const char *const age_names[]; /* enum age_from */

/* A size, or a share of something (parts per million of what is said). */
struct amount {
	bool is_share;
	uint64_t bytes; /* if !is_share */
	uint32_t ppm; /* if is_share */
};

/* Resolves an amount against a whole, in bytes. */
uint64_t amount_bytes(const struct amount *a, uint64_t whole_bytes);

struct limits { /* guard rails of one ordinary cleanup */
	uint64_t files; /* at most this many files */
	uint32_t share_ppm; /* and this share of the component's files */
	uint32_t bytes_ppm; /* and this share of the component's bytes */
	uint32_t filesystem_ppm; /* and this share of the filesystem */
	uint32_t errors; /* stop at so many errors ... */
	uint32_t errors_ppm; /* ... that are over this share of the actions */
};

struct root {
	char *path; /* absolute, normalised, no trailing slash */
	enum stype type;
	bool is_base; /* <root>/<type>/<component>, created by us */
};

struct policy {
	char *component;
	char *file; /* where it was read */
	enum priority priority;
	struct amount allocation; /* a share is of the filesystem of the
				     first root */
	struct amount warning, critical, target; /* shares of allocation */
	char *strategy;
	int64_t interval_s; /* 0: no schedule */
	bool is_compression_asked, is_backup_asked; /* not active yet */
	enum mode mode;
	int64_t trash_s; /* what goes can be had back so long; 0: no trash */
	char *user; /* owner of base directories; NULL: the agent's */
	struct rules rules;
	struct limits limits;
	struct root *roots; /* at most POLICY_MAX_ROOTS */
	size_t n_roots;
};
#define POLICY_MAX_ROOTS 256

enum watch_with {
	WATCH_WITH_AUTO, /* fanotify where it can be had, else inotify */
	WATCH_WITH_FANOTIFY,
	WATCH_WITH_INOTIFY,
	WATCH_WITH_SCAN, /* no events: everything is listed every minute */
	N_WATCH_WITHS,
};
extern const char *const watch_names[];

struct quiet_hours { /* minutes after local midnight; from == to: none */
	uint16_t from_min, to_min;
};

struct config {
	char *root; /* base of <root>/<type>/<component> */
	struct amount fs_warning, fs_emergency, fs_critical, fs_target;
	uint32_t hysteresis_ppm; /* a level ends this far below its limit */
	struct amount warning, critical, target; /* component defaults */
	struct amount ballast; /* of each filesystem; 0: none */
	int64_t cooldown_s;
	int64_t hook_deadline_s;
	char *hooks_dir;
	char *hook_user;
	char **silences; /* "KIND[:SCOPE-GLOB]" */
	size_t n_silences;
	struct quiet_hours quiet;
	int64_t reconcile_s; /* 0: never */
	enum watch_with watch;
	struct limits limits;
	char **ignore_readers;
	size_t n_ignore_readers;
	char *web_listen; /* not active yet; NULL: not given */
	char *state_file;
	char *socket_path;
	char *user; /* the agent's own */
	char *group; /* may read over the control socket */
	char **admins; /* users who may change things over it */
	size_t n_admins;
	struct policy *policies; /* sorted by component */
	size_t n_policies;
	uint64_t digest; /* of all bytes read: same digest, same config */
};

void config_free(struct config *c);
void policy_fini(struct policy *p);
const struct policy *config_find(const struct config *c, const char *component);

/* strategy names are checked against this NULL-terminated list, which the
 * floor above passes in. */
struct config_env {
	const char *const *strategies;
	const char *root_override; /* --root, or NULL */
	const char *state_override; /* --state, or NULL */
	const char *socket_override; /* --socket, or NULL */
	bool is_lenient_user; /* unknown user names are warnings, not errors */
};
