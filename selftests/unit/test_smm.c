// SPDX-License-Identifier: GPL-2.0-only
/* The state save area of SMM: both maps, byte for byte and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "x86/smm_state.h"

static u64 random_u64(void)
{
	return (u64)random() << 42 ^ (u64)random() << 21 ^ random();
}

static void random_segment(struct kvm_segment *seg, u64 base_mask)
{
	memset(seg, 0, sizeof(*seg));
	seg->base = random_u64() & base_mask;
	seg->limit = random_u64();
	seg->selector = random_u64();
	seg->type = random() & 15;
	seg->s = random() & 1;
	seg->dpl = random() & 3;
	seg->present = random() & 1;
	seg->avl = random() & 1;
	seg->l = random() & 1;
	seg->db = random() & 1;
	seg->g = random() & 1;
	seg->unusable = !seg->present;
}

static void random_table(struct kvm_dtable *dt, u64 base_mask)
{
	memset(dt, 0, sizeof(*dt));
	dt->base = random_u64() & base_mask;
	dt->limit = random_u64();
}

/* @mask: what of a register the map has room for. */
static void random_state(struct smm_state *s, u64 mask, int nr_regs)
{
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < nr_regs; i++)
		s->regs[i] = random_u64() & mask;
	s->rip = random_u64() & mask;
	s->rflags = random_u64() & mask;
	s->cr0 = random_u64() & mask;
	s->cr3 = random_u64() & mask;
	s->cr4 = random_u64() & mask;
	s->dr6 = random_u64() & mask;
	s->dr7 = random_u64() & mask;
	s->smbase = random_u64();
	s->shadow = random() & 3;
	s->halted = random() & 1;
	for (i = 0; i < SMM_NR_SEGS; i++)
		random_segment(&s->seg[i], mask);
	random_segment(&s->ldtr, mask);
	random_segment(&s->tr, mask);
	random_table(&s->gdt, mask);
	random_table(&s->idt, mask);
}

static void round_trip_64(void **state)
{
	struct smm_state in, out;
	union smram smram;
	int n;

	srandom(1);
	for (n = 0; n < 10000; n++) {
		random_state(&in, ~0ULL, 16);
		in.efer = random_u64();
		smm_state_pack(&in, true, &smram);
		memset(&out, 0, sizeof(out));
		smm_state_unpack(&smram, true, &out);
		assert_memory_equal(&in, &out, sizeof(in));
	}
}

/* EFER and R8 to R15 are not in the 32-bit map: they stay. */
static void round_trip_32(void **state)
{
	struct smm_state in, out;
	union smram smram;
	int n;

	srandom(2);
	for (n = 0; n < 10000; n++) {
		random_state(&in, 0xffffffff, 8);
		smm_state_pack(&in, false, &smram);
		memset(&out, 0, sizeof(out));
		out.efer = 0x901;
		out.regs[8] = 0x1234;
		smm_state_unpack(&smram, false, &out);
		assert_int_equal(out.efer, 0x901);
		assert_int_equal(out.regs[8], 0x1234);
		out.efer = 0;
		out.regs[8] = 0;
		assert_memory_equal(&in, &out, sizeof(in));
	}
}

static u64 get(const union smram *smram, unsigned int offset, int len)
{
	u64 val = 0;

	memcpy(&val, (const u8 *)smram + offset, len);
	return val;
}

static void numbered(struct smm_state *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < 16; i++)
		s->regs[i] = 0x1000 + i;
	s->rip = 0x2000;
	s->rflags = 0x2001;
	s->cr0 = 0x2002;
	s->cr3 = 0x2003;
	s->cr4 = 0x2004;
	s->efer = 0x2005;
	s->dr6 = 0x2006;
	s->dr7 = 0x2007;
	s->smbase = 0x2008;
	s->halted = true;
	for (i = 0; i < SMM_NR_SEGS; i++)
		s->seg[i] = (struct kvm_segment) {
			.base = 0x3000 + i, .limit = 0x3100 + i,
			.selector = 0x3200 + i, .type = 11, .s = 1, .dpl = 3,
			.present = 1, .l = 1, .g = 1,
		};
	s->ldtr = (struct kvm_segment) { .selector = 0x4000, .unusable = 1 };
	s->tr = (struct kvm_segment) { .base = 0x4001, .type = 11, .present = 1 };
	s->gdt = (struct kvm_dtable) { .base = 0x5000, .limit = 0x5001 };
	s->idt = (struct kvm_dtable) { .base = 0x5002, .limit = 0x5003 };
}

/* AMD64 Architecture Programmer's Manual volume 2, state-save area. */
static void offsets_64(void **state)
{
	union smram smram;
	struct smm_state s;
	int i;

	numbered(&s);
	memset(&smram, 0xff, sizeof(smram));
	smm_state_pack(&s, true, &smram);
	for (i = 0; i < 16; i++)
		assert_int_equal(get(&smram, 0x1f8 - i * 8, 8), 0x1000 + i);
	assert_int_equal(get(&smram, 0x178, 8), 0x2000);	/* RIP */
	assert_int_equal(get(&smram, 0x170, 8), 0x2001);
	assert_int_equal(get(&smram, 0x158, 8), 0x2002);	/* CR0 */
	assert_int_equal(get(&smram, 0x150, 8), 0x2003);
	assert_int_equal(get(&smram, 0x148, 8), 0x2004);
	assert_int_equal(get(&smram, 0x0d0, 8), 0x2005);	/* EFER */
	assert_int_equal(get(&smram, 0x168, 8), 0x2006);
	assert_int_equal(get(&smram, 0x160, 8), 0x2007);
	assert_int_equal(get(&smram, 0x100, 4), 0x2008);	/* SMBASE */
	assert_int_equal(get(&smram, 0x0fc, 4), 0x20064);
	assert_int_equal(get(&smram, 0x0c9, 1), 1);		/* auto-halt */
	for (i = 0; i < SMM_NR_SEGS; i++) {
		assert_int_equal(get(&smram, i * 16, 2), 0x3200 + i);
		assert_int_equal(get(&smram, i * 16 + 2, 2), 0xa0fb);
		assert_int_equal(get(&smram, i * 16 + 4, 4), 0x3100 + i);
		assert_int_equal(get(&smram, i * 16 + 8, 8), 0x3000 + i);
	}
	assert_int_equal(get(&smram, 0x64, 4), 0x5001);		/* GDT */
	assert_int_equal(get(&smram, 0x68, 8), 0x5000);
	assert_int_equal(get(&smram, 0x70, 2), 0x4000);		/* LDTR */
	assert_int_equal(get(&smram, 0x72, 2), 0);
	assert_int_equal(get(&smram, 0x84, 4), 0x5003);		/* IDT */
	assert_int_equal(get(&smram, 0x88, 8), 0x5002);
	assert_int_equal(get(&smram, 0x92, 2), 0x008b);		/* TR */
	assert_int_equal(get(&smram, 0x98, 8), 0x4001);
	assert_int_equal(get(&smram, 0x120, 8), 0);	/* nothing left over */
}

/* Intel SDM volume 3, SMRAM state save map. */
static void offsets_32(void **state)
{
	static const unsigned int hidden[SMM_NR_SEGS] = {
		0x184, 0x190, 0x19c, 0x12c, 0x138, 0x144,
	};
	union smram smram;
	struct smm_state s;
	int i;

	numbered(&s);
	memset(&smram, 0xff, sizeof(smram));
	smm_state_pack(&s, false, &smram);
	for (i = 0; i < 8; i++)
		assert_int_equal(get(&smram, 0x1d0 + i * 4, 4), 0x1000 + i);
	assert_int_equal(get(&smram, 0x1f0, 4), 0x2000);	/* EIP */
	assert_int_equal(get(&smram, 0x1f4, 4), 0x2001);
	assert_int_equal(get(&smram, 0x1fc, 4), 0x2002);	/* CR0 */
	assert_int_equal(get(&smram, 0x1f8, 4), 0x2003);
	assert_int_equal(get(&smram, 0x114, 4), 0x2004);
	assert_int_equal(get(&smram, 0x1cc, 4), 0x2006);
	assert_int_equal(get(&smram, 0x1c8, 4), 0x2007);
	assert_int_equal(get(&smram, 0x0f8, 4), 0x2008);	/* SMBASE */
	assert_int_equal(get(&smram, 0x0fc, 4), 0x20000);
	assert_int_equal(get(&smram, 0x102, 2), 1);		/* auto-halt */
	for (i = 0; i < SMM_NR_SEGS; i++) {
		assert_int_equal(get(&smram, 0x1a8 + i * 4, 4), 0x3200 + i);
		assert_int_equal(get(&smram, hidden[i], 4), 0xa0fb00);
		assert_int_equal(get(&smram, hidden[i] + 4, 4), 0x3100 + i);
		assert_int_equal(get(&smram, hidden[i] + 8, 4), 0x3000 + i);
	}
	assert_int_equal(get(&smram, 0x1c0, 4), 0x4000);	/* LDTR */
	assert_int_equal(get(&smram, 0x178, 4), 0);
	assert_int_equal(get(&smram, 0x15c, 4), 0x8b00);	/* TR */
	assert_int_equal(get(&smram, 0x164, 4), 0x4001);
	assert_int_equal(get(&smram, 0x170, 4), 0x5001);	/* GDT */
	assert_int_equal(get(&smram, 0x174, 4), 0x5000);
	assert_int_equal(get(&smram, 0x154, 4), 0x5003);	/* IDT */
	assert_int_equal(get(&smram, 0x158, 4), 0x5002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_64),
		cmocka_unit_test(round_trip_32),
		cmocka_unit_test(offsets_64),
		cmocka_unit_test(offsets_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
