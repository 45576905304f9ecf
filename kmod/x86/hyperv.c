// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's MSRs: who may have them, and those of the partition and the VP. */
#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/slab.h>
#include <asm/hyperv-tlfs.h>

#include "features.h"
#include "msr.h"
#include "x86.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

#define HYPERCALL_LOCKED	BIT_ULL(1)
#define CRASH_NOTIFY		BIT_ULL(63)
#define RESET_NOW		BIT_ULL(0)
#define REENLIGHTENMENT_VALID	(GENMASK_ULL(63, 32) | BIT_ULL(16) | 0xff)
#define TSC_EMULATION_ON	BIT_ULL(0)

#define XAPIC_ICR2_VALID	0xff000000U

#define PAGE_FIRST		(-1)	/* of hypercall_try() */

/* The frequency of the local APIC's timer: one tick of its bus clock is 1 ns. */
#define APIC_HZ			NSEC_PER_SEC

/**
 * struct hv_msr_row - MSRs that come with a bit of CPUID
 * @first: of these
 * @last: to this one
 * @word: enum hv_word
 * @bit: of that
 */
struct hv_msr_row {
	u32 first;
	u32 last;
	u8 word;
	u32 bit;
};

static const struct hv_msr_row hv_msrs[] = {
	{ HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL,
	  HV_FEAT_A, HV_MSR_HYPERCALL_AVAILABLE },
	{ HV_X64_MSR_VP_INDEX, HV_X64_MSR_VP_INDEX,
	  HV_FEAT_A, HV_MSR_VP_INDEX_AVAILABLE },
	{ HV_X64_MSR_RESET, HV_X64_MSR_RESET,
	  HV_FEAT_A, HV_MSR_RESET_AVAILABLE },
	{ HV_X64_MSR_VP_RUNTIME, HV_X64_MSR_VP_RUNTIME,
	  HV_FEAT_A, HV_MSR_VP_RUNTIME_AVAILABLE },
	{ HV_X64_MSR_TIME_REF_COUNT, HV_X64_MSR_TIME_REF_COUNT,
	  HV_FEAT_A, HV_MSR_TIME_REF_COUNT_AVAILABLE },
	{ HV_X64_MSR_REFERENCE_TSC, HV_X64_MSR_REFERENCE_TSC,
	  HV_FEAT_A, HV_MSR_REFERENCE_TSC_AVAILABLE },
	{ HV_X64_MSR_TSC_FREQUENCY, HV_X64_MSR_APIC_FREQUENCY,
	  HV_FEAT_A, HV_ACCESS_FREQUENCY_MSRS },
	{ HV_X64_MSR_EOI, HV_X64_MSR_VP_ASSIST_PAGE,
	  HV_FEAT_A, HV_MSR_APIC_ACCESS_AVAILABLE },
	{ HV_X64_MSR_SCONTROL, HV_X64_MSR_EOM,
	  HV_FEAT_A, HV_MSR_SYNIC_AVAILABLE },
	{ HV_X64_MSR_SINT0, HV_X64_MSR_SINT15,
	  HV_FEAT_A, HV_MSR_SYNIC_AVAILABLE },
	{ HV_X64_MSR_STIMER0_CONFIG, HV_X64_MSR_STIMER3_COUNT,
	  HV_FEAT_A, HV_MSR_SYNTIMER_AVAILABLE },
	{ HV_MSR_SYNDBG_CONTROL, HV_MSR_SYNDBG_PENDING,
	  HV_FEAT_D, HV_FEATURE_DEBUG_MSRS_AVAILABLE },
	{ HV_MSR_SYNDBG_OPTIONS, HV_MSR_SYNDBG_OPTIONS,
	  HV_FEAT_D, HV_FEATURE_DEBUG_MSRS_AVAILABLE },
	{ HV_X64_MSR_CRASH_P0, HV_X64_MSR_CRASH_CTL,
	  HV_FEAT_D, HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE },
	{ HV_X64_MSR_REENLIGHTENMENT_CONTROL, HV_X64_MSR_TSC_EMULATION_STATUS,
	  HV_FEAT_A, HV_ACCESS_REENLIGHTENMENT },
};

/** hv_vm_init() - a new VM; nobody else has it yet */
void hv_vm_init(struct vm *vm)
{
	mutex_init(&vm->hv.page_lock);
	mutex_init(&vm->hv.lock);
}

/** hv_vcpu_init() - a new vCPU; its place in the VM is known */
void hv_vcpu_init(struct vcpu *vcpu)
{
	vcpu->hv.vp_index = vcpu->idx;
}

/**
 * hv_vcpu_by_index() - the virtual processor with an index
 * @vm: of it
 * @vp_index: VP_INDEX
 *
 * They are numbered as they were made, unless the VMM wants it otherwise.
 *
 * Return: the vCPU, or NULL. Context: any.
 */
struct vcpu *hv_vcpu_by_index(struct vm *vm, u32 vp_index)
{
	struct vcpu *vcpu;
	u32 i;

	if (vp_index < atomic_read(&vm->online_vcpus)) {
		vcpu = vm_vcpu(vm, vp_index);
		if (READ_ONCE(vcpu->hv.vp_index) == vp_index)
			return vcpu;
	}
	vm_for_each_vcpu(vm, vcpu, i)
		if (READ_ONCE(vcpu->hv.vp_index) == vp_index)
			return vcpu;
	return NULL;
}

/** hv_vcpu_destroy() - nobody has the vCPU any more */
void hv_vcpu_destroy(struct vcpu *vcpu)
{
	struct hv_synic *synic = vcpu->hv.synic;

	if (!synic)
		return;
	hv_timers_destroy(synic);
	kfree(synic);
}

/**
 * hv_has() - is a feature there for the guest?
 * @vcpu: vCPU, its mutex held
 * @word: enum hv_word
 * @bit: of that
 *
 * What it was not told of is, too, unless the VMM wants it otherwise.
 */
bool hv_has(struct vcpu *vcpu, unsigned int word, u32 bit)
{
	return !vcpu->hv.enforced || vcpu->feat.hv[word] & bit;
}

/* Checked for the guest; the VMM may always save and restore. */
static int hv_msr_check(struct vcpu *vcpu, const struct msr_access *msr)
{
	const struct hv_msr_row *row;

	if (msr->index < HV_MSR_FIRST || msr->index > HV_MSR_LAST)
		return MSR_UNKNOWN;
	for (row = hv_msrs; row < hv_msrs + ARRAY_SIZE(hv_msrs); row++) {
		if (msr->index < row->first || msr->index > row->last)
			continue;
		if (msr->host)
			return 0;
		return vcpu->feat.hyperv && hv_has(vcpu, row->word, row->bit) ?
		       0 : MSR_FAULT;
	}
	return MSR_UNKNOWN;
}

/**
 * hv_exit_request() - userspace hears of it before the guest goes on
 * @vcpu: owner thread
 * @exit: what
 * @msr: that was written
 */
void hv_exit_request(struct vcpu *vcpu, enum hv_exit exit, u32 msr)
{
	vcpu->hv.exit = exit;
	vcpu->hv.exit_msr = msr;
	vcpu_request(vcpu, REQ_HYPERV);
}

static void system_event(struct vcpu *vcpu, u32 type)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	memset(&run->system_event, 0, sizeof(run->system_event));
	run->system_event.type = type;
}

/**
 * hv_exit() - REQ_HYPERV
 * @vcpu: owner thread
 *
 * Return: EXIT_USERSPACE with the run page filled in, or EXIT_RESUME.
 */
int hv_exit(struct vcpu *vcpu)
{
	enum hv_exit exit = vcpu->hv.exit;

	vcpu->hv.exit = HV_EXIT_NONE;
	switch (exit) {
	case HV_EXIT_NONE:
		return EXIT_RESUME;
	case HV_EXIT_RESET:
		system_event(vcpu, KVM_SYSTEM_EVENT_RESET);
		break;
	case HV_EXIT_CRASH:
		system_event(vcpu, KVM_SYSTEM_EVENT_CRASH);
		break;
	case HV_EXIT_SYNIC:
		hv_synic_exit(vcpu);
		break;
	case HV_EXIT_DEBUG:
		hv_debug_exit(vcpu);
		break;
	}
	return EXIT_USERSPACE;
}

/* The instruction for hypercalls, and a return. */
static int hypercall_page_write(struct vcpu *vcpu, u64 page)
{
	static const u8 vmx_code[] = { 0x0f, 0x01, 0xc1, 0xc3 };
	static const u8 svm_code[] = { 0x0f, 0x01, 0xd9, 0xc3 };

	return guest_write(vcpu->vm, page & HV_PAGE_ADDR,
			   boot_cpu_has(X86_FEATURE_SVM) ? svm_code : vmx_code,
			   sizeof(vmx_code));
}

/* 0, MSR_FAULT, or PAGE_FIRST: it is allowed, once the page is @written. */
static int hypercall_try(struct hv_vm *hv, const struct msr_access *msr,
			 bool written)
{
	int ret = 0;

	mutex_lock(&hv->lock);
	/* Nothing is enabled for a guest that has not said what it is. */
	if (!hv->guest_os_id && !msr->host)
		goto out;
	if (hv->hypercall & HYPERCALL_LOCKED && !msr->host)
		ret = MSR_FAULT;
	else if (msr->data & HV_PAGE_ENABLE && !written)
		ret = PAGE_FIRST;
	else
		hv->hypercall = msr->data;
out:
	mutex_unlock(&hv->lock);
	return ret;
}

static int hypercall_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct hv_vm *hv = &vcpu->vm->hv;
	int ret = hypercall_try(hv, msr, false);

	if (ret != PAGE_FIRST)
		return ret;
	if (hypercall_page_write(vcpu, msr->data))
		return MSR_FAULT;
	return hypercall_try(hv, msr, true);
}

/* --- of the partition: vm->hv.lock held ----------------------------------------- */

static int partition_get(struct vcpu *vcpu, struct msr_access *msr)
{
	struct hv_vm *hv = &vcpu->vm->hv;

	switch (msr->index) {
	case HV_X64_MSR_GUEST_OS_ID:
		msr->data = hv->guest_os_id;
		return 0;
	case HV_X64_MSR_HYPERCALL:
		msr->data = hv->hypercall;
		return 0;
	case HV_X64_MSR_RESET:
		msr->data = 0;
		return 0;
	case HV_X64_MSR_REFERENCE_TSC:
		msr->data = hv->tsc_page;
		return 0;
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_P4:
		msr->data = hv->crash[msr->index - HV_X64_MSR_CRASH_P0];
		return 0;
	case HV_X64_MSR_CRASH_CTL:
		msr->data = hv->crash_ctl;
		return 0;
	case HV_X64_MSR_REENLIGHTENMENT_CONTROL:
		msr->data = hv->reenlightenment;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_CONTROL:
		msr->data = hv->tsc_emulation;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_STATUS:
		msr->data = hv->tsc_emulation_status;
		return 0;
	}
	return MSR_UNKNOWN;
}

static int crash_ctl_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	if (msr->host)
		vcpu->vm->hv.crash_ctl = msr->data & CRASH_NOTIFY;
	else if (msr->data & CRASH_NOTIFY)
		hv_exit_request(vcpu, HV_EXIT_CRASH, msr->index);
	return 0;
}

/* Who keeps its TSC page through a change of the TSC, and who hears of one. */
static int reenlightenment_set(struct hv_vm *hv, const struct msr_access *msr)
{
	switch (msr->index) {
	case HV_X64_MSR_REENLIGHTENMENT_CONTROL:
		if (msr->data & ~REENLIGHTENMENT_VALID)
			return MSR_FAULT;
		hv->reenlightenment = msr->data;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_CONTROL:
		if (msr->data & ~TSC_EMULATION_ON)
			return MSR_FAULT;
		hv->tsc_emulation = msr->data;
		return 0;
	}
	/* The guest can only say that it has seen it. */
	if (msr->data && !msr->host)
		return MSR_FAULT;
	hv->tsc_emulation_status = msr->data;
	return 0;
}

static int partition_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct hv_vm *hv = &vcpu->vm->hv;

	switch (msr->index) {
	case HV_X64_MSR_GUEST_OS_ID:
		WRITE_ONCE(hv->guest_os_id, msr->data);
		if (!msr->data)
			hv->hypercall &= ~HV_PAGE_ENABLE;
		return 0;
	case HV_X64_MSR_RESET:
		if (msr->data & RESET_NOW && !msr->host)
			hv_exit_request(vcpu, HV_EXIT_RESET, msr->index);
		return 0;
	case HV_X64_MSR_REFERENCE_TSC:
		hv->tsc.valid = false;
		hv->tsc.shown = false;
		WRITE_ONCE(hv->tsc_page, msr->data);
		vcpu_request(vcpu, REQ_CLOCK_UPDATE);
		return 0;
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_P4:
		hv->crash[msr->index - HV_X64_MSR_CRASH_P0] = msr->data;
		return 0;
	case HV_X64_MSR_CRASH_CTL:
		return crash_ctl_set(vcpu, msr);
	case HV_X64_MSR_REENLIGHTENMENT_CONTROL ... HV_X64_MSR_TSC_EMULATION_STATUS:
		return reenlightenment_set(hv, msr);
	}
	return MSR_UNKNOWN;
}

/* --- of the virtual processor ---------------------------------------------------- */

/* Time that the thread has had the CPU for, in 100 ns. */
static u64 thread_time(void)
{
	u64 user, system;

	task_cputime_adjusted(current, &user, &system);
	return div_u64(user + system, 100);
}

static int processor_get(struct vcpu *vcpu, struct msr_access *msr)
{
	struct lapic *lapic = vcpu->lapic;

	switch (msr->index) {
	case HV_X64_MSR_VP_INDEX:
		msr->data = vcpu->hv.vp_index;
		return 0;
	case HV_X64_MSR_VP_RUNTIME:
		msr->data = thread_time() + vcpu->hv.runtime_offset;
		return 0;
	case HV_X64_MSR_TIME_REF_COUNT:
		msr->data = hv_ref_time(vcpu);
		return 0;
	case HV_X64_MSR_TSC_FREQUENCY:
		msr->data = vcpu->tsc_khz * 1000;
		return 0;
	case HV_X64_MSR_APIC_FREQUENCY:
		msr->data = APIC_HZ;
		return 0;
	case HV_X64_MSR_VP_ASSIST_PAGE:
		msr->data = vcpu->hv.assist_page;
		return 0;
	case HV_X64_MSR_ICR:
		if (!lapic || !lapic_enabled(lapic))
			return MSR_FAULT;
		msr->data = (u64)lapic_reg(lapic, LAPIC_REG_ICR2) << 32 |
			    lapic_reg(lapic, LAPIC_REG_ICR);
		return 0;
	case HV_X64_MSR_TPR:
		if (!lapic || !lapic_enabled(lapic))
			return MSR_FAULT;
		msr->data = lapic_reg(lapic, LAPIC_REG_TPR);
		return 0;
	}
	/* EOI can only be written. */
	return MSR_FAULT;
}

/* The first word of the page asks the hypervisor whether an EOI can be left out:
 * never. What else is in the page is left alone.
 */
static int assist_page_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	static const u32 no;

	if (msr->data & HV_PAGE_ENABLE &&
	    guest_write(vcpu->vm, msr->data & HV_PAGE_ADDR, &no, sizeof(no)))
		return MSR_FAULT;
	vcpu->hv.assist_page = msr->data;
	return 0;
}

static int apic_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct lapic *lapic = vcpu->lapic;

	if (!lapic || !lapic_enabled(lapic))
		return MSR_FAULT;
	switch (msr->index) {
	case HV_X64_MSR_EOI:
		lapic_eoi(lapic);
		return 0;
	case HV_X64_MSR_ICR:
		lapic_reg_set(lapic, LAPIC_REG_ICR2, msr->data >> 32 &
			      (lapic_is_x2apic(lapic) ? ~0U : XAPIC_ICR2_VALID));
		lapic_reg_set(lapic, LAPIC_REG_ICR,
			      (u32)msr->data & ~LAPIC_ICR_BUSY);
		lapic_send_icr(lapic, msr->data, msr->data >> 32);
		return 0;
	}
	if (msr->data >> 8)
		return MSR_FAULT;
	lapic_set_tpr(lapic, msr->data);
	vcpu_request(vcpu, REQ_EVENT);
	return 0;
}

static int processor_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	switch (msr->index) {
	case HV_X64_MSR_VP_INDEX:
		if (!msr->host || msr->data >= JOIST_MAX_VCPUS)
			return MSR_FAULT;
		WRITE_ONCE(vcpu->hv.vp_index, msr->data);
		return 0;
	case HV_X64_MSR_VP_RUNTIME:
		if (!msr->host)
			return MSR_FAULT;
		vcpu->hv.runtime_offset = msr->data - thread_time();
		return 0;
	case HV_X64_MSR_TIME_REF_COUNT:
	case HV_X64_MSR_TSC_FREQUENCY:
	case HV_X64_MSR_APIC_FREQUENCY:
		/* Facts. A VMM that restores all that it saved is not disturbed. */
		return msr->host ? 0 : MSR_FAULT;
	case HV_X64_MSR_VP_ASSIST_PAGE:
		return assist_page_set(vcpu, msr);
	}
	return apic_set(vcpu, msr);
}

/**
 * hv_msr_get() - read one of Hyper-V's MSRs
 * @vcpu: loaded vCPU, its mutex held, in a read section of vm->srcu
 * @msr: in: index, host; out: data
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int hv_msr_get(struct vcpu *vcpu, struct msr_access *msr)
{
	struct hv_vm *hv = &vcpu->vm->hv;
	int ret = hv_msr_check(vcpu, msr);

	if (ret)
		return ret;
	switch (msr->index) {
	case HV_X64_MSR_SCONTROL ... HV_X64_MSR_SINT15:
		return hv_synic_get(vcpu, msr);
	case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
		return hv_timer_get(vcpu, msr);
	}
	mutex_lock(&hv->lock);
	ret = partition_get(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = hv_debug_get(vcpu, msr);
	mutex_unlock(&hv->lock);
	return ret == MSR_UNKNOWN ? processor_get(vcpu, msr) : ret;
}

/**
 * hv_msr_set() - write one of Hyper-V's MSRs
 * @vcpu: loaded vCPU, its mutex held, in a read section of vm->srcu
 * @msr: index, data, host
 *
 * Return: 0, MSR_FAULT or MSR_UNKNOWN.
 */
int hv_msr_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct hv_vm *hv = &vcpu->vm->hv;
	int ret = hv_msr_check(vcpu, msr);

	if (ret)
		return ret;
	switch (msr->index) {
	case HV_X64_MSR_SCONTROL ... HV_X64_MSR_SINT15:
		return hv_synic_set(vcpu, msr);
	case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
		return hv_timer_set(vcpu, msr);
	case HV_X64_MSR_HYPERCALL:
		return hypercall_set(vcpu, msr);
	}
	mutex_lock(&hv->lock);
	ret = partition_set(vcpu, msr);
	if (ret == MSR_UNKNOWN)
		ret = hv_debug_set(vcpu, msr);
	mutex_unlock(&hv->lock);
	return ret == MSR_UNKNOWN ? processor_set(vcpu, msr) : ret;
}
