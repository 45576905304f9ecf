/* SPDX-License-Identifier: GPL-2.0-only */
/* The watchdog: a guest that does not say in time that it is well is dealt with. */
#ifndef VMM_I6300ESB_H
#define VMM_I6300ESB_H

#include "libjoist/types.h"

struct i6300esb;
struct vm;

int i6300esb_create(struct vm *vm, struct i6300esb **out);
void i6300esb_destroy(struct i6300esb *esb);
int i6300esb_start(struct i6300esb *esb);
void i6300esb_stop(struct i6300esb *esb);
void i6300esb_hold(struct i6300esb *esb, bool hold);
bool i6300esb_fired(struct i6300esb *esb, u32 *told);

#endif
