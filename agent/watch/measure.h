// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Looking at the disk, beside the loop. A job is a value in, a result is a
 * value out; worker threads own no state. A hung disk hangs a worker, never
 * the loop. Descriptors of roots are held while a worker has work, no longer.
 *
 * Order: jobs of one (component, dir) that observe (LOOK, LIST) never run
 * side by side, so what a later one saw is also applied later. Between
 * directories there is no order: after INDEX_DIR_MOVED, look at the old and
 * the new place once more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/mem.h"
#include "model/observation.h"
#include "watch/mounts.h"

struct watch;
struct watch_ops;

enum job_kind {
	JOB_LOOK, /* observe the given names of a directory, and itself */
	JOB_LIST, /* watch the directory, then observe every name in it */
	JOB_NAMES, /* find the names behind entry hashes; nothing is applied */
	JOB_STATFS, /* how full the root's filesystem is: mounts.h */
	JOB_PROBE, /* the same, before anything else is known of the root */
};

struct job {
	enum job_kind kind;
	bool is_slow; /* low I/O priority: reconciliation */
	uint32_t component; /* for the caller */
	uint32_t dir; /* node id, copied into the observations */
	char *root_path;
	struct identity root_id; /* dev 0: not known yet, any will do */
	char *rel; /* directory below the root; NULL: the root itself */
	struct identity dir_id; /* what stood there; ino 0: any */
	/* JOB_LOOK: n_names of them one after another, each NUL-terminated */
	struct buf names;
	size_t n_names;
	uint16_t *notes; /* for the caller: of each name; or NULL */
	/* JOB_LIST: where to ask for news first; ops NULL: nowhere */
	const struct watch_ops *ops;
	struct watch *watch;
	/* JOB_NAMES: the names wanted: hash_name(key, dir, name) & hash_mask
	 * is one of hashes, which are sorted ascending. hash_mask: all ones
	 * unless set. */
	struct hash_key key;
	uint64_t hash_mask;
	uint64_t *hashes;
	size_t n_hashes;
	/* JOB_STATFS: if there is no more used, and no less available, than
	 * this, and its health is as it was, the result wakes nobody, and is
	 * there for whoever comes next. 0: it does in any case. */
	uint64_t quiet_used_bytes, quiet_available_bytes;
	struct mounts_health quiet_health;
	bool is_health_asked; /* JOB_STATFS: what is wrong with it, too */
	uint64_t tag; /* for the caller */
	int64_t started_boot_ns; /* set when a worker takes it up; else 0 */
	bool has_watch_ref; /* measure.c's own */
};

/* NULL: out of memory. All pointers in it are owned, but for ops and watch. */
struct job *job_new(enum job_kind kind);
struct job *job_free(struct job *job);

/* A piece of a job's result; big directories come in several. */
struct result {
	struct job *job; /* owned by the result if is_last, else borrowed */
	bool is_last;
	bool is_root_error; /* error is the root's, not the directory's */
	bool is_quiet; /* measure_fd says nothing of it */
	int error; /* 0, or -errno of the whole job (is_last is then set):
		      -ENOENT, -ENOTDIR: the directory is gone;
		      -ESTALE: another directory stands there now;
		      -EXDEV, -ELOOP: it is not below the root any more;
		      -ENOSPC: listed, but not watched.
		      There are no observations with an error, but for
		      -ENOSPC; pieces before it do not make a full listing */
	int watch_error; /* behind -ENOSPC: what ops->add said */
	uint64_t watch_key; /* JOB_LIST, the same in every piece; else
			       WATCH_NO_KEY. Bind or forget it, also when
			       there is an error */
	struct observation *obs; /* of the directory itself first, in the first
				    piece; JOB_NAMES: st and name of the
				    matches */
	size_t n_obs;
	size_t n_skipped; /* names that could not be looked at (EACCES, EIO),
			     and are not in obs */
	int fault; /* -errno if it is the filesystem's fault, of the job or of
		      one of those names; see beneath_is_fault */
	int64_t looked_boot_ns; /* the first look of this piece was later; 0:
				   there was none */
	struct mounts_fs fs; /* JOB_STATFS, JOB_PROBE */
	struct mounts_health health; /* if asked */
	struct buf text; /* the names live here; JOB_LOOK: in the job */
	struct result *next;
};
struct result *result_free(struct result *r);

#define MEASURE_PIECE 4096 /* observations in one piece, at most */

struct measure;

/*
 * n_threads workers, started when first needed. While workers hang on a disk
 * others stand in for them, up to MEASURE_SPARE, and a root that hangs gets
 * no further worker: the other roots go on.
 */
#define MEASURE_SPARE 8
int measure_new(size_t n_threads, struct measure **ret);
/*
 * Waits for the workers' current system calls; drops what is queued. Workers
 * that do not come back within two seconds (a hung disk) are left behind
 * with the memory they use: for the end of the process. Returns NULL.
 */
struct measure *measure_free(struct measure *m);
/* Readable when results wait that are not quiet. */
int measure_fd(const struct measure *m);
/* Queues a job (taken). STATFS, LOOK and NAMES go before LIST, slow jobs
 * last, by at most all workers but one. Returns 0 or -errno (the job is
 * freed). A watch is referenced until the job is freed. */
int measure_submit(struct measure *m, struct job *job);
/* The same, but wakes nobody: for many at once, followed by one measure_go.
 * Woken for each, a worker would be through with it before the next is there,
 * and go back to sleep. */
int measure_queue(struct measure *m, struct job *job);
void measure_go(struct measure *m);
/* Finished results in order of completion, as a list; NULL: none. Of many it
 * takes MEASURE_TAKE observations and one piece at most, so that no turn of
 * the loop is long, and measure_fd stays readable. */
#define MEASURE_TAKE MEASURE_PIECE
struct result *measure_take(struct measure *m);
/* Jobs submitted and not yet taken to their last piece. */
size_t measure_pending(const struct measure *m);
/* The longest a worker has been without a sign of life at one job, and that
 * job's root; for the alert about a hung disk. 0 if idle. */
int64_t measure_oldest_ns(
	struct measure *m, int64_t now_boot_ns, char ret_root[256]);
