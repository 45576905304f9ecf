/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to the person at the terminal: always standard error. */
#ifndef VMM_LOG_H
#define VMM_LOG_H

#include "libjoist/types.h"

void log_name(const char *name);
const char *log_last(void);
void log_errors_to(void (*tell)(const char *text));
void log_err(const char *fmt, ...) __printf(1, 2);
void log_warn(const char *fmt, ...) __printf(1, 2);
void log_trouble(const char *fmt, ...) __printf(1, 2);

#endif
