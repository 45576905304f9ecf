#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Looks at a kernel's headers and prints a -DHAVE_... for each shape found.
# usage: probe.sh SRCTREE
src=$1

# has FILE PATTERN MACRO
has()
{
	if grep -Eqs "$2" "$src/$1"; then
		printf -- ' -D%s' "$3"
	fi
}

has arch/x86/include/asm/reboot.h 'cpu_emergency_register_virt_callback' \
	HAVE_EMERGENCY_VIRT_CALLBACK
has include/linux/syscore_ops.h 'register_syscore_ops' HAVE_SYSCORE_OPS
has include/linux/eventfd.h 'eventfd_signal\(struct eventfd_ctx \*ctx\)' \
	HAVE_EVENTFD_SIGNAL_ONE_ARG
has include/uapi/linux/kvm.h 'HINT_UNSAFE_IN_KVM\(immediate_exit\)' \
	HAVE_KVM_UNSAFE_HINT
has include/linux/rcutree.h 'rcu_virt_note_context_switch\(int cpu\)' \
	HAVE_RCU_VIRT_NOTE_CPU
has arch/x86/include/asm/apic.h '__apic_send_IPI_mask\(const' \
	HAVE_APIC_SEND_IPI_MASK
has arch/x86/include/asm/irq_remapping.h 'struct intel_iommu_pi_data' \
	HAVE_INTEL_IOMMU_PI_DATA
has include/linux/irqbypass.h 'struct eventfd_ctx \*eventfd' HAVE_BYPASS_EVENTFD
has arch/x86/include/asm/idtentry.h 'exc_nmi_kvm_vmx' HAVE_EXC_NMI_KVM_VMX
has arch/x86/include/asm/idtentry.h 'exc_nmi_noist' HAVE_EXC_NMI_NOIST
has arch/x86/include/asm/nospec-branch.h 'macro CLEAR_BRANCH_HISTORY_VMEXIT' \
	HAVE_CLEAR_BRANCH_HISTORY_VMEXIT
has arch/x86/include/asm/nospec-branch.h 'x86_ibpb_exit_to_user' \
	HAVE_IBPB_EXIT_TO_USER
has arch/x86/include/asm/processor.h 'x86_task_fpu\(' HAVE_X86_TASK_FPU
has include/linux/mm.h 'follow_pfnmap_start' HAVE_FOLLOW_PFNMAP
has include/linux/sched.h 'gendisk[[:space:]]+\*throttle_disk' HAVE_THROTTLE_DISK
has include/linux/vfio.h 'bool vfio_file_is_valid\(' HAVE_VFIO_FILE_IS_VALID
has include/linux/hrtimer.h 'void hrtimer_setup\(' HAVE_HRTIMER_SETUP
has include/net/genetlink.h '^struct genl_split_ops \{' HAVE_GENL_SPLIT_OPS
has include/net/genetlink.h 'genl_info_dump\(' HAVE_GENL_INFO_DUMP
has include/linux/netlink.h 'netlink_filter_fn filter' HAVE_NETLINK_FILTER
