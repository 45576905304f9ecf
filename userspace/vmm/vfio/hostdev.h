/* SPDX-License-Identifier: GPL-2.0-only */
/* A PCI device of the host's that the guest owns. */
#ifndef VMM_VFIO_HOSTDEV_H
#define VMM_VFIO_HOSTDEV_H

#include "libjoist/types.h"

struct hostdev;
struct pci_dev;
struct pollfd;
struct vm;
struct vmm_file;
struct vmm_hostdev;

#define HOSTDEV_FDS	2	/* of each, for the main thread's poll() */

enum hostdev_event {
	HOSTDEV_ERROR,	/* the host has found an error of it that it cannot correct */
	HOSTDEV_WANTED,	/* the host wants it back: it goes, if need be by force */
};

int hostdev_create(struct vm *vm, const struct vmm_hostdev *config, const struct vmm_file *vfio,
		   struct hostdev **out);
void hostdev_destroy(struct hostdev *hd);
struct pci_dev *hostdev_pci(struct hostdev *hd);

void hostdev_fds(struct vm *vm, struct pollfd *fds);
void hostdev_serve(struct vm *vm, const struct pollfd *fds);
bool hostdev_news(struct vm *vm, enum hostdev_event *event, char *name);

#endif
