/* SPDX-License-Identifier: GPL-2.0-only */
/* A vhost device that serves nothing: what it would check, and whom it would signal. */
#ifndef FUZZ_FAKE_VHOST_H
#define FUZZ_FAKE_VHOST_H

#include "libjoist/types.h"

#define FAKE_VHOST_RINGS	2

/* Return: 0 or -errno; -ENOTTY: it is none of vhost's. */
int fake_vhost_ioctl(unsigned long request, void *arg);
void fake_vhost_signal(u32 ring, bool err);
void fake_vhost_end(void);

#endif
