/* SPDX-License-Identifier: GPL-2.0-only */
/* ACPI power management: power-off, and the power button. */
#ifndef VMM_PM_H
#define VMM_PM_H

#define PM_SLEEP_TYPE_S5	5	/* also in the DSDT's \_S5 */

struct pm;
struct vm;

int pm_create(struct vm *vm);
void pm_destroy(struct vm *vm);
void pm_power_button(struct pm *pm);

#endif
