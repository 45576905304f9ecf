/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_DSDT_H
#define VMM_DSDT_H

struct aml;
struct vm;

void dsdt_write(struct aml *aml, struct vm *vm);

/* dsdt_hotplug.c */
void dsdt_hotplug_slots(struct aml *aml);
void dsdt_hotplug_event(struct aml *aml);

#endif
