// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/local_agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/mem.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/deliver.h"
#include "ctl/field.h"
#include "ctl/verbs.h"
#include "proto/varlink.h"

/* From memory everything is answered at once; this is for a hung agent. */
#define ANSWER_TIME_MS 30000

static int say_unreachable(const char *path, int error)
{
	print_error("cannot reach the agent at %s: %s; is ullaged running?",
		path, strerror(-error));
	return EXIT_FAILED;
}

static int say_lost(int error)
{
	switch (error) {
	case -ENODATA:
		print_error("the agent ended the connection; its log says why");
		break;
	case -ETIMEDOUT:
		print_error(
			"the agent did not answer within %d s; its log says what it waits for",
			ANSWER_TIME_MS / 1000);
		break;
	case -EBADMSG:
		print_error(
			"what answered is no agent of ullage: it does not speak Varlink");
		break;
	default:
		print_error(
			"talking to the agent failed: %s", strerror(-error));
	}
	return EXIT_FAILED;
}

/* An error's name to what the caller can do about it; message: the agent's
 * own words, where it has some. */
static int say_error(const struct varlink_reply *reply)
{
	const char *dot = strrchr(reply->error, '.');
	const char *name = dot ? dot + 1 : reply->error;
	const char *text = field_text(reply->parameters, "message", NULL);

	if (strcmp(name, "MethodNotFound") == 0 ||
		strcmp(name, "InterfaceNotFound") == 0)
		print_error(
			"the agent does not know this verb: it is of another version than ullagectl");
	else if (strcmp(name, "InvalidParameter") == 0)
		print_error("the agent does not take this value of \"%s\"",
			field_text(reply->parameters, "parameter", "?"));
	else if (strcmp(name, "InvalidValue") == 0 && text) {
		print_error("%s", text);
		return EXIT_USAGE;
	} else if (strcmp(name, "PermissionDenied") == 0)
		print_error("not allowed: %s", text ? text : "ask as root");
	else if (text)
		print_error("%s", text);
	else
		print_error("the agent refused: %s", reply->error);
	return EXIT_FAILED;
}

/* Deals with one reply. Returns its exit code; *ret_goes_on: more come. */
static int take_reply(
	struct delivery *d, struct varlink_reply *reply, bool *ret_goes_on)
{
	*ret_goes_on = !reply->error && reply->is_continued;
	if (reply->error)
		return say_error(reply);
	if (reply->is_continued && !d->args->verb->is_stream) {
		deliver_progress(d, reply->parameters);
		return EXIT_DONE;
	}
	return deliver_reply(d, reply->parameters);
}

static int converse(struct delivery *d, struct client *c)
{
	const struct verb *v = d->args->verb;
	bool shows_progress =
		v->has_progress && !d->args->is_json && isatty(STDERR_FILENO);
	bool goes_on = true;
	int code = EXIT_FAILED;
	int r = client_call(c, v->method, d->args->parameters,
		v->is_stream || shows_progress);

	while (r == 0 && goes_on) {
		struct varlink_reply reply;

		r = client_next(c, v->is_slow ? -1 : ANSWER_TIME_MS, &reply);
		if (r < 0)
			break;
		code = take_reply(d, &reply, &goes_on);
		varlink_reply_fini(&reply);
	}
	return r < 0 ? say_lost(r) : code;
}

int local_agent_ask(struct delivery *d)
{
	mem_autofree char *path = d->args->socket ? strdup(d->args->socket)
						  : client_default_path();
	struct client c = CLIENT_NONE;
	int r = path ? client_open(path, &c) : -ENOMEM;

	if (r < 0)
		return say_unreachable(path ? path : "?", r);
	r = converse(d, &c);
	client_close(&c);
	return r;
}
