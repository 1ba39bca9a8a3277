// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fixed amount of metadata-bound work: churn DIRECTORY FILES [SPIN]. Each
 * file is created, written, renamed and, a thousand files later, deleted, in
 * one of a hundred directories; SPIN is how often an empty loop is gone
 * through for each, which stands for what a program does between: a fixed
 * amount as well, so what a watcher takes of the processor shows in it.
 * Prints the seconds that FILES times four operations took, and of those the
 * processor's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DIRS 100
#define LIVE 1000

static int dirs[DIRS];

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void check(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

static void name(char *at, size_t size, char state, int number)
{
	snprintf(at, size, "%c-0123456789abcdef-%08d", state, number);
}

static void make(int number)
{
	static const char bytes[100];
	int dir = dirs[number % DIRS], fd;
	char made[40], ready[40];

	name(made, sizeof(made), 't', number);
	name(ready, sizeof(ready), 'f', number);
	fd = openat(dir, made, O_CREAT | O_EXCL | O_WRONLY, 0644);
	check(fd, "open");
	check((int)write(fd, bytes, sizeof(bytes)), "write");
	close(fd);
	check(renameat(dir, made, dir, ready), "rename");
}

static void drop(int number)
{
	char ready[40];

	if (number < 0)
		return;
	name(ready, sizeof(ready), 'f', number);
	check(unlinkat(dirs[number % DIRS], ready, 0), "unlink");
}

int main(int argc, char **argv)
{
	int n_files = argc > 2 ? atoi(argv[2]) : 0;
	long spin = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
	double began, began_cpu;

	if (n_files < 1 || chdir(argv[1]) < 0) {
		fprintf(stderr, "usage: churn DIRECTORY FILES [SPIN]\n");
		return 2;
	}
	for (int i = 0; i < DIRS; i++) {
		char dir[8];

		snprintf(dir, sizeof(dir), "c%02d", i);
		mkdir(dir, 0755);
		dirs[i] = open(dir, O_RDONLY | O_DIRECTORY);
		check(dirs[i], dir);
	}
	sleep(1); /* so that whoever watches has seen the directories */
	began = now(CLOCK_MONOTONIC);
	began_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < n_files + LIVE; i++) {
		if (i < n_files)
			make(i);
		drop(i - LIVE);
		for (volatile long k = 0; i < n_files && k < spin; k++)
			;
	}
	printf("%.6f %.6f\n", now(CLOCK_MONOTONIC) - began,
		now(CLOCK_PROCESS_CPUTIME_ID) - began_cpu);
	return 0;
}
