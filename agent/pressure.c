// SPDX-License-Identifier: GPL-2.0-or-later
#include "pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int pressure_parse(const char *text)
{
	unsigned int whole, part;

	if (sscanf(text, "some avg10=%3u.%2u", &whole, &part) != 2 ||
		whole > 100)
		return -EBADMSG;
	return (int)(whole * 100 + part);
}

/* 0: unknown, too. */
static int read_now(const char *path)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return 0;
	text[n] = '\0';
	return MAX_OF(pressure_parse(text), 0);
}

bool pressure_is_high(struct pressure *p, int64_t now_boot_ns)
{
	int now;

	if (now_boot_ns < p->due_boot_ns)
		return p->is_high;
	p->due_boot_ns = now_boot_ns + CLOCK_NS_PER_S;
	now = read_now(p->path ? p->path : PRESSURE_PATH);
	p->is_high = now > (p->is_high ? PRESSURE_LOW - 1 : PRESSURE_HIGH);
	return p->is_high;
}
