// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients that are slow, silent, greedy, or many. */
#include "control_world.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

static void bad_frames_end_the_connection(void **state)
{
	static const char *const bad[] = {"", "x", "[]", "{\"method\":1}",
		"{\"method\":\"a\",\"method\":\"a\"}", "{\"method\":\"\xff\"}"};
	struct world *w = *state;
	char deep[4000];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fd_auto int fd = world_join(w);

		world_say(fd, bad[i]);
		assert_heard(w, fd, "");
	}
	fd_auto int fd = world_join(w);
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	world_say(fd, deep);
	assert_heard(w, fd, "");
	assert_int_equal(control_count_clients(w->control), 0);
}

static void a_huge_frame_is_not_kept(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);
	char junk[4096];
	int64_t start = clock_boot_ns(NULL);
	size_t sent = 0;

	memset(junk, ' ', sizeof(junk));
	while (control_count_clients(w->control) || sent == 0) {
		ssize_t n = send(
			fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		assert_true(sent < (1u << 20));
		world_run(w, 0);
	}
	/* At once, not when its time is over. */
	assert_true(clock_boot_ns(NULL) - start < 5 * CLOCK_NS_PER_S);
	assert_heard(w, fd, "");
}

static void a_slow_frame_has_a_deadline(void **state)
{
	struct world *w = *state;
	fd_auto int fd = -1;
	fd_auto int other = world_join(w);
	const char *frame = ECHO(1);
	size_t n = 0;

	world_run(w, 5); /* the other is let in before */
	control_set_patience(w->control, 150, 150);
	fd = world_join(w);
	world_say(fd, ECHO(8));
	assert_heard(w, fd, ANSWER(8));
	/* One byte in 20 ms: never silent, never done. */
	while (send(fd, frame + n % strlen(frame), 1, MSG_NOSIGNAL) == 1) {
		world_run(w, 20);
		assert_true(++n < 50);
	}
	assert_true(n >= 5);
	assert_heard(w, fd, "");
	world_say(other, ECHO(9));
	assert_heard(w, other, ANSWER(9));
}

static void silence_is_for_those_who_have_called(void **state)
{
	struct world *w = *state;
	fd_auto int mute = -1;
	fd_auto int known = -1;

	control_set_patience(w->control, 100, 100);
	mute = world_join(w);
	known = world_join(w);
	world_say(known, ECHO(1));
	assert_heard(w, known, ANSWER(1));
	world_run(w, 300);
	assert_heard(w, mute, "");
	world_say(known, ECHO(2));
	assert_heard(w, known, ANSWER(2));
}

/* While a call is in work its client may take its time. */
static void a_long_call_has_no_deadline(void **state)
{
	struct world *w = *state;
	fd_auto int fd = -1;

	control_set_patience(w->control, 50, 50);
	fd = world_join(w);
	world_say(fd, METHOD("Later"));
	world_run(w, 200);
	assert_non_null(w->waiting);
	control_reply(w->waiting, NULL);
	assert_heard(w, fd, "{\"parameters\":{}}");
}

static void who_does_not_read_is_dropped(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, "{\"method\":\"io.ullage.Agent.Flood\",\"more\":true}");
	world_run(w, 20);
	assert_int_equal(w->stream_result, -EPIPE);
	assert_int_equal(control_count_clients(w->control), 0);
}

static void unread_answers_have_a_deadline(void **state)
{
	struct world *w = *state;
	fd_auto int fd = -1;

	control_set_patience(w->control, 100, 100);
	fd = world_join(w);
	world_say(fd, "{\"method\":\"io.ullage.Agent.Big\",\"parameters\":"
		      "{\"x\":900000}}");
	world_run(w, 20);
	assert_int_equal(control_count_clients(w->control), 1);
	world_run(w, 300);
	assert_int_equal(control_count_clients(w->control), 0);
}

/* Calls without end from one who reads nothing: their answers stay few. */
static void answers_wait_for_their_reader(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	for (int i = 0; i < 40; i++)
		world_say(fd,
			"{\"method\":\"io.ullage.Agent.Big\",\"parameters\":"
			"{\"x\":500000}}");
	world_say(fd, METHOD("Change"));
	world_run(w, 50);
	assert_int_equal(w->n_changes, 0);
	for (int i = 0; i < 40; i++) {
		char c = 'x';

		while (c) {
			ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

			if (n < 0)
				world_run(w, 0);
			else
				assert_int_equal(n, 1);
		}
	}
	assert_heard(w, fd, "{\"parameters\":{}}");
	assert_int_equal(w->n_changes, 1);
}

static void answers_have_a_length(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, "{\"method\":\"io.ullage.Agent.Big\",\"parameters\":"
		      "{\"x\":5000000}}");
	assert_non_null(strstr(world_hear(w, fd), "too long"));
}

static void a_thousand_connections(void **state)
{
	struct world *w = *state;
	int fds[1000];
	int n_busy = 0;

	for (int i = 0; i < 1000; i++) {
		fds[i] = world_join(w);
		if (i % 20 == 0)
			world_run(w, 0);
	}
	world_run(w, 20);
	assert_int_equal(
		control_count_clients(w->control), CONTROL_MAX_CLIENTS_PER_UID);
	for (int i = 0; i < 1000; i++) {
		char frame[200] = "";

		if (recv(fds[i], frame, sizeof(frame) - 1, MSG_DONTWAIT) > 0)
			n_busy += !!strstr(frame, "io.ullage.Agent.Busy");
	}
	assert_int_equal(n_busy, 1000 - CONTROL_MAX_CLIENTS_PER_UID);
	world_say(fds[999], ECHO(1));
	assert_heard(w, fds[999], ANSWER(1));
	for (int i = 0; i < 1000; i++)
		fd_close(fds[i]);
	world_run(w, 20);
	assert_int_equal(control_count_clients(w->control), 0);
	fd_auto int fd = world_join(w);
	world_say(fd, ECHO(2));
	assert_heard(w, fd, ANSWER(2));
}

/* Sixteen who send a byte now and then keep nobody of their user out; who
 * has called keeps his place. */
static void the_silent_make_room(void **state)
{
	struct world *w = *state;
	fd_auto int known = world_join(w);
	fd_auto int last = -1;
	int fds[CONTROL_MAX_CLIENTS_PER_UID];

	world_say(known, ECHO(1));
	assert_heard(w, known, ANSWER(1));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = world_join(w);
		assert_int_equal(send(fds[i], "{", 1, 0), 1);
		world_run(w, 1);
	}
	/* The first of them went for the last. */
	assert_non_null(strstr(world_hear(w, fds[0]), "Busy"));
	assert_heard(w, fds[0], "");
	assert_true(world_is_silent(w, fds[1]));
	last = world_join(w);
	world_say(last, ECHO(2));
	assert_heard(w, last, ANSWER(2));
	world_say(known, ECHO(3));
	assert_heard(w, known, ANSWER(3));
	assert_int_equal(
		control_count_clients(w->control), CONTROL_MAX_CLIENTS_PER_UID);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fd_close(fds[i]);
}

/* Those who have called are not turned out: the next is told to wait. */
static void who_has_called_stays(void **state)
{
	struct world *w = *state;
	int fds[CONTROL_MAX_CLIENTS_PER_UID];
	fd_auto int last = -1;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = world_join(w);
		world_say(fds[i], ECHO(1));
		assert_heard(w, fds[i], ANSWER(1));
	}
	last = world_join(w);
	assert_non_null(strstr(world_hear(w, last), "io.ullage.Agent.Busy"));
	assert_heard(w, last, "");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		world_say(fds[i], ECHO(2));
		assert_heard(w, fds[i], ANSWER(2));
		fd_close(fds[i]);
	}
}

/* Without descriptors accepting rests; it does not spin, and comes back. */
static void no_descriptors_left(void **state)
{
	struct world *w = *state;
	fd_auto int fd = -1;
	struct rlimit old, none;
	int lowest;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	fd = world_join(w);
	world_say(fd, ECHO(1));
	lowest = dup(fd);
	assert_true(lowest >= 0);
	close(lowest);
	none = old;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	w->n_turns = 0;
	world_run(w, 300);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(control_count_clients(w->control), 0);
	assert_true(w->n_turns < 5);
	assert_heard(w, fd, ANSWER(1));
}

static void idle_clients_cost_no_turn(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
	world_run(w, 20);
	w->n_turns = 0;
	world_run(w, 200);
	assert_int_equal(w->n_turns, 1); /* the test's own timer */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(bad_frames_end_the_connection),
		WORLD_TEST(a_huge_frame_is_not_kept),
		WORLD_TEST(a_slow_frame_has_a_deadline),
		WORLD_TEST(silence_is_for_those_who_have_called),
		WORLD_TEST(a_long_call_has_no_deadline),
		WORLD_TEST(who_does_not_read_is_dropped),
		WORLD_TEST(unread_answers_have_a_deadline),
		WORLD_TEST(answers_wait_for_their_reader),
		WORLD_TEST(answers_have_a_length),
		WORLD_TEST(a_thousand_connections),
		WORLD_TEST(the_silent_make_room),
		WORLD_TEST(who_has_called_stays),
		WORLD_TEST(no_descriptors_left),
		WORLD_TEST(idle_clients_cost_no_turn),
	};
	struct rlimit many = {4096, 4096};

	/* A thousand clients and their server are one process here. */
	if (setrlimit(RLIMIT_NOFILE, &many) < 0)
		print_message("the limit of descriptors stays as it is\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
