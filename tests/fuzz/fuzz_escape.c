// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of any bytes: what is shown is one line of valid UTF-8 without a
 * control character, and undone it is the name again. Text that is undone
 * gives bytes which, escaped and undone, stay themselves.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/escape.h"
#include "proto/jsoncheck.h"

/* A terminal, a log and a JSON string may have it. */
static void must_be_harmless(const struct buf *b)
{
	size_t n;

	for (size_t i = 0; i < b->len; i += n) {
		const unsigned char *c = (const unsigned char *)b->data + i;

		n = jsoncheck_utf8(b->data + i, b->len - i);
		must(n > 0 && c[0] >= 0x20 && c[0] != 0x7f);
		/* C1; U+200E and F, U+2028 to E, U+2066 to 9; U+061C, U+FEFF */
		must(!(n == 2 && c[0] == 0xc2 && c[1] < 0xa0));
		must(!(n == 2 && c[0] == 0xd8 && c[1] == 0x9c));
		if (n == 3 && c[0] == 0xe2 && c[1] == 0x80)
			must(c[2] < 0x8e || (c[2] > 0x8f && c[2] < 0xa8) ||
				c[2] > 0xae);
		if (n == 3 && c[0] == 0xe2 && c[1] == 0x81)
			must(c[2] < 0xa6 || c[2] > 0xa9);
		must(!(n == 3 && memcmp(c, "\xef\xbb\xbf", 3) == 0));
	}
}

static void around_name(const char *name, size_t len)
{
	buf_auto struct buf shown = {0}, back = {0}, line = {0};

	must(escape_name(&shown, name, len) == 0);
	must(strlen(shown.data) == shown.len);
	must_be_harmless(&shown);
	must(escape_undo(&back, shown.data) == 0);
	must(back.len == len && memcmp(back.data, name, len) == 0);
	/* An escaped name within a line stays as it is. */
	must(escape_line(&line, shown.data, shown.len) == 0);
	must(strcmp(line.data, shown.data) == 0);
	buf_reset(&line);
	must(escape_line(&line, name, len) == 0);
	must_be_harmless(&line);
}

static void around_text(const char *text)
{
	buf_auto struct buf bytes = {0};
	int r;

	must(buf_puts(&bytes, "before") == 0);
	r = escape_undo(&bytes, text);
	must(r == 0 || r == -EINVAL);
	must(memcmp(bytes.data, "before", 6) == 0);
	if (r == 0)
		around_name(bytes.data, bytes.len);
	else
		must(bytes.len == 6 && bytes.data[6] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	mem_autofree char *text = input_string(&in, size);

	around_name(size ? (const char *)data : "", size);
	around_text(text);
	return 0;
}
