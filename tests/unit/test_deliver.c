// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts to hooks, deliver.c over wire.c; the test is the warden. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "deliver.h"
#include "wire.h"

struct post {
	struct wire *wire;
	struct deliver *deliver;
	struct clock clock;
	int warden;
	int n_failed, n_hangups;
	char told[256]; /* last */
	struct channel_message asked; /* last */
	struct buf payload, env;
};

static void on_hangup(void *ctx)
{
	((struct post *)ctx)->n_hangups++;
}

static void on_failed(void *ctx, const char *what, int tries)
{
	struct post *p = ctx;

	assert_true(tries >= 1 && tries <= DELIVER_TRIES);
	p->n_failed++;
	snprintf(p->told, sizeof(p->told), "%s", what);
}

static int set_up(void **state)
{
	struct post *p = test_calloc(1, sizeof(*p));
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX,
			SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
		0);
	p->warden = pair[1];
	p->clock =
		(struct clock){.is_fake = true, .fake_boot_ns = CLOCK_NS_PER_S};
	assert_int_equal(wire_new(pair[0], on_hangup, p, &p->wire), 0);
	assert_int_equal(
		deliver_new(p->wire, &p->clock, on_failed, p, &p->deliver), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct post *p = *state;

	deliver_free(p->deliver);
	wire_free(p->wire);
	fd_close(p->warden);
	buf_fini(&p->payload);
	buf_fini(&p->env);
	test_free(p);
	return 0;
}

/* The next request, as the warden gets it; false if none came. */
static bool hear(struct post *p)
{
	int fds[FD_MAX_PASSED];
	ssize_t n = fd_recv(p->warden, &p->asked, sizeof(p->asked), fds);

	if (n == -EAGAIN)
		return false;
	assert_int_equal(n, sizeof(p->asked));
	assert_int_equal(p->asked.kind, CHANNEL_HOOKS);
	buf_reset(&p->payload);
	buf_reset(&p->env);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_int_equal(fds[2], -1);
	assert_int_equal(buf_read_fd(&p->payload, fds[0], 4096), 0);
	assert_int_equal(buf_read_fd(&p->env, fds[1], 4096), 0);
	fd_close(fds[0]);
	fd_close(fds[1]);
	return true;
}

static void answer(struct post *p, int status, const char *report)
{
	struct channel_message msg = {
		.kind = CHANNEL_DONE,
		.serial = p->asked.serial,
		.status = status,
	};
	fd_auto int fd = -1;

	if (report)
		assert_int_equal(
			fd_memfile("report", report, strlen(report), &fd), 0);
	assert_int_equal(
		fd_send(p->warden, &msg, sizeof(msg), &fd, report ? 1 : 0), 0);
	assert_int_equal(wire_dispatch(p->wire), 0);
}

static void add(struct post *p, const char *payload)
{
	assert_int_equal(deliver_add(p->deliver, payload, "ULLAGE_X=1\n"), 0);
}

static bool ask(struct post *p)
{
	deliver_run(p->deliver);
	return hear(p);
}

/* One after another, in order, each once. */
static void test_in_order(void **state)
{
	struct post *p = *state;

	assert_int_equal(deliver_due(p->deliver), INT64_MAX);
	assert_false(ask(p));
	add(p, "one");
	add(p, "two");
	assert_true(deliver_due(p->deliver) <= clock_boot_ns(&p->clock));
	assert_true(ask(p));
	assert_string_equal(p->payload.data, "one");
	assert_string_equal(p->env.data, "ULLAGE_X=1\n");
	/* The second waits for the first. */
	assert_false(ask(p));
	assert_int_equal(deliver_due(p->deliver), INT64_MAX);
	answer(p, 0, "10-mail\tok\t\n");
	assert_true(ask(p));
	assert_string_equal(p->payload.data, "two");
	answer(p, 0, NULL);
	assert_false(ask(p));
	assert_int_equal(p->n_failed, 0);
	assert_int_equal(deliver_dropped(p->deliver), 0);
}

/* Only what failed is asked again. */
static void test_only_failed(void **state)
{
	struct post *p = *state;

	add(p, "x");
	assert_true(ask(p));
	answer(p, 2,
		"10-mail\tok\t\n20-page\texit 3\tno route\n"
		"30-log\tdeadline\t\n");
	assert_int_equal(p->n_failed, 2);
	assert_string_equal(p->told, "30-log: deadline; again in 5 s");
	clock_advance(&p->clock, 5 * CLOCK_NS_PER_S);
	assert_true(ask(p));
	assert_string_equal(p->payload.data, "x");
	assert_string_equal(p->env.data, "ULLAGE_X=1\n@20-page\n@30-log\n");
	answer(p, 1, "20-page\tok\t\n30-log\tsignal 9\tout\n");
	assert_string_equal(p->told, "30-log: signal 9: out; again in 30 s");
	clock_advance(&p->clock, 30 * CLOCK_NS_PER_S);
	assert_true(ask(p));
	assert_string_equal(p->env.data, "ULLAGE_X=1\n@30-log\n");
	/* No report: the same again. */
	answer(p, -ECHILD, NULL);
	clock_advance(&p->clock, 120 * CLOCK_NS_PER_S);
	assert_true(ask(p));
	assert_string_equal(p->env.data, "ULLAGE_X=1\n@30-log\n");
	/* The directory is no hook. */
	answer(p, 1, "/etc/ullage/hooks.d\trefused\tmode\n");
	clock_advance(&p->clock, 600 * CLOCK_NS_PER_S);
	assert_true(ask(p));
	assert_string_equal(p->env.data, "ULLAGE_X=1\n");
}

static void test_pauses(void **state)
{
	static const int pauses_s[] = {5, 30, 120, 600};
	struct post *p = *state;

	add(p, "x");
	for (size_t i = 0; i < ARRAY_SIZE(pauses_s); i++) {
		assert_true(ask(p));
		answer(p, -EAGAIN, NULL);
		assert_int_equal(deliver_due(p->deliver),
			clock_boot_ns(&p->clock) +
				pauses_s[i] * CLOCK_NS_PER_S);
		clock_advance(&p->clock, pauses_s[i] * CLOCK_NS_PER_S - 1);
		assert_false(ask(p));
		clock_advance(&p->clock, 1);
	}
	assert_true(ask(p));
	assert_int_equal(deliver_dropped(p->deliver), 0);
	answer(p, -EAGAIN, NULL);
	assert_non_null(strstr(p->told, "that was the last try"));
	assert_int_equal(deliver_dropped(p->deliver), 1);
	assert_int_equal(deliver_due(p->deliver), INT64_MAX);
	clock_advance(&p->clock, 3600 * CLOCK_NS_PER_S);
	assert_false(ask(p));
}

/* One that waits for its next try does not hold up the others. */
static void test_no_jam(void **state)
{
	struct post *p = *state;

	add(p, "bad");
	assert_true(ask(p));
	answer(p, 1, NULL);
	add(p, "good");
	assert_true(ask(p));
	assert_string_equal(p->payload.data, "good");
	answer(p, 0, NULL);
	clock_advance(&p->clock, 5 * CLOCK_NS_PER_S);
	assert_true(ask(p));
	assert_string_equal(p->payload.data, "bad");
}

static void test_bounded(void **state)
{
	struct post *p = *state;
	char text[16];

	for (int i = 0; i < DELIVER_QUEUE + 5; i++) {
		snprintf(text, sizeof(text), "%d", i);
		add(p, text);
	}
	assert_int_equal(deliver_dropped(p->deliver), 5);
	for (int i = 5; i < DELIVER_QUEUE + 5; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_true(ask(p));
		assert_string_equal(p->payload.data, text);
		answer(p, 0, NULL);
	}
	assert_false(ask(p));
}

/* A failed one comes back into a full queue: the bound holds. */
static void test_bounded_again(void **state)
{
	struct post *p = *state;
	int n = 0;

	add(p, "first");
	assert_true(ask(p));
	for (int i = 0; i < DELIVER_QUEUE; i++)
		add(p, "x");
	answer(p, -EAGAIN, NULL);
	for (int i = 0; i < 1000; i++)
		add(p, "y");
	for (; ask(p); n++)
		answer(p, 0, NULL);
	assert_int_equal(n, DELIVER_QUEUE);
	assert_int_equal(deliver_dropped(p->deliver), 1001);
}

/* Answers that nobody waits for, or to somebody who is gone. */
static void test_strange_answers(void **state)
{
	struct post *p = *state;

	p->asked.serial = 4711;
	answer(p, 0, "junk");
	add(p, "x");
	assert_true(ask(p));
	answer(p, 1, "\n\t\nno tab at all\n\t\t\t\n");
	answer(p, 0, NULL); /* a second time */
	clock_advance(&p->clock, 5 * CLOCK_NS_PER_S);
	assert_true(ask(p));
	p->deliver = deliver_free(p->deliver);
	answer(p, 0, NULL);
}

static void test_wire(void **state)
{
	struct post *p = *state;
	struct channel_message msg = {.kind = CHANNEL_HANGUP};
	int before;

	assert_int_equal(fd_send(p->warden, &msg, sizeof(msg), NULL, 0), 0);
	/* Cut short: no message at all. */
	assert_int_equal(fd_send(p->warden, &msg, 8, NULL, 0), 0);
	assert_int_equal(wire_dispatch(p->wire), 0);
	assert_int_equal(p->n_hangups, 1);
	add(p, "x");
	p->warden = fd_close(p->warden);
	before = p->n_failed;
	deliver_run(p->deliver);
	assert_int_equal(p->n_failed, before);
	assert_int_equal(deliver_due(p->deliver),
		clock_boot_ns(&p->clock) + 5 * CLOCK_NS_PER_S);
	assert_int_equal(wire_dispatch(p->wire), -EPIPE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_in_order),
		CASE(test_only_failed),
		CASE(test_pauses),
		CASE(test_no_jam),
		CASE(test_bounded),
		CASE(test_bounded_again),
		CASE(test_strange_answers),
		CASE(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
