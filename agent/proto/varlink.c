// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames to values and back. What comes in was written by anybody: it is
 * checked to the letter before json-c, which forgives too much, reads it.
 */
#include "proto/varlink.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

#include "proto/jsoncheck.h"

/* One object without a doubled key. Returns 0, -EBADMSG or -ENOMEM. */
static int parse_object(const char *text, size_t len, struct json_object **ret)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error error;
	size_t n_members;
	int r;

	if (len > VARLINK_MAX_FRAME)
		return -EBADMSG;
	r = jsoncheck_text(text, len, &n_members);
	if (r < 0)
		return r;
	/* One level more than ours, so that ours is the one that counts. */
	tok = json_tokener_new_ex(JSONCHECK_DEPTH + 1);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	error = json_tokener_get_error(tok);
	json_tokener_free(tok);
	if (error != json_tokener_success ||
		!json_object_is_type(o, json_type_object) ||
		jsoncheck_members(o) != n_members) {
		json_object_put(o);
		return -EBADMSG;
	}
	*ret = o;
	return 0;
}

/* A member that is a string, or absent or null (then NULL). */
static int take_text(struct json_object *o, const char *key, char **ret)
{
	struct json_object *value = json_object_object_get(o, key);

	if (value && !json_object_is_type(value, json_type_string))
		return -EBADMSG;
	if (value) {
		*ret = strdup(json_object_get_string(value));
		return *ret ? 0 : -ENOMEM;
	}
	*ret = NULL;
	return 0;
}

static int take_flag(struct json_object *o, const char *key, bool *ret)
{
	struct json_object *value = json_object_object_get(o, key);

	if (value && !json_object_is_type(value, json_type_boolean))
		return -EBADMSG;
	*ret = value && json_object_get_boolean(value);
	return 0;
}

static int take_parameters(struct json_object *o, struct json_object **ret)
{
	struct json_object *value = json_object_object_get(o, "parameters");

	if (value && !json_object_is_type(value, json_type_object))
		return -EBADMSG;
	*ret = value ? json_object_get(value) : json_object_new_object();
	return *ret ? 0 : -ENOMEM;
}

void varlink_call_fini(struct varlink_call *c)
{
	free(c->method);
	json_object_put(c->parameters);
	*c = (struct varlink_call){0};
}

static int read_call(struct json_object *o, struct varlink_call *c)
{
	int r = take_text(o, "method", &c->method);

	if (r == 0 && !c->method)
		r = -EBADMSG;
	if (r == 0)
		r = take_flag(o, "more", &c->is_more);
	if (r == 0)
		r = take_flag(o, "oneway", &c->is_oneway);
	if (r == 0)
		r = take_flag(o, "upgrade", &c->is_upgrade);
	if (r == 0)
		r = take_parameters(o, &c->parameters);
	return r;
}

int varlink_parse_call(const char *frame, size_t len, struct varlink_call *ret)
{
	struct varlink_call c = {0};
	struct json_object *o;
	int r = parse_object(frame, len, &o);

	if (r < 0)
		return r;
	r = read_call(o, &c);
	json_object_put(o);
	if (r < 0) {
		varlink_call_fini(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void varlink_reply_fini(struct varlink_reply *r)
{
	free(r->error);
	json_object_put(r->parameters);
	*r = (struct varlink_reply){0};
}

int varlink_parse_reply(
	const char *frame, size_t len, struct varlink_reply *ret)
{
	struct varlink_reply reply = {0};
	struct json_object *o;
	int r = parse_object(frame, len, &o);

	if (r < 0)
		return r;
	r = take_text(o, "error", &reply.error);
	if (r == 0)
		r = take_flag(o, "continues", &reply.is_continued);
	if (r == 0)
		r = take_parameters(o, &reply.parameters);
	json_object_put(o);
	if (r < 0) {
		varlink_reply_fini(&reply);
		return r;
	}
	*ret = reply;
	return 0;
}

/* json-c writes the bytes it was given; a frame must be valid UTF-8 whatever
 * slipped into a message. */
static void mend_utf8(char *text, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = jsoncheck_utf8(text + i, len - i);
		if (n == 0)
			text[i] = '?';
	}
}

/* Appends "key":VALUE; the first of a frame opens its object. */
static int put_member(
	struct buf *b, size_t start, const char *key, struct json_object *value)
{
	const char *text = json_object_to_json_string_ext(
		value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		return -ENOMEM;
	return buf_printf(
		b, "%s\"%s\":%s", b->len == start ? "{" : ",", key, text);
}

static int put_text(
	struct buf *b, size_t start, const char *key, const char *text)
{
	struct json_object *value = json_object_new_string(text);
	int r;

	if (!value)
		return -ENOMEM;
	r = put_member(b, start, key, value);
	json_object_put(value);
	return r;
}

static int put_parameters(
	struct buf *b, size_t start, struct json_object *parameters)
{
	if (parameters)
		return put_member(b, start, "parameters", parameters);
	return buf_printf(
		b, "%s\"parameters\":{}", b->len == start ? "{" : ",");
}

/* Ends the frame that began at start, or takes it back. */
static int finish(struct buf *b, size_t start, int r, const char *tail)
{
	if (r == 0)
		r = buf_puts(b, tail);
	if (r == 0)
		r = buf_put(b, "", 1);
	if (r == 0) {
		mend_utf8(b->data + start, b->len - start);
		return 0;
	}
	b->len = start;
	if (b->data)
		b->data[start] = '\0';
	return r;
}

int varlink_put_call(struct buf *b, const char *method,
	struct json_object *parameters, bool is_more)
{
	size_t start = b->len;
	int r = put_text(b, start, "method", method);

	if (r == 0)
		r = put_parameters(b, start, parameters);
	return finish(b, start, r, is_more ? ",\"more\":true}" : "}");
}

int varlink_put_reply(
	struct buf *b, struct json_object *parameters, bool is_continued)
{
	size_t start = b->len;
	int r = put_parameters(b, start, parameters);

	return finish(b, start, r, is_continued ? ",\"continues\":true}" : "}");
}

int varlink_put_error(
	struct buf *b, const char *error, struct json_object *parameters)
{
	size_t start = b->len;
	int r = put_text(b, start, "error", error);

	if (r == 0)
		r = put_parameters(b, start, parameters);
	return finish(b, start, r, "}");
}
