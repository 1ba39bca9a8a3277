// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * Runs a function in a process of its own and has its n-th system call fail
 * once, whichever that is: a call that is added tomorrow is covered tomorrow.
 * By ptrace, so that it works inside a sandbox and on calls of any library.
 */

#include <stdbool.h>

enum inject_how {
	INJECT_INSTEAD, /* the call is not made, and says error */
	INJECT_AFTER, /* it is made, and says error all the same */
	INJECT_SHORT, /* a write takes but one byte; others do not count */
	INJECT_KILL, /* the process is killed in place of the call */
};

struct inject {
	unsigned long at; /* which call, from 1 on; 0: none */
	enum inject_how how;
	int error; /* errno */
	unsigned long n_calls; /* out: that were made, up to that one */
	long call; /* out: the number of the one that failed; -1: there are
		      fewer */
};

/* False where this machine's registers are not known. */
bool inject_is_possible(void);
/* fn's result becomes the exit status. Returns that, or 128 + signal. */
int inject_run(struct inject *i, int (*fn)(void *ctx), void *ctx);
/* Name of a call, for messages. */
const char *inject_call_name(long call);
