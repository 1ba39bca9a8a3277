// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the warden says about a round of hooks, as the agent reads it: answers
 * of any kind and reports of any bytes. An alert is tried as often as the
 * header says, every script is asked for on a line of its own, and nothing is
 * told that is no single line.
 */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "deliver.h"
#include "wire.h"

struct scene {
	struct wire *wire;
	struct deliver *deliver;
	struct clock clock;
	int warden;
	int n_asked;
};

static void on_hangup(void *ctx)
{
	(void)ctx;
}

static void on_failed(void *ctx, const char *what, int tries)
{
	struct scene *s = ctx;

	must(tries == s->n_asked && !strchr(what, '\n'));
}

/* ULLAGE_X=1, then @NAME lines. */
static void must_be_lines(const struct buf *env)
{
	static const char first[] = "ULLAGE_X=1\n";
	const char *at = env->data + strlen(first);

	must(strncmp(env->data, first, strlen(first)) == 0);
	while (*at) {
		const char *end = strchr(at, '\n');

		must(*at == '@' && end && !memchr(at, '/', end - at));
		at = end + 1;
	}
}

/* The next request; false if none came. */
static bool hear(struct scene *s, struct channel_message *ret)
{
	buf_auto struct buf payload = {0}, env = {0};
	int fds[FD_MAX_PASSED];

	deliver_run(s->deliver);
	if (fd_recv(s->warden, ret, sizeof(*ret), fds) != sizeof(*ret))
		return false;
	must(ret->kind == CHANNEL_HOOKS && fds[0] >= 0 && fds[1] >= 0);
	must(buf_read_fd(&payload, fds[0], 4096) == 0);
	must(buf_read_fd(&env, fds[1], 1 << 20) == 0);
	must(strcmp(payload.data, "{}") == 0);
	must_be_lines(&env);
	fd_close(fds[0]);
	fd_close(fds[1]);
	s->n_asked++;
	return true;
}

static void answer(
	struct scene *s, const struct channel_message *asked, struct input *in)
{
	uint8_t what = input_byte(in);
	struct channel_message m = {
		.kind = what & 1 ? CHANNEL_HANGUP : CHANNEL_DONE,
		.serial = asked->serial + (what >> 1 & 1),
		.status = (int8_t)input_byte(in),
	};
	size_t len, size = (size_t)input_byte(in) << 8 | input_byte(in);
	const void *report = input_run(in, size, &len);
	fd_auto int fd = -1;

	must(fd_memfile("report", report, len, &fd) == 0);
	must(fd_send(s->warden, &m, sizeof(m) - (what >> 7), &fd,
		     what >> 2 & 1) == 0);
	must(wire_dispatch(s->wire) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct channel_message asked = {0};
	struct scene s = {.clock = {.is_fake = true}};
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) == 0);
	s.warden = pair[1];
	must(wire_new(pair[0], on_hangup, &s, &s.wire) == 0);
	must(deliver_new(s.wire, &s.clock, on_failed, &s, &s.deliver) == 0);
	must(deliver_add(s.deliver, "{}", "ULLAGE_X=1\n") == 0);
	for (int i = 0; i < 16 && in.left; i++) {
		(void)hear(&s, &asked);
		answer(&s, &asked, &in);
		clock_advance(&s.clock, 600 * CLOCK_NS_PER_S);
	}
	must(s.n_asked <= DELIVER_TRIES);
	deliver_free(s.deliver);
	wire_free(s.wire);
	fd_close(s.warden);
	return 0;
}
