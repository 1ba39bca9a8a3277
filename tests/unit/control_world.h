// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* A control server on a socket of its own, driven turn by turn, and clients
 * of it: for the tests of control. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "control.h"

#define READERS_GID 54321
#define ADMIN_UID   54001
#define READER_UID  54002
#define NOBODY_UID  54003

#define ECHO(x) \
	"{\"method\":\"io.ullage.Agent.Echo\",\"parameters\":{\"x\":" #x "}}"
#define METHOD(name) "{\"method\":\"io.ullage.Agent." name "\"}"
#define ANSWER(x)    "{\"parameters\":{\"x\":" #x "}}"

struct world {
	char dir[64];
	char path[128];
	struct loop *loop;
	struct loop_source *timer;
	struct control *control;
	struct control_call *waiting; /* of Later and Deaf */
	int n_before_six;
	int n_echoes, n_gone, n_turns, n_changes;
	int stream_result; /* of Flood */
};

/* cmocka fixtures. */
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(f) \
	cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* As control_new, with the methods of this world: Echo, Later (answers when
 * the test does), Deaf (the same, and does not ask when its client goes),
 * Change (for those who may), Flood and Stream (several replies), Big (x
 * bytes), Fail. */
int world_serve(
	struct world *w, const char *path, int fd, struct control **ret);
struct control_access world_access(void);

/* Runs the loop for so long. */
void world_run(struct world *w, int64_t ms);
/* A connection: to a path (-1 if that fails), or to the world's server. */
int world_dial(const char *path);
int world_join(struct world *w);
/* Sends a frame, with its NUL. */
void world_say(int fd, const char *frame);
/* The next frame (up to 5 s); "" if the server hung up. */
const char *world_hear(struct world *w, int fd);
bool world_is_silent(struct world *w, int fd);

#define assert_heard(w, fd, frame) assert_string_equal(world_hear(w, fd), frame)
