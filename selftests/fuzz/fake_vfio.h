/* SPDX-License-Identifier: GPL-2.0-only */
/* A device of VFIO's that is a file: what the kernel would check, and whom it would signal. */
#ifndef FUZZ_FAKE_VFIO_H
#define FUZZ_FAKE_VFIO_H

#include "libjoist/types.h"

/* Which device it is. */
#define FAKE_VFIO_RESETS	BIT(0)
#define FAKE_VFIO_WILD		BIT(1)	/* some bytes of its configuration space are @wild */
#define FAKE_VFIO_CONVENTIONAL	BIT(2)
#define FAKE_VFIO_SCARCE	BIT(3)	/* the host has one message */

int fake_vfio_file(void);
void fake_vfio_begin(u32 flags, u64 wild);

/* Return: 0, a count, or -errno; -ENOTTY: it is none of VFIO's. */
int fake_vfio_ioctl(unsigned long request, void *arg);
void fake_vfio_signal(u32 index, u32 which);
void fake_vfio_end(void);

#endif
