// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/answer.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fd.h"

#define ANSWER_DELAY_NS (100 * CLOCK_NS_PER_MS)

int answer_flush(struct answer *a)
{
	size_t n = a->n;

	a->n = 0;
	return n ? fd_write_full(a->fd, a->waiting, n * sizeof(a->waiting[0]))
		 : 0;
}

int answer_put(struct answer *a, const struct outcome *o)
{
	int64_t now_ns = clock_boot_ns(NULL);

	if (!a->n)
		a->first_boot_ns = now_ns;
	a->waiting[a->n++] = *o;
	if (a->n < ANSWER_BATCH && now_ns - a->first_boot_ns < ANSWER_DELAY_NS)
		return 0;
	return answer_flush(a);
}
