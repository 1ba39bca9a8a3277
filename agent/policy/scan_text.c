// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/scan_text.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"

static unsigned char byte_at(const char *text, size_t len, size_t at)
{
	return at < len ? (unsigned char)text[at] : 0;
}

/* Length of the character at at; 0: none. The second byte's range excludes
 * overlong forms, surrogates and what is beyond U+10FFFF. */
static size_t utf8_len(const char *text, size_t len, size_t at)
{
	unsigned char c = byte_at(text, len, at);
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
	high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
	for (size_t i = 1; i < n; i++) {
		c = byte_at(text, len, at + i);
		if (c < low || c > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

bool scan_text_is_utf8(const char *text, size_t len, size_t *ret_bad)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = utf8_len(text, len, at);
		if (n == 0) {
			*ret_bad = at;
			return false;
		}
	}
	return true;
}

void scan_text_blank_bom(char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3);
}

/* The length of the comment at at; 0: it is not closed. */
static size_t comment_len(const char *text, size_t len, size_t at)
{
	const char *from = text + at, *end;

	if (from[1] == '/') {
		end = memchr(from, '\n', len - at);
		return end ? (size_t)(end - from) : len - at;
	}
	end = memmem(from + 2, len - at - 2, "*/", 2);
	return end ? (size_t)(end + 2 - from) : 0;
}

int scan_text_skip(char *text, size_t len, size_t *at, size_t *bad)
{
	for (size_t i = *at;; i++) {
		unsigned char c = byte_at(text, len, i);
		unsigned char next = byte_at(text, len, i + 1);

		if (c == '/' && (next == '/' || next == '*')) {
			size_t n = comment_len(text, len, i);

			if (n == 0) {
				*bad = i;
				return -EBADMSG;
			}
			for (size_t j = i; j < i + n; j++)
				if (text[j] != '\n' && text[j] != '\r')
					text[j] = ' ';
			i += n - 1;
		} else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
			*at = i;
			return 0;
		}
	}
}

static int hex4(const char *text, size_t len, size_t at, unsigned *ret)
{
	unsigned value = 0;

	for (size_t i = at; i < at + 4; i++) {
		unsigned char c = byte_at(text, len, i);
		unsigned char low = c | 0x20;

		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if (low >= 'a' && low <= 'f')
			value = value << 4 | (unsigned)(low - 'a' + 10);
		else
			return -EBADMSG;
	}
	*ret = value;
	return 0;
}

static void put_utf8(char **out, unsigned c)
{
	char *o = *out;

	if (c < 0x80) {
		*o++ = (char)c;
	} else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	*out = o;
}

/* \uXXXX at at, or two of them for what lies beyond the first plane. */
static const char *read_unicode(
	const char *text, size_t len, size_t *at, unsigned *ret)
{
	unsigned high, low;

	if (hex4(text, len, *at + 2, &high) < 0)
		return "\\u needs four hexadecimal digits";
	if (high == 0)
		return "\\u0000 is not allowed in a string";
	if (high < 0xd800 || high > 0xdfff) {
		*at += 6;
		*ret = high;
		return NULL;
	}
	if (high > 0xdbff || byte_at(text, len, *at + 6) != '\\' ||
		byte_at(text, len, *at + 7) != 'u' ||
		hex4(text, len, *at + 8, &low) < 0 || low < 0xdc00 ||
		low > 0xdfff)
		return "this is half of a surrogate pair: write both halves";
	*at += 12;
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return NULL;
}

static const char *read_escape(
	const char *text, size_t len, size_t *at, unsigned *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned char c = byte_at(text, len, *at + 1);
	const char *known = c ? strchr(from, c) : NULL;

	if (c == 'u')
		return read_unicode(text, len, at, ret);
	if (!known)
		return "unknown escape: allowed are \\\" \\\\ \\/ \\b \\f \\n "
		       "\\r \\t \\uXXXX";
	*at += 2;
	*ret = (unsigned char)to[known - from];
	return NULL;
}

const char *scan_text_string(
	const char *text, size_t len, size_t *at, size_t *bad, char **out)
{
	size_t i = *at + 1;

	for (;;) {
		unsigned char c = byte_at(text, len, i);
		unsigned decoded;
		const char *why;

		*bad = *at;
		if (i >= len || c == '\n' || c == '\r')
			return "the string is not closed: '\"' is missing";
		if (c == '"')
			break;
		*bad = i;
		if (c < 0x20)
			return "control characters in strings are written as "
			       "\\uXXXX";
		if (c != '\\') {
			if (out)
				*(*out)++ = (char)c;
			i++;
			continue;
		}
		why = read_escape(text, len, &i, &decoded);
		if (why)
			return why;
		if (out)
			put_utf8(out, decoded);
	}
	*at = i + 1;
	return NULL;
}

static size_t digits(const char *text, size_t len, size_t at)
{
	size_t n = 0;

	while (byte_at(text, len, at + n) >= '0' &&
		byte_at(text, len, at + n) <= '9')
		n++;
	return n;
}

static bool fits_64_bits(const char *text, size_t at, size_t n, bool is_minus)
{
	int64_t value = 0;

	for (size_t i = at; i < at + n; i++) {
		int digit = is_minus ? '0' - text[i] : text[i] - '0';

		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return false;
	}
	return true;
}

/* Exponents are judged by digits alone: a value of up to 308 digits before
 * the point is finite in every reader. */
static bool is_finite(const char *text, size_t whole, size_t exp_at, size_t n,
	bool is_exp_minus)
{
	size_t exp = 0;

	for (size_t i = exp_at; i < exp_at + n && exp < 1000; i++)
		exp = exp * 10 + (size_t)(text[i] - '0');
	return whole + (is_exp_minus ? 0 : exp) <= 308;
}

/* The exponent at i, if any; moved behind it. */
static const char *read_exponent(
	const char *text, size_t len, size_t *at, size_t whole)
{
	size_t i = *at, n;
	bool is_minus;

	if ((byte_at(text, len, i) | 0x20) != 'e')
		return is_finite(text, whole, i, 0, false)
			       ? NULL
			       : "the number is out of range";
	is_minus = byte_at(text, len, ++i) == '-';
	if (is_minus || byte_at(text, len, i) == '+')
		i++;
	n = digits(text, len, i);
	if (n == 0)
		return "digits are missing after the exponent";
	if (!is_finite(text, whole, i, n, is_minus))
		return "the number is out of range";
	*at = i + n;
	return NULL;
}

const char *scan_text_number(
	const char *text, size_t len, size_t *at, size_t *bad)
{
	bool is_minus = text[*at] == '-';
	size_t start = *at + is_minus, whole = digits(text, len, start);
	size_t i = start + whole, n;
	const char *why;

	*bad = *at;
	if (whole == 0)
		return "a digit is missing after \"-\" (there is no Infinity)";
	if (text[start] == '0' && whole > 1)
		return "a number must not begin with 0";
	if (byte_at(text, len, i) != '.' &&
		(byte_at(text, len, i) | 0x20) != 'e') {
		if (!fits_64_bits(text, start, whole, is_minus))
			return "the number is out of range: 64 bits";
		*at = i;
		return NULL;
	}
	if (byte_at(text, len, i) == '.') {
		n = digits(text, len, i + 1);
		if (n == 0)
			return "digits are missing after the point";
		i += 1 + n;
	}
	why = read_exponent(text, len, &i, whole);
	if (!why)
		*at = i;
	return why;
}

size_t scan_text_word(const char *text, size_t len, size_t at)
{
	size_t n = 0;

	for (;; n++) {
		unsigned char c = byte_at(text, len, at + n);
		unsigned char low = c | 0x20;

		if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') &&
			c != '_' && c != '+' && c != '.' && c != '-')
			return n;
	}
}

int scan_text_quote(const char *text, size_t len, struct buf *ret)
{
	bool is_cut = len > 64;

	if (is_cut) /* not within a character */
		for (len = 64; len && (text[len] & 0xc0) == 0x80;)
			len--;
	if (escape_name(ret, text, len) < 0)
		return -ENOMEM;
	return is_cut ? buf_puts(ret, "...") : 0;
}

int scan_text_describe(const char *text, size_t len, size_t at, struct buf *ret)
{
	unsigned char c = byte_at(text, len, at);
	int e;

	if (at >= len)
		return buf_puts(ret, "the end of the file");
	if (c < 0x20 || c == 0x7f)
		return buf_printf(ret, "byte 0x%02x", c);
	if (c == '"')
		return buf_puts(ret, "a string");
	e = buf_puts(ret, "\"");
	if (e == 0)
		e = scan_text_quote(text + at, utf8_len(text, len, at), ret);
	return e < 0 ? e : buf_puts(ret, "\"");
}
