// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking for a ballast: what the warden is asked, what its answers are taken
 * for, and how long an emergency waits for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "ballast.h"
#include "core.h"
#include "feed_impl.h"
#include "notice.h"
#include "wire.h"

#define S    CLOCK_NS_PER_S
#define MB   (UINT64_C(1) << 20)
#define SIZE (50 * MB)
#define DEV  7

static struct {
	struct clock clock;
	struct config config;
	struct agent agent;
	struct filesystem fs; /* 1,000 MB */
	struct component component;
	struct policy policy;
	struct feed feed;
	struct feed_root roots[2]; /* the second is on it */
	int warden;
	struct channel_message asked;
	unsigned int n_told;
	struct ballast_report told;
} w;

void __wrap_notice_ballast(struct agent *a, const struct filesystem *f,
	enum ballast_op op, uint64_t bytes_before,
	const struct ballast_report *report);

void __wrap_notice_ballast(struct agent *a, const struct filesystem *f,
	enum ballast_op op, uint64_t bytes_before,
	const struct ballast_report *report)
{
	assert_ptr_equal(a, &w.agent);
	assert_ptr_equal(f, &w.fs);
	(void)op;
	(void)bytes_before;
	w.n_told++;
	w.told = *report;
}

static void on_hangup(void *ctx)
{
	(void)ctx;
}

static struct amount percent(uint32_t n)
{
	return (struct amount){.is_share = true, .ppm = n * 10000};
}

static void set_used(uint64_t bytes, enum level level)
{
	w.fs.facts.used_bytes = bytes;
	w.fs.facts.available_bytes = 1000 * MB - bytes;
	w.fs.level = level;
}

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	memset(&w, 0, sizeof(w));
	w.clock = (struct clock){.is_fake = true, .fake_boot_ns = 5000 * S};
	w.config = (struct config){.digest = 99,
		.ballast = {.bytes = SIZE},
		.fs_warning = percent(85),
		.fs_emergency = percent(90),
		.fs_critical = percent(95),
		.fs_target = percent(80),
		.hysteresis_ppm = 20000};
	w.policy = (struct policy){.n_roots = 2};
	w.roots[0].id.dev = DEV + 1;
	w.roots[1].id.dev = DEV;
	w.feed = (struct feed){.roots = w.roots, .n_roots = 2};
	w.component = (struct component){
		.policy = &w.policy, .feed = &w.feed, .number = 3};
	w.fs = (struct filesystem){
		.dev = DEV, .facts = {.total_bytes = 1000 * MB}};
	set_used(100 * MB, LEVEL_OK);
	w.agent = (struct agent){.config = &w.config,
		.clock = &w.clock,
		.components = &w.component,
		.n_components = 1,
		.filesystems = {.items = &w.fs, .n_items = 1}};
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	w.warden = pair[1];
	assert_int_equal(wire_new(pair[0], on_hangup, NULL, &w.agent.wire), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	w.fs.ballast = ballast_free(w.fs.ballast);
	w.agent.wire = wire_free(w.agent.wire);
	fd_close(w.warden);
	return 0;
}

/* A turn; whether the emergency is to wait. */
static bool keeps(void)
{
	return ballast_keep(&w.agent, &w.fs);
}

/* What the warden is asked in a turn. */
static enum ballast_op asks(void)
{
	int fds[FD_MAX_PASSED];

	keeps();
	if (fd_recv(w.warden, &w.asked, sizeof(w.asked), fds) < 0)
		return BALLAST_NONE;
	assert_int_equal(w.asked.kind, CHANNEL_BALLAST);
	assert_int_equal(w.asked.digest, 99);
	/* the component by its number, the root by its place */
	assert_int_equal(w.asked.number, 3);
	assert_int_equal(w.asked.root, 1);
	return (enum ballast_op)w.asked.op;
}

static void answer(int status, const void *report, size_t len)
{
	struct channel_message m = {.kind = CHANNEL_DONE,
		.serial = w.asked.serial,
		.status = status};
	fd_auto int fd = -1;

	if (report)
		assert_int_equal(fd_memfile("report", report, len, &fd), 0);
	assert_int_equal(
		fd_send(w.warden, &m, sizeof(m), &fd, report != NULL), 0);
	assert_int_equal(wire_dispatch(w.agent.wire), 0);
}

static void tell(struct ballast_report report)
{
	answer(report.error ? 1 : 0, &report, sizeof(report));
}

static void advance(int64_t s)
{
	clock_advance(&w.clock, s * S);
}

static void test_made(void **state)
{
	(void)state;
	assert_int_equal(ballast_bytes(&w.fs), 0);
	assert_int_equal(asks(), BALLAST_LOOK);
	/* one thing at a time */
	assert_int_equal(asks(), BALLAST_NONE);
	tell((struct ballast_report){0});
	assert_int_equal(w.fs.cleaned_boot_ns, 0);
	assert_int_equal(asks(), BALLAST_MAKE);
	tell((struct ballast_report){.bytes = SIZE});
	assert_int_equal(ballast_bytes(&w.fs), SIZE);
	assert_int_equal(w.n_told, 2);
	/* what was known of free space is no more */
	assert_int_equal(w.fs.cleaned_boot_ns, clock_boot_ns(&w.clock));
	assert_int_equal(asks(), BALLAST_NONE);
	advance(3600);
	assert_int_equal(asks(), BALLAST_LOOK);
	/* one as large instead of it */
	tell((struct ballast_report){.bytes = SIZE, .released_bytes = SIZE});
	assert_int_equal(w.fs.cleaned_boot_ns, clock_boot_ns(&w.clock));
	assert_int_equal(w.fs.ballast->n_releases, 0);
}

static void have_one(void)
{
	assert_int_equal(asks(), BALLAST_LOOK);
	tell((struct ballast_report){.bytes = SIZE});
}

static void test_released(void **state)
{
	(void)state;
	have_one();
	set_used(910 * MB, LEVEL_EMERGENCY);
	assert_int_equal(asks(), BALLAST_RELEASE);
	assert_true(keeps());
	tell((struct ballast_report){
		.released_bytes = SIZE, .freed_bytes = SIZE});
	assert_int_equal(w.fs.ballast->n_releases, 1);
	/* the next is the components' turn */
	assert_false(keeps());
	set_used(100 * MB, LEVEL_OK);
	assert_int_equal(asks(), BALLAST_NONE);
	advance(3);
	assert_int_equal(asks(), BALLAST_MAKE);
}

/* Nobody has looked yet: perhaps there is one. But not for ever. */
static void test_patience(void **state)
{
	(void)state;
	set_used(910 * MB, LEVEL_EMERGENCY);
	assert_int_equal(asks(), BALLAST_LOOK);
	assert_true(keeps());
	advance(5);
	assert_false(keeps());
	tell((struct ballast_report){.bytes = SIZE});
	assert_int_equal(asks(), BALLAST_RELEASE);
	assert_true(keeps());
	advance(5);
	assert_false(keeps());
	/* that one looks after another hour holds nothing up */
	tell((struct ballast_report){.bytes = SIZE, .error = EIO});
	set_used(100 * MB, LEVEL_OK);
	advance(3600);
	assert_int_equal(asks(), BALLAST_LOOK);
	assert_false(keeps());
}

static void test_failed(void **state)
{
	(void)state;
	assert_int_equal(asks(), BALLAST_LOOK);
	tell((struct ballast_report){0});
	assert_int_equal(asks(), BALLAST_MAKE);
	tell((struct ballast_report){.error = ENOSPC});
	assert_int_equal(w.told.error, ENOSPC);
	assert_int_equal(asks(), BALLAST_NONE);
	advance(59);
	assert_int_equal(asks(), BALLAST_NONE);
	advance(1);
	assert_int_equal(asks(), BALLAST_MAKE);
}

/* It may have done it, or not. */
static void test_no_report(void **state)
{
	(void)state;
	have_one();
	set_used(910 * MB, LEVEL_EMERGENCY);
	assert_int_equal(asks(), BALLAST_RELEASE);
	answer(-EBUSY, NULL, 0);
	assert_int_equal(w.n_told, 1);
	assert_int_equal(asks(), BALLAST_NONE);
	advance(3);
	assert_int_equal(asks(), BALLAST_LOOK);
	/* cut short */
	answer(0, "short", 5);
	advance(3);
	assert_int_equal(asks(), BALLAST_NONE);
	advance(57);
	assert_int_equal(asks(), BALLAST_LOOK);
}

/* The answer to one that is not asked for any more. */
static void test_filesystem_gone(void **state)
{
	(void)state;
	assert_int_equal(asks(), BALLAST_LOOK);
	w.agent.filesystems.n_items = 0;
	tell((struct ballast_report){.bytes = SIZE});
	assert_int_equal(w.n_told, 0);
	w.agent.filesystems.n_items = 1;
	ballast_forget(w.fs.ballast, false);
	assert_int_equal(asks(), BALLAST_LOOK);
	w.fs.ballast = ballast_free(w.fs.ballast);
	tell((struct ballast_report){.bytes = SIZE});
	assert_int_equal(w.n_told, 0);
	ballast_forget(NULL, false);
}

/* No root of ours lies on it, or the warden cannot be asked. */
static void test_cannot_ask(void **state)
{
	(void)state;
	w.roots[1].id.dev = DEV + 1;
	assert_int_equal(asks(), BALLAST_NONE);
	assert_int_equal(w.fs.ballast->look_boot_ns, 5060 * S);
	w.roots[1].id.dev = DEV;
	assert_int_equal(asks(), BALLAST_NONE);
	advance(60);
	assert_int_equal(asks(), BALLAST_LOOK);
	tell((struct ballast_report){0});
	w.warden = fd_close(w.warden);
	assert_false(keeps());
	assert_int_equal(w.fs.ballast->asked, BALLAST_NONE);
	assert_int_equal(w.fs.ballast->rest_boot_ns, 5120 * S);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_made),
		CASE(test_released),
		CASE(test_patience),
		CASE(test_failed),
		CASE(test_no_report),
		CASE(test_filesystem_gone),
		CASE(test_cannot_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
