// SPDX-License-Identifier: GPL-2.0-or-later
/* How many safe deletions a second: speed [KIND [FILES]]. A line with the
 * rate of the whole run (start, confinement and plan included), and of plain
 * unlink over the same files. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "hostile/world.h"

#define FILES_A_DIR 100

static void fill(struct world *w, unsigned int n_files, bool is_planned)
{
	char rel[64];

	for (unsigned int i = 0; i < n_files; i++) {
		if (i % FILES_A_DIR == 0) {
			snprintf(rel, sizeof(rel), "dir-%06u", i / FILES_A_DIR);
			mkdirat(w->fd, rel, 0755);
		}
		snprintf(rel, sizeof(rel), "dir-%06u/a-file-with-25-bytes-%04u",
			i / FILES_A_DIR, i % FILES_A_DIR);
		world_write(w, rel, 4096);
		if (is_planned)
			world_plan(w, rel, PLAN_RULE_LARGEST);
	}
}

static int64_t unlink_all(struct world *w, unsigned int n_files)
{
	int64_t start_ns = clock_boot_ns(NULL);
	char rel[64];

	for (unsigned int i = 0; i < n_files; i++) {
		snprintf(rel, sizeof(rel), "dir-%06u/a-file-with-25-bytes-%04u",
			i / FILES_A_DIR, i % FILES_A_DIR);
		must(unlinkat(w->fd, rel, 0) == 0);
	}
	return clock_boot_ns(NULL) - start_ns;
}

static long long rate(unsigned int n_files, int64_t ns)
{
	return (long long)n_files * CLOCK_NS_PER_S / (ns ? ns : 1);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "ext4";
	unsigned int n_files = argc > 2 ? (unsigned int)atoi(argv[2]) : 50000;
	mem_autofree struct outcome *o = NULL;
	int64_t start_ns, safe_ns, plain_ns;
	struct world w;
	size_t n;

	if (!world_init(&w, kind, 512 + n_files / 50))
		return 77;
	fill(&w, n_files, true);
	sync();
	start_ns = clock_boot_ns(NULL);
	must(world_run(&w, &o, &n) == 0);
	safe_ns = clock_boot_ns(NULL) - start_ns;
	for (size_t i = 0; i < n_files; i++)
		if (o[i].reason != REASON_DELETED) {
			printf("item %zu: %s %s\n", i, reason_word(o[i].reason),
				strerror(o[i].error));
			break;
		}
	fill(&w, n_files, false);
	sync();
	plain_ns = unlink_all(&w, n_files);
	printf("%s: %u files: safe %lld/s, plain unlink %lld/s\n", kind,
		n_files, rate(n_files, safe_ns), rate(n_files, plain_ns));
	world_fini(&w);
	return 0;
}
