// SPDX-License-Identifier: GPL-2.0-only
/* CPUID's host side: the machine below, the ioctls, the guest's CPUID exit. */
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "cpuid.h"
#include "quirk.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vcpu.h"
#include "../core/vm.h"

u32 cpuid_vendor_features __ro_after_init;

/* Feature words the kernel keeps in the shape of a CPUID register. */
static const struct {
	u32 leaf;
	u32 subleaf;
	u8 word;
	u8 reg;
} kernel_words[] = {
	{ 0x1, 0, CPUID_1_EDX, 3 },
	{ 0x1, 0, CPUID_1_ECX, 2 },
	{ 0x7, 0, CPUID_7_0_EBX, 1 },
	{ 0x7, 0, CPUID_7_ECX, 2 },
	{ 0x7, 0, CPUID_7_EDX, 3 },
	{ 0x7, 1, CPUID_7_1_EAX, 0 },
	{ 0xd, 1, CPUID_D_1_EAX, 0 },
	{ 0x80000001, 0, CPUID_8000_0001_EDX, 3 },
	{ 0x80000001, 0, CPUID_8000_0001_ECX, 2 },
	{ 0x80000008, 0, CPUID_8000_0008_EBX, 1 },
};

/* The instruction, less what the host's kernel has turned off. */
static void host_read(u32 leaf, u32 subleaf, struct cpuid_values *out)
{
	u32 r[4];
	int i;

	cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3]);
	for (i = 0; i < ARRAY_SIZE(kernel_words); i++) {
		if (kernel_words[i].leaf != leaf ||
		    kernel_words[i].subleaf != subleaf)
			continue;
		r[kernel_words[i].reg] &=
			boot_cpu_data.x86_capability[kernel_words[i].word];
	}
	out->eax = r[0];
	out->ebx = r[1];
	out->ecx = r[2];
	out->edx = r[3];
}

/** cpuid_host_get() - describe the machine below */
void cpuid_host_get(struct cpuid_host *host)
{
	host->read = host_read;
	host->xcr0 = fpu_guest_xcr0();
	host->xss = 0;
	host->vendor = cpuid_vendor_features;
	host->phys_bits = boot_cpu_data.x86_phys_bits;
	host->tsc_stable = tsc_host_stable();
	host->steal_time = pv_steal_supported();
}

static struct cpuid_table vcpu_table(struct vcpu *vcpu)
{
	return (struct cpuid_table) {
		.entries = vcpu->cpuid,
		.nent = vcpu->cpuid_nent,
	};
}

static struct cpuid_state vcpu_state(struct vcpu *vcpu)
{
	u64 cr4 = vcpu->cr4;	/* the guest owns neither bit looked at */

	return (struct cpuid_state) {
		.xcr0 = vcpu->xcr0,
		.xss = vcpu->xss,
		.osxsave = cr4 & X86_CR4_OSXSAVE,
		.ospke = cr4 & X86_CR4_PKE,
		.apic = vcpu->apic_base & MSR_IA32_APICBASE_ENABLE,
		.mwait_mirrors = !vm_has_quirk(vcpu->vm,
					       KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT),
		.mwait = vcpu->misc_enable & MSR_IA32_MISC_ENABLE_MWAIT,
	};
}

/**
 * cpuid_find() - a row of the vCPU's CPUID, without its dynamic bits
 * @vcpu: vCPU, its mutex held
 * @leaf: leaf
 * @subleaf: where significant
 *
 * Return: the row, or NULL.
 */
const struct kvm_cpuid_entry2 *cpuid_find(struct vcpu *vcpu, u32 leaf,
					  u32 subleaf)
{
	struct cpuid_table table = vcpu_table(vcpu);

	return cpuid_lookup(&table, leaf, subleaf);
}

/**
 * cpuid_guest() - what CPUID says to this guest now
 * @vcpu: loaded vCPU
 * @leaf: EAX
 * @subleaf: ECX
 * @out: the four registers
 */
void cpuid_guest(struct vcpu *vcpu, u32 leaf, u32 subleaf,
		 struct cpuid_values *out)
{
	struct cpuid_table table = vcpu_table(vcpu);
	struct cpuid_state state = vcpu_state(vcpu);

	cpuid_query(&table, &state, leaf, subleaf, out);
}

/*
 * Not the row of the last time: the row, to be remembered, or NULL: what is not a row
 * as it stands has been put together.
 */
static noinline const struct kvm_cpuid_entry2 *
cpuid_search(struct vcpu *vcpu, u32 leaf, u32 subleaf)
{
	struct cpuid_values out;

	vcpu->cpuid_last = cpuid_is_dynamic(leaf) ? NULL :
			   cpuid_find(vcpu, leaf, subleaf);
	if (vcpu->cpuid_last)
		return vcpu->cpuid_last;
	cpuid_guest(vcpu, leaf, subleaf, &out);
	vcpu->regs[REG_RAX] = out.eax;
	vcpu->regs[REG_RBX] = out.ebx;
	vcpu->regs[REG_RCX] = out.ecx;
	vcpu->regs[REG_RDX] = out.edx;
	return NULL;
}

/**
 * cpuid_exit() - execute the guest's CPUID on its registers
 * @vcpu: loaded vCPU
 *
 * Does not skip the instruction.
 */
void cpuid_exit(struct vcpu *vcpu)
{
	const struct kvm_cpuid_entry2 *e = vcpu->cpuid_last;
	u32 leaf = vcpu->regs[REG_RAX], subleaf = vcpu->regs[REG_RCX];

	if (unlikely(!e || !cpuid_row_answers(e, leaf, subleaf))) {
		e = cpuid_search(vcpu, leaf, subleaf);
		if (!e)
			return;
	}
	vcpu->regs[REG_RAX] = e->eax;
	vcpu->regs[REG_RBX] = e->ebx;
	vcpu->regs[REG_RCX] = e->ecx;
	vcpu->regs[REG_RDX] = e->edx;
}

static void update_features(struct vcpu *vcpu)
{
	struct cpuid_table table = vcpu_table(vcpu);
	struct cpuid_host host;

	cpuid_host_get(&host);
	cpuid_update_features(&table, &host, &vcpu->feat);
}

/* Rows to kvfree(), all that a guest can be told here; how many in @n. */
static struct kvm_cpuid_entry2 *supported_rows(struct cpuid_host *host, int *n)
{
	struct kvm_cpuid_entry2 *entries;

	entries = kvcalloc(CPUID_MAX_ENTRIES, sizeof(*entries),
			   GFP_KERNEL_ACCOUNT);
	if (!entries)
		return ERR_PTR(-ENOMEM);
	cpuid_host_get(host);
	*n = cpuid_supported(host, entries, CPUID_MAX_ENTRIES);
	if (*n >= 0)
		return entries;
	kvfree(entries);
	return ERR_PTR(*n);
}

/* What CR4 can have on this machine at all. */
static u64 cr4_unsupported __ro_after_init;

/**
 * cpuid_setup() - at load, after the vendor's
 *
 * Return: 0; -ENOMEM; -E2BIG: the CPU has more leaves than there is room for.
 */
int __init cpuid_setup(void)
{
	struct kvm_cpuid_entry2 *entries;
	struct guest_features feat = {};
	struct cpuid_table table;
	struct cpuid_host host;
	int n;

	entries = supported_rows(&host, &n);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	table.entries = entries;
	table.nent = n;
	cpuid_update_features(&table, &host, &feat);
	cr4_unsupported = feat.cr4_reserved;
	kvfree(entries);
	return 0;
}

/**
 * cpuid_init() - the features of a vCPU that was not given a CPUID yet
 * @vcpu: new
 *
 * A VMM may restore CR4 first: all that the machine has is taken.
 */
void cpuid_init(struct vcpu *vcpu)
{
	update_features(vcpu);
	vcpu->feat.cr4_reserved = cr4_unsupported;
}

/** cpuid_free() - at the vCPU's end */
void cpuid_free(struct vcpu *vcpu)
{
	kvfree(vcpu->cpuid);
	vcpu->cpuid = NULL;
	vcpu->cpuid_last = NULL;
	vcpu->cpuid_nent = 0;
}

/**
 * cpuid_to_user() - give rows to userspace
 * @user: nent of them fit; receives how many there are, if they do
 * @entries: the rows
 * @n: how many
 *
 * Return: 0; -E2BIG: they do not fit; -EFAULT.
 */
int cpuid_to_user(struct kvm_cpuid2 __user *user,
		  const struct kvm_cpuid_entry2 *entries, u32 n)
{
	u32 nent;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (n > nent)
		return -E2BIG;
	if (put_user(n, &user->nent) ||
	    copy_to_user(user->entries, entries, n * sizeof(*entries)))
		return -EFAULT;
	return 0;
}

/**
 * cpuid_get_supported() - KVM_GET_SUPPORTED_CPUID
 * @user: nent rows fit
 *
 * Return: 0; -E2BIG: they do not fit; -EFAULT; -ENOMEM.
 */
int cpuid_get_supported(struct kvm_cpuid2 __user *user)
{
	struct kvm_cpuid_entry2 *entries;
	struct cpuid_host host;
	int n;

	entries = supported_rows(&host, &n);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	n = cpuid_to_user(user, entries, n);
	kvfree(entries);
	return n;
}

/**
 * cpuid_get_emulated() - KVM_GET_EMULATED_CPUID
 * @user: receives no rows: joist emulates no feature that the CPU lacks
 *
 * Return: 0; -E2BIG: no room at all, as KVM says; -EFAULT.
 */
int cpuid_get_emulated(struct kvm_cpuid2 __user *user)
{
	u32 nent;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (!nent)
		return -E2BIG;
	return put_user(0, &user->nent) ? -EFAULT : 0;
}

/*
 * What a guest must not rely on: who halts without an exit is not woken by a
 * hypercall, and where the local APICs are the VMM's it sends no IPI.
 */
static u32 pv_unusable(const struct vcpu *vcpu)
{
	if (!vcpu->lapic)
		return BIT(KVM_FEATURE_PV_UNHALT) |
		       BIT(KVM_FEATURE_PV_SEND_IPI);
	if (vcpu->vm->disabled_exits & KVM_X86_DISABLE_EXITS_HLT)
		return BIT(KVM_FEATURE_PV_UNHALT);
	return 0;
}

static void hide_unusable(struct vcpu *vcpu, struct kvm_cpuid_entry2 *entries,
			  u32 nent)
{
	struct cpuid_table table = { .entries = entries, .nent = nent };
	u32 hidden = pv_unusable(vcpu), leaf, i;

	if (!hidden)
		return;
	leaf = cpuid_kvm_features(&table);
	for (i = 0; leaf && i < nent; i++)
		if (entries[i].function == leaf)
			entries[i].eax &= ~hidden;
}

/* Takes @entries over, whatever happens. */
static int cpuid_install(struct vcpu *vcpu, struct kvm_cpuid_entry2 *entries,
			 u32 nent)
{
	struct cpuid_table new = { .entries = entries, .nent = nent };
	struct cpuid_table old = vcpu_table(vcpu);
	struct cpuid_state state = vcpu_state(vcpu);
	int err = 0;

	cpuid_sort(entries, nent);
	hide_unusable(vcpu, entries, nent);
	if (!cpuid_valid(&new) ||
	    (vcpu->ran && !cpuid_same(&old, &new, &state)))
		err = -EINVAL;
	if (err || vcpu->ran) {
		kvfree(entries);
		return err;
	}
	kvfree(vcpu->cpuid);
	vcpu->cpuid = entries;
	vcpu->cpuid_last = NULL;
	vcpu->cpuid_nent = nent;
	update_features(vcpu);
	vendor_call(cpuid_changed)(vcpu);
	return 0;
}

static struct kvm_cpuid_entry2 *entries_alloc(u32 nent)
{
	/* One more: an empty table is a table too. */
	return kvcalloc(nent + 1, sizeof(struct kvm_cpuid_entry2),
			GFP_KERNEL_ACCOUNT);
}

/**
 * cpuid_set() - KVM_SET_CPUID2
 * @vcpu: loaded vCPU, its mutex held
 * @user: the rows
 *
 * Return: 0; -E2BIG: more than CPUID_MAX_ENTRIES; -EINVAL: contradictory, or
 * different from what the vCPU has run with; -EFAULT, -ENOMEM.
 */
int cpuid_set(struct vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	struct kvm_cpuid_entry2 *entries;
	u32 nent;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (nent > CPUID_MAX_ENTRIES)
		return -E2BIG;
	entries = entries_alloc(nent);
	if (!entries)
		return -ENOMEM;
	if (copy_from_user(entries, user->entries, nent * sizeof(*entries))) {
		kvfree(entries);
		return -EFAULT;
	}
	return cpuid_install(vcpu, entries, nent);
}

/**
 * cpuid_set_old() - KVM_SET_CPUID, without subleaves
 * @vcpu: loaded vCPU, its mutex held
 * @user: the rows
 *
 * Return: as cpuid_set().
 */
int cpuid_set_old(struct vcpu *vcpu, struct kvm_cpuid __user *user)
{
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid_entry old;
	u32 nent, i;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (nent > CPUID_MAX_ENTRIES)
		return -E2BIG;
	entries = entries_alloc(nent);
	if (!entries)
		return -ENOMEM;
	for (i = 0; i < nent; i++) {
		if (copy_from_user(&old, &user->entries[i], sizeof(old))) {
			kvfree(entries);
			return -EFAULT;
		}
		entries[i].function = old.function;
		entries[i].eax = old.eax;
		entries[i].ebx = old.ebx;
		entries[i].ecx = old.ecx;
		entries[i].edx = old.edx;
	}
	return cpuid_install(vcpu, entries, nent);
}

/**
 * cpuid_get() - KVM_GET_CPUID2
 * @vcpu: loaded vCPU, its mutex held
 * @user: nent rows fit
 *
 * Return: 0; -E2BIG: they do not fit, and nent stays; -EFAULT.
 */
int cpuid_get(struct vcpu *vcpu, struct kvm_cpuid2 __user *user)
{
	struct cpuid_table table = vcpu_table(vcpu);
	struct cpuid_state state = vcpu_state(vcpu);
	struct kvm_cpuid_entry2 entry;
	u32 nent, i;

	if (get_user(nent, &user->nent))
		return -EFAULT;
	if (nent < table.nent)
		return -E2BIG;
	if (put_user(table.nent, &user->nent))
		return -EFAULT;
	for (i = 0; i < table.nent; i++) {
		entry = table.entries[i];
		cpuid_dynamic(&table, &state, &entry);
		if (copy_to_user(&user->entries[i], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return 0;
}
