// SPDX-License-Identifier: GPL-2.0-or-later
#include "hostile/world.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/fd.h"

int world_spawn(const char *const *argv)
{
	char *const env[] = {
		(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
		&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(
		&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv,
		    env) != 0)
		return 127;
	posix_spawn_file_actions_destroy(&actions);
	while (waitpid(pid, &status, 0) < 0)
		must(errno == EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* ---- a filesystem ---- */

static bool skip(const struct world *w, const char *what)
{
	printf("SKIPPED on %s: %s\n", w->kind, what);
	return false;
}

static bool make_image(struct world *w, const char *image, unsigned int mib)
{
	int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char mkfs[32];

	must(fd >= 0);
	must(ftruncate(fd, (off_t)mib << 20) == 0);
	close(fd);
	snprintf(mkfs, sizeof(mkfs), "mkfs.%s", w->kind);
	if (strcmp(w->kind, "ext4") == 0)
		/* -m 0: a full disk is full for root too */
		return world_command(mkfs, "-q", "-F", "-m", "0", image) == 0;
	return world_command(mkfs, "-q", "-f", image) == 0;
}

/* What a test that fails leaves mounted goes with its process. */
static void mount_privately(void)
{
	static bool is_private;

	if (!is_private && unshare(CLONE_NEWNS) == 0)
		is_private =
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool mount_kind(struct world *w, unsigned int mib)
{
	char image[256], options[32];

	if (geteuid() != 0)
		return skip(w, "mounting needs root");
	mount_privately();
	if (strcmp(w->kind, "tmpfs") == 0) {
		snprintf(options, sizeof(options), "size=%um", mib);
		if (mount("tmpfs", w->top, "tmpfs", 0, options) < 0)
			return skip(w, "mount of a tmpfs failed");
		return w->is_mounted = true;
	}
	/* The image lies on a tmpfs, so the disk of this machine is not
	 * what is measured. */
	if (mount("tmpfs", w->base, "tmpfs", 0, "size=80%") < 0)
		return skip(w, "mount of a tmpfs failed");
	must(mkdir(w->top, 0755) == 0);
	snprintf(image, sizeof(image), "%s/image", w->base);
	if (!make_image(w, image, mib))
		return skip(w, "its mkfs is missing or failed");
	if (world_command("mount", "-o", "loop", image, w->top) != 0)
		return skip(w, "no loop device");
	return w->is_mounted = true;
}

static void umount_kind(struct world *w)
{
	if (w->is_mounted)
		must(umount2(w->top, MNT_DETACH) == 0);
	if (strcmp(w->kind, "dir") != 0 && strcmp(w->kind, "tmpfs") != 0)
		umount2(w->base, MNT_DETACH);
	must(world_command("rm", "-rf", "--one-file-system", "--", w->base) ==
		0);
}

/* ---- the policy ---- */

static void fill_policy(struct world *w)
{
	w->root = (struct root){.path = w->path, .type = STYPE_CACHE};
	w->policy = (struct policy){
		.component = (char *)"victim",
		.mode = MODE_ENFORCE,
		.roots = &w->root,
		.n_roots = 1,
		.limits =
			{
				.files = UINT64_MAX,
				.share_ppm = 1000000,
				.bytes_ppm = 1000000,
				.filesystem_ppm = 1000000,
				.errors = 10,
				.errors_ppm = 50000,
			},
	};
	for (int i = 0; i < N_STYPES; i++)
		w->policy.rules.retention_s[i] = RULES_FOREVER;
	w->order = (struct reaper_order){
		.policy = &w->policy,
		.known = &w->known,
		.reason = GOAL_WARNING,
		.max_files = UINT64_MAX,
		.max_bytes = UINT64_MAX,
	};
}

bool world_init(struct world *w, const char *kind, unsigned int size_mib)
{
	char base[] = "/tmp/ullage-world-XXXXXX";

	*w = (struct world){.kind = kind, .fd = -1, .audit_fd = -1};
	must(mkdtemp(base));
	snprintf(w->base, sizeof(w->base), "%s", base);
	snprintf(w->top, sizeof(w->top), "%s/top", base);
	must(mkdir(w->top, 0755) == 0);
	if (strcmp(kind, "dir") != 0 && !mount_kind(w, size_mib)) {
		umount_kind(w);
		return false;
	}
	snprintf(w->path, sizeof(w->path), "%s/root", w->top);
	must(mkdir(w->path, 0755) == 0);
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(w->fd >= 0);
	fill_policy(w);
	must(admit_root(w->path, NULL, &w->known, NULL) == 0);
	w->audit_fd = memfd_create("audit", MFD_CLOEXEC);
	must(w->audit_fd >= 0);
	return true;
}

void world_fini(struct world *w)
{
	plan_fini(&w->plan);
	fd_close(w->fd);
	fd_close(w->audit_fd);
	umount_kind(w);
}

/* ---- files ---- */

void world_mkdir(struct world *w, const char *rel)
{
	must(mkdirat(w->fd, rel, 0755) == 0);
}

void world_write(struct world *w, const char *rel, size_t size)
{
	static const char some[65536];
	int fd = openat(
		w->fd, rel, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	must(fd >= 0);
	while (size) {
		size_t n = MIN_OF(size, sizeof(some));

		must(write(fd, some, n) == (ssize_t)n);
		size -= n;
	}
	close(fd);
}

bool world_has(const struct world *w, const char *rel)
{
	struct stat st;

	return fstatat(w->fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void world_plan(struct world *w, const char *rel, enum plan_rule rule)
{
	const char *slash = strrchr(rel, '/');
	char dir[8192] = "";
	struct candidate c = {
		.type = STYPE_CACHE,
		.rule = (uint8_t)rule,
		.rel_dir = dir,
		.name = slash ? slash + 1 : rel,
	};
	struct beneath_stat st;
	fd_auto int fd = -1;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - rel), rel);
	must(beneath_open_dir(w->fd, dir, &fd) == 0);
	must(beneath_stat(fd, c.name, &st) == 0);
	c.id = st.id;
	c.used_bytes = st.used_bytes;
	c.size_bytes = st.size_bytes;
	must(plan_add(&w->plan, &c) == 0);
}

/* ---- a run ---- */

static void read_outcomes(int fd, struct outcome **ret, size_t *ret_n)
{
	size_t cap = 0, n = 0;
	struct outcome *all = NULL;

	for (;;) {
		must(mem_grow((void **)&all, &cap, n + 1, sizeof(*all)) == 0);
		if (fd_read_full(fd, &all[n], sizeof(*all)) < 0)
			break;
		n++;
	}
	*ret = all;
	*ret_n = n;
}

pid_t world_start(struct world *w, int plan_fd, int outcome_fd)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		struct reaper_order order = w->order;

		order.plan_fd = plan_fd;
		order.outcome_fd = outcome_fd;
		order.audit_fd = w->audit_fd;
		if (w->before)
			w->before();
		_exit(reaper_run(&order));
	}
	return pid;
}

int world_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		must(errno == EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int world_run(struct world *w, struct outcome **ret, size_t *ret_n)
{
	buf_auto struct buf stream = {0};
	int pair[2], plan_fd;
	pid_t pid;

	must(plan_encode(&w->plan, 0, w->plan.n_items, &stream) == 0);
	must(fd_memfile("plan", stream.data, stream.len, &plan_fd) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	pid = world_start(w, plan_fd, pair[1]);
	close(pair[1]);
	close(plan_fd);
	read_outcomes(pair[0], ret, ret_n);
	close(pair[0]);
	plan_fini(&w->plan);
	return world_wait(pid);
}

enum reason world_reap(struct world *w, const char *rel)
{
	mem_autofree struct outcome *o = NULL;
	enum reason reason;
	size_t n;
	int status;

	if (rel)
		world_plan(w, rel, PLAN_RULE_LARGEST);
	status = world_run(w, &o, &n);
	must(n == 2 && o[1].is_end && o[0].item == 0);
	must(status == 0);
	reason = o[0].reason;
	errno = o[0].error;
	return reason;
}

unsigned int world_audited(struct world *w, const char *text)
{
	buf_auto struct buf all = {0};
	unsigned int n = 0;

	must(lseek(w->audit_fd, 0, SEEK_SET) == 0);
	must(buf_read_fd(&all, w->audit_fd, (size_t)1 << 30) == 0);
	for (char *line = all.data; line && *line;) {
		char *end = strchrnul(line, '\n');
		bool is_last = !*end;

		*end = '\0';
		n += strstr(line, text) != NULL;
		line = is_last ? end : end + 1;
	}
	return n;
}

int world_main(int argc, char **argv, unsigned long rounds,
	bool (*run)(const char *kind, unsigned long rounds))
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"kind", required_argument, NULL, 'k'},
		{0},
	};
	static const char *const kinds[] = {"tmpfs", "ext4", "xfs", "btrfs"};
	const char *kind = NULL;
	bool is_fine = true;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			rounds = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			kind = optarg;
		else
			return 2;
	}
	if (geteuid() != 0) {
		printf("SKIPPED: mounting needs root\n");
		return 77;
	}
	if (kind)
		return run(kind, rounds) ? 0 : 1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		is_fine &= run(kinds[i], rounds);
	return is_fine ? 0 : 1;
}
