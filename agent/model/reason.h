// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Why a candidate went, or did not: one word each, the same in results,
 * counters, why and the audit. X(id, word, sentence) */

#include <stdbool.h>

#define REASON_TABLE(X)                                                       \
	X(DELETED, "deleted", "deleted")                                      \
	X(WOULD_DELETE, "would-delete", "would be deleted (dry run)")         \
	X(GONE, "gone", "no longer there")                                    \
	X(CHANGED, "changed", "not the file that was planned")                \
	X(BUSY, "busy", "open, mapped, executing or locked")                  \
	X(PROTECTED, "protected", "matches a protect pattern")                \
	X(YOUNG, "young", "younger than minAge")                              \
	X(RETAINED, "retained", "within its retention")                       \
	X(NEWEST, "keep-newest", "among the newest to keep")                  \
	X(OWNER, "owner", "its owner's files may not go")                     \
	X(LINKED, "linked", "has other hard links")                           \
	X(IMMUTABLE, "immutable", "immutable or append-only")                 \
	X(SPECIAL, "special", "not a regular file")                           \
	X(MOUNT, "mount", "on another filesystem")                            \
	X(CONFIG, "config", "configuration is not given up")                  \
	X(LIMIT_FILES, "limit-files", "over the files a run may take")        \
	X(LIMIT_BYTES, "limit-bytes", "over the bytes a run may take")        \
	X(OBSERVE, "observe", "the policy only observes")                     \
	X(CANARY, "canary", "over the small share a canary run takes")        \
	X(ORPHANED, "orphaned", "kept in quarantine: its name was taken")     \
	X(FUTILE, "futile", "the disk did not get emptier")                   \
	X(REACHED, "reached", "the target was reached before it")             \
	X(PANIC, "panic", "the panic latch is set")                           \
	X(UNSUPPORTED, "unsupported", "the kernel cannot delete safely here") \
	X(ROOT, "root-changed", "its root directory is not the known one")    \
	X(ERROR, "error", "a system call failed")                             \
	X(LIMIT_SHARE, "limit-share",                                         \
		"over the share of the files a run may take")                 \
	X(LIMIT_FILESYSTEM, "limit-filesystem",                               \
		"over the share of the filesystem a run may take")            \
	X(ERRORS, "errors", "after too many errors in this run")              \
	X(UNTRUSTED, "untrusted", "the index is not exact at the moment")     \
	X(CLOCK, "clock", "the wall clock cannot be right")                   \
	X(SHARED, "shared", "its blocks belong to a snapshot or copy too")    \
	X(TRASHED, "trashed", "in the trash")                                 \
	X(RESTORED, "restored", "put back from the trash")                    \
	X(STOPPED, "stopped", "a reload, or the end of the agent, came first")

enum reason {
#define X(id, word, sentence) REASON_##id,
	REASON_TABLE(X)
#undef X
		N_REASONS
};

/* A guard rail cut the run here: the rest waits for the next interval. */
static inline bool reason_is_cut(enum reason reason)
{
	return reason == REASON_LIMIT_FILES || reason == REASON_LIMIT_SHARE ||
	       reason == REASON_LIMIT_BYTES ||
	       reason == REASON_LIMIT_FILESYSTEM || reason == REASON_CANARY;
}

const char *reason_word(enum reason reason);
const char *reason_sentence(enum reason reason);
