// SPDX-License-Identifier: GPL-2.0-only
/* vmctl caps: what KVM_CHECK_EXTENSION says. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libjoist/joist.h"
#include "opt.h"
#include "out.h"
#include "vmctl.h"
#include "vmm/vmm.h"

/* Numbers, for <linux/kvm.h> may be older than what joist answers. */
#define CAP(name, nr)	{ #name, nr }

struct caps_args {
	struct args args;
	const char *path;
};

static const struct opt options[] = {
	OPT_TEXT("device-path", 0, struct caps_args, path, "PATH", "@file",
		 "hypervisor (/dev/joist)"),
	OPT_JSON(struct caps_args),
	OPT_END,
};

static const struct {
	const char *name;
	long nr;
} caps[] = {
	CAP(IRQCHIP, 0), CAP(HLT, 1), CAP(MMU_SHADOW_CACHE_CONTROL, 2),
	CAP(USER_MEMORY, 3), CAP(SET_TSS_ADDR, 4), CAP(VAPIC, 6),
	CAP(EXT_CPUID, 7), CAP(CLOCKSOURCE, 8), CAP(NR_VCPUS, 9),
	CAP(NR_MEMSLOTS, 10), CAP(PIT, 11), CAP(NOP_IO_DELAY, 12),
	CAP(PV_MMU, 13), CAP(MP_STATE, 14), CAP(COALESCED_MMIO, 15),
	CAP(SYNC_MMU, 16), CAP(IOMMU, 18),
	CAP(DESTROY_MEMORY_REGION_WORKS, 21), CAP(USER_NMI, 22),
	CAP(SET_GUEST_DEBUG, 23), CAP(REINJECT_CONTROL, 24),
	CAP(IRQ_ROUTING, 25), CAP(IRQ_INJECT_STATUS, 26),
	CAP(JOIN_MEMORY_REGIONS_WORKS, 30), CAP(MCE, 31), CAP(IRQFD, 32),
	CAP(PIT2, 33), CAP(SET_BOOT_CPU_ID, 34), CAP(PIT_STATE2, 35),
	CAP(IOEVENTFD, 36), CAP(SET_IDENTITY_MAP_ADDR, 37), CAP(XEN_HVM, 38),
	CAP(ADJUST_CLOCK, 39), CAP(INTERNAL_ERROR_DATA, 40),
	CAP(VCPU_EVENTS, 41), CAP(HYPERV, 44), CAP(HYPERV_VAPIC, 45),
	CAP(HYPERV_SPIN, 46), CAP(PCI_SEGMENT, 47), CAP(INTR_SHADOW, 49),
	CAP(DEBUGREGS, 50), CAP(X86_ROBUST_SINGLESTEP, 51),
	CAP(ENABLE_CAP, 54), CAP(XSAVE, 55), CAP(XCRS, 56), CAP(ASYNC_PF, 59),
	CAP(TSC_CONTROL, 60), CAP(GET_TSC_KHZ, 61), CAP(MAX_VCPUS, 66),
	CAP(TSC_DEADLINE_TIMER, 72), CAP(SYNC_REGS, 74),
	CAP(KVMCLOCK_CTRL, 76), CAP(SIGNAL_MSI, 77), CAP(READONLY_MEM, 81),
	CAP(IRQFD_RESAMPLE, 82), CAP(DEVICE_CTRL, 89), CAP(EXT_EMUL_CPUID, 95),
	CAP(HYPERV_TIME, 96), CAP(IOAPIC_POLARITY_IGNORED, 97),
	CAP(ENABLE_CAP_VM, 98), CAP(IOEVENTFD_NO_LENGTH, 100),
	CAP(VM_ATTRIBUTES, 101), CAP(CHECK_EXTENSION_VM, 105),
	CAP(DISABLE_QUIRKS, 116), CAP(X86_SMM, 117),
	CAP(MULTI_ADDRESS_SPACE, 118), CAP(SPLIT_IRQCHIP, 121),
	CAP(IOEVENTFD_ANY_LENGTH, 122), CAP(HYPERV_SYNIC, 123),
	CAP(VCPU_ATTRIBUTES, 127), CAP(MAX_VCPU_ID, 128), CAP(X2APIC_API, 129),
	CAP(MSI_DEVID, 131), CAP(IMMEDIATE_EXIT, 136),
	CAP(X86_DISABLE_EXITS, 143), CAP(HYPERV_SYNIC2, 148),
	CAP(HYPERV_VP_INDEX, 149), CAP(GET_MSR_FEATURES, 153),
	CAP(HYPERV_EVENTFD, 154), CAP(HYPERV_TLBFLUSH, 155),
	CAP(NESTED_STATE, 157), CAP(MSR_PLATFORM_INFO, 159),
	CAP(HYPERV_SEND_IPI, 161), CAP(COALESCED_PIO, 162),
	CAP(HYPERV_ENLIGHTENED_VMCS, 163), CAP(EXCEPTION_PAYLOAD, 164),
	CAP(HYPERV_CPUID, 167), CAP(MANUAL_DIRTY_LOG_PROTECT2, 168),
	CAP(PMU_EVENT_FILTER, 173), CAP(HYPERV_DIRECT_TLBFLUSH, 175),
	CAP(HALT_POLL, 182), CAP(ASYNC_PF_INT, 183), CAP(LAST_CPU, 184),
	CAP(SMALLER_MAXPHYADDR, 185), CAP(STEAL_TIME, 187),
	CAP(X86_USER_SPACE_MSR, 188), CAP(X86_MSR_FILTER, 189),
	CAP(ENFORCE_PV_FEATURE_CPUID, 190), CAP(SYS_HYPERV_CPUID, 191),
	CAP(DIRTY_LOG_RING, 192), CAP(X86_BUS_LOCK_EXIT, 193),
	CAP(SET_GUEST_DEBUG2, 195), CAP(SGX_ATTRIBUTE, 196),
	CAP(VM_COPY_ENC_CONTEXT_FROM, 197), CAP(HYPERV_ENFORCE_CPUID, 199),
	CAP(SREGS2, 200), CAP(EXIT_HYPERCALL, 201), CAP(BINARY_STATS_FD, 203),
	CAP(EXIT_ON_EMULATION_FAILURE, 204), CAP(XSAVE2, 208),
	CAP(SYS_ATTRIBUTES, 209), CAP(PMU_CAPABILITY, 212),
	CAP(DISABLE_QUIRKS2, 213), CAP(VM_TSC_CONTROL, 214),
	CAP(SYSTEM_EVENT_DATA, 215), CAP(X86_TRIPLE_FAULT_EVENT, 218),
	CAP(X86_NOTIFY_VMEXIT, 219), CAP(VM_DISABLE_NX_HUGE_PAGES, 220),
	CAP(DIRTY_LOG_RING_ACQ_REL, 223), CAP(DIRTY_LOG_RING_WITH_BITMAP, 225),
	CAP(PMU_EVENT_MASKED_EVENTS, 226), CAP(USER_MEMORY2, 231),
	CAP(MEMORY_FAULT_INFO, 232), CAP(MEMORY_ATTRIBUTES, 233),
	CAP(GUEST_MEMFD, 234), CAP(VM_TYPES, 235), CAP(PRE_FAULT_MEMORY, 236),
	CAP(X86_APIC_BUS_CYCLES_NS, 237), CAP(X86_GUEST_MODE, 238),
};

static void print_text(int fd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		int value = joist_check(fd, caps[i].nr);

		printf("%-32s ", caps[i].name);
		if (value > 0)
			printf("%d\n", value);
		else
			printf("-\n");
	}
}

static void print_json(int fd)
{
	struct json_object *whole = json_object_new_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		int value = joist_check(fd, caps[i].nr);

		json_object_object_add(whole, caps[i].name,
				       json_object_new_int(max(value, 0)));
	}
	out_json(whole);
	json_object_put(whole);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct caps_args args = { .path = JOIST_DEVICE };
	int code, fd;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	fd = vmm_open_device(args.path);
	if (fd < 0)
		return VMM_ERROR;
	if (args.args.json)
		print_json(fd);
	else
		print_text(fd);
	close(fd);
	return 0;
}

const struct command cmd_caps = {
	.name = "caps",
	.run = run,
	.args = "",
	.help = "list what the hypervisor can do",
	.options = options,
};
