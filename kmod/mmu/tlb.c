// SPDX-License-Identifier: GPL-2.0-only
/* Translations that CPUs keep of the nested page tables. */
#include "mmu.h"
#include "../core/request.h"
#include "../core/vm.h"

/**
 * tlb_flush_vm() - nobody uses what was just taken out of the tables
 * @vm: whose tables; mmu.lock may be held
 *
 * A vCPU in the guest is made to leave it and flushes before it enters again,
 * as does every other one. Waits for the former.
 */
void tlb_flush_vm(struct vm *vm)
{
	vm_request_all_wait(vm, REQ_TLB_FLUSH);
}
