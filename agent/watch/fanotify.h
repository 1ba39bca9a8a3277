// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * News from fanotify: one group a filesystem, which is marked as a whole by
 * whoever may do that, so that no directory needs a watch. What happens
 * elsewhere on it costs one look-up. Where a filesystem takes no such mark
 * (overlay, FUSE, a subvolume of btrfs), each directory has one of its own. The
 * components that live there share the group; each has a port of its own,
 * which is what watch.h knows.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/fanotify.h>

#include "watch/watch.h"

/* How a group must be opened, and what it must be marked for. */
#define FANOTIFY_FLAGS \
	(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_CLOEXEC | FAN_NONBLOCK)
#define FANOTIFY_CHANGES                                                    \
	(FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO |          \
		FAN_MODIFY | FAN_ATTRIB | FAN_CLOSE_WRITE | FAN_MOVE_SELF | \
		FAN_DELETE_SELF)
/* Who has had it open for long has used it until he closed it. */
#define FANOTIFY_ACCESS (FAN_OPEN | FAN_CLOSE_NOWRITE)
#define FANOTIFY_MASK	(FANOTIFY_CHANGES | FANOTIFY_ACCESS | FAN_ONDIR)

/* Marks one directory, open as dir_fd. No capability is needed. 0 or -errno;
 * -ENOSPC: out of marks (fs.fanotify.max_user_marks). */
int fanotify_mark_dir(int group_fd, int dir_fd);

struct fanotify_hub;

/* fd: a group, taken (also on failure), marked already unless each directory
 * is to have a mark. Returns 0 or -ENOMEM. */
int fanotify_hub_new(int fd, bool is_by_dir, struct fanotify_hub **ret);
struct fanotify_hub *fanotify_hub_ref(struct fanotify_hub *h);
/* Gives one reference back; ports hold one each. Returns NULL. */
struct fanotify_hub *fanotify_hub_free(struct fanotify_hub *h);

/* Has it ports? Without, nobody reads it. */
bool fanotify_hub_is_used(const struct fanotify_hub *h);

/* Hands every queued event to the port it is for, at most max reads. Returns
 * the number of events, or -errno. Reading any port comes to the same. */
int fanotify_hub_read(struct fanotify_hub *h, int max);

/* A port for one component. Returns 0 or -ENOMEM. */
int fanotify_port_new(struct fanotify_hub *h, const struct watch_sink *sink,
	struct watch **ret);

/* watch.h for ports; open is none of it. */
extern const struct watch_ops watch_fanotify;
