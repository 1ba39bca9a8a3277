// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * The parameters of a call against the interface description, which is thus
 * the one place that says what a method takes. A misspelled "dryRun" must not
 * become a cleanup.
 */

#include <stddef.h>

struct json_object;

#define SIGNATURE_NAME_SIZE 64

/*
 * method without its interface. Every parameter must be described, of its
 * type (string, bool or int), and there unless it may be missing or null.
 * Returns 0, also for a method that is not described, or -EINVAL; ret_bad
 * then holds the first bad one.
 */
int signature_check(const char *method, struct json_object *parameters,
	char ret_bad[SIGNATURE_NAME_SIZE]);
