// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* What the control socket's methods do: io.ullage.Agent.varlink. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"

extern const struct control_method methods[];
extern const size_t n_methods;

/* Shared by the files methods*.c. */

/* Rows of a list go into one frame, as far as they do: whoever makes the files
 * makes their names. False: this one has no room any more. */
#define METHODS_ROOM ((size_t)4000 << 10)
bool methods_take_room(struct json_object *row, size_t *room);

struct agent;
struct component;
struct json_object;

/* The component that parameter "component" names. Without one (or with an
 * unknown name) answers the call with an error and returns NULL. */
struct component *methods_component(struct agent *a, struct control_call *call,
	struct json_object *parameters);
/* The component's struct moved: its cleanup and its caller follow. */
void methods_rebind(struct component *c);
/* Once a turn: answers who waited for a reconciliation that is through. */
void methods_turn(struct agent *a);
/* The same two, of methods_operate.c alone. */
void methods_operate_turn(struct agent *a);
void methods_operate_forget(struct agent *a);
/* When methods_turn has something to do by itself; INT64_MAX: never. */
int64_t methods_due(const struct agent *a);
/* The components change: nobody waits for those of before. */
void methods_forget(struct agent *a);
/* "component" as a filter: absent, all of them (*ret NULL). False: there is no
 * such component, and the call was answered. */
bool methods_filter(struct agent *a, struct control_call *call,
	struct json_object *parameters, struct component **ret);
void methods_cleanup(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_plan(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_show_config(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_schema(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_check_config(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_reload(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_reconcile(
	void *ctx, struct control_call *call, struct json_object *parameters);
/* At the start, so that the panic latch can be set on a full disk. */
void methods_operate_prepare(struct agent *a);
void methods_panic(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_check_index(
	void *ctx, struct control_call *call, struct json_object *parameters);
/* methods_cleanup.c */
void methods_cleanup_turn(struct agent *a);
void methods_cleanup_forget(struct agent *a);
/* methods_trash.c */
void methods_trash_turn(struct agent *a);
void methods_trash_forget(struct agent *a);
/* Completes a reply (taken) of Why about an absent file by what its trash
 * says. False: that cannot be asked now; reply is not taken. */
bool methods_trash_why(struct component *c, struct control_call *call,
	struct json_object *reply, const char *path);
void methods_list_trash(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_restore_trash(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_empty_trash(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_why(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_du(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_largest(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_oldest(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_growth(
	void *ctx, struct control_call *call, struct json_object *parameters);
void methods_held(
	void *ctx, struct control_call *call, struct json_object *parameters);
/* methods_held.c */
void methods_held_turn(struct agent *a);
