// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MC146818 real-time clock and its CMOS memory. It shows the host's time,
 * in UTC, shifted by what the guest sets; it raises no interrupts.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "../vm.h"
#include "chipset.h"

#define CMOS_SIZE	128
#define NR_PORTS	2
#define CENTURY		0x32
#define UPDATE_NS	244000L	/* UIP is up this long before an update */
#define NS_PER_SECOND	1000000000L
#define YEAR_MIN	(-1900)	/* as struct tm counts: 0 */
#define YEAR_MAX	(9999 - 1900)

/* Sizes of memory: in KiB, in KiB twice, in 64 KiB twice; and a count. */
#define BASE_KIB	0x15
#define EXTENDED_KIB	0x17
#define EXTENDED_KIB2	0x30
#define ABOVE_16M	0x34
#define ABOVE_4G	0x5b
#define CPUS_LESS_1		0x5f	/* SeaBIOS waits for them */
#define EXTENDED_START	(1ULL << 20)
#define ABOVE_16M_START	(16ULL << 20)

enum {
	SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM,
	WEEKDAY, DAY, MONTH, YEAR, REG_A, REG_B, REG_C, REG_D,
};

#define REG_A_UIP	BIT(7)
#define REG_A_DIVIDER	0x26	/* 32768 Hz, 1024 Hz periodic */
#define REG_B_SET	BIT(7)
#define REG_B_BINARY	BIT(2)
#define REG_B_24H	BIT(1)
#define REG_D_VALID	BIT(7)
#define HOUR_PM		BIT(7)

/**
 * struct rtc - the clock
 * @lock: protects all below
 * @index: register that port 0x71 shows
 * @offset: seconds the guest's clock is ahead of the host's
 * @cmos: the registers; those of the time only while the guest sets it
 */
struct rtc {
	pthread_mutex_t lock;
	u8 index;
	time_t offset;
	u8 cmos[CMOS_SIZE];
};

static u8 encode(const struct rtc *rtc, unsigned int value)
{
	if (rtc->cmos[REG_B] & REG_B_BINARY)
		return (u8)value;
	return (u8)(value / 10 << 4 | value % 10);
}

static int decode(const struct rtc *rtc, u8 value)
{
	if (rtc->cmos[REG_B] & REG_B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 15);
}

static u8 encode_hour(const struct rtc *rtc, int hour)
{
	if (rtc->cmos[REG_B] & REG_B_24H)
		return encode(rtc, hour);
	return (u8)(encode(rtc, hour % 12 ? hour % 12 : 12) |
		    (hour >= 12 ? HOUR_PM : 0));
}

static int decode_hour(const struct rtc *rtc, u8 value)
{
	if (rtc->cmos[REG_B] & REG_B_24H)
		return decode(rtc, value);
	return decode(rtc, value & (u8)~HOUR_PM) % 12 +
	       (value & HOUR_PM ? 12 : 0);
}

/* Show the time of this moment in the registers. */
static void latch_time(struct rtc *rtc)
{
	time_t now = time(NULL) + rtc->offset;
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	rtc->cmos[SECONDS] = encode(rtc, tm.tm_sec);
	rtc->cmos[MINUTES] = encode(rtc, tm.tm_min);
	rtc->cmos[HOURS] = encode_hour(rtc, tm.tm_hour);
	rtc->cmos[WEEKDAY] = encode(rtc, tm.tm_wday + 1);
	rtc->cmos[DAY] = encode(rtc, tm.tm_mday);
	rtc->cmos[MONTH] = encode(rtc, tm.tm_mon + 1);
	rtc->cmos[YEAR] = encode(rtc, tm.tm_year % 100);
	rtc->cmos[CENTURY] = encode(rtc, (tm.tm_year + 1900) / 100);
}

/* The guest has set the registers: the clock goes on from there. */
static void take_time(struct rtc *rtc)
{
	struct tm tm = {
		.tm_sec = decode(rtc, rtc->cmos[SECONDS]),
		.tm_min = decode(rtc, rtc->cmos[MINUTES]),
		.tm_hour = decode_hour(rtc, rtc->cmos[HOURS]),
		.tm_mday = decode(rtc, rtc->cmos[DAY]),
		.tm_mon = decode(rtc, rtc->cmos[MONTH]) - 1,
		.tm_year = decode(rtc, rtc->cmos[YEAR]) +
			   decode(rtc, rtc->cmos[CENTURY]) * 100 - 1900,
	};
	time_t set = timegm(&tm);

	/* Digits may be any; a year that has not four of them cannot be shown. */
	if (set != (time_t)-1 && tm.tm_year >= YEAR_MIN && tm.tm_year <= YEAR_MAX)
		rtc->offset = set - time(NULL);
}

static bool is_time(u8 index)
{
	switch (index) {
	case SECONDS:
	case MINUTES:
	case HOURS:
	case WEEKDAY:
	case DAY:
	case MONTH:
	case YEAR:
	case CENTURY:
		return true;
	default:
		return false;
	}
}

static u8 read_reg(struct rtc *rtc)
{
	struct timespec now;

	switch (rtc->index) {
	case REG_A:
		clock_gettime(CLOCK_REALTIME, &now);
		return REG_A_DIVIDER |
		       (now.tv_nsec >= NS_PER_SECOND - UPDATE_NS ? REG_A_UIP : 0);
	case REG_C:
		return 0;	/* no interrupt is ever pending */
	case REG_D:
		return REG_D_VALID;
	}
	if (is_time(rtc->index) && !(rtc->cmos[REG_B] & REG_B_SET))
		latch_time(rtc);
	return rtc->cmos[rtc->index];
}

static void write_reg(struct rtc *rtc, u8 value)
{
	u8 old = rtc->cmos[rtc->index];

	switch (rtc->index) {
	case REG_A:
	case REG_C:
	case REG_D:
		return;
	case REG_B:
		if ((value & REG_B_SET) && !(old & REG_B_SET))
			latch_time(rtc);
		rtc->cmos[REG_B] = value;
		if (!(value & REG_B_SET) && (old & REG_B_SET))
			take_time(rtc);
		return;
	}
	if (is_time(rtc->index) && !(rtc->cmos[REG_B] & REG_B_SET)) {
		latch_time(rtc);
		rtc->cmos[rtc->index] = value;
		take_time(rtc);
		return;
	}
	rtc->cmos[rtc->index] = value;
}

static void rtc_read(void *ctx, u64 offset, void *data, unsigned int len)
{
	struct rtc *rtc = ctx;

	(void)len;
	if (!offset)
		return;		/* the index port cannot be read */
	pthread_mutex_lock(&rtc->lock);
	*(u8 *)data = read_reg(rtc);
	pthread_mutex_unlock(&rtc->lock);
}

static void rtc_write(void *ctx, u64 offset, const void *data, unsigned int len)
{
	struct rtc *rtc = ctx;
	u8 value = *(const u8 *)data;

	(void)len;
	pthread_mutex_lock(&rtc->lock);
	if (offset)
		write_reg(rtc, value);
	else
		rtc->index = value & (CMOS_SIZE - 1);	/* bit 7 masks NMIs */
	pthread_mutex_unlock(&rtc->lock);
}

static const struct bus_ops rtc_ops = {
	.read = rtc_read,
	.write = rtc_write,
	.byte_wide = true,
};

static void set_word(struct rtc *rtc, u8 reg, u64 value)
{
	value = min(value, (u64)0xffff);
	rtc->cmos[reg] = (u8)value;
	rtc->cmos[reg + 1] = (u8)(value >> 8);
}

/* What a PC's firmware finds there. */
static void set_memory(struct rtc *rtc, const struct memory *mem)
{
	u64 low = memory_low_end(mem), high = mem->size - low;
	u64 extended = (low - EXTENDED_START) >> 10;

	set_word(rtc, BASE_KIB, 640);
	set_word(rtc, EXTENDED_KIB, extended);
	set_word(rtc, EXTENDED_KIB2, extended);
	if (low > ABOVE_16M_START)
		set_word(rtc, ABOVE_16M, (low - ABOVE_16M_START) >> 16);
	rtc->cmos[ABOVE_4G] = (u8)(high >> 16);
	rtc->cmos[ABOVE_4G + 1] = (u8)(high >> 24);
	rtc->cmos[ABOVE_4G + 2] = (u8)(high >> 32);
}

int rtc_create(struct vm *vm)
{
	struct rtc *rtc = calloc(1, sizeof(*rtc));

	if (!rtc)
		return -ENOMEM;
	pthread_mutex_init(&rtc->lock, NULL);
	rtc->cmos[REG_B] = REG_B_24H;
	set_memory(rtc, &vm->mem);
	rtc->cmos[CPUS_LESS_1] = (u8)(vm->config->vcpus - 1);
	vm->rtc = rtc;
	return bus_add(&vm->pio, PORT_RTC, NR_PORTS, &rtc_ops, rtc);
}

void rtc_destroy(struct vm *vm)
{
	free(vm->rtc);
	vm->rtc = NULL;
}
