// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/varlink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "proto/jsoncheck.h"
#include "proto/signature.h"

/* From memory of exactly its size, so that a read beyond it is seen. */
static int parse(const char *text, size_t len, struct varlink_call *ret)
{
	char *exact = malloc(len ? len : 1);
	int r;

	assert_non_null(exact);
	memcpy(exact, text, len);
	r = varlink_parse_call(exact, len, ret);
	free(exact);
	return r;
}

static void accept_frame(const char *text)
{
	struct varlink_call c;
	int r = parse(text, strlen(text), &c);

	if (r != 0)
		fail_msg("refused (%d): %s", r, text);
	assert_true(json_object_is_type(c.parameters, json_type_object));
	varlink_call_fini(&c);
}

static void refuse_frame(const char *text)
{
	struct varlink_call c = {.is_more = true};

	if (parse(text, strlen(text), &c) != -EBADMSG)
		fail_msg("accepted: %s", text);
	assert_true(c.is_more); /* untouched */
}

static void calls_are_read(void **state)
{
	struct varlink_call c;
	static const char text[] =
		" {\"method\":\"a.b.C\",\"parameters\":{\"x\":-9223372036854775808"
		",\"s\":\"\\u00e9\\ud83d\\ude00\"},\"more\":true,\"oneway\":false}\n";

	(void)state;
	assert_int_equal(parse(text, strlen(text), &c), 0);
	assert_string_equal(c.method, "a.b.C");
	assert_true(c.is_more);
	assert_false(c.is_oneway);
	assert_false(c.is_upgrade);
	assert_true(json_object_get_int64(json_object_object_get(
			    c.parameters, "x")) == INT64_MIN);
	assert_string_equal(json_object_get_string(
				    json_object_object_get(c.parameters, "s")),
		"\xc3\xa9\xf0\x9f\x98\x80");
	varlink_call_fini(&c);
}

static void parameters_may_be_missing(void **state)
{
	(void)state;
	accept_frame("{\"method\":\"a\"}");
	accept_frame("{\"method\":\"a\",\"parameters\":null}");
	accept_frame("{\"method\":\"a\",\"parameters\":{}}");
	accept_frame("{\"method\":\"a\",\"more\":null,\"x\":[1.5e3,-0,[]]}");
	refuse_frame("{\"method\":\"a\",\"parameters\":[]}");
	refuse_frame("{\"method\":\"a\",\"parameters\":\"\"}");
}

static void wrong_types_are_refused(void **state)
{
	(void)state;
	refuse_frame("{}");
	refuse_frame("[]");
	refuse_frame("\"method\"");
	refuse_frame("null");
	refuse_frame("{\"method\":null}");
	refuse_frame("{\"method\":1}");
	refuse_frame("{\"method\":\"a\",\"more\":1}");
	refuse_frame("{\"method\":\"a\",\"oneway\":\"yes\"}");
}

static void doubled_keys_are_refused(void **state)
{
	(void)state;
	refuse_frame("{\"method\":\"a\",\"method\":\"a\"}");
	refuse_frame("{\"method\":\"a\",\"m\\u0065thod\":\"b\"}");
	refuse_frame("{\"method\":\"a\",\"parameters\":{\"x\":[{\"y\":1,"
		     "\"y\":1}]}}");
	accept_frame("{\"method\":\"a\",\"parameters\":{\"x\":[{\"y\":1},"
		     "{\"y\":1}]}}");
}

static void lax_json_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"{",
		"{\"method\":\"a\"",
		"{\"method\":\"a\",}",
		"{\"method\":\"a\"} x",
		"{\"method\":\"a\"}{}",
		"{'method':'a'}",
		"{method:\"a\"}",
		"{\"method\":\"a\"/* c */}",
		"{\"method\":\"a\"}// c",
		"{\"method\":\"a\",\"x\":NaN}",
		"{\"method\":\"a\",\"x\":nan}",
		"{\"method\":\"a\",\"x\":Infinity}",
		"{\"method\":\"a\",\"x\":-Infinity}",
		"{\"method\":\"a\",\"x\":True}",
		"{\"method\":\"a\",\"x\":01}",
		"{\"method\":\"a\",\"x\":+1}",
		"{\"method\":\"a\",\"x\":.5}",
		"{\"method\":\"a\",\"x\":1.}",
		"{\"method\":\"a\",\"x\":1e}",
		"{\"method\":\"a\",\"x\":1e999}",
		"{\"method\":\"a\",\"x\":-}",
		"{\"method\":\"a\",\"x\":18446744073709551616}",
		"{\"method\":\"a\",\"x\":-9223372036854775809}",
		"{\"method\":\"a\",\"x\":[1,]}",
		"{\"method\":\"a\",\"x\":[,]}",
		"{\"method\":\"a\nb\"}",
		"{\"method\":\"a\tb\"}",
		"{\"method\":\"a\\x41\"}",
		"{\"method\":\"a\\u00\"}",
		"{\"method\":\"a\\u0000b\"}",
		"{\"method\":\"\\ud800\"}",
		"{\"method\":\"\\ud800\\u0041\"}",
		"{\"method\":\"\\udc00\"}",
		"{\"method\":\"a\\",
		"{\"method\":\"a",
		"\xef\xbb\xbf{}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse_frame(bad[i]);
	accept_frame("{\"method\":\"a\",\"x\":18446744073709551615}");
}

static void bad_utf8_is_refused(void **state)
{
	static const char *const bad[] = {"\xff", "\x80", "\xc0\x80",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3",
		"\xe2\x82", "\xf0\x9f\x98"};
	static const char *const good[] = {
		"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x7f"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{\"method\":\"%s\"}", bad[i]);
		refuse_frame(text);
		assert_int_equal(jsoncheck_utf8(bad[i], strlen(bad[i])), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), "{\"method\":\"%s\"}", good[i]);
		accept_frame(text);
	}
}

/* The frame's own object is the first level. */
static void deep_frame(struct buf *b, unsigned depth)
{
	buf_reset(b);
	assert_int_equal(buf_puts(b, "{\"method\":\"a\",\"x\":"), 0);
	for (unsigned i = 1; i < depth; i++)
		assert_int_equal(buf_puts(b, "["), 0);
	for (unsigned i = 1; i < depth; i++)
		assert_int_equal(buf_puts(b, "]"), 0);
	assert_int_equal(buf_puts(b, "}"), 0);
}

static void depth_is_bounded(void **state)
{
	buf_auto struct buf b = {0};

	(void)state;
	deep_frame(&b, JSONCHECK_DEPTH);
	accept_frame(b.data);
	deep_frame(&b, JSONCHECK_DEPTH + 1);
	refuse_frame(b.data);
	deep_frame(&b, 1000000);
	refuse_frame(b.data);
}

static void a_nul_inside_is_refused(void **state)
{
	struct varlink_call c;

	(void)state;
	assert_int_equal(parse("{\"method\":\"a\"}\0", 15, &c), -EBADMSG);
	assert_int_equal(parse("{\"method\":\"a\0\"}", 15, &c), -EBADMSG);
	assert_int_equal(parse("{\0\"method\":\"a\"}", 15, &c), -EBADMSG);
}

static void long_frames_are_refused(void **state)
{
	buf_auto struct buf b = {0};
	struct varlink_call c;

	(void)state;
	assert_int_equal(buf_puts(&b, "{\"method\":\"a\"}"), 0);
	while (b.len <= VARLINK_MAX_FRAME)
		assert_int_equal(buf_put(&b, "                ", 16), 0);
	assert_int_equal(varlink_parse_call(b.data, b.len, &c), -EBADMSG);
	assert_int_equal(varlink_parse_call(b.data, VARLINK_MAX_FRAME, &c), 0);
	varlink_call_fini(&c);
}

static void frames_go_around(void **state)
{
	buf_auto struct buf b = {0};
	struct json_object *p = json_object_new_object();
	struct varlink_reply r;
	struct varlink_call c;
	size_t first;

	(void)state;
	json_object_object_add(p, "path", json_object_new_string("/a/\"b\""));
	assert_int_equal(varlink_put_call(&b, "i.M", p, true), 0);
	assert_int_equal(b.data[b.len - 1], '\0');
	assert_string_equal(b.data,
		"{\"method\":\"i.M\",\"parameters\":"
		"{\"path\":\"/a/\\\"b\\\"\"},\"more\":true}");
	assert_int_equal(varlink_parse_call(b.data, b.len - 1, &c), 0);
	assert_true(json_object_equal(c.parameters, p));
	varlink_call_fini(&c);

	buf_reset(&b);
	assert_int_equal(varlink_put_reply(&b, p, true), 0);
	first = b.len;
	assert_int_equal(varlink_put_error(&b, "i.Bad", NULL), 0);
	assert_int_equal(varlink_parse_reply(b.data, first - 1, &r), 0);
	assert_null(r.error);
	assert_true(r.is_continued);
	assert_true(json_object_equal(r.parameters, p));
	varlink_reply_fini(&r);
	assert_int_equal(
		varlink_parse_reply(b.data + first, b.len - first - 1, &r), 0);
	assert_string_equal(r.error, "i.Bad");
	assert_false(r.is_continued);
	assert_int_equal(json_object_object_length(r.parameters), 0);
	varlink_reply_fini(&r);

	buf_reset(&b);
	assert_int_equal(varlink_put_reply(&b, NULL, false), 0);
	assert_string_equal(b.data, "{\"parameters\":{}}");
	json_object_put(p);
}

/* A message that is no UTF-8 must not make a frame that no client reads. */
static void frames_are_valid_utf8(void **state)
{
	buf_auto struct buf b = {0};
	struct json_object *p = json_object_new_object();
	struct varlink_reply r;

	(void)state;
	json_object_object_add(
		p, "m", json_object_new_string("a\xff\xc3z\xc3\xa9"));
	assert_int_equal(varlink_put_reply(&b, p, false), 0);
	assert_int_equal(varlink_parse_reply(b.data, b.len - 1, &r), 0);
	assert_string_equal(json_object_get_string(
				    json_object_object_get(r.parameters, "m")),
		"a??z\xc3\xa9");
	varlink_reply_fini(&r);
	json_object_put(p);
}

static void check_signature(
	const char *method, const char *parameters, const char *wants_bad)
{
	struct json_object *o = json_tokener_parse(parameters);
	char bad[SIGNATURE_NAME_SIZE] = "";

	assert_non_null(o);
	assert_int_equal(
		signature_check(method, o, bad), *wants_bad ? -EINVAL : 0);
	assert_string_equal(bad, wants_bad);
	json_object_put(o);
}

static void parameters_are_as_described(void **state)
{
	(void)state;
	check_signature("GetMetrics", "{}", "");
	check_signature("GetMetrics", "{\"x\":1}", "x");
	check_signature("GetStatus", "{}", "");
	check_signature("GetStatus", "{\"component\":null}", "");
	check_signature("GetStatus", "{\"component\":\"a\"}", "");
	check_signature("GetStatus", "{\"component\":1}", "component");
	check_signature("GetStatus", "{\"comp\":\"a\"}", "comp");
	check_signature("Cleanup", "{}", "component");
	check_signature("Cleanup", "{\"component\":null}", "component");
	check_signature("Cleanup", "{\"component\":\"a\"}", "");
	check_signature("Cleanup",
		"{\"component\":\"a\",\"force\":true,\"dryRun\":false,"
		"\"strategy\":\"lru\",\"target\":\"1%\"}",
		"");
	/* Each of these would otherwise delete. */
	check_signature("Cleanup", "{\"component\":\"a\",\"dryRun\":\"true\"}",
		"dryRun");
	check_signature(
		"Cleanup", "{\"component\":\"a\",\"dryRun\":1}", "dryRun");
	check_signature(
		"Cleanup", "{\"component\":\"a\",\"dryrun\":true}", "dryrun");
	check_signature("Cleanup", "{\"component\":\"a\",\"progress\":true}",
		"progress");
	check_signature("Largest", "{\"limit\":5}", "");
	check_signature("Largest", "{\"limit\":5.5}", "limit");
	check_signature("SetPanic", "{\"on\":true}", "");
	check_signature("SetPanic", "{}", "on");
	check_signature("Plan", "{\"component\":\"a\",\"target\":\"1%\"}", "");
	check_signature(
		"Plan", "{\"component\":\"a\",\"victims\":\"x\"}", "victims");
	/* Names are whole. */
	check_signature("Get", "{\"x\":1}", "");
}

static void description_is_whole(void **state)
{
	const char *last = "error InvalidValue (message: string)\n";
	size_t len = strlen(varlink_description);

	(void)state;
	assert_non_null(strstr(
		varlink_description, "\ninterface " VARLINK_INTERFACE "\n"));
	assert_string_equal(varlink_description + len - strlen(last), last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_read),
		cmocka_unit_test(parameters_may_be_missing),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(doubled_keys_are_refused),
		cmocka_unit_test(lax_json_is_refused),
		cmocka_unit_test(bad_utf8_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(long_frames_are_refused),
		cmocka_unit_test(frames_go_around),
		cmocka_unit_test(frames_are_valid_utf8),
		cmocka_unit_test(parameters_are_as_described),
		cmocka_unit_test(description_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
