// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Varlink frames (https://varlink.org): JSON objects, each ended by a NUL.
 * Shared by the agent's control server and by its clients.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct json_object;

#define VARLINK_INTERFACE "io.ullage.Agent"
#define VARLINK_MAX_FRAME (4u << 20) /* bytes from a client or the agent */

/* The interface description in Varlink's language, for introspection. */
extern const char varlink_description[];

struct varlink_call {
	char *method; /* "io.ullage.Agent.GetStatus" */
	struct json_object *parameters; /* always an object */
	bool is_more, is_oneway, is_upgrade;
};
void varlink_call_fini(struct varlink_call *c);

/*
 * Parses one frame's bytes (without the NUL). Missing, null and empty
 * parameters are the same. Duplicate keys, bad UTF-8, depth over 32 and
 * trailing bytes are refused. Returns 0, -EBADMSG or -ENOMEM.
 */
int varlink_parse_call(const char *frame, size_t len, struct varlink_call *ret);

struct varlink_reply {
	char *error; /* NULL if it went well */
	struct json_object *parameters;
	bool is_continued;
};
void varlink_reply_fini(struct varlink_reply *r);
int varlink_parse_reply(
	const char *frame, size_t len, struct varlink_reply *ret);

/* Append a frame with its NUL. parameters are borrowed; NULL: {}. */
int varlink_put_call(struct buf *b, const char *method,
	struct json_object *parameters, bool is_more);
int varlink_put_reply(
	struct buf *b, struct json_object *parameters, bool is_continued);
int varlink_put_error(
	struct buf *b, const char *error, struct json_object *parameters);
