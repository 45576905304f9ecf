// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUID that joist can offer on a machine: what it supports of what the host
 * has. Pure.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <linux/string.h>
#include <asm/cpufeatures.h>

#include "cpuid.h"

#define F(name)		BIT(X86_FEATURE_##name & 31)

/* Bits that no kernel constant names in all kernels we build against. */
#define LEAF7D_FSRM		BIT(4)
#define LEAF21A_NO_NESTED_BP	BIT(0)
#define LEAF21A_LFENCE_RDTSC	BIT(2)
#define LEAF21A_NULL_SEL_CLEARS	BIT(6)
#define LEAF80000007D_TSC	BIT(8)

#define BASIC_MAX	0xd
#define EXTENDED_BASE	0x80000000
#define EXTENDED_MAX	0x80000021

enum { EAX, EBX, ECX, EDX, NR_CPUID_REGS };

/**
 * struct cpuid_mask - the features of one leaf that joist supports
 * @leaf: leaf
 * @subleaf: subleaf
 * @reg: which register
 * @host: bits offered when the host has them
 * @always: bits offered on every host: joist does them itself
 */
struct cpuid_mask {
	u32 leaf;
	u32 subleaf;
	u8 reg;
	u32 host;
	u32 always;
};

#define LEAF1_EDX_COMMON						\
	(F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) |	\
	 F(MCE) | F(CX8) | F(APIC) | F(MTRR) | F(PGE) | F(MCA) |	\
	 F(CMOV) | F(PAT) | F(PSE36) | F(MMX) | F(FXSR))

static const struct cpuid_mask masks[] = {
	{ 0x1, 0, ECX, F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) |
		       F(PCID) | F(XMM4_1) | F(XMM4_2) | F(MOVBE) | F(POPCNT) |
		       F(AES) | F(XSAVE) | F(AVX) | F(F16C) | F(RDRAND),
	  F(X2APIC) | F(HYPERVISOR) },
	{ 0x1, 0, EDX, LEAF1_EDX_COMMON | F(SEP) | F(CLFLUSH) | F(XMM) |
		       F(XMM2) | F(SELFSNOOP) },
	{ 0x6, 0, EAX, 0, F(ARAT) },
	{ 0x6, 0, EBX }, { 0x6, 0, ECX }, { 0x6, 0, EDX },
	{ 0x7, 0, EBX, F(FSGSBASE) | F(BMI1) | F(HLE) | F(AVX2) |
		       F(FDP_EXCPTN_ONLY) | F(SMEP) | F(BMI2) | F(ERMS) |
		       F(INVPCID) | F(RTM) | F(ZERO_FCS_FDS) | F(AVX512F) |
		       F(AVX512DQ) | F(RDSEED) | F(ADX) | F(SMAP) |
		       F(AVX512IFMA) | F(CLFLUSHOPT) | F(CLWB) | F(AVX512CD) |
		       F(SHA_NI) | F(AVX512BW) | F(AVX512VL), F(TSC_ADJUST) },
	{ 0x7, 0, ECX, F(AVX512VBMI) | F(UMIP) | F(PKU) | F(AVX512_VBMI2) |
		       F(GFNI) | F(VAES) | F(VPCLMULQDQ) | F(AVX512_VNNI) |
		       F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) | F(LA57) |
		       F(RDPID) | F(MOVDIRI) | F(MOVDIR64B) },
	{ 0x7, 0, EDX, LEAF7D_FSRM | F(AVX512_4VNNIW) | F(AVX512_4FMAPS) |
		       F(MD_CLEAR) | F(SPEC_CTRL) | F(INTEL_STIBP) |
		       F(SPEC_CTRL_SSBD) | F(ARCH_CAPABILITIES) |
		       F(AVX512_VP2INTERSECT) | F(SERIALIZE) |
		       F(AVX512_FP16) },
	{ 0x7, 1, EAX, F(AVX_VNNI) | F(AVX512_BF16) },
	{ 0x7, 1, EBX }, { 0x7, 1, ECX }, { 0x7, 1, EDX },
	{ 0xd, 1, EAX, F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1) | F(XSAVES) },
	{ 0x80000001, 0, ECX, F(LAHF_LM) | F(CMP_LEGACY) | F(CR8_LEGACY) |
		       F(ABM) | F(SSE4A) | F(MISALIGNSSE) | F(3DNOWPREFETCH) |
		       F(XOP) | F(FMA4) | F(TBM) | F(TOPOEXT) },
	{ 0x80000001, 0, EDX, LEAF1_EDX_COMMON | F(SYSCALL) | F(NX) |
		       F(MMXEXT) | F(FXSR_OPT) | F(GBPAGES) | F(RDTSCP) |
		       F(LM) | F(3DNOWEXT) | F(3DNOW) },
	{ 0x80000007, 0, EAX }, { 0x80000007, 0, EBX }, { 0x80000007, 0, ECX },
	{ 0x80000007, 0, EDX, LEAF80000007D_TSC },
	{ 0x80000008, 0, EBX, F(CLZERO) | F(XSAVEERPTR) | F(WBNOINVD) |
		       F(AMD_IBPB) | F(AMD_IBRS) | F(AMD_STIBP) |
		       F(AMD_STIBP_ALWAYS_ON) | F(AMD_SSBD) | F(AMD_SSB_NO) },
	{ 0x80000008, 0, ECX }, { 0x80000008, 0, EDX },
	{ 0x80000021, 0, EAX, LEAF21A_NO_NESTED_BP | LEAF21A_LFENCE_RDTSC |
		       LEAF21A_NULL_SEL_CLEARS },
	{ 0x80000021, 0, EBX }, { 0x80000021, 0, ECX }, { 0x80000021, 0, EDX },
};

/* Leaves passed as the host has them, once masked. The others have no row and
 * read as zero.
 */
static bool leaf_passed(u32 leaf)
{
	switch (leaf) {
	case 0x0: case 0x1: case 0x2: case 0x4: case 0x6: case 0x7: case 0xd:
	case 0x80000000 ... 0x80000008:
	case 0x80000019: case 0x8000001a: case 0x8000001d: case 0x80000021:
		return true;
	}
	return false;
}

static u32 *entry_reg(struct kvm_cpuid_entry2 *entry, int reg)
{
	switch (reg) {
	case EAX:
		return &entry->eax;
	case EBX:
		return &entry->ebx;
	case ECX:
		return &entry->ecx;
	default:
		return &entry->edx;
	}
}

static void entry_mask(struct kvm_cpuid_entry2 *entry)
{
	const struct cpuid_mask *m;
	u32 *reg;

	for (m = masks; m < masks + ARRAY_SIZE(masks); m++) {
		if (m->leaf != entry->function || m->subleaf != entry->index)
			continue;
		reg = entry_reg(entry, m->reg);
		*reg = (*reg & m->host) | m->always;
	}
}

#define XCR0_YMM	0x6ULL		/* SSE and YMM state */
#define XCR0_ZMM	0xe6ULL		/* and that of AVX-512 */
#define XCR0_PKRU	0x200ULL

/**
 * struct cpuid_state_need - features that are useless without state components
 * @leaf: leaf
 * @subleaf: subleaf
 * @reg: which register
 * @bits: features
 * @xcr0: components all of which they need
 */
struct cpuid_state_need {
	u32 leaf;
	u32 subleaf;
	u8 reg;
	u32 bits;
	u64 xcr0;
};

static const struct cpuid_state_need state_needs[] = {
	{ 0x1, 0, ECX, F(XSAVE), 1 },
	{ 0x1, 0, ECX, F(AVX) | F(FMA) | F(F16C), XCR0_YMM },
	{ 0x7, 0, EBX, F(AVX2), XCR0_YMM },
	{ 0x7, 0, ECX, F(VAES) | F(VPCLMULQDQ), XCR0_YMM },
	{ 0x7, 1, EAX, F(AVX_VNNI), XCR0_YMM },
	{ 0x80000001, 0, ECX, F(XOP) | F(FMA4), XCR0_YMM },
	{ 0x7, 0, EBX, F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) | F(AVX512CD) |
		       F(AVX512BW) | F(AVX512VL), XCR0_ZMM },
	{ 0x7, 0, ECX, F(AVX512VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) |
		       F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ), XCR0_ZMM },
	{ 0x7, 0, EDX, F(AVX512_4VNNIW) | F(AVX512_4FMAPS) |
		       F(AVX512_VP2INTERSECT) | F(AVX512_FP16), XCR0_ZMM },
	{ 0x7, 1, EAX, F(AVX512_BF16), XCR0_ZMM },
	{ 0x7, 0, ECX, F(PKU), XCR0_PKRU },
};

static void entry_need_state(struct kvm_cpuid_entry2 *entry, u64 xcr0)
{
	const struct cpuid_state_need *n;

	for (n = state_needs; n < state_needs + ARRAY_SIZE(state_needs); n++)
		if (n->leaf == entry->function && n->subleaf == entry->index &&
		    (xcr0 & n->xcr0) != n->xcr0)
			*entry_reg(entry, n->reg) &= ~n->bits;
}

/* What the backend or the host's clock forbids. */
static void entry_restrict(struct kvm_cpuid_entry2 *entry,
			   const struct cpuid_host *host)
{
	switch (entry->function) {
	case 0x1:
		if (!(host->vendor & VENDOR_INVPCID))
			entry->ecx &= ~F(PCID);
		break;
	case 0x7:
		if (entry->index)
			break;
		if (!(host->vendor & VENDOR_INVPCID))
			entry->ebx &= ~F(INVPCID);
		if (!(host->vendor & VENDOR_RDTSCP))
			entry->ecx &= ~F(RDPID);
		if (!(host->vendor & VENDOR_UMIP))
			entry->ecx &= ~F(UMIP);
		if (!(host->vendor & VENDOR_SPEC_CTRL))
			entry->edx &= ~(F(SPEC_CTRL) | F(INTEL_STIBP) |
					F(SPEC_CTRL_SSBD));
		break;
	case 0x80000001:
		if (!(host->vendor & VENDOR_RDTSCP))
			entry->edx &= ~F(RDTSCP);
		break;
	case 0x80000007:
		if (!host->tsc_stable)
			entry->edx = 0;
		break;
	case 0x80000008:
		/* Nested tables decide; the guest's own field stays zero. */
		entry->eax = (entry->eax & 0xff00) | host->phys_bits;
		if (!(host->vendor & VENDOR_SPEC_CTRL))
			entry->ebx &= ~(F(AMD_IBPB) | F(AMD_IBRS) |
					F(AMD_STIBP) | F(AMD_STIBP_ALWAYS_ON) |
					F(AMD_SSBD) | F(AMD_SSB_NO));
		break;
	}
}

struct builder {
	const struct cpuid_host *host;
	struct kvm_cpuid_entry2 *out;
	u32 max;
	u32 nent;
};

/* Append one entry; NULL when there is no room. */
static struct kvm_cpuid_entry2 *build_entry(struct builder *b, u32 leaf,
					    u32 subleaf, u32 flags)
{
	struct kvm_cpuid_entry2 *entry;
	struct cpuid_values val = { };

	if (b->nent == b->max)
		return NULL;
	entry = &b->out[b->nent++];
	memset(entry, 0, sizeof(*entry));
	if (leaf_passed(leaf))
		b->host->read(leaf, subleaf, &val);
	entry->function = leaf;
	entry->index = subleaf;
	entry->flags = flags;
	entry->eax = val.eax;
	entry->ebx = val.ebx;
	entry->ecx = val.ecx;
	entry->edx = val.edx;
	entry_mask(entry);
	entry_need_state(entry, b->host->xcr0);
	entry_restrict(entry, b->host);
	return entry;
}

/* Cache leaves: subleaves until the type field reads zero. */
static int build_caches(struct builder *b, u32 leaf)
{
	struct kvm_cpuid_entry2 *entry;
	u32 i;

	for (i = 0; i < 16; i++) {
		entry = build_entry(b, leaf, i, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
		if (!entry)
			return -E2BIG;
		if (!(entry->eax & 0x1f))
			break;
		/* Core and sharing counts are the VMM's topology, not ours. */
		entry->eax &= 0x3ff;
	}
	return 0;
}

static int build_leaf7(struct builder *b)
{
	struct kvm_cpuid_entry2 *entry;

	entry = build_entry(b, 0x7, 0, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	if (!entry)
		return -E2BIG;
	if (!entry->eax)
		return 0;
	entry->eax = 1;
	entry = build_entry(b, 0x7, 1, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	return entry ? 0 : -E2BIG;
}

static int build_xsave(struct builder *b)
{
	const struct cpuid_host *host = b->host;
	struct kvm_cpuid_entry2 *main, *sub;
	struct cpuid_table table;
	u64 all = host->xcr0 | host->xss;
	u32 first = b->nent;
	int i;

	main = build_entry(b, CPUID_XSAVE, 0, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	if (!main)
		return -E2BIG;
	if (!host->xcr0) {
		main->eax = 0;
		main->ebx = 0;
		main->ecx = 0;
		main->edx = 0;
		return 0;
	}
	sub = build_entry(b, CPUID_XSAVE, 1, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	if (!sub)
		return -E2BIG;
	if (!(host->vendor & VENDOR_XSAVES))
		sub->eax &= ~F(XSAVES);
	sub->ecx = sub->eax & F(XSAVES) ? (u32)host->xss : 0;
	sub->edx = sub->eax & F(XSAVES) ? (u32)(host->xss >> 32) : 0;
	sub->ebx = 0;
	for (i = CPUID_XSTATE_FIRST; i <= CPUID_XSTATE_LAST; i++) {
		if (!(all & BIT_ULL(i)))
			continue;
		sub = build_entry(b, CPUID_XSAVE, i,
				  KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
		if (!sub)
			return -E2BIG;
		sub->edx = 0;
	}
	table.entries = b->out + first;
	table.nent = b->nent - first;
	main->eax = (u32)host->xcr0;
	main->edx = (u32)(host->xcr0 >> 32);
	main->ecx = cpuid_xsave_size(&table, host->xcr0, false);
	main->ebx = main->ecx;
	return 0;
}

static int build_basic(struct builder *b)
{
	struct kvm_cpuid_entry2 *entry;
	u32 leaf, max;
	int err = 0;

	entry = build_entry(b, 0, 0, 0);
	if (!entry)
		return -E2BIG;
	if (entry->eax > BASIC_MAX)
		entry->eax = BASIC_MAX;
	max = entry->eax;

	for (leaf = 1; leaf <= max && !err; leaf++) {
		switch (leaf) {
		case 0x4:
			err = build_caches(b, leaf);
			break;
		case 0x7:
			err = build_leaf7(b);
			break;
		case 0xb:
			/* Topology is the VMM's: the leaf is there, empty. */
			if (!build_entry(b, leaf, 0,
					 KVM_CPUID_FLAG_SIGNIFCANT_INDEX))
				err = -E2BIG;
			break;
		case CPUID_XSAVE:
			err = build_xsave(b);
			break;
		default:
			if (!leaf_passed(leaf))
				break;
			entry = build_entry(b, leaf, 0, 0);
			if (!entry)
				return -E2BIG;
			if (leaf == 1)
				/* Initial APIC id, logical CPUs: the VMM's. */
				entry->ebx &= 0xff00;
		}
	}
	return err;
}

static int build_hypervisor(struct builder *b)
{
	struct kvm_cpuid_entry2 *entry;
	u32 sig[3];

	memcpy(sig, KVM_SIGNATURE, sizeof(sig));
	entry = build_entry(b, KVM_CPUID_SIGNATURE, 0, 0);
	if (!entry)
		return -E2BIG;
	entry->eax = KVM_CPUID_FEATURES;
	entry->ebx = sig[0];
	entry->ecx = sig[1];
	entry->edx = sig[2];

	entry = build_entry(b, KVM_CPUID_FEATURES, 0, 0);
	if (!entry)
		return -E2BIG;
	entry->eax = BIT(KVM_FEATURE_CLOCKSOURCE) |
		     BIT(KVM_FEATURE_NOP_IO_DELAY) |
		     BIT(KVM_FEATURE_CLOCKSOURCE2) |
		     BIT(KVM_FEATURE_ASYNC_PF) |
		     BIT(KVM_FEATURE_PV_EOI) |
		     BIT(KVM_FEATURE_PV_UNHALT) |
		     BIT(KVM_FEATURE_POLL_CONTROL) |
		     BIT(KVM_FEATURE_PV_SEND_IPI) |
		     BIT(KVM_FEATURE_PV_SCHED_YIELD) |
		     BIT(KVM_FEATURE_ASYNC_PF_INT) |
		     BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT);
	/* A flush is left to a vCPU whose steal time says that it has no CPU. */
	if (b->host->steal_time)
		entry->eax |= BIT(KVM_FEATURE_STEAL_TIME) |
			      BIT(KVM_FEATURE_PV_TLB_FLUSH);
	return 0;
}

static int build_extended(struct builder *b)
{
	struct kvm_cpuid_entry2 *entry;
	u32 leaf, max;
	int err = 0;

	entry = build_entry(b, EXTENDED_BASE, 0, 0);
	if (!entry)
		return -E2BIG;
	if (entry->eax > EXTENDED_MAX)
		entry->eax = EXTENDED_MAX;
	if (entry->eax < EXTENDED_BASE)
		entry->eax = EXTENDED_BASE;
	max = entry->eax;

	for (leaf = EXTENDED_BASE + 1; leaf <= max && !err; leaf++) {
		if (leaf == 0x8000001d)
			err = build_caches(b, leaf);
		else if (leaf_passed(leaf) && !build_entry(b, leaf, 0, 0))
			err = -E2BIG;
	}
	return err;
}

/**
 * cpuid_supported() - what a guest on this machine may be given
 * @host: the machine
 * @out: rows to fill, sorted by leaf and subleaf
 * @max: how many fit
 *
 * Return: rows filled, or -E2BIG.
 */
int cpuid_supported(const struct cpuid_host *host,
		    struct kvm_cpuid_entry2 *out, u32 max)
{
	struct builder b = { .host = host, .out = out, .max = max };
	int err;

	err = build_basic(&b);
	if (!err)
		err = build_hypervisor(&b);
	if (!err)
		err = build_extended(&b);
	return err ? err : (int)b.nent;
}
