/* SPDX-License-Identifier: GPL-2.0-only */
/* Speaking to a service manager, if one started us. */
#ifndef VMD_NOTIFY_H
#define VMD_NOTIFY_H

#include "libjoist/types.h"

void notify(const char *state);
int listen_fd(void);
u64 watchdog_ms(void);

#endif
