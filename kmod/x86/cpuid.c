// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID of a guest, pure: lookups with the architectures' rules for leaves that
 * are not there, the bits that mirror control registers, and the facts that
 * follow from it.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <linux/string.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "cpuid.h"

#define F(name)		BIT(X86_FEATURE_##name & 31)
#define XSAVE_HEADER	(512 + 64)

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
	if (cpuid_row_answers(entry, leaf, subleaf))
		return entry;
	i = lower_bound(table, (u64)leaf << 32 | subleaf);
	if (i == table->nent)
		return NULL;
	entry = &table->entries[i];
	return entry->function == leaf && entry->index == subleaf ? entry : NULL;
}

/**
 * cpuid_xsave_size() - bytes of the XSAVE area for a set of components
 * @table: rows, from whose subleaves of 0xD it is computed
 * @components: bits as in XCR0 and IA32_XSS
 * @compacted: the area's layout
 */
u32 cpuid_xsave_size(const struct cpuid_table *table, u64 components,
		     bool compacted)
{
	const struct kvm_cpuid_entry2 *sub;
	u32 size = XSAVE_HEADER, start;
	int i;

	for (i = CPUID_XSTATE_FIRST; i <= CPUID_XSTATE_LAST; i++) {
		if (!(components & BIT_ULL(i)))
			continue;
		sub = cpuid_lookup(table, CPUID_XSAVE, i);
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

/** cpuid_is_dynamic() - does cpuid_dynamic() have bits to put into this leaf? */
bool cpuid_is_dynamic(u32 leaf)
{
	return leaf == 0x1 || leaf == 0x7 || leaf == CPUID_XSAVE ||
	       leaf == 0x80000001;
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
	u64 components = state->xcr0 | state->xss;

	switch (entry->function) {
	case 0x1:
		set_bits(&entry->ecx, F(OSXSAVE),
			 state->osxsave && entry->ecx & F(XSAVE));
		if (!state->apic)
			entry->edx &= ~F(APIC);
		if (state->mwait_mirrors)
			set_bits(&entry->ecx, F(MWAIT), state->mwait);
		break;
	case 0x7:
		if (!entry->index)
			set_bits(&entry->ecx, F(OSPKE),
				 state->ospke && entry->ecx & F(PKU));
		break;
	case CPUID_XSAVE:
		if (!entry->index && entry->eax)
			entry->ebx = cpuid_xsave_size(table, state->xcr0, false);
		else if (entry->index == 1 &&
			 entry->eax & (F(XSAVEC) | F(XSAVES)))
			entry->ebx = cpuid_xsave_size(table, components, true);
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
	if (cpuid_is_dynamic(e->function)) {
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
	read_leaf(table, CPUID_XSAVE, 0, &v);
	feat->xcr0_valid = ((u64)v.edx << 32 | v.eax) & host->xcr0;
	read_leaf(table, CPUID_XSAVE, 1, &v);
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
 * cpuid_kvm_features() - the leaf of KVM's features
 * @table: sorted rows
 *
 * KVM's leaves are where its signature is: higher up if Hyper-V's come first.
 *
 * Return: the leaf, 0: there is none.
 */
u32 cpuid_kvm_features(const struct cpuid_table *table)
{
	struct cpuid_values sig;
	u32 base;

	for (base = HYPERVISOR_FIRST; base < HYPERVISOR_LAST;
	     base += HYPERVISOR_STEP) {
		read_leaf(table, base, 0, &sig);
		if (!memcmp(&sig.ebx, KVM_SIGNATURE, 3 * sizeof(u32)))
			return base | KVM_CPUID_FEATURES;
	}
	return 0;
}

static void features_kvm(const struct cpuid_table *table,
			 struct guest_features *feat)
{
	u32 leaf = cpuid_kvm_features(table);
	struct cpuid_values v;

	if (!leaf)
		return;
	read_leaf(table, leaf, 0, &v);
	feat->pv = v.eax;
}

static void features_hyperv(const struct cpuid_table *table,
			    struct guest_features *feat)
{
	struct cpuid_values v;

	read_leaf(table, CPUID_HV_INTERFACE, 0, &v);
	feat->hyperv = v.eax == CPUID_HV_SIGNATURE;
	if (!feat->hyperv)
		return;
	read_leaf(table, CPUID_HV_FEATURES, 0, &v);
	feat->hv[HV_FEAT_A] = v.eax;
	feat->hv[HV_FEAT_B] = v.ebx;
	feat->hv[HV_FEAT_D] = v.edx;
	read_leaf(table, CPUID_HV_ADVICE, 0, &v);
	feat->hv[HV_ADVICE_A] = v.eax;
	feat->hv[HV_ADVICE_B] = v.ebx;
	read_leaf(table, CPUID_HV_DEBUG, 0, &v);
	feat->hv[HV_DEBUG_A] = v.eax;
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
	struct cpuid_values l1, l7, l80000001, l80000008;

	read_leaf(table, 0x1, 0, &l1);
	read_leaf(table, 0x7, 0, &l7);
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
	features_kvm(table, feat);
	features_hyperv(table, feat);

	if (l80000001.edx & F(SYSCALL))
		feat->efer_valid |= EFER_SCE;
	if (feat->lm)
		feat->efer_valid |= EFER_LME | EFER_LMA;
	if (feat->nx)
		feat->efer_valid |= EFER_NX;
	if (feat->amd && l80000001.edx & F(FXSR_OPT))
		feat->efer_valid |= EFER_FFXSR;
}
