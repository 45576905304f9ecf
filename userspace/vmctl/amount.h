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
 */
struct amount {
	const char *verb;
	const char *member;
};

extern const struct opt amount_options[];

int amount_run(const struct command *cmd, int argc, char **argv, const struct amount *what);

#endif
