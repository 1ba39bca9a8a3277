// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows for the parsers of strangers' bytes: JSON to the letter, and what a
 * saved state may hold without being believed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core.h"
#include "proto/jsoncheck.h"
#include "proto/varlink.h"
#include "state.h"

static void json_to_the_letter(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{"true", true},
		{"tru", false},
		{"trux", false},
		{"null ", true},
		{"\"\\u00E9\\u00fF\"", true},
		{"\"\\u00g0\"", false},
		{"\"\\u00:0\"", false},
		{"\"\\u00@0\"", false},
		{"\"\\u00`0\"", false},
		{"\"\\u12", false},
		{"\"\\u0000\"", false},
		{"\"\\ud83d\\ude00\"", true},
		{"\"\\ud83d\"", false},
		{"\"\\ud83d\\u12\"", false},
		{"\"\\ud83d\\u0041\"", false},
		{"\"\\ud83d\\ue000\"", false},
		{"\"\\udc00\"", false},
		{"\"\\ue000\"", true},
		{"\"\\x\"", false},
		{"\"\\", false},
		{"1e5", true},
		{"1E5", true},
		{"1E+5", true},
		{"1e-5", true},
		{"1e", false},
		{"1e555", false},
		{"1.5", true},
		{"1.", false},
		{"1.5e", false},
		{"01", false},
		{"-0", true},
		{"-", false},
		{"-9223372036854775808", true},
		{"-9223372036854775809", false},
		{"18446744073709551615", true},
		{"18446744073709551616", false},
		{"1/", false},
		{"1:", false},
		{"{\"a\":1}", true},
		{"{\"a\" 1}", false},
		{"{\"a\":}", false},
		{"{\"a\":1,}", false},
		{"{a:1}", false},
		{"[1 2]", false},
		{"[1,2", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = 77;
		int r = jsoncheck_text(rows[i].text, strlen(rows[i].text), &n);

		if ((r == 0) != rows[i].is_good)
			fail_msg("%s: %d", rows[i].text, r);
		if (r < 0)
			assert_true(r == -EBADMSG && n == 77);
	}
}

static void no_nul_is_escaped(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(jsoncheck_text("\"\\\0\"", 4, &n), -EBADMSG);
	assert_int_equal(jsoncheck_text("\"\0\"", 3, &n), -EBADMSG);
	assert_int_equal(jsoncheck_text("1\0", 2, &n), -EBADMSG);
}

static void calls_ask_for_one_answer_or_more(void **state)
{
	buf_auto struct buf b = {0};

	(void)state;
	assert_int_equal(varlink_put_call(&b, "a.B", NULL, false), 0);
	assert_null(strstr(b.data, "more"));
	buf_reset(&b);
	assert_int_equal(varlink_put_call(&b, "a.B", NULL, true), 0);
	assert_non_null(strstr(b.data, "\"more\":true"));
}

struct desk {
	struct config config;
	struct policy policy;
	struct component component;
	struct clock clock;
	struct agent agent;
};

static void begin(struct desk *d)
{
	*d = (struct desk){
		.policy = {.component = (char *)"web", .interval_s = 3600},
		.clock = {.is_fake = true,
			.fake_real_ns = INT64_C(1800000000) * CLOCK_NS_PER_S},
	};
	d->component.policy = &d->policy;
	d->component.scheduled_boot_ns = 77;
	d->agent = (struct agent){
		.config = &d->config,
		.clock = &d->clock,
		.components = &d->component,
		.n_components = 1,
		.alerts = alerts_new(3600),
	};
	assert_non_null(d->agent.alerts);
	assert_int_equal(history_init(&d->agent.history), 0);
}

static void end(struct desk *d)
{
	history_fini(&d->agent.history);
	alerts_free(d->agent.alerts);
}

#define CLEANUP(more) "{\"version\":1,\"cleanups\":[{" more "}]}"
#define ALERT(more)   "{\"version\":1,\"alerts\":[{" more "}]}"
#define OPEN(more)    "{\"version\":1,\"openAlerts\":[{" more "}]}"
#define WEB	      "\"component\":\"web\""
#define RUN	      ",\"reason\":\"critical\",\"mode\":\"canary\""
#define SIZE	      ",\"strategy\":\"size\""
#define RAISED                                                        \
	"\"id\":7,\"event\":\"raised\",\"kind\":\"usage\",\"level\":" \
	"\"warning\""
#define LONG                                                          \
	"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww" \
	"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"

static void what_makes_no_sense_is_left_out(void **state)
{
	static const struct {
		const char *text;
		size_t cleanups, alerts, open, samples;
	} rows[] = {
		{"{\"version\":1}", 0, 0, 0, 0},
		{CLEANUP(WEB SIZE RUN), 1, 0, 0, 0},
		{CLEANUP(WEB RUN), 0, 0, 0, 0},
		{CLEANUP("\"files\":1" SIZE RUN), 0, 0, 0, 0},
		{CLEANUP("\"component\":\"" LONG "\"" SIZE RUN), 0, 0, 0, 0},
		{CLEANUP(WEB ",\"strategy\":\"none\"" RUN), 0, 0, 0, 0},
		{CLEANUP(WEB SIZE ",\"mode\":\"canary\""), 0, 0, 0, 0},
		{CLEANUP(WEB SIZE ",\"reason\":\"critical\""), 0, 0, 0, 0},
		{CLEANUP(WEB SIZE RUN ",\"stopped\":\"canary\""), 1, 0, 0, 0},
		{CLEANUP(WEB SIZE RUN ",\"skipped\":{},\"steps\":7"), 1, 0, 0,
			0},
		{CLEANUP(WEB SIZE RUN
			 ",\"skipped\":[{\"reason\":\"none\"},7,{\"reason\":"
			 "\"busy\",\"files\":3,\"bytes\":9}]"),
			1, 0, 0, 0},
		{CLEANUP(WEB SIZE RUN
			 ",\"steps\":[{\"files\":1,\"freedBytes\":2},{},{},{},"
			 "{},{},{},{},{},{},{},{},{},{},{},{}]"),
			1, 0, 0, 0},
		{ALERT(RAISED ",\"scope\":\"component/web\""), 0, 1, 0, 0},
		{ALERT(RAISED), 0, 0, 0, 0},
		{ALERT("\"scope\":\"x\",\"event\":\"lowered\",\"kind\":"
		       "\"usage\",\"level\":\"warning\""),
			0, 0, 0, 0},
		{ALERT("\"scope\":\"x\",\"event\":\"raised\",\"kind\":\"odd\","
		       "\"level\":\"warning\""),
			0, 0, 0, 0},
		{ALERT("\"scope\":\"x\",\"event\":\"raised\",\"kind\":"
		       "\"usage\",\"level\":\"huge\""),
			0, 0, 0, 0},
		{OPEN(RAISED ",\"scope\":\"x\""), 0, 0, 1, 0},
		{OPEN(RAISED), 0, 0, 0, 0},
		{"{\"version\":1,\"samples\":[{" WEB "},{\"component\":\"" LONG
		 "\"},{},[],7,null]}",
			0, 0, 0, 1},
		{"{\"version\":1,\"schedules\":[]}", 0, 0, 0, 0},
		{"{\"version\":1,\"schedules\":{\"other\":\"x\",\"web\":\"x\"}"
		 "}",
			0, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		buf_auto struct buf text = {0};
		struct desk d;

		begin(&d);
		assert_int_equal(buf_puts(&text, rows[i].text), 0);
		if (state_read(&d.agent, &text) < 0)
			fail_msg("%s", rows[i].text);
		if (d.agent.history.n_cleanups != rows[i].cleanups ||
			d.agent.history.n_alerts != rows[i].alerts ||
			d.agent.history.n_samples != rows[i].samples ||
			alerts_n_open(d.agent.alerts) != rows[i].open)
			fail_msg("%s", rows[i].text);
		assert_int_equal(d.component.scheduled_boot_ns, 77);
		end(&d);
	}
}

static void what_is_no_state_changes_nothing(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "7", "{}",
		"{\"version\":2}", "{\"version\":\"1\"}",
		"{\"version\":1,\"samples\":[{" WEB "}]", "\xff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		buf_auto struct buf text = {0};
		struct desk d;

		begin(&d);
		assert_int_equal(buf_puts(&text, texts[i]), 0);
		assert_int_equal(state_read(&d.agent, &text), -EBADMSG);
		assert_int_equal(d.agent.history.n_samples, 0);
		end(&d);
	}
}

/* Saved within a character it would be no JSON the next time. */
static void names_are_not_cut(void **state)
{
	struct sample s;
	char name[sizeof(s.component) + 1];
	buf_auto struct buf text = {0}, again = {0};
	struct desk d;

	(void)state;
	memset(name, 'w', sizeof(name));
	memcpy(name + sizeof(name) - 3, "\xc3\xa9", 3);
	begin(&d);
	assert_int_equal(
		buf_printf(&text,
			"{\"version\":1,\"samples\":[{\"component\":\"%s\"}]}",
			name),
		0);
	assert_int_equal(state_read(&d.agent, &text), 0);
	assert_int_equal(state_write(&d.agent, &again), 0);
	assert_int_equal(state_read(&d.agent, &again), 0);
	end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_to_the_letter),
		cmocka_unit_test(no_nul_is_escaped),
		cmocka_unit_test(calls_ask_for_one_answer_or_more),
		cmocka_unit_test(what_makes_no_sense_is_left_out),
		cmocka_unit_test(what_is_no_state_changes_nothing),
		cmocka_unit_test(names_are_not_cut),
	};

	return cmocka_run_group_tests_name("parse_edges", tests, NULL, NULL);
}
