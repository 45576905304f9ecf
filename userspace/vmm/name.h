/* SPDX-License-Identifier: GPL-2.0-only */
/* The VM's name, in the module's list of VMs. */
#ifndef VMM_NAME_H
#define VMM_NAME_H

void vm_set_name(const char *name);

#endif
