/* SPDX-License-Identifier: GPL-2.0-only */
/* The definitions that clients created, kept in STORE_DIR. */
#ifndef VMD_STORE_H
#define VMD_STORE_H

#include "vmd.h"

int store_save(const struct definition *def);
int store_delete(const char *name);
void store_load(void (*take)(struct definition *def));

#endif
