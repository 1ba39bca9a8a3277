// SPDX-License-Identifier: GPL-2.0-or-later
#include "control_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "control.h"

/* Whether gid is among the peer's supplementary groups. */
static int peer_has_group(int fd, gid_t gid, bool *ret)
{
	mem_autofree gid_t *groups = NULL;
	socklen_t len = 0;

	/* Asked without room the kernel says how much it needs. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 ||
		errno == ENODATA) {
		*ret = false;
		return 0;
	}
	if (errno != ERANGE)
		return -errno;
	groups = malloc(len);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return -errno;
	for (size_t i = 0; i < len / sizeof(*groups); i++) {
		if (groups[i] == gid) {
			*ret = true;
			return 0;
		}
	}
	*ret = false;
	return 0;
}

static bool may_change(uid_t uid, const struct control_access *access)
{
	if (uid == 0 || uid == access->agent_uid)
		return true;
	for (size_t i = 0; i < access->n_admins; i++)
		if (access->admins[i] == uid)
			return true;
	return false;
}

int control_peer_look(
	int fd, const struct control_access *access, struct control_peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	bool can_change, can_read;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	can_change = may_change(cred.uid, access);
	can_read = can_change;
	if (!can_read && access->read_gid != (gid_t)-1) {
		can_read = cred.gid == access->read_gid;
		if (!can_read) {
			r = peer_has_group(fd, access->read_gid, &can_read);
			if (r < 0)
				return r;
		}
	}
	*ret = (struct control_peer){
		.uid = cred.uid,
		.can_read = can_read,
		.can_change = can_change,
	};
	return 0;
}
