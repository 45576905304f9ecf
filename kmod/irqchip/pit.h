/* SPDX-License-Identifier: GPL-2.0-only */
/* The 8254 programmable interval timer, and port 0x61 that gates its speaker. */
#ifndef JOIST_IRQCHIP_PIT_H
#define JOIST_IRQCHIP_PIT_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mutex.h>

#include "../core/types.h"

struct vm;

#define PIT_PORT		0x40
#define PIT_SPEAKER_PORT	0x61
#define PIT_GSI			0
#define PIT_HZ			1193182

/**
 * struct pit_channel - one counter
 * @state: registers, as userspace saves them
 * @null_count: programmed, no count loaded yet: it does not count
 * @gate_off: CLOCK_MONOTONIC ns at which the gate went low
 *
 * struct pit's lock.
 */
struct pit_channel {
	struct kvm_pit_channel_state state;
	bool null_count;
	s64 gate_off;
};

/**
 * struct pit - the chip
 * @lock: protects the channels, @flags and @speaker_data
 * @vm: (constant)
 * @channels: 0 is wired to GSI 0, 2 to the speaker
 * @flags: KVM_PIT_FLAGS_*
 * @speaker_data: bit 1 of port 0x61
 * @timer: next interrupt of channel 0
 * @period: ns; 0: @timer is a one-shot; written while @timer is stopped
 * @reinject: ticks that the guest has not acknowledged are made up for
 * @ticks: (atomic) of these, due
 * @in_flight: (atomic) one was sent and is not acknowledged yet
 */
struct pit {
	struct mutex lock;	/* registers */
	struct vm *vm;
	struct pit_channel channels[3];
	u32 flags;
	bool speaker_data;
	struct hrtimer timer;
	u64 period;
	bool reinject;
	atomic_t ticks;
	int in_flight;
};

void pit_init(struct pit *pit, struct vm *vm);
void pit_stop(struct pit *pit);
u8 pit_read(struct pit *pit, u16 port);
void pit_write(struct pit *pit, u16 port, u8 val);
u8 pit_speaker_read(struct pit *pit);
void pit_speaker_write(struct pit *pit, u8 val);
void pit_acked(struct pit *pit);
void pit_set_reinject(struct pit *pit, bool reinject);
void pit_get_state(struct pit *pit, struct kvm_pit_state2 *state);
int pit_set_state(struct pit *pit, const struct kvm_pit_state2 *state);

/* pit_tick.c: channel 0's interrupts */
void pit_tick_init(struct pit *pit);
void pit_tick_start(struct pit *pit);
void pit_tick_stop(struct pit *pit);

#endif
