/* SPDX-License-Identifier: GPL-2.0-only */
/* Speaking to a service manager, if one started us. */
#ifndef VMD_NOTIFY_H
#define VMD_NOTIFY_H

void notify(const char *state);
int listen_fd(void);

#endif
