// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's state around a guest's run: what the VMCS brings back at each
 * exit, and what is switched once per load of a vCPU or less.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/mmu_context.h>
#include <linux/user-return-notifier.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/segment.h>

#include "vmx.h"

/* --- MSRs the host needs only in user mode --------------------------------
 *
 * Loaded with the guest's values by prepare_guest. When KVM_RUN ends the host's are put
 * back; when its thread loses the CPU, they are when a task on it returns to user mode.
 */

static const u32 uret_msr[NR_URETS] = {
	[URET_STAR] = MSR_STAR,
	[URET_LSTAR] = MSR_LSTAR,
	[URET_FMASK] = MSR_SYSCALL_MASK,
	[URET_TSC_AUX] = MSR_TSC_AUX,
};

/**
 * struct uret_cpu - those MSRs on one CPU; that CPU only, interrupts off
 * @notifier: called when a task returns to user mode
 * @registered: it will be
 * @held: URETS_* that hold a guest's values
 * @host: the host's values
 * @left: the guest's, when its thread lost the CPU
 */
struct uret_cpu {
	struct user_return_notifier notifier;
	bool registered;
	u8 held;
	u64 host[NR_URETS];
	u64 left[NR_URETS];
};

#define URETS_SYSCALL	BIT(0)
#define URETS_AUX	BIT(1)

static DEFINE_PER_CPU(struct uret_cpu, uret_cpu);

static bool uret_present(int i)
{
	return i != URET_TSC_AUX || boot_cpu_has(X86_FEATURE_RDTSCP) ||
	       boot_cpu_has(X86_FEATURE_RDPID);
}

static __always_inline void uret_write(u8 which, const u64 *val)
{
	if (which & URETS_SYSCALL) {
		host_wrmsr_from(MSR_STAR, &val[URET_STAR]);
		host_wrmsr_from(MSR_LSTAR, &val[URET_LSTAR]);
		host_wrmsr_from(MSR_SYSCALL_MASK, &val[URET_FMASK]);
	}
	if (which & URETS_AUX)
		host_wrmsr_from(MSR_TSC_AUX, &val[URET_TSC_AUX]);
}

static __always_inline void uret_restore(struct uret_cpu *u)
{
	uret_write(u->held, u->host);
	u->held = 0;
}

#ifdef CONFIG_USER_RETURN_NOTIFIER

static void uret_on_return(struct user_return_notifier *notifier)
{
	struct uret_cpu *u = container_of(notifier, struct uret_cpu, notifier);
	unsigned long flags;

	/* vmx_uret_cpu_drop() comes by interrupt. */
	local_irq_save(flags);
	if (u->registered) {
		u->registered = false;
		user_return_notifier_unregister(notifier);
		uret_restore(u);
	}
	local_irq_restore(flags);
}

/* Who runs next mostly is this thread again, or one of the kernel's. */
static bool uret_leave(struct uret_cpu *u, const struct vmx_vcpu *vmx)
{
	memcpy(u->left, vmx->guest_uret, sizeof(u->left));
	if (!u->registered) {
		u->registered = true;
		u->notifier.on_user_return = uret_on_return;
		user_return_notifier_register(&u->notifier);
	}
	return true;
}

/** vmx_uret_cpu_drop() - give this CPU's MSRs back now; interrupts off */
void vmx_uret_cpu_drop(void)
{
	struct uret_cpu *u = this_cpu_ptr(&uret_cpu);

	if (u->registered)
		uret_on_return(&u->notifier);
	uret_restore(u);
}

#else

static bool uret_leave(struct uret_cpu *u, const struct vmx_vcpu *vmx)
{
	return false;
}

void vmx_uret_cpu_drop(void)
{
	uret_restore(this_cpu_ptr(&uret_cpu));
}

#endif

/** vmx_uret_cpu_init() - learn this CPU's own values; interrupts off */
void vmx_uret_cpu_init(void)
{
	struct uret_cpu *u = this_cpu_ptr(&uret_cpu);
	int i;

	for (i = 0; i < NR_URETS; i++) {
		if (uret_present(i))
			rdmsrl(uret_msr[i], u->host[i]);
	}
	u->held = 0;
}

/**
 * vmx_urets_choose() - which of them instructions of the guest's look at
 * @vmx: its EFER or its CPUID is another
 */
void vmx_urets_choose(struct vmx_vcpu *vmx)
{
	const struct vcpu *vcpu = &vmx->vcpu;
	u8 used = vcpu->efer & EFER_SCE ? URETS_SYSCALL : 0;

	if ((vcpu->feat.rdtscp || vcpu->feat.rdpid) && uret_present(URET_TSC_AUX))
		used |= URETS_AUX;
	vmx->urets_used = used;
}

/* A guest's are there. False: they are the host's now. */
static noinline bool urets_there(struct uret_cpu *u, u8 used, const struct vmx_vcpu *vmx)
{
	if (u->held == used && !memcmp(u->left, vmx->guest_uret, sizeof(u->left)))
		return true;
	uret_restore(u);
	return false;
}

/* The guest's values into the CPU. Interrupts off. */
static __always_inline void uret_load(struct vmx_vcpu *vmx)
{
	struct uret_cpu *u = this_cpu_ptr(&uret_cpu);
	u8 used = vmx->urets_used;

	if (used & URETS_AUX && vmx->guest_uret[URET_TSC_AUX] == u->host[URET_TSC_AUX])
		used &= ~URETS_AUX;
	if (unlikely(u->held) && urets_there(u, used, vmx))
		return;
	uret_write(used, vmx->guest_uret);
	u->held = used;
}

/* The vCPU leaves: the thread goes back to userspace, or @comes_back. */
static __always_inline void uret_put(const struct vmx_vcpu *vmx, bool comes_back)
{
	struct uret_cpu *u = this_cpu_ptr(&uret_cpu);

	if (u->held && (!comes_back || !uret_leave(u, vmx)))
		uret_restore(u);
}

/**
 * vmx_uret_changed() - the guest's values, or what of them it uses, are others now
 * @vmx: loaded
 */
void vmx_uret_changed(struct vmx_vcpu *vmx)
{
	unsigned long flags;

	local_irq_save(flags);
	if (vmx->host_saved) {
		uret_restore(this_cpu_ptr(&uret_cpu));
		uret_load(vmx);
	}
	local_irq_restore(flags);
}

/* --- what the VMCS holds --------------------------------------------------- */

/** vmx_host_constants() - host fields that are the same on every CPU */
void vmx_host_constants(void)
{
	struct desc_ptr idt;
	u64 val;

	vmcs_write(HOST_CR0, read_cr0() & ~X86_CR0_TS);
	vmcs_write(HOST_CS_SELECTOR, __KERNEL_CS);
	vmcs_write(HOST_SS_SELECTOR, __KERNEL_DS);
	vmcs_write(HOST_DS_SELECTOR, 0);
	vmcs_write(HOST_ES_SELECTOR, 0);
	vmcs_write(HOST_FS_SELECTOR, 0);
	vmcs_write(HOST_GS_SELECTOR, 0);
	vmcs_write(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	store_idt(&idt);
	vmcs_write(HOST_IDTR_BASE, idt.address);
	vmcs_write(HOST_RIP, (unsigned long)vmx_exit_point);
	rdmsrl(MSR_IA32_SYSENTER_CS, val);
	vmcs_write(HOST_IA32_SYSENTER_CS, (u32)val);
	rdmsrl(MSR_IA32_SYSENTER_EIP, val);
	vmcs_write(HOST_IA32_SYSENTER_EIP, val);
	rdmsrl(MSR_IA32_CR_PAT, val);
	vmcs_write(HOST_IA32_PAT, val);
	rdmsrl(MSR_EFER, val);
	vmcs_write(HOST_IA32_EFER, val);
}

/**
 * vmx_host_cpu_changed() - host fields that belong to a CPU
 * @vmx: just made active on this CPU; preemption off
 */
void vmx_host_cpu_changed(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();
	u64 val;

	vmcs_write(HOST_TR_BASE,
		   (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vmx->host_gdt.size = GDT_SIZE - 1;
	vmx->host_gdt.address = (unsigned long)get_cpu_gdt_ro(cpu);
	vmcs_write(HOST_GDTR_BASE, vmx->host_gdt.address);
	rdmsrl(MSR_IA32_SYSENTER_ESP, val);
	vmcs_write(HOST_IA32_SYSENTER_ESP, val);
	rdmsrl(MSR_GS_BASE, val);
	vmcs_write(HOST_GS_BASE, val);
}

/* --- once per load --------------------------------------------------------- */

/* A selector that names user mode or an LDT cannot be in the VMCS: an exit
 * loads the null selector then, and vcpu_put brings the real one back.
 */
static u16 loadable(u16 sel)
{
	return sel & (SEGMENT_RPL_MASK | SEGMENT_TI_MASK) ? 0 : sel;
}

/* What of FS's base and GS's the thread has in userspace. Interrupts off. */
static __always_inline void save_bases(struct vmx_vcpu *vmx)
{
	u64 fs_base;

	if (static_cpu_has(X86_FEATURE_FSGSBASE)) {
		fs_base = rdfsbase();
		vmx->host_kernel_gs_base = host_rdmsr(MSR_KERNEL_GS_BASE);
	} else {
		/* The kernel knows better than the CPU. */
		current_save_fsgs();
		fs_base = current->thread.fsbase;
		vmx->host_kernel_gs_base = current->thread.gsbase;
	}
	if (vmx->host_fs_base != fs_base) {
		vmx->host_fs_base = fs_base;
		vmcs_write(HOST_FS_BASE, fs_base);
	}
}

/* Not all selectors are null, as they are in 64-bit programs, or were not. */
static noinline void segments_aside(struct vmx_vcpu *vmx, u16 ldt)
{
	u16 sel;

	savesegment(fs, vmx->host_fs_sel);
	savesegment(gs, vmx->host_gs_sel);
	savesegment(ds, vmx->host_ds_sel);
	savesegment(es, vmx->host_es_sel);
	vmx->host_ldt_sel = ldt;
	sel = loadable(vmx->host_fs_sel);
	if (vmx->vmcs_fs_sel != sel) {
		vmx->vmcs_fs_sel = sel;
		vmcs_write(HOST_FS_SELECTOR, sel);
	}
	sel = loadable(vmx->host_gs_sel);
	if (vmx->vmcs_gs_sel != sel) {
		vmx->vmcs_gs_sel = sel;
		vmcs_write(HOST_GS_SELECTOR, sel);
	}
	vmx->host_segs_odd = vmx->host_fs_sel | vmx->host_gs_sel | vmx->host_ds_sel |
			     vmx->host_es_sel | vmx->host_ldt_sel;
}

/* With what the thread may do to ports. */
static noinline void tss_limit_back(void)
{
	refresh_tss_limit();
}

static noinline void segments_back(struct vmx_vcpu *vmx)
{
	if (vmx->host_ldt_sel || vmx->host_gs_sel != vmx->vmcs_gs_sel) {
#ifdef CONFIG_MODIFY_LDT_SYSCALL
		asm volatile("lldt %0" : : "m" (vmx->host_ldt_sel));
#endif
		load_gs_index(vmx->host_gs_sel);
	}
	if (vmx->host_fs_sel != vmx->vmcs_fs_sel) {
		loadsegment(fs, vmx->host_fs_sel);
		if (vmx->host_fs_sel <= 3)
			wrmsrl(MSR_FS_BASE, vmx->host_fs_base);
	}
	if (vmx->host_ds_sel | vmx->host_es_sel) {
		loadsegment(ds, vmx->host_ds_sel);
		loadsegment(es, vmx->host_es_sel);
	}
}

/**
 * vmx_prepare_guest() - put the host's segments and MSRs aside
 * @vcpu: loaded, interrupts off; nothing is done if it was done since the load
 */
void vmx_prepare_guest(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u32 fs, gs, ds, es, ldt = 0;

	if (vmx->host_saved)
		return;

	save_bases(vmx);
	savesegment(fs, fs);
	savesegment(gs, gs);
	savesegment(ds, ds);
	savesegment(es, es);
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	asm("sldt %0" : "=r" (ldt));
#endif
	if (unlikely(fs | gs | ds | es | ldt | vmx->host_segs_odd))
		segments_aside(vmx, ldt);

	vmx->host_debugctl = host_rdmsr(MSR_IA32_DEBUGCTLMSR);
	host_wrmsr_from(MSR_KERNEL_GS_BASE, &vmx->guest_kernel_gs_base);
	uret_load(vmx);
	vmx->host_saved = true;
}

/**
 * vmx_host_restore() - undo vmx_prepare_guest()
 * @vmx: loaded, interrupts off
 * @comes_back: in the scheduler
 *
 * An exit leaves FS and GS with the bases of the VMCS, no LDT, and descriptor
 * tables and a TSS of the largest and the smallest limit.
 */
void vmx_host_restore(struct vmx_vcpu *vmx, bool comes_back)
{
	if (!vmx->host_saved)
		return;
	vmx->host_saved = false;

	vmx->guest_kernel_gs_base = host_rdmsr(MSR_KERNEL_GS_BASE);
	if (unlikely(vmx->host_segs_odd))
		segments_back(vmx);
	/* invalidate_tss_limit() */
	if (unlikely(test_thread_flag(TIF_IO_BITMAP)))
		tss_limit_back();
	else
		__this_cpu_write(__tss_limit_invalid, true);
	host_wrmsr_from(MSR_KERNEL_GS_BASE, &vmx->host_kernel_gs_base);
	native_load_gdt(&vmx->host_gdt);
	uret_put(vmx, comes_back);
}

/** vmx_kernel_gs_base() - the guest's, wherever it is now */
u64 vmx_kernel_gs_base(struct vmx_vcpu *vmx)
{
	preempt_disable();
	if (vmx->host_saved)
		rdmsrl(MSR_KERNEL_GS_BASE, vmx->guest_kernel_gs_base);
	preempt_enable();
	return vmx->guest_kernel_gs_base;
}

/** vmx_set_kernel_gs_base() - @base is canonical */
void vmx_set_kernel_gs_base(struct vmx_vcpu *vmx, u64 base)
{
	preempt_disable();
	vmx->guest_kernel_gs_base = base;
	if (vmx->host_saved)
		wrmsrl(MSR_KERNEL_GS_BASE, base);
	preempt_enable();
}
