// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What watching costs at least: bare MOUNT-POINT marks the filesystem as the
 * agent does, reads the events every 5 ms, so that the kernel merges them, and
 * does nothing with them. Says "ready" once it does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "watch/fanotify.h"

int main(int argc, char **argv)
{
	static char events[1 << 16];
	int fd = fanotify_init(
		FANOTIFY_FLAGS | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);

	if (argc != 2 || fd < 0 ||
		fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			FANOTIFY_MASK, AT_FDCWD, argv[1]) < 0) {
		perror("bare");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		while (read(fd, events, sizeof(events)) > 0)
			;
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}
