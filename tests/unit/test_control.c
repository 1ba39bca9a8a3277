// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls to the control server and their answers. */
#include "control_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static void calls_are_answered(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, ECHO(1));
	assert_heard(w, fd, ANSWER(1));
	world_say(fd, METHOD("Echo"));
	assert_heard(w, fd, "{\"parameters\":{}}");
	world_say(fd, METHOD("Fail"));
	assert_heard(w, fd,
		"{\"error\":\"io.ullage.Agent.NotFound\",\"parameters\":"
		"{\"message\":\"no \\\"x\\\" here\"}}");
}

static void frames_may_come_in_pieces(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);
	const char *frame = ECHO(7);

	for (size_t i = 0; i <= strlen(frame); i++) {
		assert_int_equal(send(fd, frame + i, 1, 0), 1);
		world_run(w, 0);
	}
	assert_heard(w, fd, ANSWER(7));
}

static void pipelined_calls_keep_their_order(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, METHOD("Later"));
	world_say(fd, ECHO(2));
	world_say(fd, METHOD("Later"));
	world_say(fd, ECHO(4));
	assert_true(world_is_silent(w, fd));
	assert_non_null(w->waiting);
	control_fail(w->waiting, "Failed", "1");
	assert_non_null(strstr(world_hear(w, fd), "\"1\""));
	assert_heard(w, fd, ANSWER(2));
	assert_true(world_is_silent(w, fd));
	control_reply(w->waiting, NULL);
	assert_heard(w, fd, "{\"parameters\":{}}");
	assert_heard(w, fd, ANSWER(4));
}

/* A flood of calls leaves the other clients their turns, and no stack. */
static void a_thousand_calls_at_once(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);
	fd_auto int other = world_join(w);
	buf_auto struct buf calls = {0};
	int before;

	/* Both are known before the flood begins. */
	world_say(other, ECHO(4));
	assert_heard(w, other, ANSWER(4));
	/* In one piece: a thousand small ones do not fit the socket. */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_put(&calls, ECHO(5), sizeof(ECHO(5))), 0);
	assert_int_equal(send(fd, calls.data, calls.len, 0), calls.len);
	world_say(other, ECHO(6));
	before = w->n_turns;
	w->n_echoes = 0;
	assert_heard(w, other, ANSWER(6));
	assert_true(w->n_turns - before < 40);
	/* It did not have to wait for all of them. */
	assert_int_not_equal(w->n_before_six, 0);
	assert_true(w->n_before_six < 500);
	for (int i = 0; i < 1000; i++)
		assert_heard(w, fd, ANSWER(5));
	assert_true(world_is_silent(w, fd));
}

static void oneway_gets_no_answer(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(
		fd, "{\"method\":\"io.ullage.Agent.Change\",\"oneway\":true}");
	world_say(fd, "{\"method\":\"io.ullage.Agent.None\",\"oneway\":true}");
	world_say(fd, ECHO(3));
	assert_heard(w, fd, ANSWER(3));
	assert_int_equal(w->n_changes, 1);
	/* Nor does one that is done later; what waited behind it goes on. */
	world_say(fd, "{\"method\":\"io.ullage.Agent.Later\",\"oneway\":true}");
	world_say(fd, ECHO(4));
	assert_true(world_is_silent(w, fd));
	control_reply(w->waiting, NULL);
	assert_heard(w, fd, ANSWER(4));
}

static void upgrade_is_refused(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(
		fd, "{\"method\":\"io.ullage.Agent.Change\",\"upgrade\":true}");
	assert_heard(w, fd,
		"{\"error\":\"org.varlink.service.InvalidParameter\","
		"\"parameters\":{\"parameter\":\"upgrade\"}}");
	assert_int_equal(w->n_changes, 0);
}

static void several_answers_to_one_call(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, "{\"method\":\"io.ullage.Agent.Stream\",\"more\":true}");
	for (int i = 0; i < 3; i++)
		assert_heard(w, fd, "{\"parameters\":{},\"continues\":true}");
	assert_heard(w, fd, "{\"parameters\":{}}");
	/* Who did not ask for more gets one. */
	world_say(fd, METHOD("Stream"));
	assert_heard(w, fd, "{\"parameters\":{}}");
	world_say(fd, METHOD("Flood"));
	assert_heard(w, fd,
		"{\"error\":\"org.varlink.service.ExpectedMore\","
		"\"parameters\":{}}");
	assert_true(world_is_silent(w, fd));
}

static void unknown_names_are_said_so(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, METHOD("None"));
	assert_heard(w, fd,
		"{\"error\":\"org.varlink.service.MethodNotFound\","
		"\"parameters\":{\"method\":\"io.ullage.Agent.None\"}}");
	world_say(fd, "{\"method\":\"com.example.Other.Do\"}");
	assert_heard(w, fd,
		"{\"error\":\"org.varlink.service.InterfaceNotFound\","
		"\"parameters\":{\"interface\":\"com.example.Other\"}}");
	world_say(fd, "{\"method\":\"io.ullage.Agent.x.Echo\"}");
	assert_non_null(strstr(world_hear(w, fd), "InterfaceNotFound"));
	world_say(fd, "{\"method\":\"Echo\"}");
	assert_non_null(strstr(world_hear(w, fd), "InterfaceNotFound"));
	world_say(fd, "{\"method\":\"\"}");
	assert_non_null(strstr(world_hear(w, fd), "InterfaceNotFound"));
	world_say(fd, "{\"method\":\"org.varlink.service.Nothing\"}");
	assert_non_null(strstr(world_hear(w, fd), "MethodNotFound"));
}

static void service_describes_itself(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
	assert_non_null(strstr(world_hear(w, fd),
		"\"interfaces\":[\"org.varlink.service\",\"io.ullage.Agent\"]"));
#define DESCRIBE(x)                                                    \
	"{\"method\":\"org.varlink.service.GetInterfaceDescription\"," \
	"\"parameters\":{\"interface\":" x "}}"
	world_say(fd, DESCRIBE("\"io.ullage.Agent\""));
	assert_non_null(strstr(world_hear(w, fd), "method GetStatus("));
	world_say(fd, DESCRIBE("\"org.varlink.service\""));
	assert_non_null(strstr(world_hear(w, fd), "method GetInfo()"));
	world_say(fd, DESCRIBE("\"x\""));
	assert_non_null(strstr(world_hear(w, fd), "service.InterfaceNotFound"));
	world_say(fd, DESCRIBE("3"));
	assert_non_null(strstr(world_hear(w, fd), "service.InvalidParameter"));
}

static void the_client_goes_while_its_call_waits(void **state)
{
	struct world *w = *state;
	int fd = world_join(w);

	world_say(fd, METHOD("Later"));
	world_run(w, 20);
	assert_non_null(w->waiting);
	close(fd);
	world_run(w, 20);
	assert_int_equal(w->n_gone, 1);
	assert_null(w->waiting);
	assert_int_equal(control_count_clients(w->control), 0);

	fd = world_join(w);
	world_say(fd, METHOD("Deaf"));
	world_run(w, 20);
	close(fd);
	world_run(w, 20);
	assert_int_equal(control_count_clients(w->control), 0);
	assert_int_equal(control_continue(w->waiting, NULL), -EPIPE);
	control_reply(w->waiting, NULL);
	w->waiting = NULL;
}

static void the_server_goes_while_a_call_waits(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, METHOD("Later"));
	world_run(w, 20);
	w->control = control_free(w->control);
	assert_int_equal(w->n_gone, 1);
	world_run(w, 5);
	assert_heard(w, fd, "");
}

static void the_server_goes_after_its_last_word(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, METHOD("Later"));
	world_run(w, 20);
	control_fail(w->waiting, "Failed", "the agent ends");
	w->control = control_free(w->control);
	assert_non_null(strstr(world_hear(w, fd), "the agent ends"));
	assert_heard(w, fd, "");
}

static void who_only_shuts_his_side_is_answered(void **state)
{
	struct world *w = *state;
	fd_auto int fd = world_join(w);

	world_say(fd, ECHO(1));
	world_say(fd, METHOD("Later"));
	world_say(fd, ECHO(3));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_heard(w, fd, ANSWER(1));
	world_run(w, 20);
	assert_non_null(w->waiting);
	control_reply(w->waiting, NULL);
	assert_heard(w, fd, "{\"parameters\":{}}");
	assert_heard(w, fd, ANSWER(3));
	assert_heard(w, fd, "");
	assert_int_equal(control_count_clients(w->control), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(calls_are_answered),
		WORLD_TEST(frames_may_come_in_pieces),
		WORLD_TEST(pipelined_calls_keep_their_order),
		WORLD_TEST(a_thousand_calls_at_once),
		WORLD_TEST(oneway_gets_no_answer),
		WORLD_TEST(upgrade_is_refused),
		WORLD_TEST(several_answers_to_one_call),
		WORLD_TEST(unknown_names_are_said_so),
		WORLD_TEST(service_describes_itself),
		WORLD_TEST(the_client_goes_while_its_call_waits),
		WORLD_TEST(the_server_goes_while_a_call_waits),
		WORLD_TEST(the_server_goes_after_its_last_word),
		WORLD_TEST(who_only_shuts_his_side_is_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
