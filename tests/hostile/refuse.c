// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a program on a kernel that lacks, or forbids, some system calls:
 *
 *   refuse CALL[=ERRNO]... -- PROGRAM [ARGUMENT...]
 *
 * ERRNO is ENOSYS (the default) or EPERM. "lease" is fcntl(F_SETLEASE) alone,
 * "seccomp" is both ways to set a filter. Exit: what the program exits with;
 * 2 usage, 77 no filter can be set here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#	define SYS_landlock_create_ruleset 444
#	define SYS_landlock_add_rule	    445
#	define SYS_landlock_restrict_self  446
#endif
#define ANY	   (-1)
#define MAX_STEPS  128
#define ARG_LOW(i) (offsetof(struct seccomp_data, args) + (i)*8u)

static const struct call {
	const char *name;
	uint32_t number;
	int arg; /* which argument decides; ANY: none */
	uint32_t value; /* and what it is */
} calls[] = {
	{"landlock_create_ruleset", SYS_landlock_create_ruleset, ANY, 0},
	{"landlock_add_rule", SYS_landlock_add_rule, ANY, 0},
	{"landlock_restrict_self", SYS_landlock_restrict_self, ANY, 0},
	{"openat2", SYS_openat2, ANY, 0},
	{"lease", SYS_fcntl, 1, F_SETLEASE},
	{"renameat2", SYS_renameat2, ANY, 0},
	{"statx", SYS_statx, ANY, 0},
	{"fanotify_init", SYS_fanotify_init, ANY, 0},
	{"seccomp", SYS_seccomp, ANY, 0},
	{"seccomp", SYS_prctl, 0, PR_SET_SECCOMP},
};
#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static struct sock_filter steps[MAX_STEPS];
static unsigned short n_steps;

static void put(uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	steps[n_steps++] = (struct sock_filter){code, yes, no, k};
}

static void put_call(const struct call *c, uint32_t error)
{
	put(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	put(BPF_JMP | BPF_JEQ | BPF_K, c->number, 0, c->arg == ANY ? 1 : 3);
	if (c->arg != ANY) {
		put(BPF_LD | BPF_W | BPF_ABS, ARG_LOW((unsigned)c->arg), 0, 0);
		put(BPF_JMP | BPF_JEQ | BPF_K, c->value, 0, 1);
	}
	put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error, 0, 0);
}

/* NAME[=ERRNO] */
static bool put_word(char *word)
{
	char *error = strchr(word, '=');
	uint32_t number = ENOSYS;
	bool is_known = false;

	if (error) {
		*error++ = '\0';
		if (strcmp(error, "EPERM") == 0)
			number = EPERM;
		else if (strcmp(error, "ENOSYS") != 0)
			return false;
	}
	for (size_t i = 0; i < N_CALLS; i++)
		if (strcmp(calls[i].name, word) == 0 &&
			n_steps + 6 < MAX_STEPS) {
			put_call(&calls[i], number);
			is_known = true;
		}
	return is_known;
}

int main(int argc, char **argv)
{
	struct sock_fprog program = {.filter = steps};
	int at = 1;

	for (; at < argc && strcmp(argv[at], "--") != 0; at++)
		if (!put_word(argv[at])) {
			fprintf(stderr, "refuse: %s?\n", argv[at]);
			return 2;
		}
	if (at + 1 >= argc)
		return 2;
	put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	program.len = n_steps;
	/* Only without the right to do it without. */
	if (geteuid() != 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("refuse: seccomp");
		return 77;
	}
	execvp(argv[at + 1], argv + at + 1);
	perror(argv[at + 1]);
	return 127;
}
