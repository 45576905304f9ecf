/* SPDX-License-Identifier: GPL-2.0-only */
/* A hypervisor for the VMM's interrupts: it takes all that it is told, and counts. */
#ifndef FAKE_HYPERVISOR_H
#define FAKE_HYPERVISOR_H

#include "libjoist/types.h"

extern int fake_irqfds;		/* that are attached */
extern int fake_routes;		/* in the last table */
extern bool fake_refuses;	/* the next tables */

#endif
