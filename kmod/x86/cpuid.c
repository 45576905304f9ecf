// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID, pure: the table of what joist offers, lookups with the
 * architectures' rules for leaves that are not there, and the bits that mirror
 * control registers.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <linux/string.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

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
#define XSAVE_LEAF	0xd
#define XSAVE_HEADER	(512 + 64)

/* State components with an area of their own beyond x87 and SSE. */
#define XSTATE_FIRST	2
#define XSTATE_LAST	62

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

/* What the backend or the host's state forbids. */
static void entry_restrict(struct kvm_cpuid_entry2 *entry,
			   const struct cpuid_host *host)
{
	switch (entry->function) {
	case 0x1:
		if (!(host->vendor & VENDOR_INVPCID))
			entry->ecx &= ~F(PCID);
		if (!host->xcr0)
			entry->ecx &= ~(F(XSAVE) | F(AVX) | F(FMA) | F(F16C));
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
		if (!(host->xcr0 & BIT(9)))	/* PKRU */
			entry->ecx &= ~F(PKU);
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

/* Bytes of the XSAVE area for @components, from the table's own subleaves. */
static u32 xsave_size(const struct cpuid_table *table, u64 components,
		      bool compacted)
{
	const struct kvm_cpuid_entry2 *sub;
	u32 size = XSAVE_HEADER, start;
	int i;

	for (i = XSTATE_FIRST; i <= XSTATE_LAST; i++) {
		if (!(components & BIT_ULL(i)))
			continue;
		sub = cpuid_lookup(table, XSAVE_LEAF, i);
		if (!sub)
			continue;
		if (compacted)
			start = sub->ecx & BIT(1) ? (size + 63) & ~63U : size;
		else
			start = sub->ebx;
		if (start + sub->eax > size)
			size = start + sub->eax;
	}
	return size;
}

static int build_xsave(struct builder *b)
{
	const struct cpuid_host *host = b->host;
	struct kvm_cpuid_entry2 *main, *sub;
	struct cpuid_table table;
	u64 all = host->xcr0 | host->xss;
	u32 first = b->nent;
	int i;

	main = build_entry(b, XSAVE_LEAF, 0, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	if (!main)
		return -E2BIG;
	if (!host->xcr0) {
		main->eax = 0;
		main->ebx = 0;
		main->ecx = 0;
		main->edx = 0;
		return 0;
	}
	sub = build_entry(b, XSAVE_LEAF, 1, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	if (!sub)
		return -E2BIG;
	if (!(host->vendor & VENDOR_XSAVES))
		sub->eax &= ~F(XSAVES);
	sub->ecx = sub->eax & F(XSAVES) ? (u32)host->xss : 0;
	sub->edx = sub->eax & F(XSAVES) ? (u32)(host->xss >> 32) : 0;
	sub->ebx = 0;
	for (i = XSTATE_FIRST; i <= XSTATE_LAST; i++) {
		if (!(all & BIT_ULL(i)))
			continue;
		sub = build_entry(b, XSAVE_LEAF, i,
				  KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
		if (!sub)
			return -E2BIG;
		sub->edx = 0;
	}
	table.entries = b->out + first;
	table.nent = b->nent - first;
	main->eax = (u32)host->xcr0;
	main->edx = (u32)(host->xcr0 >> 32);
	main->ecx = xsave_size(&table, host->xcr0, false);
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
		case XSAVE_LEAF:
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
		     BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT);
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

static u64 entry_key(const struct kvm_cpuid_entry2 *entry)
{
	u64 key = (u64)entry->function << 32;

	if (entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)
		key |= entry->index;
	return key;
}

/**
 * cpuid_sort() - bring rows into the order that cpuid_lookup() needs
 * @entries: rows
 * @nent: how many, at most CPUID_MAX_ENTRIES
 *
 * Stable: of rows for the same leaf the first one given is found.
 */
void cpuid_sort(struct kvm_cpuid_entry2 *entries, u32 nent)
{
	struct kvm_cpuid_entry2 tmp;
	u32 i, j;

	for (i = 1; i < nent; i++) {
		if (entry_key(&entries[i - 1]) <= entry_key(&entries[i]))
			continue;
		tmp = entries[i];
		for (j = i; j && entry_key(&entries[j - 1]) > entry_key(&tmp); j--)
			entries[j] = entries[j - 1];
		entries[j] = tmp;
	}
}

/* First row whose key is not below @key. */
static u32 lower_bound(const struct cpuid_table *table, u64 key)
{
	u32 lo = 0, hi = table->nent, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (entry_key(&table->entries[mid]) < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/**
 * cpuid_lookup() - the row of a leaf, exactly
 * @table: sorted rows
 * @leaf: leaf
 * @subleaf: ignored by leaves whose index is not significant
 *
 * Return: the row, or NULL.
 */
const struct kvm_cpuid_entry2 *cpuid_lookup(const struct cpuid_table *table,
					    u32 leaf, u32 subleaf)
{
	const struct kvm_cpuid_entry2 *entry;
	u32 i = lower_bound(table, (u64)leaf << 32);

	/* Mostly the leaf has one row, or the wanted one comes first. */
	if (i == table->nent)
		return NULL;
	entry = &table->entries[i];
	if (entry->function != leaf)
		return NULL;
	if (!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
	    entry->index == subleaf)
		return entry;
	i = lower_bound(table, (u64)leaf << 32 | subleaf);
	if (i == table->nent)
		return NULL;
	entry = &table->entries[i];
	return entry->function == leaf && entry->index == subleaf ? entry : NULL;
}

static bool table_amd(const struct cpuid_table *table)
{
	const struct kvm_cpuid_entry2 *e = cpuid_lookup(table, 0, 0);

	if (!e)
		return false;
	/* "AuthenticAMD" and "HygonGenuine" */
	return (e->ebx == 0x68747541 && e->edx == 0x69746e65 &&
		e->ecx == 0x444d4163) ||
	       (e->ebx == 0x6f677948 && e->edx == 0x6e65476e &&
		e->ecx == 0x656e6975);
}

static void set_bits(u32 *reg, u32 bits, bool on)
{
	if (on)
		*reg |= bits;
	else
		*reg &= ~bits;
}

/**
 * cpuid_dynamic() - put in the bits of a row that mirror registers
 * @table: the rows it belongs to
 * @state: those registers
 * @entry: a copy of the row
 */
void cpuid_dynamic(const struct cpuid_table *table,
		   const struct cpuid_state *state,
		   struct kvm_cpuid_entry2 *entry)
{
	switch (entry->function) {
	case 0x1:
		set_bits(&entry->ecx, F(OSXSAVE),
			 state->osxsave && entry->ecx & F(XSAVE));
		if (!state->apic)
			entry->edx &= ~F(APIC);
		break;
	case 0x7:
		if (!entry->index)
			set_bits(&entry->ecx, F(OSPKE),
				 state->ospke && entry->ecx & F(PKU));
		break;
	case XSAVE_LEAF:
		if (!entry->index && entry->eax)
			entry->ebx = xsave_size(table, state->xcr0, false);
		else if (entry->index == 1 &&
			 entry->eax & (F(XSAVEC) | F(XSAVES)))
			entry->ebx = xsave_size(table,
						state->xcr0 | state->xss, true);
		break;
	case 0x80000001:
		/* AMD's copy of leaf 1's bit; reserved on Intel. */
		if (!state->apic)
			entry->edx &= ~F(APIC);
		break;
	}
}

/* The highest leaf of @leaf's class, from the class's first one; 0: no class. */
static u32 class_max(const struct cpuid_table *table, u32 leaf)
{
	const struct kvm_cpuid_entry2 *e;
	u32 base;

	if (leaf >= 0x40000000 && leaf < 0x50000000)
		base = leaf & 0xffffff00;
	else
		base = leaf & 0xffff0000;
	if (leaf < 0x40000000)
		base = 0;
	e = cpuid_lookup(table, base, 0);
	return e ? e->eax : 0;
}

/*
 * A leaf that has no row. Within its class it reads as zero; beyond it, Intel
 * answers with the highest basic leaf and AMD with zero.
 */
static const struct kvm_cpuid_entry2 *
query_absent(const struct cpuid_table *table, u32 leaf, u32 subleaf)
{
	const struct kvm_cpuid_entry2 *e;

	if (leaf <= class_max(table, leaf) || table_amd(table))
		return NULL;
	e = cpuid_lookup(table, 0, 0);
	return e ? cpuid_lookup(table, e->eax, subleaf) : NULL;
}

/**
 * cpuid_query() - execute CPUID
 * @table: what the guest was given
 * @state: registers that some bits mirror
 * @leaf: EAX
 * @subleaf: ECX
 * @out: the four registers
 */
void cpuid_query(const struct cpuid_table *table,
		 const struct cpuid_state *state, u32 leaf, u32 subleaf,
		 struct cpuid_values *out)
{
	const struct kvm_cpuid_entry2 *e = cpuid_lookup(table, leaf, subleaf);
	struct kvm_cpuid_entry2 copy;

	if (unlikely(!e))
		e = query_absent(table, leaf, subleaf);
	if (unlikely(!e)) {
		memset(out, 0, sizeof(*out));
		if (leaf != 0xb && leaf != 0x1f)
			return;
		/* Past the last level: the level asked for and the APIC id. */
		e = cpuid_lookup(table, leaf, 0);
		if (e) {
			out->ecx = subleaf & 0xff;
			out->edx = e->edx;
		}
		return;
	}
	switch (e->function) {
	case 0x1:
	case 0x7:
	case XSAVE_LEAF:
	case 0x80000001:
		copy = *e;
		cpuid_dynamic(table, state, &copy);
		e = &copy;
	}
	out->eax = e->eax;
	out->ebx = e->ebx;
	out->ecx = e->ecx;
	out->edx = e->edx;
}

/**
 * cpuid_valid() - may a guest be given this table?
 * @table: sorted rows
 *
 * Return: false when linear addresses are neither 48 nor 57 bits wide.
 */
bool cpuid_valid(const struct cpuid_table *table)
{
	const struct kvm_cpuid_entry2 *e = cpuid_lookup(table, 0x80000008, 0);
	u32 bits = e ? (e->eax >> 8) & 0xff : 0;

	return bits == 0 || bits == 48 || bits == 57;
}

/**
 * cpuid_same() - do two tables tell a guest the same?
 * @a: sorted rows
 * @b: sorted rows
 * @state: registers that some bits mirror; these bits do not count
 */
bool cpuid_same(const struct cpuid_table *a, const struct cpuid_table *b,
		const struct cpuid_state *state)
{
	struct kvm_cpuid_entry2 x, y;
	u32 i;

	if (a->nent != b->nent)
		return false;
	for (i = 0; i < a->nent; i++) {
		x = a->entries[i];
		y = b->entries[i];
		cpuid_dynamic(a, state, &x);
		cpuid_dynamic(b, state, &y);
		if (x.function != y.function || x.index != y.index ||
		    x.flags != y.flags || x.eax != y.eax || x.ebx != y.ebx ||
		    x.ecx != y.ecx || x.edx != y.edx)
			return false;
	}
	return true;
}

/* CR4 bits that a guest without the CPUID feature may not set. */
static u64 features_cr4(const struct cpuid_values *l1,
			const struct cpuid_values *l7)
{
	/* Every 64-bit CPU has these; KVM does not tie them to CPUID either. */
	u64 ok = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |
		 X86_CR4_PSE | X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE |
		 X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

	if (l1->ecx & F(XSAVE))
		ok |= X86_CR4_OSXSAVE;
	if (l1->ecx & F(PCID))
		ok |= X86_CR4_PCIDE;
	if (l7->ebx & F(FSGSBASE))
		ok |= X86_CR4_FSGSBASE;
	if (l7->ebx & F(SMEP))
		ok |= X86_CR4_SMEP;
	if (l7->ebx & F(SMAP))
		ok |= X86_CR4_SMAP;
	if (l7->ecx & F(UMIP))
		ok |= X86_CR4_UMIP;
	if (l7->ecx & F(PKU))
		ok |= X86_CR4_PKE;
	if (l7->ecx & F(LA57))
		ok |= X86_CR4_LA57;
	return ~ok;
}

static void read_leaf(const struct cpuid_table *table, u32 leaf, u32 subleaf,
		      struct cpuid_values *out)
{
	const struct kvm_cpuid_entry2 *e = cpuid_lookup(table, leaf, subleaf);

	memset(out, 0, sizeof(*out));
	if (!e)
		return;
	out->eax = e->eax;
	out->ebx = e->ebx;
	out->ecx = e->ecx;
	out->edx = e->edx;
}

static void features_xsave(const struct cpuid_table *table,
			   const struct cpuid_host *host,
			   struct guest_features *feat)
{
	struct cpuid_values v;

	if (!feat->xsave)
		return;
	read_leaf(table, XSAVE_LEAF, 0, &v);
	feat->xcr0_valid = ((u64)v.edx << 32 | v.eax) & host->xcr0;
	read_leaf(table, XSAVE_LEAF, 1, &v);
	feat->xsaves = v.eax & F(XSAVES) && host->vendor & VENDOR_XSAVES;
	if (feat->xsaves)
		feat->xss_valid = ((u64)v.edx << 32 | v.ecx) & host->xss;
}

static void features_speculation(const struct cpuid_values *l7,
				 const struct cpuid_values *l80000008,
				 struct guest_features *feat)
{
	feat->spec_ctrl = l7->edx & F(SPEC_CTRL) ||
			  l80000008->ebx & F(AMD_IBRS);
	feat->stibp = l7->edx & F(INTEL_STIBP) ||
		      l80000008->ebx & F(AMD_STIBP);
	feat->ssbd = l7->edx & F(SPEC_CTRL_SSBD) ||
		     l80000008->ebx & F(AMD_SSBD);
	feat->ibpb = l7->edx & F(SPEC_CTRL) || l80000008->ebx & F(AMD_IBPB);
	feat->flush_l1d = l7->edx & F(FLUSH_L1D);
	feat->arch_capabilities = l7->edx & F(ARCH_CAPABILITIES);
}

/**
 * cpuid_update_features() - derive the cached facts from a table
 * @table: sorted rows; may be empty
 * @host: what the machine can do: features it lacks are not granted
 * @feat: out
 */
void cpuid_update_features(const struct cpuid_table *table,
			   const struct cpuid_host *host,
			   struct guest_features *feat)
{
	struct cpuid_values l1, l7, kvm, l80000001, l80000008;

	read_leaf(table, 0x1, 0, &l1);
	read_leaf(table, 0x7, 0, &l7);
	read_leaf(table, KVM_CPUID_FEATURES, 0, &kvm);
	read_leaf(table, 0x80000001, 0, &l80000001);
	read_leaf(table, 0x80000008, 0, &l80000008);
	if (!host->xcr0)
		l1.ecx &= ~F(XSAVE);

	memset(feat, 0, sizeof(*feat));
	feat->maxphyaddr = l80000008.eax & 0xff;
	if (feat->maxphyaddr < 32 || feat->maxphyaddr > 52)
		feat->maxphyaddr = 36;
	feat->cr4_reserved = features_cr4(&l1, &l7);
	feat->amd = table_amd(table);
	feat->xsave = l1.ecx & F(XSAVE);
	features_xsave(table, host, feat);
	features_speculation(&l7, &l80000008, feat);

	feat->x2apic = l1.ecx & F(X2APIC);
	feat->tsc_deadline = l1.ecx & F(TSC_DEADLINE_TIMER);
	feat->pcid = l1.ecx & F(PCID);
	feat->mtrr = l1.edx & F(MTRR);
	feat->pat = l1.edx & F(PAT);
	feat->mce = l1.edx & F(MCE);
	feat->fsgsbase = l7.ebx & F(FSGSBASE);
	feat->tsc_adjust = l7.ebx & F(TSC_ADJUST);
	feat->invpcid = l7.ebx & F(INVPCID) && host->vendor & VENDOR_INVPCID;
	feat->rtm = l7.ebx & F(RTM);
	feat->pku = l7.ecx & F(PKU);
	feat->rdpid = l7.ecx & F(RDPID) && host->vendor & VENDOR_RDTSCP;
	feat->rdtscp = l80000001.edx & F(RDTSCP) &&
		       host->vendor & VENDOR_RDTSCP;
	feat->nx = l80000001.edx & F(NX);
	feat->lm = l80000001.edx & F(LM);
	feat->gbpages = l80000001.edx & F(GBPAGES);
	feat->syscall_amd = feat->amd && l80000001.edx & F(SYSCALL);
	feat->pv_clock = kvm.eax & (BIT(KVM_FEATURE_CLOCKSOURCE) |
				    BIT(KVM_FEATURE_CLOCKSOURCE2));

	if (l80000001.edx & F(SYSCALL))
		feat->efer_valid |= EFER_SCE;
	if (feat->lm)
		feat->efer_valid |= EFER_LME | EFER_LMA;
	if (feat->nx)
		feat->efer_valid |= EFER_NX;
	if (feat->amd && l80000001.edx & F(FXSR_OPT))
		feat->efer_valid |= EFER_FFXSR;
}
