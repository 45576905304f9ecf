/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMM's threads as fibers, its clock, and when which of them runs. */
#ifndef FUZZ_SCHED_H
#define FUZZ_SCHED_H

#include "libjoist/types.h"

void sched_begin(void);
void sched_end(void);
void sched_yield_rounds(int rounds);
void sched_preempt(int after);
void sched_advance(u64 ms);
int sched_threads(void);

#endif
