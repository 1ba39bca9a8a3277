// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/fd.h"

/* The kernel's interface, written out: the headers of many distributions
 * know less than their kernels. */
#ifndef SYS_landlock_create_ruleset
#	define SYS_landlock_create_ruleset 444
#	define SYS_landlock_add_rule	    445
#	define SYS_landlock_restrict_self  446
#endif
#define LANDLOCK_VERSION      1 /* flag: tell the ABI */
#define LANDLOCK_PATH_BENEATH 1 /* type of rule */

struct landlock_attr {
	uint64_t fs;
	uint64_t net; /* from ABI 4 */
	uint64_t scoped; /* from ABI 6 */
};
struct landlock_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13, /* ABI 2: rename between directories */
	FS_ABI_2 = (1 << 14) - 1,
	FS_TRUNCATE = 1 << 14, /* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
	NET_ABI_4 = 3, /* bind and connect TCP */
	SCOPED_ABI_6 = 3, /* abstract sockets, signals */
};

/* Root, quarantine and trash; three a candidate, and the streams. */
#define FDS_A_ROOT 3
#define FDS_OTHER  64

int confine_landlock_abi(void)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static int make_ruleset(int abi)
{
	struct landlock_attr attr = {.fs = FS_ABI_2};
	size_t size = sizeof(attr.fs);

	if (abi >= 3)
		attr.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		attr.net = NET_ABI_4;
		size += sizeof(attr.net);
	}
	if (abi >= 5)
		attr.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		attr.scoped = SCOPED_ABI_6;
		size += sizeof(attr.scoped);
	}
	return (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

static int restrict_to(const int *fds, size_t n_fds, uint64_t allowed)
{
	fd_auto int rules = -1;
	int abi = confine_landlock_abi();

	/* ABI 1 refuses every rename between directories. */
	if (abi < 2)
		return -EOPNOTSUPP;
	rules = make_ruleset(abi);
	if (rules < 0)
		return -errno;
	for (size_t i = 0; i < n_fds; i++) {
		struct landlock_beneath rule = {
			.allowed = allowed,
			.fd = fds[i],
		};

		if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_PATH_BENEATH,
			    &rule, 0) < 0)
			return -errno;
	}
	return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}

int confine_landlock(const int *root_fds, size_t n_root_fds)
{
	return restrict_to(root_fds, n_root_fds,
		FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_REG |
			FS_MAKE_DIR | FS_MAKE_SYM | FS_REFER);
}

static int limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return -errno;
	now.rlim_cur = now.rlim_max = MIN_OF(now.rlim_max, most);
	return setrlimit((__rlimit_resource_t)resource, &now) < 0 ? -errno : 0;
}

#define MOST_WANTED 3

/* Keeps of these what we have; everything else goes, from the bounding set too
 * where we may. */
static int drop_capabilities(const unsigned int *wanted, size_t n_wanted)
{
	unsigned int had[MOST_WANTED], n = 0;
	bool may_bound;

	if (capng_get_caps_process() < 0)
		return -EPERM;
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (size_t i = 0; i < n_wanted; i++)
		if (capng_have_capability(CAPNG_PERMITTED, wanted[i]))
			had[n++] = wanted[i];
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int i = 0; i < n; i++)
		if (capng_update(CAPNG_ADD,
			    CAPNG_EFFECTIVE | CAPNG_PERMITTED |
				    CAPNG_BOUNDING_SET,
			    had[i]) < 0)
			return -EPERM;
	return capng_apply(may_bound ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS) < 0
		       ? -EPERM
		       : 0;
}

static int keep_only(const unsigned int *wanted, size_t n_wanted)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return drop_capabilities(wanted, n_wanted);
}

int confine_privileges(void)
{
	static const unsigned int wanted[MOST_WANTED] = {
		CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_LEASE};

	return keep_only(wanted, ARRAY_SIZE(wanted));
}

static int limit_resources(size_t n_roots)
{
	int r = limit(RLIMIT_NOFILE, n_roots * FDS_A_ROOT + FDS_OTHER);

	return r < 0 ? r : limit(RLIMIT_CORE, 0);
}

/* Each is asked for something that cannot be: a kernel that has the call says
 * so with this error, one that lacks or forbids it with another. */
static bool has_rename(void)
{
	return syscall(SYS_renameat2, AT_FDCWD, "", AT_FDCWD, "",
		       RENAME_NOREPLACE) < 0 &&
	       errno == ENOENT;
}

static bool has_lease(void)
{
	return fcntl(-1, F_SETLEASE, F_WRLCK) < 0 && errno == EBADF;
}

static bool has_statx(void)
{
	return syscall(SYS_statx, AT_FDCWD, "", 0, 0U, NULL) < 0 &&
	       (errno == ENOENT || errno == EFAULT);
}

static const struct probe {
	bool (*is_there)(void);
	const char *what;
} probes[] = {
	{beneath_is_supported,
		"openat2 (Linux 5.6, and a unit without RestrictSUIDSGID)"},
	{has_rename, "renameat2"},
	{has_lease, "leases (fcntl F_SETLEASE)"},
	{has_statx, "statx"},
};

int confine_probe(const char **ret_why)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		if (!probes[i].is_there()) {
			*ret_why = probes[i].what;
			return -EOPNOTSUPP;
		}
	return 0;
}

int confine_reaper(const int *root_fds, size_t n_root_fds, const char **ret_why)
{
	int r = confine_probe(ret_why);

	if (r < 0)
		return r;
	*ret_why = "giving up capabilities";
	r = confine_privileges();
	if (r == 0) {
		*ret_why = "limits of resources";
		r = limit_resources(n_root_fds);
	}
	if (r == 0) {
		*ret_why = "Landlock ABI 2 (Linux 5.19)";
		r = confine_landlock(root_fds, n_root_fds);
	}
	if (r == 0) {
		*ret_why = "seccomp filters";
		r = confine_seccomp();
	}
	return r;
}

int confine_ballast(const int *fds, size_t n_fds, const char **ret_why)
{
	int r;

	*ret_why = "giving up capabilities";
	r = keep_only(NULL, 0);
	if (r == 0) {
		*ret_why = "limits of resources";
		r = limit_resources(n_fds);
	}
	if (r == 0) {
		*ret_why = "Landlock ABI 2 (Linux 5.19)";
		r = restrict_to(fds, n_fds,
			FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR |
				FS_REMOVE_FILE | FS_MAKE_REG);
	}
	if (r == 0) {
		*ret_why = "seccomp filters";
		r = confine_seccomp_ballast();
	}
	return r;
}
