/* SPDX-License-Identifier: GPL-2.0-only */
/* The disks with what cloud-init is to do. */
#ifndef VMD_SEED_H
#define VMD_SEED_H

#include "vmd.h"

static inline bool definition_has_seed(const struct definition *def)
{
	return def->user_data;
}

int vm_seed_save(const struct definition *def, struct failure *f);
int vm_seed_open(const struct definition *def, struct failure *f);
void vm_seed_delete(const char *name);

#endif
