/* SPDX-License-Identifier: GPL-2.0-only */
/* Admin commands of an NVMe controller that makes virtual functions, through its /dev/nvmeN. */
#ifndef LIBJOIST_NVME_H
#define LIBJOIST_NVME_H

#include "types.h"

#define NVME_SECONDARIES_MAX	127	/* of one list */

enum nvme_virt_action {
	NVME_VIRT_PRIMARY	= 1,	/* flexible resources of the primary's own */
	NVME_VIRT_OFFLINE	= 7,
	NVME_VIRT_ASSIGN	= 8,
	NVME_VIRT_ONLINE	= 9,
};

enum nvme_virt_kind { NVME_VIRT_QUEUES, NVME_VIRT_INTERRUPTS };

/**
 * struct nvme_flexible - queues or interrupts that can be given to any function
 * @total: all of them
 * @of_primary: those that the primary controller has
 * @most: that a secondary one can have
 * @granularity: they are given in multiples of it
 */
struct nvme_flexible {
	u32 total;
	u16 of_primary;
	u16 most;
	u16 granularity;
};

/* @id: the controller's */
struct nvme_primary {
	u16 id;
	struct nvme_flexible queues, interrupts;
};

/* @vf: number of the virtual function, from 1; 0: of none */
struct nvme_secondary {
	u16 id;
	u16 vf;
	bool online;
};

int nvme_identify_primary(int fd, struct nvme_primary *caps);
int nvme_identify_secondaries(int fd, struct nvme_secondary list[NVME_SECONDARIES_MAX]);
int nvme_virtualize(int fd, enum nvme_virt_action action, enum nvme_virt_kind kind, u16 id,
		    u32 nr);

#endif
