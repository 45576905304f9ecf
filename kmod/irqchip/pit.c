// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 programmable interval timer, by Intel's data sheet. Nothing counts
 * here: counts and outputs are computed from the time since a count was
 * loaded. A new count takes effect at once in every mode.
 */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "host.h"
#include "pit.h"

#define CONTROL_PORT	3	/* of the four */
#define READ_BACK	3	/* channel number in a control word */
#define SPEAKER		2	/* channel */

/* Control word, read-back command and status byte. */
#define CTRL_BCD		BIT(0)
#define BACK_NO_STATUS		BIT(4)
#define BACK_NO_COUNT		BIT(5)
#define STATUS_NULL_COUNT	BIT(6)
#define STATUS_OUTPUT		BIT(7)

#define SPEAKER_GATE		BIT(0)
#define SPEAKER_DATA		BIT(1)
#define SPEAKER_REFRESH		BIT(4)
#define SPEAKER_OUTPUT		BIT(5)

/* Progress of an access to the 16-bit count by bytes: rw_mode, *_state. */
enum { RW_LATCH, RW_LSB, RW_MSB, RW_WORD0, RW_WORD1 };

enum pit_mode {
	MODE_TERMINAL,		/* interrupt on terminal count */
	MODE_ONE_SHOT,		/* started by the gate */
	MODE_RATE,
	MODE_SQUARE,
	MODE_STROBE,
	MODE_HW_STROBE,		/* started by the gate */
};

static u32 count_limit(const struct kvm_pit_channel_state *s)
{
	return s->bcd ? 10000 : 0x10000;
}

/* What a written 16-bit value means as a count. 0 is the largest one. */
static u32 count_decode(const struct kvm_pit_channel_state *s, u16 val)
{
	u32 count = val;

	if (s->bcd)
		count = (val >> 12) * 1000 + (val >> 8 & 0xf) * 100 +
			(val >> 4 & 0xf) * 10 + (val & 0xf);
	return count ? min(count, count_limit(s)) : count_limit(s);
}

static u16 count_encode(const struct kvm_pit_channel_state *s, u32 count)
{
	count %= count_limit(s);
	if (!s->bcd)
		return count;
	return count / 1000 << 12 | count / 100 % 10 << 8 |
	       count / 10 % 10 << 4 | count % 10;
}

/* Clock ticks of the channel since its count was loaded. */
static u64 ticks_elapsed(const struct pit_channel *ch)
{
	const struct kvm_pit_channel_state *s = &ch->state;
	bool stops = s->mode != MODE_ONE_SHOT && s->mode != MODE_HW_STROBE;
	s64 now = !s->gate && stops ? ch->gate_off : (s64)ktime_get_ns();

	if (now <= s->count_load_time)
		return 0;
	return mul_u64_u32_div(now - s->count_load_time, PIT_HZ, NSEC_PER_SEC);
}

static u32 channel_count(const struct pit_channel *ch)
{
	const struct kvm_pit_channel_state *s = &ch->state;
	u64 ticks;
	u32 rest;

	if (ch->null_count)
		return s->count;
	ticks = ticks_elapsed(ch);
	switch (s->mode) {
	case MODE_RATE:
		div_u64_rem(ticks, s->count, &rest);
		return s->count - rest;
	case MODE_SQUARE:
		/* By twos, each half of the wave anew. */
		div_u64_rem(2 * ticks, s->count, &rest);
		return s->count - rest;
	}
	/* It goes on counting after zero, around. */
	div_u64_rem(ticks, count_limit(s), &rest);
	return s->count + count_limit(s) - rest;
}

static bool channel_output(const struct pit_channel *ch)
{
	const struct kvm_pit_channel_state *s = &ch->state;
	u64 ticks;
	u32 rest;

	if (ch->null_count)
		return s->mode != MODE_TERMINAL;
	ticks = ticks_elapsed(ch);
	switch (s->mode) {
	case MODE_TERMINAL:
	case MODE_ONE_SHOT:
		return ticks >= s->count;
	case MODE_RATE:
		if (!s->gate)
			return true;
		div_u64_rem(ticks, s->count, &rest);
		return rest != s->count - 1;
	case MODE_SQUARE:
		if (!s->gate)
			return true;
		div_u64_rem(ticks, s->count, &rest);
		return rest < (s->count + 1) / 2;
	}
	return ticks != s->count;
}

static void load_count(struct pit *pit, struct pit_channel *ch, u16 val)
{
	ch->state.count = count_decode(&ch->state, val);
	ch->state.count_load_time = ktime_get_ns();
	ch->gate_off = ch->state.count_load_time;
	/* What the gate starts has run out until the gate rises. */
	if (ch->state.mode == MODE_ONE_SHOT || ch->state.mode == MODE_HW_STROBE)
		ch->null_count = true;
	else
		ch->null_count = false;
	if (ch == &pit->channels[0])
		pit_tick_start(pit);
}

static void latch_count(struct pit_channel *ch)
{
	struct kvm_pit_channel_state *s = &ch->state;

	if (s->count_latched)
		return;
	s->latched_count = count_encode(s, channel_count(ch));
	s->count_latched = s->rw_mode;
}

static void latch_status(struct pit_channel *ch)
{
	struct kvm_pit_channel_state *s = &ch->state;

	if (s->status_latched)
		return;
	s->status = (channel_output(ch) ? STATUS_OUTPUT : 0) |
		    (ch->null_count ? STATUS_NULL_COUNT : 0) |
		    s->rw_mode << 4 | s->mode << 1 | s->bcd;
	s->status_latched = 1;
}

static void read_back(struct pit *pit, u8 val)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (!(val & BIT(i + 1)))
			continue;
		if (!(val & BACK_NO_COUNT))
			latch_count(&pit->channels[i]);
		if (!(val & BACK_NO_STATUS))
			latch_status(&pit->channels[i]);
	}
}

static void write_control(struct pit *pit, u8 val)
{
	unsigned int n = val >> 6, access = val >> 4 & 3;
	struct kvm_pit_channel_state *s;
	struct pit_channel *ch;

	if (n == READ_BACK) {
		read_back(pit, val);
		return;
	}
	ch = &pit->channels[array_index_nospec(n, 3)];
	s = &ch->state;
	if (access == RW_LATCH) {
		latch_count(ch);
		return;
	}
	s->rw_mode = access;
	s->read_state = access;
	s->write_state = access;
	s->mode = val >> 1 & 7;
	if (s->mode > MODE_HW_STROBE)	/* bit 2 is not looked at there */
		s->mode &= 3;
	s->bcd = val & CTRL_BCD;
	s->count = count_limit(s);
	s->count_latched = 0;
	s->status_latched = 0;
	ch->null_count = true;
	if (n == 0)
		pit_tick_stop(pit);
}

static void write_count(struct pit *pit, struct pit_channel *ch, u8 val)
{
	struct kvm_pit_channel_state *s = &ch->state;

	switch (s->write_state) {
	case RW_MSB:
		load_count(pit, ch, val << 8);
		break;
	case RW_WORD0:
		s->write_latch = val;
		s->write_state = RW_WORD1;
		/* In mode 0 the first byte stops the count. */
		if (s->mode == MODE_TERMINAL) {
			ch->null_count = true;
			if (ch == &pit->channels[0])
				pit_tick_stop(pit);
		}
		break;
	case RW_WORD1:
		s->write_state = RW_WORD0;
		load_count(pit, ch, s->write_latch | val << 8);
		break;
	default:
		load_count(pit, ch, val);
	}
}

static u8 read_latched(struct kvm_pit_channel_state *s)
{
	switch (s->count_latched) {
	case RW_LSB:
		s->count_latched = 0;
		return s->latched_count;
	case RW_MSB:
		s->count_latched = 0;
		return s->latched_count >> 8;
	}
	s->count_latched = RW_MSB;
	return s->latched_count;
}

static u8 read_count(struct pit_channel *ch)
{
	struct kvm_pit_channel_state *s = &ch->state;
	u16 count;

	if (s->status_latched) {
		s->status_latched = 0;
		return s->status;
	}
	if (s->count_latched)
		return read_latched(s);
	count = count_encode(s, channel_count(ch));
	switch (s->read_state) {
	case RW_MSB:
		return count >> 8;
	case RW_WORD0:
		s->read_state = RW_WORD1;
		return count;
	case RW_WORD1:
		s->read_state = RW_WORD0;
		return count >> 8;
	}
	return count;
}

/** pit_write() - OUT to port 0x40..0x43; process context */
void pit_write(struct pit *pit, u16 port, u8 val)
{
	unsigned int n = port & 3;

	mutex_lock(&pit->lock);
	if (n == CONTROL_PORT)
		write_control(pit, val);
	else
		write_count(pit, &pit->channels[array_index_nospec(n, 3)], val);
	mutex_unlock(&pit->lock);
}

/** pit_read() - IN from port 0x40..0x43; process context */
u8 pit_read(struct pit *pit, u16 port)
{
	unsigned int n = port & 3;
	u8 val;

	if (n == CONTROL_PORT)
		return 0;
	mutex_lock(&pit->lock);
	val = read_count(&pit->channels[array_index_nospec(n, 3)]);
	mutex_unlock(&pit->lock);
	return val;
}

static void set_gate(struct pit_channel *ch, bool gate)
{
	struct kvm_pit_channel_state *s = &ch->state;
	s64 now = ktime_get_ns();

	if (gate == s->gate)
		return;
	s->gate = gate;
	if (!gate) {
		ch->gate_off = now;
		return;
	}
	switch (s->mode) {
	case MODE_TERMINAL:
	case MODE_STROBE:
		/* It stood still meanwhile. */
		s->count_load_time += now - ch->gate_off;
		break;
	case MODE_ONE_SHOT:
	case MODE_HW_STROBE:
		ch->null_count = false;
		fallthrough;
	default:
		s->count_load_time = now;
	}
}

/** pit_speaker_read() - IN from port 0x61 */
u8 pit_speaker_read(struct pit *pit)
{
	struct pit_channel *ch = &pit->channels[SPEAKER];
	u8 val;

	mutex_lock(&pit->lock);
	val = (ch->state.gate ? SPEAKER_GATE : 0) |
	      (pit->speaker_data ? SPEAKER_DATA : 0) |
	      (channel_output(ch) ? SPEAKER_OUTPUT : 0);
	mutex_unlock(&pit->lock);
	/* Memory refresh toggles about every 15 us. */
	if (ktime_get_ns() >> 14 & 1)
		val |= SPEAKER_REFRESH;
	return val;
}

/** pit_speaker_write() - OUT to port 0x61 */
void pit_speaker_write(struct pit *pit, u8 val)
{
	mutex_lock(&pit->lock);
	pit->speaker_data = val & SPEAKER_DATA;
	set_gate(&pit->channels[SPEAKER], val & SPEAKER_GATE);
	mutex_unlock(&pit->lock);
}

/** pit_init() - as after power-up: no channel counts */
void pit_init(struct pit *pit, struct vm *vm)
{
	int i;

	memset(pit, 0, sizeof(*pit));
	mutex_init(&pit->lock);
	pit->vm = vm;
	for (i = 0; i < 3; i++) {
		struct pit_channel *ch = &pit->channels[i];

		ch->state = (struct kvm_pit_channel_state) {
			.count = 0x10000,
			.mode = MODE_SQUARE,
			.rw_mode = RW_WORD0,
			.read_state = RW_WORD0,
			.write_state = RW_WORD0,
			.gate = i != SPEAKER,
		};
		ch->null_count = true;
	}
	pit_tick_init(pit);
}

/** pit_get_state() - KVM_GET_PIT2 */
void pit_get_state(struct pit *pit, struct kvm_pit_state2 *state)
{
	int i;

	memset(state, 0, sizeof(*state));
	mutex_lock(&pit->lock);
	for (i = 0; i < 3; i++)
		state->channels[i] = pit->channels[i].state;
	state->flags = pit->flags;
	if (pit->speaker_data)
		state->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	mutex_unlock(&pit->lock);
}

/* A saved channel, brought into what the chip can hold. */
static void channel_restore(struct pit_channel *ch, unsigned int n,
			    const struct kvm_pit_channel_state *saved)
{
	struct kvm_pit_channel_state *s = &ch->state;
	s64 now = ktime_get_ns();

	*s = *saved;
	/* Other implementations save 0xff for a channel never programmed. */
	ch->null_count = s->mode > MODE_HW_STROBE;
	if (ch->null_count)
		s->mode = MODE_SQUARE;
	s->bcd = !!s->bcd;
	s->gate = n == SPEAKER ? !!s->gate : 1;
	s->status_latched = !!s->status_latched;
	s->rw_mode &= 3;
	s->count_latched &= 3;
	if (s->read_state > RW_WORD1)
		s->read_state = RW_WORD0;
	if (s->write_state > RW_WORD1)
		s->write_state = RW_WORD0;
	if (!s->count || s->count > count_limit(s))
		s->count = count_limit(s);
	if (s->count_load_time > now || s->count_load_time < 0)
		s->count_load_time = now;
	ch->gate_off = now;
}

/**
 * pit_set_state() - KVM_SET_PIT2
 * @pit: the chip
 * @state: to take over; channel 0 counts from now
 *
 * Return: 0, -EINVAL: unknown flags.
 */
int pit_set_state(struct pit *pit, const struct kvm_pit_state2 *state)
{
	struct pit_channel *ch0 = &pit->channels[0];
	int i;

	if (state->flags & ~(KVM_PIT_FLAGS_HPET_LEGACY |
			     KVM_PIT_FLAGS_SPEAKER_DATA_ON))
		return -EINVAL;
	mutex_lock(&pit->lock);
	pit_tick_stop(pit);
	for (i = 0; i < 3; i++)
		channel_restore(&pit->channels[i], i, &state->channels[i]);
	pit->flags = state->flags & KVM_PIT_FLAGS_HPET_LEGACY;
	pit->speaker_data = state->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	if (!ch0->null_count) {
		ch0->state.count_load_time = ktime_get_ns();
		pit_tick_start(pit);
	}
	mutex_unlock(&pit->lock);
	return 0;
}
