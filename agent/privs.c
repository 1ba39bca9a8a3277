// SPDX-License-Identifier: GPL-2.0-or-later
#include "privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/account.h"
#include "base/mem.h"

static const unsigned int agent_caps[] = {CAP_DAC_READ_SEARCH};

static const unsigned int warden_caps[] = {
	/* for the agent */
	CAP_DAC_READ_SEARCH,
	/* for the reaper */
	CAP_DAC_OVERRIDE,
	CAP_FOWNER,
	CAP_LEASE,
	/* for base directories and the reaper */
	CAP_CHOWN,
	/* to become the agent's and the hooks' user, and to end the latter */
	CAP_SETUID,
	CAP_SETGID,
	CAP_KILL,
	/* to take from them what they must not get back */
	CAP_SETPCAP,
	/* to mark filesystems for the agent: the last, and not for all */
	CAP_SYS_ADMIN,
};

static const unsigned int hooks_caps[] = {
	/* to become the hooks' user, and to end what they leave behind */
	CAP_SETUID,
	CAP_SETGID,
	CAP_KILL,
	/* to take from them what they must not get back */
	CAP_SETPCAP,
};

static const struct caps {
	const unsigned int *caps;
	size_t n;
} sets[] = {
	[PRIVS_NONE] = {NULL, 0},
	[PRIVS_AGENT] = {agent_caps, ARRAY_SIZE(agent_caps)},
	[PRIVS_HOOKS] = {hooks_caps, ARRAY_SIZE(hooks_caps)},
	[PRIVS_WARDEN] = {warden_caps, ARRAY_SIZE(warden_caps) - 1},
	[PRIVS_MARKING_WARDEN] = {warden_caps, ARRAY_SIZE(warden_caps)},
};

int privs_find_user(const char *name, struct account *ret)
{
	char ours[16];
	int r;

	if (name)
		return account_find_user(name, ret);
	snprintf(ours, sizeof(ours), "%u", (unsigned)geteuid());
	r = account_find_user(ours, ret);
	if (r == 0 && !ret->name[0])
		ret->gid = getegid();
	return r;
}

/* The bounding set too: what is not in it no program that is started here
 * can bring back. */
static void choose(enum privs_set set)
{
	const struct caps *want = &sets[set];
	uint64_t have = 0;

	capng_get_caps_process();
	for (size_t i = 0; i < want->n; i++)
		if (capng_have_capability(CAPNG_PERMITTED, want->caps[i]))
			have |= UINT64_C(1) << i;
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < want->n; i++)
		if (have & UINT64_C(1) << i)
			capng_update(CAPNG_ADD,
				CAPNG_EFFECTIVE | CAPNG_PERMITTED |
					CAPNG_BOUNDING_SET,
				want->caps[i]);
}

static int change_id(const struct account *to, bool can_bound)
{
	int flags = CAPNG_CLEAR_AMBIENT;

	if (to->name[0] ? initgroups(to->name, to->gid) < 0
			: setgroups(0, NULL) < 0)
		return -errno;
	if (can_bound)
		flags |= CAPNG_CLEAR_BOUNDING;
	/* It keeps what was chosen across the change. */
	return capng_change_id(
		       (int)to->uid, (int)to->gid, (capng_flags_t)flags) < 0
		       ? -EPERM
		       : 0;
}

int privs_drop(const struct account *to, enum privs_set set)
{
	bool can_bound;
	int r = 0;

	capng_get_caps_process();
	can_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
	choose(set);
	if (to && to->uid != geteuid())
		r = change_id(to, can_bound);
	else if (capng_apply(can_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) <
		 0)
		r = -EPERM;
	if (r == 0 && set < PRIVS_WARDEN &&
		prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		r = -errno;
	return r;
}

int privs_die_with(pid_t parent, int signo)
{
	if (prctl(PR_SET_PDEATHSIG, (long)signo, 0L, 0L, 0L) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ECANCELED;
}
