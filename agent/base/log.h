// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Messages to the journal (native protocol, with fields) or to stderr (with
 * "<N>" priority prefixes, as systemd reads them; plain on a terminal).
 * Nothing here blocks: what cannot be sent is dropped and counted.
 *
 * One table (messages.tbl) gives every message its id, priority, MESSAGE_ID
 * and explanation; header, catalog and manual page are made from it. Lower
 * floors return errors and do not log.
 */

#include <stdint.h>
#include <syslog.h>

#include "base/mem.h"

enum message {
#define MESSAGE(id, priority, uuid, subject, text) MSG_##id,
#include "base/messages.tbl"
#undef MESSAGE
	N_MESSAGES
};

struct log_field {
	const char *name; /* "ULLAGE_COMPONENT" */
	const char *value; /* any bytes but NUL; newlines are handled */
};

enum log_target {
	LOG_TARGET_AUTO, /* journal if stderr is connected to it */
	LOG_TARGET_STDERR,
	LOG_TARGET_JOURNAL,
	LOG_TARGET_CALLBACK, /* tests */
};

void log_open(const char *identifier, enum log_target target, int max_priority);
void log_close(void);
/* Tests: gets every line instead, whatever its priority; id is N_MESSAGES for
 * a note. NULL: back to stderr. */
void log_set_callback(void (*fn)(void *ctx, enum message id, const char *text,
			      const struct log_field *fields),
	void *ctx);
/* Tests: another socket than journald's. Returns 0 or -ENAMETOOLONG. */
int log_set_journal(const char *path);

/*
 * fields: ended by a NULL name, or NULL. The text is one line, whatever it
 * contains: control characters are escaped.
 */
void log_event(enum message id, const struct log_field *fields, const char *fmt,
	...) mem_printf(3, 4);

/* Plain remarks without an id. priority as in syslog(3). */
void log_note(int priority, const char *fmt, ...) mem_printf(2, 3);
uint64_t log_dropped(void);

/* log_event(MSG_X, LOG_FIELDS({ "ULLAGE_COMPONENT", name }), "...") */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})

/* The table itself, for the catalog. */
struct message_info {
	const char *name;
	int priority;
	const char *uuid; /* 32 hex digits */
	const char *subject;
	const char *text;
};
extern const struct message_info message_infos[N_MESSAGES];
