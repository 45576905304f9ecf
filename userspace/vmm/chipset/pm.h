/* SPDX-License-Identifier: GPL-2.0-only */
/* ACPI power management: power-off, the buttons, general-purpose events. */
#ifndef VMM_PM_H
#define VMM_PM_H

#include "libjoist/types.h"

#define PM_SLEEP_TYPE_S5	0	/* what firmware writes, without a look at \_S5 */

/* Where the registers are, from the block's base, and their bytes. */
#define PM_EVENT		0x00
#define PM_EVENT_LEN		4
#define PM_CONTROL		0x04
#define PM_CONTROL_LEN		2
#define PM_TIMER		0x08
#define PM_TIMER_LEN		4
#define PM_GPE0			0x20
#define PM_GPE0_LEN		16	/* half status, half enable */
#define PM_SIZE			0x80

#define PM_GPE_SLEEP		2	/* the sleep button, and the method that says so */
#define PM_METHOD_SLEEP		"_E02"

struct pm;
struct vm;

int pm_create(struct vm *vm);
void pm_destroy(struct vm *vm);
void pm_move(struct pm *pm, u16 base);
u16 pm_base(struct pm *pm);
void pm_power_button(struct pm *pm);
void pm_sleep_button(struct pm *pm);
void pm_gpe(struct pm *pm, unsigned int event);

#endif
