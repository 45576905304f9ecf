// SPDX-License-Identifier: GPL-2.0-only
/* What the guest's exits to userspace mean. */
#include <errno.h>
#include <string.h>

#include "libjoist/joist.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"

static void remember(struct vcpu *vcpu, u64 addr, const void *data, u8 len,
		     bool write)
{
	struct exit_record *rec = &vcpu->ring[vcpu->exits++ % EXIT_RING];

	rec->reason = vcpu->run->exit_reason;
	rec->addr = addr;
	rec->len = len;
	rec->write = write;
	rec->data = 0;
	if (data)
		memcpy(&rec->data, data, min((size_t)len, sizeof(rec->data)));
}

static bool exit_io(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vm *vm = vcpu->vm;
	u8 size = run->io.size;
	u8 *data = (u8 *)run + run->io.data_offset;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;
	u32 i;

	for (i = 0; i < run->io.count; i++, data += size) {
		if (!out)
			bus_read(&vm->pio, run->io.port, data, size);
		/* First: the report of what a write ends shows that write. */
		remember(vcpu, run->io.port, data, size, out);
		if (out)
			bus_write(&vm->pio, run->io.port, data, size);
	}
	return true;
}

static bool exit_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct vm *vm = vcpu->vm;
	unsigned int len = min(run->mmio.len, (u32)sizeof(run->mmio.data));

	if (!run->mmio.is_write)
		bus_read(&vm->mmio, run->mmio.phys_addr, run->mmio.data, len);
	remember(vcpu, run->mmio.phys_addr, run->mmio.data, (u8)len,
		 run->mmio.is_write);
	if (run->mmio.is_write)
		bus_write(&vm->mmio, run->mmio.phys_addr, run->mmio.data, len);
	return true;
}

static bool exit_system_event(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	u32 type = vcpu->run->system_event.type;

	switch (type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		vm_stop(vm, VMM_POWEROFF, "poweroff", NULL, "guest power-off");
		break;
	case KVM_SYSTEM_EVENT_RESET:
		vm_reset(vm, "system event");
		break;
	case KVM_SYSTEM_EVENT_CRASH:
		vm_panic(vm, "system event");
		break;
	default:
		vm_stop(vm, VMM_UNKNOWN, "unknown-exit", report_vcpu(vcpu),
			"vCPU %u: unknown system event %u", vcpu->id, type);
	}
	return false;
}

static bool exit_internal_error(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	vm_stop(vcpu->vm, VMM_INTERNAL, "internal-error", report_vcpu(vcpu),
		"vCPU %u: the hypervisor cannot go on (suberror %u%s)",
		vcpu->id, run->internal.suberror,
		run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION ?
		": an instruction it cannot emulate" : "");
	return false;
}

/**
 * vcpu_handle_exit() - serve one exit
 * @vcpu: vCPU of the calling thread, stopped with its run page filled in
 *
 * Return: whether to enter the guest again.
 */
bool vcpu_handle_exit(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	struct vm *vm = vcpu->vm;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return exit_io(vcpu);
	case KVM_EXIT_MMIO:
		return exit_mmio(vcpu);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return true;
	}

	remember(vcpu, 0, NULL, 0, false);
	switch (run->exit_reason) {
	case KVM_EXIT_SYSTEM_EVENT:
		return exit_system_event(vcpu);
	case KVM_EXIT_SHUTDOWN:
		vm_stop(vm, VMM_TRIPLE, "triple-fault", report_vcpu(vcpu),
			"vCPU %u: triple fault", vcpu->id);
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		return exit_internal_error(vcpu);
	case KVM_EXIT_FAIL_ENTRY:
		vm_stop(vm, VMM_ENTRY, "entry-failed", report_vcpu(vcpu),
			"vCPU %u: the CPU refused the guest's state (hardware reason %#llx on CPU %u)",
			vcpu->id,
			run->fail_entry.hardware_entry_failure_reason,
			run->fail_entry.cpu);
		return false;
	default:
		vm_stop(vm, VMM_UNKNOWN, "unknown-exit", report_vcpu(vcpu),
			"vCPU %u: exit reason %u (hardware reason %#llx) is unknown",
			vcpu->id, run->exit_reason,
			run->hw.hardware_exit_reason);
		return false;
	}
}
