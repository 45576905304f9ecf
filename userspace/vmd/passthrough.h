/* SPDX-License-Identifier: GPL-2.0-only */
/* The parent's side of devices that VMs own: bound, opened, given back. */
#ifndef VMD_PASSTHROUGH_H
#define VMD_PASSTHROUGH_H

#include "config.h"
#include "vmd.h"

struct fd_list;
struct json_object;

/* What the VM's process may lock besides the guest's memory: the firmware's, for one. */
#define PASSTHROUGH_MARGIN	(64ULL << 20)

static inline u64 passthrough_memlock(const struct definition *def)
{
	return def->memory + def->pluggable + PASSTHROUGH_MARGIN;
}

static inline int passthrough_fds(const struct definition *def)
{
	return def->devices.nr ? 1 + def->devices.nr : 0;
}

void passthrough_init(void);
void passthrough_adopt(void);
void passthrough_apply(const struct config *config);
int passthrough_open(const struct definition *def, int *fds, struct json_object *told,
		     struct failure *f);
int passthrough_plug(const struct definition *def, const struct assigned *dev, int pid,
		     struct fd_list *fds, struct json_object *told, struct failure *f);
void passthrough_drop(const char *vm, const char *name);
struct json_object *passthrough_json(const char *vm);

/* kmsg.c */
void kmsg_init(void);

/* passthrough.c's, of a fault */
struct dma_fault;
void passthrough_fault(const struct dma_fault *fault);

#endif
