/* SPDX-License-Identifier: GPL-2.0-only */
/* The VM's name, in the module's list of VMs. */
#ifndef VMM_NAME_H
#define VMM_NAME_H

#include "libjoist/types.h"

struct joist_nl;

u32 vm_own_id(struct joist_nl *nl);
void vm_set_name(const char *name);

#endif
