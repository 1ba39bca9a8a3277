// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames from anybody: read without harm, and what is read can be written
 * and read again with the same meaning.
 */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "proto/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static void around_call(const struct varlink_call *c)
{
	buf_auto struct buf b = {0};
	struct varlink_call again;

	must(json_object_is_type(c->parameters, json_type_object));
	must(varlink_put_call(&b, c->method, c->parameters, c->is_more) == 0);
	must(memchr(b.data, '\0', b.len) == b.data + b.len - 1);
	must(varlink_parse_call(b.data, b.len - 1, &again) == 0);
	must(strcmp(again.method, c->method) == 0);
	must(again.is_more == c->is_more);
	must(json_object_equal(again.parameters, c->parameters));
	varlink_call_fini(&again);
}

static void around_reply(const struct varlink_reply *r)
{
	buf_auto struct buf b = {0};
	struct varlink_reply again;
	int put = r->error ? varlink_put_error(&b, r->error, r->parameters)
			   : varlink_put_reply(
				     &b, r->parameters, r->is_continued);

	must(put == 0);
	must(varlink_parse_reply(b.data, b.len - 1, &again) == 0);
	must(!again.error == !r->error);
	must(json_object_equal(again.parameters, r->parameters));
	varlink_reply_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_reply reply;
	struct varlink_call call;

	if (varlink_parse_call((const char *)data, size, &call) == 0) {
		around_call(&call);
		varlink_call_fini(&call);
	}
	if (varlink_parse_reply((const char *)data, size, &reply) == 0) {
		around_reply(&reply);
		varlink_reply_fini(&reply);
	}
	return 0;
}
