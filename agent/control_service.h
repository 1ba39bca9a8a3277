// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The interface every Varlink server has: org.varlink.service. */

struct json_object;

#define CONTROL_SERVICE "org.varlink.service"

/*
 * What a method of it, named without the interface, answers. ret_reply is
 * owned by the caller; ret_error is NULL or the full name of the error whose
 * parameters ret_reply are. Returns 0 or -ENOMEM.
 */
int control_service_answer(const char *method, struct json_object *parameters,
	const char **ret_error, struct json_object **ret_reply);

/* An object with one member, a text; NULL without memory. */
struct json_object *control_service_text(const char *key, const char *text);
