// SPDX-License-Identifier: GPL-2.0-only
/* The VMCS in words, for a report. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/printk.h>

#include "vmx.h"

static const struct {
	u32 reason;
	const char *name;
} exit_names[] = { VMX_EXIT_REASONS };

/** vmx_exit_name() - the basic exit reason as the field calls it */
const char *vmx_exit_name(u32 reason)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(exit_names); i++)
		if (exit_names[i].reason == (u16)reason)
			return exit_names[i].name;
	return "unknown exit reason";
}

static u64 rd(unsigned long field)
{
	return vmcs_read(field);
}

#define dump_segment(name)						\
	pr_err("  %-4s sel %04llx base %016llx limit %08llx rights %05llx\n", \
	       #name, rd(GUEST_##name##_SELECTOR), rd(GUEST_##name##_BASE), \
	       rd(GUEST_##name##_LIMIT), rd(GUEST_##name##_AR_BYTES))

static void dump_guest(void)
{
	pr_err("guest state:\n");
	pr_err("  CR0 %016llx shadow %016llx mask %016llx\n", rd(GUEST_CR0),
	       rd(CR0_READ_SHADOW), rd(CR0_GUEST_HOST_MASK));
	pr_err("  CR4 %016llx shadow %016llx mask %016llx\n", rd(GUEST_CR4),
	       rd(CR4_READ_SHADOW), rd(CR4_GUEST_HOST_MASK));
	pr_err("  CR3 %016llx EFER %016llx PAT %016llx\n", rd(GUEST_CR3),
	       rd(GUEST_IA32_EFER), rd(GUEST_IA32_PAT));
	pr_err("  PDPTE %016llx %016llx %016llx %016llx\n", rd(GUEST_PDPTR0),
	       rd(GUEST_PDPTR1), rd(GUEST_PDPTR2), rd(GUEST_PDPTR3));
	pr_err("  RIP %016llx RSP %016llx RFLAGS %08llx DR7 %016llx\n",
	       rd(GUEST_RIP), rd(GUEST_RSP), rd(GUEST_RFLAGS), rd(GUEST_DR7));
	dump_segment(CS);
	dump_segment(SS);
	dump_segment(DS);
	dump_segment(ES);
	dump_segment(FS);
	dump_segment(GS);
	dump_segment(LDTR);
	dump_segment(TR);
	pr_err("  GDTR base %016llx limit %04llx IDTR base %016llx limit %04llx\n",
	       rd(GUEST_GDTR_BASE), rd(GUEST_GDTR_LIMIT), rd(GUEST_IDTR_BASE),
	       rd(GUEST_IDTR_LIMIT));
	pr_err("  SYSENTER CS %04llx ESP %016llx EIP %016llx DEBUGCTL %llx\n",
	       rd(GUEST_SYSENTER_CS), rd(GUEST_SYSENTER_ESP),
	       rd(GUEST_SYSENTER_EIP), rd(GUEST_IA32_DEBUGCTL));
	pr_err("  activity %llx interruptibility %llx pending debug exceptions %llx\n",
	       rd(GUEST_ACTIVITY_STATE), rd(GUEST_INTERRUPTIBILITY_INFO),
	       rd(GUEST_PENDING_DBG_EXCEPTIONS));
}

static void dump_host(void)
{
	pr_err("host state:\n");
	pr_err("  CR0 %016llx CR3 %016llx CR4 %016llx\n", rd(HOST_CR0),
	       rd(HOST_CR3), rd(HOST_CR4));
	pr_err("  CS %04llx SS %04llx DS %04llx ES %04llx FS %04llx GS %04llx TR %04llx\n",
	       rd(HOST_CS_SELECTOR), rd(HOST_SS_SELECTOR), rd(HOST_DS_SELECTOR),
	       rd(HOST_ES_SELECTOR), rd(HOST_FS_SELECTOR), rd(HOST_GS_SELECTOR),
	       rd(HOST_TR_SELECTOR));
	pr_err("  FS base %016llx GS base %016llx TR base %016llx\n",
	       rd(HOST_FS_BASE), rd(HOST_GS_BASE), rd(HOST_TR_BASE));
	pr_err("  GDTR base %016llx IDTR base %016llx\n", rd(HOST_GDTR_BASE),
	       rd(HOST_IDTR_BASE));
	pr_err("  RIP %016llx RSP %016llx EFER %016llx PAT %016llx\n",
	       rd(HOST_RIP), rd(HOST_RSP), rd(HOST_IA32_EFER),
	       rd(HOST_IA32_PAT));
	pr_err("  SYSENTER CS %04llx ESP %016llx EIP %016llx\n",
	       rd(HOST_IA32_SYSENTER_CS), rd(HOST_IA32_SYSENTER_ESP),
	       rd(HOST_IA32_SYSENTER_EIP));
}

static void dump_controls(void)
{
	pr_err("controls:\n");
	pr_err("  pin %08llx primary %08llx secondary %08llx exit %08llx entry %08llx\n",
	       rd(PIN_BASED_VM_EXEC_CONTROL), rd(CPU_BASED_VM_EXEC_CONTROL),
	       rd(SECONDARY_VM_EXEC_CONTROL), rd(VM_EXIT_CONTROLS),
	       rd(VM_ENTRY_CONTROLS));
	pr_err("  exception bitmap %08llx VPID %04llx EPTP %016llx\n",
	       rd(EXCEPTION_BITMAP),
	       vmx_has_cpu2(SECONDARY_EXEC_ENABLE_VPID) ?
			rd(VIRTUAL_PROCESSOR_ID) : 0,
	       rd(EPT_POINTER));
	pr_err("  I/O bitmaps %llx %llx MSR bitmap %llx TSC offset %llx link %llx\n",
	       rd(IO_BITMAP_A), rd(IO_BITMAP_B), rd(MSR_BITMAP),
	       rd(TSC_OFFSET), rd(VMCS_LINK_POINTER));
	pr_err("  entry event %08llx error %llx length %llx\n",
	       rd(VM_ENTRY_INTR_INFO_FIELD), rd(VM_ENTRY_EXCEPTION_ERROR_CODE),
	       rd(VM_ENTRY_INSTRUCTION_LEN));
}

static void dump_exit(void)
{
	u32 reason = vmcs_read32(VM_EXIT_REASON);

	pr_err("last exit: %08x %s%s\n", reason, vmx_exit_name(reason),
	       reason & VMX_EXIT_REASONS_FAILED_VMENTRY ? ", entry failed" : "");
	pr_err("  qualification %016llx guest physical %016llx linear %016llx\n",
	       rd(EXIT_QUALIFICATION), rd(GUEST_PHYSICAL_ADDRESS),
	       rd(GUEST_LINEAR_ADDRESS));
	pr_err("  event %08llx error %llx vectoring %08llx error %llx length %llx\n",
	       rd(VM_EXIT_INTR_INFO), rd(VM_EXIT_INTR_ERROR_CODE),
	       rd(IDT_VECTORING_INFO_FIELD), rd(IDT_VECTORING_ERROR_CODE),
	       rd(VM_EXIT_INSTRUCTION_LEN));
	pr_err("  VM-instruction error %llu\n", rd(VM_INSTRUCTION_ERROR));
}

/**
 * vmx_dump() - print the VMCS
 * @vcpu: loaded
 */
void vmx_dump(struct vcpu *vcpu)
{
	pr_err("VMCS of VM %u vCPU %u on CPU %d:\n", vcpu->vm->id, vcpu->id,
	       vcpu->cpu);
	dump_exit();
	dump_guest();
	dump_host();
	dump_controls();
}
