/* SPDX-License-Identifier: GPL-2.0-only */
/* The watchdog timer of Intel's 6300ESB: its registers and its countdown, and no clock. */
#ifndef VMM_ESB_TIMER_H
#define VMM_ESB_TIMER_H

#include "libjoist/types.h"

/* Registers in memory. */
#define ESB_PRELOAD1		0x0
#define ESB_PRELOAD2		0x4
#define ESB_STATUS		0x8	/* of the first stage's interrupt */
#define ESB_RELOAD		0xc
#define ESB_SIZE		16

#define ESB_STATUS_ACTIVE	BIT(0)
#define ESB_RELOAD_NOW		BIT(8)
#define ESB_RELOAD_TIMED_OUT	BIT(9)
#define ESB_UNLOCK1		0x80	/* written to ESB_RELOAD before each other write */
#define ESB_UNLOCK2		0x86
#define ESB_PRELOAD_MAX		0xfffff

/* Of the PCI configuration space. */
#define ESB_CONFIG		0x60	/* 16 bits */
#define ESB_CONFIG_INT		3	/* what the first stage raises; 0: an interrupt */
#define ESB_CONFIG_FAST		BIT(2)
#define ESB_CONFIG_NO_OUTPUT	BIT(5)
#define ESB_LOCK		0x68	/* 8 bits */
#define ESB_LOCK_LOCKED		BIT(0)
#define ESB_LOCK_ENABLE		BIT(1)
#define ESB_LOCK_FREE		BIT(2)	/* it runs again and again, by its second stage alone */

#define ESB_NEVER		(~0ULL)

/**
 * struct esb_timer - the timer
 * @preload: of each stage
 * @config: ESB_CONFIG, as it is now
 * @lock: ESB_LOCK, likewise
 * @unlocked: how many of the two writes there were
 * @timed_out: the second stage ended
 * @active: the first did, and was to raise an interrupt
 * @running: a stage counts down
 * @held: none does, for the guest does not run
 * @stage: which one, 0 or 1
 * @end: when it ends
 * @left: of one that is held, what is left of it
 */
struct esb_timer {
	u32 preload[2];
	u16 config;
	u8 lock;
	int unlocked;
	bool timed_out;
	bool active;
	bool running;
	bool held;
	int stage;
	u64 end;
	u64 left;
};

void esb_timer_init(struct esb_timer *t);
u32 esb_timer_read(const struct esb_timer *t, u64 reg);
void esb_timer_write(struct esb_timer *t, u64 reg, u32 value, u64 now);
void esb_timer_config(struct esb_timer *t, u16 config, u8 lock, u64 now);
bool esb_timer_expire(struct esb_timer *t, u64 now);
u64 esb_timer_next(const struct esb_timer *t);
void esb_timer_hold(struct esb_timer *t, bool hold, u64 now);

#endif
