// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Verbs: what each is called, takes and means is one table (verbs.c), from
 * which parsing, help and completion are made. Fetching (run.c) and showing
 * (verbs_*.c) are apart: what is shown may come from another host.
 */

#include <stdbool.h>
#include <stddef.h>

#include "ctl/print.h"

struct json_object;

enum value_kind {
	VALUE_TEXT,
	VALUE_PATH_OR_ID, /* what has the form of an id stays as it is */
	VALUE_PATH, /* made absolute, and escaped as the agent writes names */
	VALUE_COUNT, /* a number from 1 */
	VALUE_FLAG, /* an option without a value: true */
	VALUE_NOT, /* the same: false */
};

/* A word or an option that becomes a parameter of the method. */
struct verb_input {
	const char *name; /* "COMPONENT", or "force" for --force */
	const char *value; /* options: "N" in --limit N; NULL: flag */
	const char *key; /* the parameter */
	enum value_kind kind;
	bool is_required; /* words only */
	const char *summary; /* options only */
};

#define VERB_MAX_WORDS	 2
#define VERB_MAX_OPTIONS 5

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_OVER };

struct verb {
	const char *name; /* one word or two: "config check" */
	const char *summary;
	struct verb_input words[VERB_MAX_WORDS]; /* ended by a NULL name */
	struct verb_input options[VERB_MAX_OPTIONS];
	const char *method;
	/* A parameter that is always given: key and text, or key and flag. */
	const char *fixed_key;
	bool fixed_flag;
	bool is_stream; /* replies without end */
	bool is_slow; /* the answer may take any time */
	bool has_progress;
	/* Shows a reply to people. asked: the parameters of the call. */
	void (*show)(const struct print *p, struct json_object *reply,
		struct json_object *asked);
	/* The exit code that a reply means; NULL: EXIT_DONE. */
	int (*judge)(struct json_object *reply);
};

extern const struct verb verbs[];
extern const size_t n_verbs;

/* verbs_status.c */
void verbs_show_status(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_metrics(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_dashboard(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_check(const struct print *p, struct json_object *reply,
	struct json_object *asked);
int verbs_judge_check(struct json_object *reply);

/* verbs_cleanup.c */
void verbs_show_cleanup(const struct print *p, struct json_object *reply,
	struct json_object *asked);
int verbs_judge_cleanup(struct json_object *reply);
void verbs_show_plan(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_why(const struct print *p, struct json_object *reply,
	struct json_object *asked);

/* verbs_trash.c */
void verbs_show_trash(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_trash_restore(const struct print *p, struct json_object *reply,
	struct json_object *asked);
int verbs_judge_trash_restore(struct json_object *reply);
void verbs_show_trash_empty(const struct print *p, struct json_object *reply,
	struct json_object *asked);

/* verbs_files.c */
void verbs_show_du(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_files(const struct print *p, struct json_object *reply,
	struct json_object *asked);

void verbs_show_growth(const struct print *p, struct json_object *reply,
	struct json_object *asked);

void verbs_show_held(const struct print *p, struct json_object *reply,
	struct json_object *asked);

/* verbs_events.c */
void verbs_show_event(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_alerts(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_history(const struct print *p, struct json_object *reply,
	struct json_object *asked);

/* verbs_config.c */
void verbs_show_check_config(const struct print *p, struct json_object *reply,
	struct json_object *asked);
int verbs_judge_check_config(struct json_object *reply);
void verbs_show_config(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_schema(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_reload(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_reconcile(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_panic(const struct print *p, struct json_object *reply,
	struct json_object *asked);
void verbs_show_index(const struct print *p, struct json_object *reply,
	struct json_object *asked);
int verbs_judge_index(struct json_object *reply);
