// SPDX-License-Identifier: GPL-2.0-or-later
/* Each allocation of frames, of the saved state, of deliveries and of the map
 * of watches fails once: the answer is -ENOMEM or what was asked for, nothing
 * in between, and nothing is left behind (ASan and valgrind look). */
#include "tests/unit/failing.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/fd.h"
#include "core.h"
#include "deliver.h"
#include "dirty.h"
#include "proto/varlink.h"
#include "silence.h"
#include "state.h"
#include "watch/mountinfo.h"
#include "watch/wdmap.h"
#include "wire.h"

static const char call_text[] =
	"{\"method\":\"io.ullage.Agent.Why\",\"parameters\":{\"path\":\"/x\"}}";
static const char error_text[] =
	"{\"error\":\"io.ullage.Agent.NotFound\",\"parameters\":{\"a\":1}}";

static int speak(void *ctx)
{
	buf_auto struct buf b = {0};
	struct varlink_call call;
	struct varlink_reply reply;
	size_t len;
	int r;

	(void)ctx;
	r = varlink_parse_call(call_text, strlen(call_text), &call);
	if (r < 0)
		return r;
	assert_string_equal(call.method, "io.ullage.Agent.Why");
	r = varlink_put_call(&b, call.method, call.parameters, true);
	if (r < 0)
		assert_int_equal(b.len, 0);
	len = b.len;
	if (r == 0)
		r = varlink_put_reply(&b, call.parameters, true);
	varlink_call_fini(&call);
	if (r < 0) {
		/* What stood there stays. */
		assert_int_equal(b.len, len);
		return r;
	}
	r = varlink_parse_reply(error_text, strlen(error_text), &reply);
	if (r < 0)
		return r;
	len = b.len;
	r = varlink_put_error(&b, reply.error, reply.parameters);
	if (r < 0)
		assert_int_equal(b.len, len);
	varlink_reply_fini(&reply);
	return r;
}

static void frames_are_whole_or_not_at_all(void **state)
{
	(void)state;
	assert_true(fail_everywhere(speak, NULL) >= 4);
}

#define NOW INT64_C(1800000000)

static const char state_text[] =
	"{\"version\":1,\"cleanups\":[{\"component\":\"web\",\"strategy\":"
	"\"size\",\"reason\":\"critical\",\"mode\":\"canary\"}],\"alerts\":[{"
	"\"id\":42,\"event\":\"raised\",\"level\":\"critical\",\"kind\":"
	"\"usage\",\"scope\":\"component/web\",\"component\":\"web\","
	"\"filesystem\":\"/srv\",\"message\":\"m\",\"time\":"
	"\"2027-01-15T07:59:00Z\"}],\"samples\":[{\"component\":\"web\"}],"
	"\"openAlerts\":[{\"id\":43,\"event\":\"raised\",\"level\":\"warning\","
	"\"kind\":\"inodes\",\"scope\":\"filesystem/x\"}],"
	"\"schedules\":{\"web\":\"2027-01-15T08:30:00Z\"}}";

static int keep_state(void *ctx)
{
	buf_auto struct buf text = {0}, again = {0};
	struct policy policy = {.component = (char *)"web", .interval_s = 9};
	struct component component = {.policy = &policy};
	struct clock clock = {
		.is_fake = true, .fake_real_ns = NOW * CLOCK_NS_PER_S};
	struct config config = {.state_file = (char *)"/nowhere/state"};
	struct agent a = {.config = &config,
		.clock = &clock,
		.components = &component,
		.n_components = 1};
	int r = buf_puts(&text, state_text);

	(void)ctx;
	a.alerts = r < 0 ? NULL : alerts_new(3600);
	if (!a.alerts)
		return -ENOMEM;
	r = history_init(&a.history);
	if (r == 0)
		r = state_read(&a, &text);
	if (r == 0) {
		/* An alert that there was no memory for is left out. */
		assert_true(a.history.n_alerts <= 1);
		assert_int_equal(a.history.n_cleanups, 1);
		assert_int_equal(a.history.n_samples, 1);
		r = state_write(&a, &again);
	}
	history_fini(&a.history);
	alerts_free(a.alerts);
	return r;
}

static void a_state_is_read_as_far_as_there_is_room(void **state)
{
	(void)state;
	assert_true(fail_everywhere(keep_state, NULL) >= 15);
}

static void on_hangup(void *ctx)
{
	(void)ctx;
}

static void on_failed(void *ctx, const char *what, int tries)
{
	(void)ctx;
	(void)tries;
	/* The report is told as far as there was room to read it. */
	assert_true(strstr(what, "20-page") || strstr(what, "no report"));
}

/* The warden answers with a report; told or not, the alert is tried again. */
static int answer(int warden, struct wire *wire)
{
	static const char report[] = "20-page\texit 3\tno route\n";
	struct channel_message m;
	int fds[FD_MAX_PASSED], fd = -1;

	if (fd_recv(warden, &m, sizeof(m), fds) != sizeof(m))
		return -ENOMEM;
	for (int i = 0; i < FD_MAX_PASSED; i++)
		fd_close(fds[i]);
	m = (struct channel_message){
		.kind = CHANNEL_DONE, .serial = m.serial, .status = 1};
	assert_int_equal(fd_memfile("r", report, strlen(report), &fd), 0);
	assert_int_equal(fd_send(warden, &m, sizeof(m), &fd, 1), 0);
	fd_close(fd);
	return wire_dispatch(wire);
}

static int post(void *ctx)
{
	struct clock clock = {.is_fake = true};
	struct wire *wire = NULL;
	struct deliver *d = NULL;
	int pair[2], r;

	(void)ctx;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
		0);
	r = wire_new(pair[0], on_hangup, NULL, &wire);
	if (r < 0)
		close(pair[0]);
	if (r == 0)
		r = deliver_new(wire, &clock, on_failed, NULL, &d);
	if (r == 0)
		r = deliver_add(d, "{}", "ULLAGE_X=1\n");
	for (int i = 0; r == 0 && i < 2; i++) {
		clock_advance(&clock, 600 * CLOCK_NS_PER_S);
		deliver_run(d);
		r = answer(pair[1], wire);
		assert_int_equal(deliver_dropped(d), 0);
		assert_true(deliver_due(d) < INT64_MAX);
	}
	deliver_free(d);
	wire_free(wire);
	close(pair[1]);
	return r;
}

static void an_alert_is_not_lost_for_want_of_memory(void **state)
{
	(void)state;
	assert_true(fail_everywhere(post, NULL) >= 8);
}

/* Descriptors and directories, back and forth: bound or not, never half. */
static int watch(void *ctx)
{
	struct wdmap m = {0};
	int old, r = 0, r2;

	(void)ctx;
	for (int wd = 1; r >= 0 && wd < 3000; wd += 300) {
		r = wdmap_bind(&m, wd, (uint32_t)wd * 3, &old);
		assert_int_equal(wdmap_wd(&m, (uint32_t)wd * 3),
			r < 0 ? WDMAP_NO_WD : wd);
		r2 = wdmap_note(&m, wd + 1000);
		r = MIN_OF(r, r2);
		r2 = wdmap_kill(&m, wd - 1);
		r = MIN_OF(r, r2);
	}
	wdmap_fini(&m);
	return MIN_OF(r, 0);
}

static void watches_are_bound_or_not(void **state)
{
	(void)state;
	assert_true(fail_everywhere(watch, NULL) >= 4);
}

static int find_mount(void *ctx)
{
	static char lines[] = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
	FILE *file = fmemopen(lines, strlen(lines), "r");
	struct mountinfo m;
	int r;

	(void)ctx;
	if (!file)
		return -ENOMEM;
	r = mountinfo_find(file, "/srv", &m);
	fclose(file);
	return r;
}

static void a_mount_is_found_or_not(void **state)
{
	(void)state;
	(void)fail_everywhere(find_mount, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_whole_or_not_at_all),
		cmocka_unit_test(a_state_is_read_as_far_as_there_is_room),
		cmocka_unit_test(an_alert_is_not_lost_for_want_of_memory),
		cmocka_unit_test(watches_are_bound_or_not),
		cmocka_unit_test(a_mount_is_found_or_not),
	};

	return cmocka_run_group_tests_name("proto_oom", tests, NULL, NULL);
}
