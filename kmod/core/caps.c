// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CHECK_EXTENSION: the truth, nothing more. */
#include <linux/kvm.h>
#include <linux/nospec.h>

#include "caps.h"
#include "dirty.h"
#include "dirty_ring.h"
#include "state.h"
#include "vm.h"
#include "../compat/compat.h"
#include "../compat/kvm_abi.h"
#include "../irqchip/route.h"
#include "../x86/mce.h"
#include "../x86/exits.h"
#include "../x86/quirk.h"
#include "../x86/x86.h"

/* Those whose value is always the same. */
static const int fixed_caps[] = {
	[KVM_CAP_IRQCHIP] = 1,
	[KVM_CAP_HLT] = 1,
	[KVM_CAP_USER_MEMORY] = 1,
	[KVM_CAP_USER_MEMORY2] = 1,
	[KVM_CAP_CLOCKSOURCE] = 1,
	[KVM_CAP_KVMCLOCK_CTRL] = 1,
	[KVM_CAP_ASYNC_PF] = 1,
	[KVM_CAP_ASYNC_PF_INT] = 1,
	[KVM_CAP_INTR_SHADOW] = 1,
	[KVM_CAP_INTERNAL_ERROR_DATA] = 1,
	[KVM_CAP_SYSTEM_EVENT_DATA] = 1,
	[KVM_CAP_EXT_EMUL_CPUID] = 1,
	[KVM_CAP_IOAPIC_POLARITY_IGNORED] = 1,
	[KVM_CAP_SET_TSS_ADDR] = 1,
	[KVM_CAP_EXT_CPUID] = 1,
	[KVM_CAP_NOP_IO_DELAY] = 1,
	[KVM_CAP_MP_STATE] = 1,
	[KVM_CAP_SYNC_MMU] = 1,
	[KVM_CAP_DESTROY_MEMORY_REGION_WORKS] = 1,
	[KVM_CAP_USER_NMI] = 1,
	[KVM_CAP_IRQ_INJECT_STATUS] = 1,
	[KVM_CAP_JOIN_MEMORY_REGIONS_WORKS] = 1,
	[KVM_CAP_IRQFD] = 1,
	[KVM_CAP_IRQFD_RESAMPLE] = 1,
	[KVM_CAP_PIT] = 1,
	[KVM_CAP_PIT2] = 1,
	[KVM_CAP_PIT_STATE2] = 1,
	[KVM_CAP_REINJECT_CONTROL] = 1,
	[KVM_CAP_SET_BOOT_CPU_ID] = 1,
	[KVM_CAP_IOEVENTFD] = 1,
	[KVM_CAP_IOEVENTFD_NO_LENGTH] = 1,
	[KVM_CAP_IOEVENTFD_ANY_LENGTH] = 1,
	[KVM_CAP_SET_IDENTITY_MAP_ADDR] = 1,
	[KVM_CAP_VCPU_EVENTS] = 1,
	[KVM_CAP_DEBUGREGS] = 1,
	[KVM_CAP_SET_GUEST_DEBUG] = 1,
	[KVM_CAP_X86_ROBUST_SINGLESTEP] = 1,
	[KVM_CAP_GET_TSC_KHZ] = 1,
	[KVM_CAP_SIGNAL_MSI] = 1,
	[KVM_CAP_READONLY_MEM] = 1,
	[KVM_CAP_IMMEDIATE_EXIT] = 1,
	[KVM_CAP_DEVICE_CTRL] = 1,
	[KVM_CAP_GET_MSR_FEATURES] = 1,
	[KVM_CAP_CHECK_EXTENSION_VM] = 1,
	[KVM_CAP_TSC_DEADLINE_TIMER] = 1,
	[KVM_CAP_ENABLE_CAP_VM] = 1,
	[KVM_CAP_VCPU_ATTRIBUTES] = 1,
	[KVM_CAP_SYS_ATTRIBUTES] = 1,
	[KVM_CAP_ENABLE_CAP] = 1,
	[KVM_CAP_ENFORCE_PV_FEATURE_CPUID] = 1,
	[KVM_CAP_BINARY_STATS_FD] = 1,
	[KVM_CAP_X86_MSR_FILTER] = 1,
	[KVM_CAP_MMU_SHADOW_CACHE_CONTROL] = 1,
	[KVM_CAP_DISABLE_QUIRKS] = 1,
	[KVM_CAP_MSR_PLATFORM_INFO] = 1,
	[KVM_CAP_EXCEPTION_PAYLOAD] = 1,
	[KVM_CAP_X86_TRIPLE_FAULT_EVENT] = 1,
	[KVM_CAP_X86_SMM] = 1,
	[KVM_CAP_SREGS2] = 1,
	[KVM_CAP_EXIT_ON_EMULATION_FAILURE] = 1,
	[KVM_CAP_HYPERV] = 1,
	[KVM_CAP_HYPERV_VAPIC] = 1,
	[KVM_CAP_HYPERV_SPIN] = 1,
	[KVM_CAP_HYPERV_TIME] = 1,
	[KVM_CAP_HYPERV_SYNIC] = 1,
	[KVM_CAP_HYPERV_SYNIC2] = 1,
	[KVM_CAP_HYPERV_VP_INDEX] = 1,
	[KVM_CAP_HYPERV_TLBFLUSH] = 1,
	[KVM_CAP_HYPERV_SEND_IPI] = 1,
	[KVM_CAP_HYPERV_CPUID] = 1,
	[KVM_CAP_SYS_HYPERV_CPUID] = 1,
	[KVM_CAP_HYPERV_ENFORCE_CPUID] = 1,
	[KVM_CAP_COALESCED_PIO] = 1,
	[KVM_CAP_HALT_POLL] = 1,
	[KVM_CAP_SPLIT_IRQCHIP] = 1,
	[KVM_CAP_VAPIC] = 1,
	[KVM_CAP_ADJUST_CLOCK] = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME |
				 KVM_CLOCK_HOST_TSC,
	[KVM_CAP_COALESCED_MMIO] = KVM_COALESCED_MMIO_PAGE_OFFSET,
	[KVM_CAP_DIRTY_LOG_RING] = DIRTY_RING_MAX_BYTES,
	[KVM_CAP_DIRTY_LOG_RING_ACQ_REL] = DIRTY_RING_MAX_BYTES,
	[KVM_CAP_DISABLE_QUIRKS2] = JOIST_QUIRKS,
	[KVM_CAP_EXIT_HYPERCALL] = JOIST_HYPERCALL_EXITS,
	[KVM_CAP_IRQ_ROUTING] = ROUTES_MAX,
	[KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2] = DIRTY_LOG_MANUAL,
	[KVM_CAP_MAX_VCPUS] = JOIST_MAX_VCPUS,
	[KVM_CAP_MAX_VCPU_ID] = JOIST_MAX_VCPU_ID,
	[KVM_CAP_MCE] = MCE_BANKS_MAX,
	[KVM_CAP_MULTI_ADDRESS_SPACE] = NR_SPACES,
	[KVM_CAP_NR_MEMSLOTS] = MEMSLOTS_MAX,
	[KVM_CAP_SYNC_REGS] = KVM_SYNC_X86_VALID_FIELDS,
	[KVM_CAP_X2APIC_API] = JOIST_X2APIC_API,
	[KVM_CAP_X86_USER_SPACE_MSR] = JOIST_MSR_EXITS,
};

/* Those that depend on the host. */
static int host_cap(unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_NR_VCPUS:
		return min_t(int, num_online_cpus(), JOIST_MAX_VCPUS);
	case KVM_CAP_SET_GUEST_DEBUG2:
		return GUEST_DEBUG_FLAGS;
	case KVM_CAP_STEAL_TIME:
		return pv_steal_supported();
	case KVM_CAP_X86_DISABLE_EXITS:
		return exit_caps.optional;
	case KVM_CAP_X86_BUS_LOCK_EXIT:
		return exit_caps.bus_lock ? BUS_LOCK_MODES : 0;
	case KVM_CAP_X86_NOTIFY_VMEXIT:
		return exit_caps.notify;
	case KVM_CAP_TSC_CONTROL:
	case KVM_CAP_VM_TSC_CONTROL:
		return !!tsc_scaling.bits;
	case KVM_CAP_XSAVE2:
		return boot_cpu_has(X86_FEATURE_XSAVE) ?
		       sizeof(struct kvm_xsave) : 0;
	case KVM_CAP_XSAVE:
	case KVM_CAP_XCRS:
		return boot_cpu_has(X86_FEATURE_XSAVE);
	}
	return 0;
}

/**
 * caps_check() - the value of a KVM capability
 * @vm: asked on a VM file descriptor, or NULL: on the device
 * @cap: KVM_CAP_*
 *
 * Return: 0: not there; otherwise what KVM's documentation defines, usually 1.
 */
int caps_check(struct vm *vm, unsigned long cap)
{
	if (cap < ARRAY_SIZE(fixed_caps)) {
		int val = fixed_caps[array_index_nospec(cap, ARRAY_SIZE(fixed_caps))];

		if (val)
			return val;
	}
	return host_cap(cap);
}
