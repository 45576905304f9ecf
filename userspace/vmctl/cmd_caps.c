// SPDX-License-Identifier: GPL-2.0-only
/* vmctl caps: what KVM_CHECK_EXTENSION says. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "libjoist/joist.h"
#include "vmctl.h"
#include "vmm/vmm.h"

#define CAP(name)	{ #name, KVM_CAP_##name }

static const struct {
	const char *name;
	long nr;
} caps[] = {
	CAP(IRQCHIP), CAP(HLT), CAP(USER_MEMORY), CAP(SET_TSS_ADDR),
	CAP(EXT_CPUID), CAP(NR_VCPUS), CAP(NR_MEMSLOTS), CAP(PIT),
	CAP(NOP_IO_DELAY), CAP(MP_STATE), CAP(COALESCED_MMIO), CAP(SYNC_MMU),
	CAP(IOMMU), CAP(DESTROY_MEMORY_REGION_WORKS), CAP(USER_NMI),
	CAP(SET_GUEST_DEBUG), CAP(REINJECT_CONTROL), CAP(IRQ_ROUTING),
	CAP(IRQ_INJECT_STATUS), CAP(MCE), CAP(IRQFD), CAP(PIT2),
	CAP(SET_BOOT_CPU_ID), CAP(PIT_STATE2), CAP(IOEVENTFD),
	CAP(SET_IDENTITY_MAP_ADDR), CAP(ADJUST_CLOCK), CAP(INTERNAL_ERROR_DATA),
	CAP(VCPU_EVENTS), CAP(HYPERV), CAP(DEBUGREGS), CAP(X86_ROBUST_SINGLESTEP),
	CAP(ENABLE_CAP), CAP(XSAVE), CAP(XCRS), CAP(ASYNC_PF), CAP(TSC_CONTROL),
	CAP(GET_TSC_KHZ), CAP(MAX_VCPUS), CAP(TSC_DEADLINE_TIMER),
	CAP(SIGNAL_MSI), CAP(READONLY_MEM), CAP(IRQFD_RESAMPLE),
	CAP(DEVICE_CTRL), CAP(CHECK_EXTENSION_VM), CAP(ENABLE_CAP_VM),
	CAP(IOEVENTFD_NO_LENGTH), CAP(VM_ATTRIBUTES), CAP(X86_SMM),
	CAP(MULTI_ADDRESS_SPACE), CAP(SPLIT_IRQCHIP), CAP(IOEVENTFD_ANY_LENGTH),
	CAP(MAX_VCPU_ID), CAP(X2APIC_API), CAP(MSI_DEVID), CAP(IMMEDIATE_EXIT),
	CAP(X86_DISABLE_EXITS), CAP(SYNC_REGS), CAP(GET_MSR_FEATURES),
	CAP(NESTED_STATE), CAP(COALESCED_PIO), CAP(EXCEPTION_PAYLOAD),
	CAP(MANUAL_DIRTY_LOG_PROTECT2), CAP(HALT_POLL), CAP(X86_USER_SPACE_MSR),
	CAP(X86_MSR_FILTER), CAP(DIRTY_LOG_RING), CAP(SREGS2),
	CAP(BINARY_STATS_FD), CAP(XSAVE2), CAP(SYSTEM_EVENT_DATA),
	CAP(X86_TRIPLE_FAULT_EVENT),
};

static void print_text(int fd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		int value = joist_check(fd, caps[i].nr);

		printf("%-28s ", caps[i].name);
		if (value > 0)
			printf("%d\n", value);
		else
			printf("-\n");
	}
}

static void print_json(int fd)
{
	size_t i;

	putchar('{');
	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		int value = joist_check(fd, caps[i].nr);

		if (i)
			putchar(',');
		json_string(stdout, caps[i].name);
		printf(":%d", value > 0 ? value : 0);
	}
	printf("}\n");
}

int cmd_caps(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "device-path", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = JOIST_DEVICE;
	bool json = false;
	int opt, fd;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (opt == 'j')
			json = true;
		else if (opt == 'd')
			path = optarg;
		else
			return usage_error("caps", "bad option '%s'",
					   argv[optind - 1]);
	}
	if (optind < argc)
		return usage_error("caps", "unexpected argument '%s'",
				   argv[optind]);
	fd = vmm_open_device(path);
	if (fd < 0)
		return VMM_ERROR;
	if (json)
		print_json(fd);
	else
		print_text(fd);
	close(fd);
	return 0;
}
