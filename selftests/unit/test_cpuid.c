// SPDX-License-Identifier: GPL-2.0-only
/* CPUID: what is offered on made-up machines, lookups, mirrored bits, features. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/kvm_para.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86/cpuid.h"

#define L1_ECX_XSAVE		BIT(26)
#define L1_ECX_OSXSAVE		BIT(27)
#define L1_ECX_X2APIC		BIT(21)
#define L1_ECX_HYPERVISOR	BIT(31)
#define L1_ECX_VMX		BIT(5)
#define L1_ECX_MONITOR		BIT(3)
#define L1_ECX_PCID		BIT(17)
#define L1_EDX_APIC		BIT(9)
#define L7_EBX_INVPCID		BIT(10)
#define L7_ECX_PKU		BIT(3)
#define L7_ECX_OSPKE		BIT(4)
#define L7_ECX_RDPID		BIT(22)
#define L7_EDX_AMX_TILE		BIT(24)
#define L81_ECX_SVM		BIT(2)
#define L81_EDX_RDTSCP		BIT(27)
#define L81_EDX_LM		BIT(29)

#define ALL_VENDOR	0x1f
#define XCR0_AVX	0x7
#define XCR0_AVX512	0xe7
#define XCR0_PKRU	0x200

/* A machine that has every feature bit there is. */
static bool machine_amd;
static u32 machine_max = 0x20;

static void vendor_string(struct cpuid_values *out)
{
	const char *name = machine_amd ? "AuthenticAMD" : "GenuineIntel";

	memcpy(&out->ebx, name, 4);
	memcpy(&out->edx, name + 4, 4);
	memcpy(&out->ecx, name + 8, 4);
}

static void machine_xsave(u32 sub, struct cpuid_values *out)
{
	static const struct { u32 size, offset, flags; } parts[] = {
		[2] = { 256, 576 }, [5] = { 64, 1088 }, [6] = { 512, 1152 },
		[7] = { 1024, 1664 }, [9] = { 8, 2688 }, [17] = { 64, 2752, 2 },
		[18] = { 8192, 2816, 2 },
	};

	memset(out, 0, sizeof(*out));
	if (sub == 0)
		*out = (struct cpuid_values) { 0x602e7, 11008, 11008, 0 };
	else if (sub == 1)
		*out = (struct cpuid_values) { 0x1f, 11008, 0x1900, 0 };
	else if (sub < ARRAY_SIZE(parts))
		*out = (struct cpuid_values) { parts[sub].size,
			parts[sub].offset, parts[sub].flags, 0 };
}

static void machine_read(u32 leaf, u32 sub, struct cpuid_values *out)
{
	memset(out, 0xff, sizeof(*out));
	switch (leaf) {
	case 0:
		out->eax = machine_max;
		vendor_string(out);
		return;
	case 4:
	case 0x8000001d:
		memset(out, 0, sizeof(*out));
		if (sub < 4)
			out->eax = 0xfc004121 + (sub << 5);
		return;
	case 7:
		out->eax = 2;
		return;
	case 0xd:
		machine_xsave(sub, out);
		return;
	case 0x80000000:
		out->eax = 0x80000028;
		return;
	case 0x80000008:
		out->eax = 0x3039;
		return;
	}
}

static const struct cpuid_host full = {
	.read = machine_read,
	.xcr0 = XCR0_AVX512 | XCR0_PKRU,
	.vendor = ALL_VENDOR,
	.phys_bits = 46,
	.tsc_stable = true,
};

static struct kvm_cpuid_entry2 rows[CPUID_MAX_ENTRIES];

static struct cpuid_table supported(const struct cpuid_host *host)
{
	int n = cpuid_supported(host, rows, CPUID_MAX_ENTRIES);

	assert_in_range(n, 10, CPUID_MAX_ENTRIES);
	return (struct cpuid_table) { rows, n };
}

static const struct kvm_cpuid_entry2 *row(const struct cpuid_table *t, u32 leaf,
					  u32 sub)
{
	const struct kvm_cpuid_entry2 *e = cpuid_lookup(t, leaf, sub);

	assert_non_null(e);
	assert_int_equal(e->function, leaf);
	return e;
}

static u64 key(const struct kvm_cpuid_entry2 *e)
{
	return (u64)e->function << 32 | e->index;
}

/* In order, each leaf once, and nothing that joist does not do. */
static void offered(void **state)
{
	struct cpuid_table t;
	u32 i;

	for (machine_amd = false; ; machine_amd = true) {
		t = supported(&full);
		for (i = 1; i < t.nent; i++)
			assert_true(key(&rows[i - 1]) < key(&rows[i]));
		assert_int_equal(row(&t, 1, 0)->ecx & (L1_ECX_VMX | L1_ECX_MONITOR), 0);
		assert_true(row(&t, 1, 0)->ecx & L1_ECX_X2APIC);
		assert_true(row(&t, 1, 0)->ecx & L1_ECX_HYPERVISOR);
		assert_int_equal(row(&t, 0x80000001, 0)->ecx & L81_ECX_SVM, 0);
		assert_int_equal(row(&t, 7, 0)->edx & L7_EDX_AMX_TILE, 0);
		assert_int_equal(row(&t, 0, 0)->eax, 0xd);
		assert_int_equal(row(&t, 0x80000008, 0)->eax, 0x302e);
		assert_null(cpuid_lookup(&t, 0xa, 0));	/* no PMU */
		assert_int_equal(row(&t, 0xd, 0)->eax, XCR0_AVX512 | XCR0_PKRU);
		assert_int_equal(row(&t, 0xd, 0)->ecx, 2696);
		assert_null(cpuid_lookup(&t, 0xd, 17));
		assert_memory_equal(&row(&t, KVM_CPUID_SIGNATURE, 0)->ebx, "KVMK", 4);
		assert_true(cpuid_valid(&t));
		if (machine_amd)
			break;
	}
	machine_amd = false;
}

/* What the backend cannot do is not offered. */
static void restricted(void **state)
{
	struct cpuid_host host = full;
	struct cpuid_table t;

	host.vendor = 0;
	host.xcr0 = XCR0_AVX;
	host.tsc_stable = false;
	t = supported(&host);
	assert_int_equal(row(&t, 1, 0)->ecx & L1_ECX_PCID, 0);
	assert_int_equal(row(&t, 7, 0)->ebx & L7_EBX_INVPCID, 0);
	assert_int_equal(row(&t, 7, 0)->ecx & (L7_ECX_RDPID | L7_ECX_PKU), 0);
	assert_int_equal(row(&t, 0x80000001, 0)->edx & L81_EDX_RDTSCP, 0);
	assert_int_equal(row(&t, 0x80000007, 0)->edx, 0);
	assert_int_equal(row(&t, 0xd, 0)->ecx, 832);
	assert_int_equal(row(&t, 0xd, 1)->eax & 8, 0);

	/* Without YMM and ZMM state their instructions cannot be used. */
	assert_int_equal(row(&t, 7, 0)->ebx & BIT(16), 0);
	host.xcr0 = 3;
	t = supported(&host);
	assert_int_equal(row(&t, 1, 0)->ecx & (BIT(28) | BIT(12) | BIT(29)), 0);
	assert_int_equal(row(&t, 7, 0)->ebx & BIT(5), 0);

	host.xcr0 = 0;
	t = supported(&host);
	assert_int_equal(row(&t, 1, 0)->ecx & L1_ECX_XSAVE, 0);
	assert_int_equal(row(&t, 0xd, 0)->eax, 0);
}

static void no_room(void **state)
{
	static struct kvm_cpuid_entry2 small[CPUID_MAX_ENTRIES];
	int n = cpuid_supported(&full, small, CPUID_MAX_ENTRIES), i;

	for (i = 0; i < n; i++)
		assert_int_equal(cpuid_supported(&full, small, i), -E2BIG);
	assert_int_equal(cpuid_supported(&full, small, n), n);
}

static void old_cpu(void **state)
{
	struct cpuid_table t;

	machine_max = 1;
	t = supported(&full);
	assert_int_equal(row(&t, 0, 0)->eax, 1);
	assert_null(cpuid_lookup(&t, 7, 0));
	machine_max = 0x20;
}

/* Sorting is stable, and a lookup finds what a walk over all rows finds. */
static void lookups(void **state)
{
	static struct kvm_cpuid_entry2 e[64], before[64];
	struct cpuid_table t = { e, ARRAY_SIZE(e) };
	const struct kvm_cpuid_entry2 *found;
	int round, i, leaf, sub;

	for (round = 0; round < 200; round++) {
		memset(e, 0, sizeof(e));
		for (i = 0; i < ARRAY_SIZE(e); i++) {
			e[i].function = random() % 12;
			e[i].eax = i;
			if (e[i].function & 1) {
				e[i].flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
				e[i].index = random() % 6;
			}
		}
		memcpy(before, e, sizeof(e));
		cpuid_sort(e, ARRAY_SIZE(e));
		for (leaf = 0; leaf < 13; leaf++)
			for (sub = 0; sub < 7; sub++) {
				for (i = 0; i < ARRAY_SIZE(before); i++)
					if (before[i].function == leaf &&
					    (!(leaf & 1) || before[i].index == sub))
						break;
				found = cpuid_lookup(&t, leaf, sub);
				if (i == ARRAY_SIZE(before)) {
					assert_null(found);
					continue;
				}
				assert_non_null(found);
				assert_int_equal(found->eax, before[i].eax);
			}
	}
	t.nent = 0;
	assert_null(cpuid_lookup(&t, 0, 0));
}

static const struct cpuid_state plain = { .xcr0 = 1, .apic = true };

static struct cpuid_values query(const struct cpuid_table *t, u32 leaf, u32 sub)
{
	struct cpuid_values v = { 1, 2, 3, 4 };

	cpuid_query(t, &plain, leaf, sub, &v);
	return v;
}

/* Intel answers for the highest basic leaf, AMD with zeros. */
static void out_of_range(void **state)
{
	const struct cpuid_values zero = { 0 };
	struct cpuid_values v, last;
	struct cpuid_table t;

	machine_amd = false;
	t = supported(&full);
	last = query(&t, 0xd, 2);
	assert_int_equal(last.eax, 256);
	v = query(&t, 0x1234, 2);
	assert_memory_equal(&v, &last, sizeof(v));
	v = query(&t, 0x80001234, 2);
	assert_memory_equal(&v, &last, sizeof(v));
	v = query(&t, 0x40000005, 2);
	assert_memory_equal(&v, &last, sizeof(v));
	v = query(&t, 0xa, 0);		/* in range: zeros */
	assert_memory_equal(&v, &zero, sizeof(v));
	v = query(&t, 0x80000011, 0);
	assert_memory_equal(&v, &zero, sizeof(v));

	machine_amd = true;
	t = supported(&full);
	v = query(&t, 0x1234, 2);
	assert_memory_equal(&v, &zero, sizeof(v));
	v = query(&t, 0x80001234, 2);
	assert_memory_equal(&v, &zero, sizeof(v));
	machine_amd = false;

	t.nent = 0;
	v = query(&t, 0, 0);
	assert_memory_equal(&v, &zero, sizeof(v));
}

static void topology_end(void **state)
{
	struct kvm_cpuid_entry2 e[] = {
		{ .function = 0, .eax = 0xb },
		{ .function = 0xb, .index = 0, .flags = 1, .ecx = 0x100, .edx = 77 },
		{ .function = 0xb, .index = 1, .flags = 1, .ecx = 0x201, .edx = 77 },
	};
	struct cpuid_table t = { e, ARRAY_SIZE(e) };
	struct cpuid_values v = query(&t, 0xb, 9);

	assert_int_equal(v.eax | v.ebx, 0);
	assert_int_equal(v.ecx, 9);
	assert_int_equal(v.edx, 77);
}

static void mirrored(void **state)
{
	struct cpuid_state s = plain;
	struct cpuid_table t = supported(&full);
	struct cpuid_values v;

	cpuid_query(&t, &s, 1, 0, &v);
	assert_int_equal(v.ecx & L1_ECX_OSXSAVE, 0);
	assert_true(v.edx & L1_EDX_APIC);
	cpuid_query(&t, &s, 0xd, 0, &v);
	assert_int_equal(v.ebx, 576);
	cpuid_query(&t, &s, 7, 0, &v);
	assert_int_equal(v.ecx & L7_ECX_OSPKE, 0);

	s = (struct cpuid_state) { .xcr0 = XCR0_AVX | XCR0_PKRU,
				   .osxsave = true, .ospke = true };
	cpuid_query(&t, &s, 1, 0, &v);
	assert_true(v.ecx & L1_ECX_OSXSAVE);
	assert_int_equal(v.edx & L1_EDX_APIC, 0);
	cpuid_query(&t, &s, 0xd, 0, &v);
	assert_int_equal(v.ebx, 2696);		/* PKRU's place is the last */
	cpuid_query(&t, &s, 0xd, 1, &v);
	assert_int_equal(v.ebx, 576 + 256 + 8);	/* compacted */
	cpuid_query(&t, &s, 7, 0, &v);
	assert_true(v.ecx & L7_ECX_OSPKE);
}

/* After KVM_RUN only the same table may be set again, mirrored bits aside. */
static void same(void **state)
{
	static struct kvm_cpuid_entry2 copy[CPUID_MAX_ENTRIES];
	struct cpuid_table a = supported(&full), b = { copy, a.nent };
	struct cpuid_state s = plain;

	memcpy(copy, rows, sizeof(copy));
	assert_true(cpuid_same(&a, &b, &s));
	copy[1].ecx |= L1_ECX_OSXSAVE;
	assert_int_equal(copy[1].function, 1);
	assert_true(cpuid_same(&a, &b, &s));
	copy[1].ecx &= ~L1_ECX_XSAVE;
	assert_false(cpuid_same(&a, &b, &s));
	b.nent--;
	assert_false(cpuid_same(&a, &b, &s));
}

static void linear_bits(void **state)
{
	struct kvm_cpuid_entry2 e = { .function = 0x80000008 };
	struct cpuid_table t = { &e, 1 };
	int bits;

	for (bits = 0; bits < 256; bits++) {
		e.eax = bits << 8 | 40;
		assert_int_equal(cpuid_valid(&t),
				 bits == 0 || bits == 48 || bits == 57);
	}
}

static void features(void **state)
{
	struct cpuid_table none = { rows, 0 }, t;
	struct cpuid_host host = full;
	struct guest_features f;

	/* A VMM that never sets CPUID still gets to long mode through sregs. */
	cpuid_update_features(&none, &full, &f);
	assert_int_equal(f.maxphyaddr, 36);
	assert_int_equal(f.cr4_reserved & (X86_CR4_PAE | X86_CR4_PGE |
					   X86_CR4_OSFXSR), 0);
	assert_true(f.cr4_reserved & X86_CR4_OSXSAVE);
	assert_int_equal(f.xcr0_valid, 0);
	assert_int_equal(f.efer_valid, 0);

	t = supported(&full);
	cpuid_update_features(&t, &full, &f);
	assert_int_equal(f.maxphyaddr, 46);
	assert_true(f.x2apic && f.nx && f.lm && f.xsave && f.pcid && f.rdtscp);
	assert_true(f.pv & BIT(KVM_FEATURE_CLOCKSOURCE));
	assert_false(f.hyperv);
	assert_false(f.amd);
	assert_int_equal(f.xcr0_valid, XCR0_AVX512 | XCR0_PKRU);
	assert_int_equal(f.efer_valid, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
	assert_int_equal(f.cr4_reserved & X86_CR4_OSXSAVE, 0);
	assert_true(f.cr4_reserved & X86_CR4_VMXE);

	/* CPUID may promise what the machine has not: it is not granted. */
	host.xcr0 = XCR0_AVX;
	host.vendor = 0;
	cpuid_update_features(&t, &host, &f);
	assert_int_equal(f.xcr0_valid, XCR0_AVX);
	assert_false(f.rdtscp || f.rdpid || f.invpcid || f.xsaves);
	host.xcr0 = 0;
	cpuid_update_features(&t, &host, &f);
	assert_false(f.xsave);
	assert_true(f.cr4_reserved & X86_CR4_OSXSAVE);
}

/* Whose leaves are whose: by their signatures. */
static void hypervisors(void **state)
{
	static const u8 kvm[12] = "KVMKVMKVM";
	struct kvm_cpuid_entry2 e[] = {
		{ .function = 0x40000001, .eax = CPUID_HV_SIGNATURE },
		{ .function = 0x40000003, .eax = 1, .ebx = 2, .edx = 4 },
		{ .function = 0x40000004, .eax = 8, .ebx = 16 },
		{ .function = 0x40000082, .eax = 32 },
		{ .function = 0x40000100 },
		{ .function = 0x40000101, .eax = 0x55 },
	};
	struct cpuid_table t = { .entries = e, .nent = ARRAY_SIZE(e) };
	struct guest_features f;

	cpuid_update_features(&t, &full, &f);
	assert_true(f.hyperv);
	assert_int_equal(f.hv[HV_FEAT_A], 1);
	assert_int_equal(f.hv[HV_FEAT_B], 2);
	assert_int_equal(f.hv[HV_FEAT_D], 4);
	assert_int_equal(f.hv[HV_ADVICE_A], 8);
	assert_int_equal(f.hv[HV_ADVICE_B], 16);
	assert_int_equal(f.hv[HV_DEBUG_A], 32);
	assert_int_equal(f.pv, 0);
	memcpy(&e[4].ebx, kvm, sizeof(kvm));
	cpuid_update_features(&t, &full, &f);
	assert_int_equal(f.pv, 0x55);
	e[0].eax = 0x55;
	cpuid_update_features(&t, &full, &f);
	assert_false(f.hyperv);
	assert_int_equal(f.hv[HV_FEAT_A], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offered),
		cmocka_unit_test(restricted),
		cmocka_unit_test(no_room),
		cmocka_unit_test(old_cpu),
		cmocka_unit_test(lookups),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(topology_end),
		cmocka_unit_test(mirrored),
		cmocka_unit_test(same),
		cmocka_unit_test(linear_bits),
		cmocka_unit_test(features),
		cmocka_unit_test(hypervisors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
