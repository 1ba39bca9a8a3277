// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/escape.h"

#include <errno.h>
#include <string.h>

/* The length of the well-formed UTF-8 sequence at s (Unicode, table 3-7:
 * nothing overlong, no surrogates, nothing over U+10FFFF), or 0. */
static size_t read_char(const unsigned char *s, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = s[0];
	size_t n = 1;

	if (c >= 0x80) {
		n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
		if (c < 0xc2 || c > 0xf4 || len < n)
			return 0;
		c &= 0x7fu >> n;
	}
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* Unicode's controls, separators of lines, Default_Ignorable_Code_Point, which
 * let two names look like one, and annotations. */
bool escape_is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f},
		{0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
		{0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f},
		{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

	/* mostly it is none */
	if (c >= 0x20 && c < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c <= ranges[i].last)
			return c >= ranges[i].first;
	return false;
}

static int put_hex(struct buf *b, const unsigned char *s, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		char hex[4] = {'\\', 'x', digits[s[i] >> 4], digits[s[i] & 15]};

		r = buf_put(b, hex, sizeof(hex));
	}
	return r;
}

static void cut_back(struct buf *b, size_t len)
{
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

static int escape(struct buf *b, const char *text, size_t len, char doubled)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t start = b->len, run = 0, i = 0;
	/* Puts at least nothing, so that data is a string in any case. */
	int r = buf_put(b, "", 0);

	while (i < len && r == 0) {
		uint32_t c = 0;
		size_t n = read_char(s + i, len - i, &c);
		bool is_doubled = n && doubled && c == (unsigned char)doubled;

		if (n && !is_doubled && !escape_is_control(c)) {
			i += n;
			continue;
		}
		r = buf_put(b, s + run, i - run);
		if (r == 0)
			r = is_doubled ? buf_put(b, "\\\\", 2)
				       : put_hex(b, s + i, n ? n : 1);
		i += n ? n : 1;
		run = i;
	}
	if (r == 0)
		r = buf_put(b, s + run, i - run);
	if (r < 0)
		cut_back(b, start);
	return r;
}

int escape_name(struct buf *b, const char *name, size_t len)
{
	return escape(b, name, len, '\\');
}

int escape_line(struct buf *b, const char *text, size_t len)
{
	return escape(b, text, len, '\0');
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads what follows a backslash. Returns the length of it, or -EINVAL. */
static int read_escape(const char *at, char *ret_byte)
{
	int high, low;

	if (at[0] == '\\') {
		*ret_byte = '\\';
		return 1;
	}
	if (at[0] != 'x')
		return -EINVAL;
	high = hex_digit(at[1]);
	low = high < 0 ? -1 : hex_digit(at[2]);
	if (low < 0)
		return -EINVAL;
	*ret_byte = (char)(high << 4 | low);
	return 3;
}

int escape_undo(struct buf *b, const char *text)
{
	size_t start = b->len;
	int r = buf_put(b, "", 0);

	while (*text && r >= 0) {
		size_t run = strcspn(text, "\\");
		char byte;

		r = buf_put(b, text, run);
		text += run;
		if (r < 0 || !*text)
			break;
		r = read_escape(text + 1, &byte);
		if (r < 0)
			break;
		text += 1 + r;
		r = buf_put(b, &byte, 1);
	}
	if (r < 0)
		cut_back(b, start);
	return r < 0 ? r : 0;
}

void escape_fit(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	if (text[len])
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	memcpy(ret, text, len);
	ret[len] = '\0';
}
