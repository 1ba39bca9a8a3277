// SPDX-License-Identifier: GPL-2.0-or-later
/* The scanner in front of json-c: what it refuses, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scan_json.h"

/* All faults as "line:column: pointer: what\n". */
struct faults {
	struct scan *scan;
	struct buf text;
};

static void on_fault(
	void *ctx, size_t at, const struct scan_node *node, const char *what)
{
	struct faults *f = ctx;
	unsigned line, column;

	scan_json_place(f->scan, at, &line, &column);
	assert_int_equal(buf_printf(&f->text, "%u:%u: ", line, column), 0);
	assert_int_equal(scan_json_pointer(node, &f->text), 0);
	assert_int_equal(buf_printf(&f->text, ": %s\n", what), 0);
}

static void assert_faults(const char *text, size_t len, const char *faults)
{
	struct scan scan;
	struct faults f = {.scan = &scan};
	int e;

	assert_int_equal(buf_puts(&f.text, ""), 0);
	e = scan_json_run(&scan, text, len, on_fault, &f);
	assert_string_equal(f.text.data, faults);
	assert_int_equal(e, *faults ? -EBADMSG : 0);
	scan_json_fini(&scan);
	buf_fini(&f.text);
}

static void refused(const char *text, const char *faults)
{
	assert_faults(text, strlen(text), faults);
}

static void accepted(const char *text)
{
	assert_faults(text, strlen(text), "");
}

#define VALUES_IN                                                              \
	"allowed are strings in double quotes, numbers, true, false, objects " \
	"and arrays\n"

static void what_is_json(void **state)
{
	(void)state;
	accepted("{}");
	accepted(
		" \t\r\n{ \"a\" : [ 1 , -0.5e+3 , true,false,null, \"\" ] } \n");
	accepted("{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}}");
	accepted("[]");
	accepted("0");
	accepted("-9223372036854775808");
	accepted("9223372036854775807");
	accepted("1e307");
	accepted("1E-400000");
	accepted("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\"");
	accepted("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"");
	accepted("\xef\xbb\xbf{}");
}

static void comments(void **state)
{
	(void)state;
	accepted("// one\n{/* two */\"a\"/**/:/***/1/* * / */}// three");
	accepted("{}//");
	refused("{/* open", "1:2: /: the comment is not closed: \"*/\" is "
			    "missing\n");
	refused("{}\n/*/", "2:1: /: the comment is not closed: \"*/\" is "
			   "missing\n");
	refused("{} /", "1:4: /: expected the end of the file, found \"/\"\n");
	refused("{} #x", "1:4: /: expected the end of the file, found \"#\"\n");
	/* in strings they are none */
	accepted("\"// /* */\"");
}

static void comments_become_blanks(void **state)
{
	static const char text[] = "{ // a\xc3\xa4\n \"k\": /* x\n\"y */ 1 }";
	struct scan scan;

	(void)state;
	assert_int_equal(
		scan_json_run(&scan, text, sizeof(text) - 1, on_fault, NULL),
		0);
	assert_int_equal(scan.len, sizeof(text) - 1);
	assert_string_equal(scan.text, "{       \n \"k\":     \n      1 }");
	assert_int_equal(
		scan_json_find(&scan, "/k")->at, strrchr(text, '1') - text);
	scan_json_fini(&scan);
}

static void grammar(void **state)
{
	(void)state;
	refused("", "1:1: /: expected a value, found the end of the file\n");
	refused("  \n ", "2:2: /: expected a value, found the end of the "
			 "file\n");
	refused("{", "1:2: /: expected a key in double quotes, found the end "
		     "of the file\n");
	refused("{\"a\"", "1:5: /a: expected \":\" after the key, found the "
			  "end of the file\n");
	refused("{\"a\" 1}",
		"1:6: /a: expected \":\" after the key, found \"1\"\n");
	refused("{\"a\":}", "1:6: /a: expected a value, found \"}\"\n");
	refused("{\"a\":1", "1:7: /: expected \",\" or \"}\" after the value, "
			    "found the end of the file\n");
	refused("{\"a\":1 \"b\":2}", "1:8: /: expected \",\" or \"}\" after "
				     "the value, found a string\n");
	refused("{\"a\":1,}", "1:8: /: expected another key after \",\": the "
			      "last one has no comma after it\n");
	refused("{,}", "1:2: /: expected a key in double quotes, found "
		       "\",\"\n");
	refused("{a:1}", "1:2: /: expected a key in double quotes, found "
			 "\"a\"\n");
	refused("[1,]", "1:4: /: expected another value after \",\": the last "
			"one has no comma after it\n");
	refused("[1 2]", "1:4: /: expected \",\" or \"]\" after the value, "
			 "found \"2\"\n");
	refused("[1}", "1:3: /: expected \",\" or \"]\" after the value, "
		       "found \"}\"\n");
	refused("{\"a\":{\"b\":[1,[}]}}",
		"1:15: /a/b/1/0: expected a value, found \"}\"\n");
	refused("{} {}", "1:4: /: expected the end of the file, found \"{\"\n");
	refused("{}x", "1:3: /: expected the end of the file, found \"x\"\n");
	refused("{\"a\": \x01}",
		"1:7: /a: expected a value, found byte 0x01\n");
	assert_faults("{}\0", 3,
		"1:3: /: expected the end of the file, found byte 0x00\n");
}

static void words(void **state)
{
	(void)state;
	refused("NaN", "1:1: /: \"NaN\" is no value: " VALUES_IN);
	refused("Infinity", "1:1: /: \"Infinity\" is no value: " VALUES_IN);
	refused("[True]", "1:2: /0: \"True\" is no value: " VALUES_IN);
	refused("[nul]", "1:2: /0: \"nul\" is no value: " VALUES_IN);
	refused("[nulll]", "1:2: /0: \"nulll\" is no value: " VALUES_IN);
	refused("+1", "1:1: /: \"+1\" is no value: " VALUES_IN);
	refused(".5", "1:1: /: \".5\" is no value: " VALUES_IN);
	refused("['a']", "1:2: /0: strings are written in double quotes\n");
}

static void numbers(void **state)
{
	static const char range[] =
		"1:1: /: the number is out of range: 64 bits\n";

	(void)state;
	refused("9223372036854775808", range);
	refused("-9223372036854775809", range);
	refused("18446744073709551616", range);
	refused("99999999999999999999999999999999999", range);
	refused("1e309", "1:1: /: the number is out of range\n");
	refused("10e308", "1:1: /: the number is out of range\n");
	refused("1e99999999999999999999", "1:1: /: the number is out of "
					  "range\n");
	refused("-Infinity", "1:1: /: a digit is missing after \"-\" (there is "
			     "no Infinity)\n");
	refused("-", "1:1: /: a digit is missing after \"-\" (there is no "
		     "Infinity)\n");
	refused("01", "1:1: /: a number must not begin with 0\n");
	refused("-00", "1:1: /: a number must not begin with 0\n");
	refused("1.", "1:1: /: digits are missing after the point\n");
	refused("1.e5", "1:1: /: digits are missing after the point\n");
	refused("1e", "1:1: /: digits are missing after the exponent\n");
	refused("1e+", "1:1: /: digits are missing after the exponent\n");
	refused("0x10", "1:2: /: expected the end of the file, found \"x\"\n");
	refused("1_000", "1:2: /: expected the end of the file, found \"_\"\n");
}

static void strings(void **state)
{
	static const char open[] =
		"1:2: /0: the string is not closed: '\"' is missing\n";
	static const char half[] = "1:3: /0: this is half of a surrogate pair: "
				   "write both halves\n";

	(void)state;
	refused("[\"a", open);
	refused("[\"a\n\"]", open);
	refused("[\"a\r\"]", open);
	refused("[\"\\\"", open);
	refused("[\"a\tb\"]", "1:4: /0: control characters in strings are "
			      "written as \\uXXXX\n");
	assert_faults("[\"a\0b\"]", 7,
		"1:4: /0: control characters in strings are written as "
		"\\uXXXX\n");
	refused("[\"\\x\"]", "1:3: /0: unknown escape: allowed are \\\" \\\\ "
			     "\\/ \\b \\f \\n \\r \\t \\uXXXX\n");
	refused("[\"\\", "1:3: /0: unknown escape: allowed are \\\" \\\\ "
			 "\\/ \\b \\f \\n \\r \\t \\uXXXX\n");
	refused("[\"\\u12g4\"]",
		"1:3: /0: \\u needs four hexadecimal digits\n");
	refused("[\"\\u12", "1:3: /0: \\u needs four hexadecimal digits\n");
	refused("[\"\\u0000\"]",
		"1:3: /0: \\u0000 is not allowed in a string\n");
	refused("[\"\\ud83d\"]", half);
	refused("[\"\\ude00\"]", half);
	refused("[\"\\ud83d\\u0041\"]", half);
	refused("[\"\\ud83dxude00\"]", half);
}

static void encoding(void **state)
{
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc1\xbf",
		"\xc3", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xff", "\xe2\x82", "\xf0\x9f\x98"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[16], expected[128];

		snprintf(text, sizeof(text), "[\"\xc3\xa4%s\"]", bad[i]);
		snprintf(expected, sizeof(expected),
			"1:4: /: byte 0x%02x is no valid UTF-8: save the file "
			"as UTF-8\n",
			(unsigned char)bad[i][0]);
		refused(text, expected);
	}
	accepted("\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xe0\xa0\x80\"");
	/* in comments as well: an editor would show the file as broken */
	refused("{} // \xff", "1:7: /: byte 0xff is no valid UTF-8: save the "
			      "file as UTF-8\n");
}

static void duplicates(void **state)
{
	(void)state;
	refused("{\"a\":1,\n\"b\":{\"c\":1,\"c\":2},\n\"a\":2, \"a\":3}",
		"2:12: /b/c: this key is given twice, first on line 2: keep "
		"one\n"
		"3:1: /a: this key is given twice, first on line 1: keep one\n"
		"3:8: /a: this key is given twice, first on line 1: keep "
		"one\n");
	/* however it is written */
	refused("{\"mode\":1, \"m\\u006fde\":2}",
		"1:12: /mode: this key is given twice, first on line 1: keep "
		"one\n");
	accepted("{\"a\":1,\"A\":2,\"\":3,\"aa\":4}");
}

static void nested(char *text, size_t depth)
{
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
}

static void depth(void **state)
{
	char text[2 * SCAN_MAX_DEPTH + 8];
	struct scan scan;
	struct faults f = {.scan = &scan};

	(void)state;
	nested(text, SCAN_MAX_DEPTH);
	accepted(text);
	nested(text, SCAN_MAX_DEPTH + 1);
	assert_int_equal(scan_json_run(&scan, text, strlen(text), on_fault, &f),
		-EBADMSG);
	assert_non_null(strstr(f.text.data, "1:33: /0/0/"));
	assert_non_null(strstr(f.text.data, ": more than 32 levels deep\n"));
	scan_json_fini(&scan);
	buf_fini(&f.text);
}

static void depth_of_a_bomb(void **state)
{
	size_t n = 1 << 20;
	char *text = malloc(n + 1);
	struct scan scan;
	struct faults f = {.scan = &scan};

	(void)state;
	assert_non_null(text);
	memset(text, '[', n);
	text[n] = '\0';
	assert_int_equal(scan_json_run(&scan, text, n, on_fault, &f), -EBADMSG);
	scan_json_fini(&scan);
	buf_reset(&f.text);
	/* and the flat one */
	memset(text, '0', n);
	for (size_t i = 1; i < n; i += 2)
		text[i] = ',';
	text[0] = '[';
	assert_int_equal(scan_json_run(&scan, text, n, on_fault, &f), -EBADMSG);
	scan_json_fini(&scan);
	buf_fini(&f.text);
	free(text);
}

/* Each one told costs a look through the file. */
static void not_all_of_many_duplicates(void **state)
{
	buf_auto struct buf text = {0};
	struct scan scan;
	struct faults f = {.scan = &scan};
	size_t n_lines = 0;

	(void)state;
	assert_int_equal(buf_puts(&text, "{"), 0);
	for (int i = 0; i < 90000; i++)
		assert_int_equal(buf_puts(&text, "\"a\":1,\n"), 0);
	assert_int_equal(buf_puts(&text, "\"b\":1}"), 0);
	assert_int_equal(
		scan_json_run(&scan, text.data, text.len, on_fault, &f),
		-EBADMSG);
	for (const char *c = f.text.data; *c; c++)
		n_lines += *c == '\n';
	assert_int_equal(n_lines, 32);
	scan_json_fini(&scan);
	buf_fini(&f.text);
}

static void places(void **state)
{
	static const char text[] = "{\n  \"a\": {\"x/y~z\": [10, 20]},\n"
				   "\t\"\xc3\xa4\": \"v\"}";
	buf_auto struct buf pointer = {0};
	const struct scan_node *node;
	unsigned line, column;
	struct scan scan;

	(void)state;
	assert_int_equal(
		scan_json_run(&scan, text, sizeof(text) - 1, on_fault, NULL),
		0);
	node = scan_json_find(&scan, "/a");
	node = scan_json_member(&scan, node, "x/y~z");
	node = scan_json_item(&scan, node, 1);
	assert_non_null(node);
	assert_int_equal(scan_json_pointer(node, &pointer), 0);
	assert_string_equal(pointer.data, "/a/x~1y~0z/1");
	scan_json_place(&scan, node->at, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 23);
	/* columns are characters */
	node = scan_json_member(&scan, scan.nodes, "\xc3\xa4");
	assert_non_null(node);
	scan_json_place(&scan, node->at, &line, &column);
	assert_int_equal(line, 3);
	assert_int_equal(column, 7);
	assert_null(scan_json_find(&scan, "/b"));
	assert_null(scan_json_find(&scan, "/a/b"));
	assert_ptr_equal(scan_json_find(&scan, ""), scan.nodes);
	scan_json_fini(&scan);
}

static void hostile_keys_are_one_printable_line(void **state)
{
	char text[400], key[300], expected[400];

	(void)state;
	refused("{\"\\u001b[31m\\n\\u202e\": }",
		"1:24: /\\x1b[31m\\x0a\\xe2\\x80\\xae: expected a value, found "
		"\"}\"\n");
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	snprintf(text, sizeof(text), "{\"%s\": }", key);
	key[64] = '\0';
	snprintf(expected, sizeof(expected),
		"1:305: /%s...: expected a value, found \"}\"\n", key);
	refused(text, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_json),
		cmocka_unit_test(comments),
		cmocka_unit_test(comments_become_blanks),
		cmocka_unit_test(grammar),
		cmocka_unit_test(words),
		cmocka_unit_test(numbers),
		cmocka_unit_test(strings),
		cmocka_unit_test(encoding),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(depth),
		cmocka_unit_test(depth_of_a_bomb),
		cmocka_unit_test(not_all_of_many_duplicates),
		cmocka_unit_test(places),
		cmocka_unit_test(hostile_keys_are_one_printable_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
