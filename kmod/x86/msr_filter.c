// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs whose accesses the VMM denies its guest, or decides itself: the filter, and
 * the exits to userspace.
 */
#include <linux/bitmap.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/trapnr.h>

#include "msr.h"
#include "x86.h"
#include "../core/regs.h"
#include "../core/vm.h"

#define RANGE_FLAGS	(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)

static_assert(sizeof(struct kvm_msr_filter_range) == 24);
static_assert(sizeof(struct kvm_msr_filter) ==
	      8 + KVM_MSR_FILTER_MAX_RANGES * 24);

struct filter_range {
	u32 flags;
	u32 base;
	u32 nmsrs;
	unsigned long *allowed;		/* a bit for each from @base on */
};

/**
 * struct msr_filter - constant once published in vm->msr_filter
 * @default_allow: for what is in no range
 * @nr: how many of @ranges are there
 * @ranges: the first that has the MSR and the kind of access decides
 */
struct msr_filter {
	bool default_allow;
	u32 nr;
	struct filter_range ranges[KVM_MSR_FILTER_MAX_RANGES];
};

static void filter_free(struct msr_filter *filter)
{
	u32 i;

	if (!filter)
		return;
	for (i = 0; i < filter->nr; i++)
		kfree(filter->ranges[i].allowed);
	kfree(filter);
}

static int filter_add(struct msr_filter *filter,
		      const struct kvm_msr_filter_range *user)
{
	struct filter_range *range = &filter->ranges[filter->nr];
	size_t size;

	if (!user->nmsrs)
		return 0;
	if (!user->flags || user->flags & ~RANGE_FLAGS)
		return -EINVAL;
	size = BITS_TO_LONGS((u64)user->nmsrs) * sizeof(long);
	if (size > KVM_MSR_FILTER_MAX_BITMAP_SIZE)
		return -EINVAL;
	range->allowed = memdup_user((void __user *)user->bitmap, size);
	if (IS_ERR(range->allowed))
		return PTR_ERR(range->allowed);
	range->flags = user->flags;
	range->base = user->base;
	range->nmsrs = user->nmsrs;
	filter->nr++;
	return 0;
}

static struct msr_filter *filter_create(const struct kvm_msr_filter *user)
{
	struct msr_filter *filter;
	int i, err = 0;

	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	filter->default_allow = !(user->flags & KVM_MSR_FILTER_DEFAULT_DENY);
	for (i = 0; i < ARRAY_SIZE(user->ranges) && !err; i++)
		err = filter_add(filter, &user->ranges[i]);
	/* Nothing allowed at all is a mistake, not a wish. */
	if (!err && !filter->nr && !filter->default_allow)
		err = -EINVAL;
	if (err) {
		filter_free(filter);
		return ERR_PTR(err);
	}
	return filter;
}

/**
 * msr_filter_set() - KVM_X86_SET_MSR_FILTER
 * @vm: vm->lock held
 * @user: kernel copy; the bitmaps are the caller's
 *
 * No vCPU is in the guest with the old filter's intercepts when it returns.
 *
 * Return: 0; -EINVAL: flags, a bitmap over KVM_MSR_FILTER_MAX_BITMAP_SIZE bytes,
 * nothing allowed at all; -EFAULT; -ENOMEM.
 */
int msr_filter_set(struct vm *vm, const struct kvm_msr_filter *user)
{
	struct msr_filter *new, *old;

	lockdep_assert_held(&vm->lock);
	if (user->flags & ~KVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	new = filter_create(user);
	if (IS_ERR(new))
		return PTR_ERR(new);
	old = rcu_dereference_protected(vm->msr_filter,
					lockdep_is_held(&vm->lock));
	rcu_assign_pointer(vm->msr_filter, new);
	vm_request_all_wait(vm, REQ_MSR_FILTER);
	synchronize_srcu(&vm->srcu);
	filter_free(old);
	return 0;
}

/** msr_filter_destroy() - at the VM's end */
void msr_filter_destroy(struct vm *vm)
{
	filter_free(rcu_dereference_protected(vm->msr_filter, true));
}

/**
 * msr_allowed() - may the guest access this MSR, for all the VMM says?
 * @vcpu: whose; in a read section of vm->srcu, or vm->lock held
 * @index: which
 * @write: or a read
 */
bool msr_allowed(struct vcpu *vcpu, u32 index, bool write)
{
	struct vm *vm = vcpu->vm;
	const struct msr_filter *filter;
	u32 i;

	filter = srcu_dereference_check(vm->msr_filter, &vm->srcu,
					lockdep_is_held(&vm->lock));
	if (likely(!filter))
		return true;
	/* The CPU may do these by itself: no filter can be kept up. */
	if (index >= X2APIC_FIRST && index <= X2APIC_LAST)
		return true;
	for (i = 0; i < filter->nr; i++) {
		const struct filter_range *range = &filter->ranges[i];
		u32 kind = write ? KVM_MSR_FILTER_WRITE : KVM_MSR_FILTER_READ;

		if (range->flags & kind && index >= range->base &&
		    index - range->base < range->nmsrs)
			return test_bit(index - range->base, range->allowed);
	}
	return filter->default_allow;
}

/**
 * msr_guest_get() - read an MSR for the guest
 * @vcpu: loaded vCPU, in a read section of vm->srcu
 * @msr: as msr_get()
 *
 * Return: as msr_get(), or MSR_DENIED.
 */
int msr_guest_get(struct vcpu *vcpu, struct msr_access *msr)
{
	return msr_allowed(vcpu, msr->index, false) ? msr_get(vcpu, msr) :
						      MSR_DENIED;
}

/** msr_guest_set() - likewise, writing */
int msr_guest_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	return msr_allowed(vcpu, msr->index, true) ? msr_set(vcpu, msr) :
						     MSR_DENIED;
}

static u32 exit_reason_of(int result)
{
	switch (result) {
	case MSR_DENIED:
		return KVM_MSR_EXIT_REASON_FILTER;
	case MSR_UNKNOWN:
		return KVM_MSR_EXIT_REASON_UNKNOWN;
	}
	return KVM_MSR_EXIT_REASON_INVAL;
}

static int answered(struct vcpu *vcpu, bool error)
{
	if (!error)
		return vcpu_skip_insn(vcpu) ?: EXIT_RESUME;
	exception_queue_error(vcpu, X86_TRAP_GP, 0);
	return EXIT_RESUME;
}

static int rdmsr_answered(struct vcpu *vcpu)
{
	bool error = READ_ONCE(vcpu->run->msr.error);

	if (!error)
		put_edx_eax(vcpu, READ_ONCE(vcpu->run->msr.data));
	return answered(vcpu, error);
}

static int wrmsr_answered(struct vcpu *vcpu)
{
	return answered(vcpu, READ_ONCE(vcpu->run->msr.error));
}

/**
 * msr_exit_failed() - the guest's RDMSR or WRMSR was not done: by userspace if it
 * wants to, else #GP
 * @vcpu: loaded vCPU
 * @msr: what it was
 * @write: or a read
 * @result: MSR_FAULT, MSR_UNKNOWN or MSR_DENIED
 *
 * Return: EXIT_RESUME or EXIT_USERSPACE.
 */
int msr_exit_failed(struct vcpu *vcpu, const struct msr_access *msr, bool write,
		    int result)
{
	u32 reason = exit_reason_of(result);
	struct kvm_run *run = vcpu->run;

	if (!(READ_ONCE(vcpu->vm->user_space_msr) & reason)) {
		exception_queue_error(vcpu, X86_TRAP_GP, 0);
		return EXIT_RESUME;
	}
	memset(&run->msr, 0, sizeof(run->msr));
	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.reason = reason;
	run->msr.index = msr->index;
	run->msr.data = write ? msr->data : 0;
	vcpu->io.complete = write ? wrmsr_answered : rdmsr_answered;
	return EXIT_USERSPACE;
}
