// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes to four files, RATE times a second for so many SECONDS: flood
 * DIRECTORY RATE SECONDS. A file grows to a mebibyte and is then written over
 * from its beginning. Prints how many writes a second it were.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FILES 4
#define SIZE  100
#define FULL  (1 << 20)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const char bytes[SIZE];
	double rate = argc == 4 ? strtod(argv[2], NULL) : 0;
	double seconds = argc == 4 ? strtod(argv[3], NULL) : 0;
	double began, at;
	long n = 0;
	int fds[FILES];

	if (rate <= 0 || seconds <= 0 || chdir(argv[1]) < 0) {
		fprintf(stderr, "usage: flood DIRECTORY RATE SECONDS\n");
		return 2;
	}
	for (int i = 0; i < FILES; i++) {
		char file[16];

		snprintf(file, sizeof(file), "flood%d", i);
		fds[i] = open(file, O_CREAT | O_WRONLY | O_TRUNC, 0644);
		if (fds[i] < 0) {
			perror(file);
			return 1;
		}
	}
	began = now();
	while ((at = now() - began) < seconds) {
		/* As many as are due; it is woken every 0.1 ms or so. */
		for (long due = (long)(at * rate); n < due; n++)
			if (pwrite(fds[n % FILES], bytes, SIZE,
				    n / FILES * SIZE % FULL) != SIZE) {
				perror("write");
				return 1;
			}
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
	}
	printf("%.0f\n", (double)n / at);
	return 0;
}
