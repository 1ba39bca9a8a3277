// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recursive descent over RFC 8259; the recursion ends at JSONCHECK_DEPTH.
 * Every function returns true and moves on, or false at the first fault.
 */
#include "proto/jsoncheck.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

struct scan {
	const char *at;
	const char *end;
	unsigned depth;
	size_t n_members;
};

size_t jsoncheck_utf8(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t code, least;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	least = n == 2 ? 0x80 : n == 3 ? 0x800 : 0x10000;
	if (len < n)
		return 0;
	code = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && strchr(" \t\n\r", *s->at) && *s->at)
		s->at++;
}

static bool take(struct scan *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
		return false;
	s->at += len;
	return true;
}

static bool take_hex4(struct scan *s, unsigned *ret)
{
	unsigned code = 0;

	if (s->end - s->at < 4)
		return false;
	for (int i = 0; i < 4; i++, s->at++) {
		char c = *s->at;

		code <<= 4;
		if (c >= '0' && c <= '9')
			code |= (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			code |= (unsigned)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			code |= (unsigned)(c - 'A' + 10);
		else
			return false;
	}
	*ret = code;
	return true;
}

/* After \u: no NUL, since C strings end there; surrogates only in pairs. */
static bool take_code(struct scan *s)
{
	unsigned code, low;

	if (!take_hex4(s, &code) || code == 0)
		return false;
	if (code < 0xd800 || code > 0xdfff)
		return true;
	return code < 0xdc00 && take_word(s, "\\u") && take_hex4(s, &low) &&
	       low >= 0xdc00 && low <= 0xdfff;
}

static bool take_escape(struct scan *s)
{
	char c;

	if (s->at == s->end)
		return false;
	c = *s->at++;
	if (c == 'u')
		return take_code(s);
	return c && strchr("\"\\/bfnrt", c);
}

static bool take_string(struct scan *s)
{
	if (!take(s, '"'))
		return false;
	while (s->at < s->end) {
		unsigned char c = (unsigned char)*s->at;
		size_t n;

		if (c == '"' || c == '\\') {
			s->at++;
			if (c == '"')
				return true;
			if (!take_escape(s))
				return false;
			continue;
		}
		n = jsoncheck_utf8(s->at, (size_t)(s->end - s->at));
		if (c < 0x20 || n == 0)
			return false;
		s->at += n;
	}
	return false;
}

static size_t take_digits(struct scan *s)
{
	const char *start = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return (size_t)(s->at - start);
}

/* Whether so many digits are a number of at most limit. */
static bool fits(const char *digits, size_t n, uint64_t limit)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t digit = (uint64_t)(digits[i] - '0');

		if (value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	return true;
}

static bool take_fraction(struct scan *s)
{
	if (take(s, '.') && !take_digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		size_t n;

		if (!take(s, '+'))
			take(s, '-');
		n = take_digits(s);
		/* Beyond two digits an infinity may come out. */
		return n > 0 && n <= 2;
	}
	return true;
}

static bool take_number(struct scan *s)
{
	bool is_negative = take(s, '-');
	const char *digits = s->at;
	size_t n = take_digits(s);

	if (n == 0 || (n > 1 && digits[0] == '0'))
		return false;
	if (!fits(digits, n,
		    is_negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX))
		return false;
	return take_fraction(s);
}

static bool take_value(struct scan *s);

static bool take_member(struct scan *s)
{
	skip_space(s);
	if (!take_string(s))
		return false;
	skip_space(s);
	s->n_members++;
	return take(s, ':') && take_value(s);
}

/* What is between the brackets, up to the closing one. */
static bool take_items(struct scan *s, char close, bool (*item)(struct scan *))
{
	skip_space(s);
	if (take(s, close))
		return true;
	for (;;) {
		if (!item(s))
			return false;
		if (take(s, close))
			return true;
		if (!take(s, ','))
			return false;
	}
}

static bool take_nested(struct scan *s)
{
	bool is_good;

	if (s->depth == JSONCHECK_DEPTH)
		return false;
	s->depth++;
	is_good = *s->at++ == '{' ? take_items(s, '}', take_member)
				  : take_items(s, ']', take_value);
	s->depth--;
	return is_good;
}

/* A value and the white space around it. */
static bool take_value(struct scan *s)
{
	bool is_good;

	skip_space(s);
	if (s->at == s->end)
		return false;
	switch (*s->at) {
	case '{':
	case '[':
		is_good = take_nested(s);
		break;
	case '"':
		is_good = take_string(s);
		break;
	case 't':
		is_good = take_word(s, "true");
		break;
	case 'f':
		is_good = take_word(s, "false");
		break;
	case 'n':
		is_good = take_word(s, "null");
		break;
	default:
		is_good = take_number(s);
		break;
	}
	skip_space(s);
	return is_good;
}

int jsoncheck_text(const char *text, size_t len, size_t *ret_members)
{
	struct scan s = {.at = text, .end = text + len};

	if (!take_value(&s) || s.at != s.end)
		return -EBADMSG;
	*ret_members = s.n_members;
	return 0;
}

size_t jsoncheck_members(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += jsoncheck_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach (o, key, value) {
			(void)key;
			n += 1 + jsoncheck_members(value);
		}
	}
	return n;
}
