// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* An alert as hooks, journal, history and clients see it: contract.md. */

#include <stdbool.h>
#include <stdint.h>

#define ALERT_EVENT_TABLE(X)      \
	X(RAISED, "raised")       \
	X(ESCALATED, "escalated") \
	X(RESOLVED, "resolved")   \
	X(REPEATED, "repeated")

#define ALERT_KIND_TABLE(X)                     \
	X(USAGE, "usage")                       \
	X(FILESYSTEM, "filesystem")             \
	X(INODES, "inodes")                     \
	X(EMERGENCY, "emergency")               \
	X(TARGET_MISSED, "target-missed")       \
	X(WATCH_DEGRADED, "watch-degraded")     \
	X(OVERFLOW, "overflow")                 \
	X(ROOT_CHANGED, "root-changed")         \
	X(FILESYSTEM_ERROR, "filesystem-error") \
	X(READ_ONLY, "read-only")               \
	X(INTEGRITY, "integrity")               \
	X(BACKUP, "backup")                     \
	X(FORECAST, "forecast")                 \
	X(AGENT, "agent")

#define LEVEL_TABLE(X)            \
	X(OK, "ok")               \
	X(WARNING, "warning")     \
	X(EMERGENCY, "emergency") \
	X(CRITICAL, "critical")

enum alert_event {
#define X(id, word) ALERT_##id,
	ALERT_EVENT_TABLE(X)
#undef X
};
enum alert_kind {
#define X(id, word) ALERT_KIND_##id,
	ALERT_KIND_TABLE(X)
#undef X
		N_ALERT_KINDS
};
/* Ordered: a higher one is worse. Components have no emergency. */
enum level {
#define X(id, word) LEVEL_##id,
	LEVEL_TABLE(X)
#undef X
};

const char *alert_event_word(enum alert_event event);
const char *alert_kind_word(enum alert_kind kind);
const char *level_word(enum level level);

struct alert {
	uint64_t id; /* same from raised to resolved */
	enum alert_event event;
	enum level level;
	enum alert_kind kind;
	char *scope; /* what it is about: "component/NAME", "filesystem/PATH",
			"agent" */
	char *component; /* or NULL */
	char *filesystem; /* or NULL */
	uint64_t used_bytes, limit_bytes; /* 0 where they mean nothing */
	char *message; /* one line */
	char *details; /* a JSON object as text, or NULL */
	int64_t at_real_s;
};

void alert_fini(struct alert *a);
/* A deep copy. Returns 0 or -ENOMEM. */
int alert_copy(const struct alert *a, struct alert *ret);
