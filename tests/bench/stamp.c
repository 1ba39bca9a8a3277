// SPDX-License-Identifier: GPL-2.0-or-later
/* An alert hook that does nothing but write down when it was started:
 * the monotonic clock in ns, appended to the file beside it named "stamps". */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec now;
	char line[32];
	int n, fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	n = snprintf(line, sizeof(line), "%lld\n",
		(long long)now.tv_sec * 1000000000 + now.tv_nsec);
	fd = open(STAMPS, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	return fd < 0 || write(fd, line, (size_t)n) != n;
}
