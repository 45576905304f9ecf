/* SPDX-License-Identifier: GPL-2.0-only */
/* VM [SIZE]: verbs that ask a guest for an amount of memory, and tell how much it is. */
#ifndef VMCTL_AMOUNT_H
#define VMCTL_AMOUNT_H

#include "opt.h"
#include "vmctl.h"

/**
 * struct amount - an amount
 * @verb: of the request
 * @member: of the answer, which has the figures
 * @reclaims: it has --reclaim
 */
struct amount {
	const char *verb;
	const char *member;
	bool reclaims;
};

struct amount_args {
	struct args args;
	bool wait;
	bool reclaim;
	u64 timeout_ms;
};

#define AMOUNT_OPT_WAIT							\
	OPT_FLAG("wait", 'w', struct amount_args, wait, "until it is so much")
#define AMOUNT_OPT_TIMEOUT						\
	OPT_TIME("timeout", 't', struct amount_args, timeout_ms,	\
		 "wait no longer than this, then fail")

int amount_run(const struct command *cmd, int argc, char **argv, const struct amount *what);

#endif
