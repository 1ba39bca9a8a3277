// SPDX-License-Identifier: GPL-2.0-or-later
#include "act/gain.h"

#include <errno.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define GAIN_EVERY     64
#define GAIN_EVERY_MAX 4096
#define GAIN_MIN       (UINT64_C(1) << 20)
#define GAIN_SHORT_MAX 3
#define GAIN_PAUSE_NS  (5 * CLOCK_NS_PER_MS)
#define GAIN_PAUSES    8

enum verdict { ENOUGH, SHORT, UNCLEAR };

static int measure(const struct gain *g, uint64_t *ret_free)
{
	struct statfs fs;

	if (fstatfs(g->fd, &fs) < 0)
		return -errno;
	*ret_free = (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize;
	return 0;
}

static void begin(struct gain *g, uint64_t free_bytes)
{
	g->free_bytes = free_bytes;
	g->at_boot_ns = clock_boot_ns(NULL);
	g->files = g->expected_bytes = 0;
	g->next_files = g->every;
}

/* Of figures that cannot be (statfs lies) nothing may be taken: 0. */
static uint64_t size_of(const struct statfs *fs)
{
	uint64_t total;

	if (fs->f_bfree > fs->f_blocks ||
		__builtin_mul_overflow(
			(uint64_t)fs->f_blocks, (uint64_t)fs->f_bsize, &total))
		return 0;
	return total;
}

int gain_init(struct gain *g, uint64_t dev, int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	*g = (struct gain){
		.dev = dev,
		.fd = fd,
		.total_bytes = size_of(&fs),
		.every = GAIN_EVERY,
	};
	begin(g, (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize);
	return 0;
}

static bool is_enough(const struct gain *g, uint64_t free_bytes)
{
	return mem_sub_sat(free_bytes, g->free_bytes) >= g->expected_bytes / 2;
}

/* Bytes a second, from one moment and amount to now. */
static uint64_t rate_since(
	const struct gain *g, int64_t at_ns, uint64_t *io_free)
{
	int64_t span_ns = MAX_OF(clock_boot_ns(NULL) - at_ns, INT64_C(1));
	uint64_t before = *io_free;

	if (measure(g, io_free) < 0)
		return 0;
	return mem_mul_div(mem_sub_sat(before, *io_free),
		(uint64_t)CLOCK_NS_PER_S, (uint64_t)span_ns);
}

/* What others take in a second at their worst: writers come in bursts, so the
 * worst of some short moments counts, and is forgotten by halves; and what
 * they wrote shows only after a sync where allocation is delayed. */
static uint64_t measure_others(const struct gain *g, uint64_t free_bytes)
{
	struct timespec pause = {.tv_nsec = GAIN_PAUSE_NS};
	int64_t start_ns = clock_boot_ns(NULL);
	uint64_t worst = g->others_a_s / 2, at_start = free_bytes, rate;

	for (int i = 0; i < GAIN_PAUSES; i++) {
		int64_t at_ns = clock_boot_ns(NULL);

		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		rate = rate_since(g, at_ns, &free_bytes);
		worst = MAX_OF(worst, rate);
	}
	syncfs(g->fd);
	rate = rate_since(g, start_ns, &at_start);
	return MAX_OF(worst, rate);
}

/* Takes its time: only when the first look disappoints. */
static enum verdict look_again(struct gain *g)
{
	uint64_t free_bytes = 0, others;
	int64_t span_ns;

	syncfs(g->fd);
	if (measure(g, &free_bytes) < 0)
		return UNCLEAR;
	if (is_enough(g, free_bytes))
		return ENOUGH;
	span_ns = MAX_OF(clock_boot_ns(NULL) - g->at_boot_ns, INT64_C(0));
	g->others_a_s = measure_others(g, free_bytes);
	others = mem_mul_div(
		g->others_a_s, (uint64_t)span_ns, (uint64_t)CLOCK_NS_PER_S);
	if (is_enough(g, mem_add_sat(free_bytes, others)))
		return ENOUGH;
	return others > g->expected_bytes / 8 ? UNCLEAR : SHORT;
}

void gain_add(struct gain *g, uint64_t used_bytes, uint64_t expected_bytes)
{
	uint64_t free_bytes = 0;
	enum verdict verdict;

	g->files++;
	g->taken_bytes = mem_add_sat(g->taken_bytes, used_bytes);
	g->expected_bytes = mem_add_sat(g->expected_bytes, expected_bytes);
	if (g->files < g->next_files)
		return;
	g->next_files = g->files + g->every;
	if (g->expected_bytes < GAIN_MIN || measure(g, &free_bytes) < 0)
		return;
	verdict = ENOUGH;
	if (!is_enough(g, free_bytes)) {
		verdict = look_again(g);
		/* that look is dear: where it was for nothing, seldom */
		if (verdict != SHORT)
			g->every =
				MIN_OF(g->every * 4, (uint64_t)GAIN_EVERY_MAX);
	}
	if (verdict == ENOUGH)
		g->n_short = 0;
	if (verdict == SHORT)
		g->n_short++;
	g->is_futile = g->n_short >= GAIN_SHORT_MAX;
	/* judging takes time, and others write on */
	if (measure(g, &free_bytes) == 0)
		begin(g, free_bytes);
}
