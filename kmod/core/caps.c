// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CHECK_EXTENSION: the truth, nothing more. */
#include <linux/kvm.h>

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

/**
 * caps_check() - the value of a KVM capability
 * @vm: asked on a VM file descriptor, or NULL: on the device
 * @cap: KVM_CAP_*
 *
 * Return: 0: not there; otherwise what KVM's documentation defines, usually 1.
 */
int caps_check(struct vm *vm, unsigned long cap)
{
	switch (cap) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_HLT:
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_CLOCKSOURCE:
	case KVM_CAP_KVMCLOCK_CTRL:
	case KVM_CAP_ASYNC_PF:
	case KVM_CAP_ASYNC_PF_INT:
	case KVM_CAP_INTR_SHADOW:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_SYSTEM_EVENT_DATA:
	case KVM_CAP_EXT_EMUL_CPUID:
	case KVM_CAP_IOAPIC_POLARITY_IGNORED:
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_NOP_IO_DELAY:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_IRQ_INJECT_STATUS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_PIT:
	case KVM_CAP_PIT2:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_REINJECT_CONTROL:
	case KVM_CAP_SET_BOOT_CPU_ID:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_NO_LENGTH:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_X86_ROBUST_SINGLESTEP:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_GET_MSR_FEATURES:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_TSC_DEADLINE_TIMER:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_VCPU_ATTRIBUTES:
	case KVM_CAP_SYS_ATTRIBUTES:
	case KVM_CAP_ENABLE_CAP:
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_MMU_SHADOW_CACHE_CONTROL:
	case KVM_CAP_DISABLE_QUIRKS:
	case KVM_CAP_MSR_PLATFORM_INFO:
	case KVM_CAP_EXCEPTION_PAYLOAD:
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
	case KVM_CAP_X86_SMM:
	case KVM_CAP_SREGS2:
	case KVM_CAP_EXIT_ON_EMULATION_FAILURE:
	case KVM_CAP_HYPERV:
	case KVM_CAP_HYPERV_VAPIC:
	case KVM_CAP_HYPERV_SPIN:
	case KVM_CAP_HYPERV_TIME:
	case KVM_CAP_HYPERV_SYNIC:
	case KVM_CAP_HYPERV_SYNIC2:
	case KVM_CAP_HYPERV_VP_INDEX:
	case KVM_CAP_HYPERV_TLBFLUSH:
	case KVM_CAP_HYPERV_SEND_IPI:
	case KVM_CAP_HYPERV_CPUID:
	case KVM_CAP_SYS_HYPERV_CPUID:
	case KVM_CAP_HYPERV_ENFORCE_CPUID:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_HALT_POLL:
	case KVM_CAP_SPLIT_IRQCHIP:
	case KVM_CAP_VAPIC:
		return 1;
	case KVM_CAP_COALESCED_MMIO:
		return KVM_COALESCED_MMIO_PAGE_OFFSET;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return DIRTY_LOG_MANUAL;
	case KVM_CAP_DIRTY_LOG_RING:
	case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return DIRTY_RING_MAX_BYTES;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return GUEST_DEBUG_FLAGS;
	case KVM_CAP_NR_VCPUS:
		return min_t(int, num_online_cpus(), JOIST_MAX_VCPUS);
	case KVM_CAP_MAX_VCPUS:
		return JOIST_MAX_VCPUS;
	case KVM_CAP_MAX_VCPU_ID:
		return JOIST_MAX_VCPU_ID;
	case KVM_CAP_X86_USER_SPACE_MSR:
		return JOIST_MSR_EXITS;
	case KVM_CAP_STEAL_TIME:
		return pv_steal_supported();
	case KVM_CAP_IRQ_ROUTING:
		return ROUTES_MAX;
	case KVM_CAP_MCE:
		return MCE_BANKS_MAX;
	case KVM_CAP_X2APIC_API:
		return JOIST_X2APIC_API;
	case KVM_CAP_SYNC_REGS:
		return KVM_SYNC_X86_VALID_FIELDS;
	case KVM_CAP_DISABLE_QUIRKS2:
		return JOIST_QUIRKS;
	case KVM_CAP_X86_DISABLE_EXITS:
		return exit_caps.optional;
	case KVM_CAP_TSC_CONTROL:
	case KVM_CAP_VM_TSC_CONTROL:
		return !!tsc_scaling.bits;
	case KVM_CAP_X86_BUS_LOCK_EXIT:
		return exit_caps.bus_lock ? BUS_LOCK_MODES : 0;
	case KVM_CAP_X86_NOTIFY_VMEXIT:
		return exit_caps.notify;
	case KVM_CAP_EXIT_HYPERCALL:
		return JOIST_HYPERCALL_EXITS;
	case KVM_CAP_NR_MEMSLOTS:
		return MEMSLOTS_MAX;
	case KVM_CAP_MULTI_ADDRESS_SPACE:
		return NR_SPACES;
	case KVM_CAP_ADJUST_CLOCK:
		return KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME |
		       KVM_CLOCK_HOST_TSC;
	case KVM_CAP_XSAVE2:
		return boot_cpu_has(X86_FEATURE_XSAVE) ?
		       sizeof(struct kvm_xsave) : 0;
	case KVM_CAP_XSAVE:
	case KVM_CAP_XCRS:
		return boot_cpu_has(X86_FEATURE_XSAVE);
	}
	return 0;
}
