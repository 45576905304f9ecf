/* SPDX-License-Identifier: GPL-2.0-only */
/* How errors are told: the cause, then the remedy, on standard error. */
#ifndef VMCTL_ERROR_H
#define VMCTL_ERROR_H

#include "exit.h"
#include "libjoist/types.h"

struct json_object;

void errors_as_json(bool on);
int fail(const char *word, const char *remedy, const char *fmt, ...) __printf(3, 4);
int fail_errno(int err, const char *fmt, ...) __printf(2, 3);
int fail_answer(struct json_object *error, const char *vm);
int usage_error(const char *verb, const char *fmt, ...) __printf(2, 3);

#endif
