// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults: where the host has to fetch a page first, the guest
 * is told so by a #PF with a token, runs another of its tasks, and gets an
 * interrupt when the page is there. Where it could take no #PF now it waits as
 * if it had halted: interrupts still come in.
 *
 * A worker only makes the page present in the VMM's memory and keeps nothing of
 * it. It may wait for long, and for what the VMM itself has to do: nothing here
 * waits for a worker. What it works on has a life of its own.
 */
#include <linux/kthread.h>
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <asm/trapnr.h>

#include "msr.h"
#include "vendor_ops.h"
#include "x86.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

/* Pages on their way: so many for one vCPU, and for all; beyond, vCPUs wait. */
#define APF_MAX_VCPU	32
#define APF_MAX_TOTAL	256

#define APF_ADDR	(~0x3fULL)
#define APF_RESERVED	0x30ULL
#define APF_ON		(KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT)
#define APF_FLAGS	0	/* of the page shared with the guest */
#define APF_TOKEN	4

#define TOKEN_ALL	(~0U)	/* wakes everybody who waits for a token */
#define TOKEN_ID_BITS	12

static_assert(BIT(TOKEN_ID_BITS) > JOIST_MAX_VCPU_ID);
static_assert(offsetof(struct kvm_vcpu_pv_apf_data, flags) == APF_FLAGS);
static_assert(offsetof(struct kvm_vcpu_pv_apf_data, token) == APF_TOKEN);

/**
 * struct apf_queue - the pages that one vCPU waits for
 * @refs: the vCPU's, and one of each page
 * @nr: pages there are, those too of which nobody wants to hear any more
 * @lock: protects the rest
 * @vcpu: NULL: it is gone
 * @waiting: workers are at them
 * @ready: present, to be announced
 */
struct apf_queue {
	refcount_t refs;
	atomic_t nr;
	spinlock_t lock;	/* see above */
	struct vcpu *vcpu;
	struct list_head waiting;
	struct list_head ready;
};

/**
 * struct apf_page - one page on its way
 * @work: makes it present
 * @queue: whose
 * @node: in one of the queue's lists: queue->lock
 * @dropped: nobody wants to hear, in no list: queue->lock
 * @mm: the VMM's, held until the work is done
 * @hva: there
 * @gfn: for the guest
 * @write: it is to be written
 * @token: the guest's name for it
 * @told: the guest knows the token; the vCPU's thread only
 */
struct apf_page {
	struct work_struct work;
	struct apf_queue *queue;
	struct list_head node;
	bool dropped;
	struct mm_struct *mm;
	hva_t hva;
	gfn_t gfn;
	bool write;
	u32 token;
	bool told;
};

static struct workqueue_struct *apf_workers;
static atomic_t apf_total;

/**
 * pv_setup() - once, at load
 *
 * Return: 0 or -ENOMEM
 */
int pv_setup(void)
{
	/* Whatever is queued has a worker: one VM's do not hold up another's. */
	apf_workers = alloc_workqueue("joist_apf", 0, APF_MAX_TOTAL);
	return apf_workers ? 0 : -ENOMEM;
}

/** pv_teardown() - at unload: the last worker may just be leaving */
void pv_teardown(void)
{
	destroy_workqueue(apf_workers);
}

static void apf_queue_put(struct apf_queue *queue)
{
	if (refcount_dec_and_test(&queue->refs))
		kfree(queue);
}

static bool apf_queue_create(struct vcpu *vcpu)
{
	struct apf_queue *queue;

	if (vcpu->pv.apf_queue)
		return true;
	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return false;
	refcount_set(&queue->refs, 1);
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->waiting);
	INIT_LIST_HEAD(&queue->ready);
	queue->vcpu = vcpu;
	vcpu->pv.apf_queue = queue;
	return true;
}

/* The page is in no list, and no worker at it. */
static void apf_page_free(struct apf_page *page)
{
	atomic_dec(&page->queue->nr);
	atomic_dec(&apf_total);
	apf_queue_put(page->queue);
	kfree(page);
}

/* What the work holds: the VMM's memory, and this code. */
static void apf_work_done(struct mm_struct *mm)
{
	mmput(mm);
	module_put(THIS_MODULE);
}

static void apf_make_present(const struct apf_page *page)
{
	struct page *host;

	kthread_use_mm(page->mm);
	if (get_user_pages_unlocked(page->hva, 1, &host,
				    page->write ? FOLL_WRITE : 0) == 1)
		put_page(host);
	kthread_unuse_mm(page->mm);
}

static void apf_work(struct work_struct *work)
{
	struct apf_page *page = container_of(work, struct apf_page, work);
	struct apf_queue *queue = page->queue;
	struct mm_struct *mm = page->mm;
	bool dropped;

	apf_make_present(page);
	spin_lock(&queue->lock);
	dropped = page->dropped;
	if (!dropped) {
		/* Where that failed, the vCPU will see why. */
		list_move_tail(&page->node, &queue->ready);
		vcpu_request(queue->vcpu, REQ_APF);
		vcpu_kick(queue->vcpu);
	}
	spin_unlock(&queue->lock);
	if (dropped)
		apf_page_free(page);
	apf_work_done(mm);
}

static struct apf_page *apf_page_create(struct vcpu *vcpu, gfn_t gfn, hva_t hva,
					bool write)
{
	struct apf_queue *queue = vcpu->pv.apf_queue;
	struct apf_page *page;

	/* The mutex keeps this vCPU's count from growing meanwhile. */
	if (atomic_read(&queue->nr) >= APF_MAX_VCPU)
		return NULL;
	if (atomic_inc_return(&apf_total) > APF_MAX_TOTAL)
		goto out;
	page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
	if (!page)
		goto out;
	vcpu->pv.apf_next++;
	if (!(vcpu->pv.apf_next << TOKEN_ID_BITS))
		vcpu->pv.apf_next = 1;
	page->token = vcpu->pv.apf_next << TOKEN_ID_BITS | vcpu->id;
	page->gfn = gfn;
	page->hva = hva;
	page->write = write;
	page->queue = queue;
	refcount_inc(&queue->refs);
	atomic_inc(&queue->nr);
	INIT_WORK(&page->work, apf_work);
	return page;
out:
	atomic_dec(&apf_total);
	return NULL;
}

static bool apf_on_its_way(struct apf_queue *queue, gfn_t gfn)
{
	struct apf_page *page;
	bool found = false;

	spin_lock(&queue->lock);
	list_for_each_entry(page, &queue->waiting, node)
		found |= page->gfn == gfn;
	spin_unlock(&queue->lock);
	return found;
}

/* "Page not present", if the guest can take that now. */
static bool apf_tell_missing(struct vcpu *vcpu, u32 token)
{
	gpa_t gpa = (vcpu->pv.apf_msr & APF_ADDR) + APF_FLAGS;
	u32 flags;

	if (!(vcpu->pv.apf_msr & KVM_ASYNC_PF_SEND_ALWAYS) &&
	    !vendor_call(get_cpl)(vcpu))
		return false;
	/* It is still at the one before. */
	if (guest_read(vcpu->vm, gpa, &flags, sizeof(flags)) || flags)
		return false;
	flags = KVM_PV_REASON_PAGE_NOT_PRESENT;
	if (guest_write(vcpu->vm, gpa, &flags, sizeof(flags)))
		return false;
	exception_queue_payload(vcpu, X86_TRAP_PF, true, 0, token);
	return true;
}

/**
 * pv_apf_possible() - could the guest do something else than wait for a page?
 * @vcpu: loaded, just left the guest for a fault
 */
bool pv_apf_possible(struct vcpu *vcpu)
{
	return (vcpu->pv.apf_msr & APF_ON) == APF_ON && !vcpu->smm &&
	       irq_fits(vcpu);
}

/**
 * pv_apf_start() - the host takes its time for a page: go on without
 * @vcpu: owner thread, in a read section of vm->srcu; pv_apf_possible()
 * @gfn: frame that the guest wants
 * @hva: the same in the VMM
 * @write: to write it
 *
 * Return: the guest knows, or waits as if it had halted; false: the caller waits.
 */
bool pv_apf_start(struct vcpu *vcpu, gfn_t gfn, hva_t hva, bool write)
{
	struct apf_queue *queue = vcpu->pv.apf_queue;
	struct apf_page *page;

	if (apf_on_its_way(queue, gfn)) {
		vcpu->pv.apf_halted = true;
		return true;
	}
	page = apf_page_create(vcpu, gfn, hva, write);
	if (!page)
		return false;
	page->told = apf_tell_missing(vcpu, page->token);
	vcpu->pv.apf_halted = !page->told;
	page->mm = current->mm;
	mmget(page->mm);
	__module_get(THIS_MODULE);
	spin_lock(&queue->lock);
	list_add_tail(&page->node, &queue->waiting);
	spin_unlock(&queue->lock);
	queue_work(apf_workers, &page->work);
	return true;
}

/* The guest has taken the last announcement, so that there is room for another. */
static bool apf_may_announce(struct vcpu *vcpu)
{
	gpa_t gpa = (vcpu->pv.apf_msr & APF_ADDR) + APF_TOKEN;
	u32 token;

	return (vcpu->pv.apf_msr & APF_ON) == APF_ON &&
	       !vcpu->pv.apf_told_ready &&
	       !guest_read(vcpu->vm, gpa, &token, sizeof(token)) && !token;
}

/* "Page ready". */
static void apf_announce(struct vcpu *vcpu, u32 token)
{
	gpa_t gpa = (vcpu->pv.apf_msr & APF_ADDR) + APF_TOKEN;
	struct lapic_msg msg = {
		.shorthand = LAPIC_SHORT_SELF,
		.mode = LAPIC_DM_FIXED,
		.vector = vcpu->pv.apf_vector,
		.assert = true,
	};

	if (guest_write(vcpu->vm, gpa, &token, sizeof(token)))
		return;
	vcpu->pv.apf_told_ready = true;
	lapic_deliver(vcpu->vm, vcpu->lapic, &msg);
}

/* The next that can be dealt with; the guest never asks for one it was not told
 * of.
 */
static struct apf_page *apf_take_ready(struct apf_queue *queue, bool announce)
{
	struct apf_page *page, *found = NULL;

	spin_lock(&queue->lock);
	list_for_each_entry(page, &queue->ready, node) {
		if (page->told && !announce)
			continue;
		list_del(&page->node);
		found = page;
		break;
	}
	spin_unlock(&queue->lock);
	return found;
}

/**
 * pv_apf_ready() - pages have come, or the guest can hear of the next (REQ_APF)
 * @vcpu: owner thread, in a read section of vm->srcu
 */
void pv_apf_ready(struct vcpu *vcpu)
{
	struct pv_vcpu *pv = &vcpu->pv;
	struct apf_page *page;
	bool announce;

	pv->apf_halted = false;
	if (!pv->apf_queue)
		return;
	announce = apf_may_announce(vcpu);
	if (announce && pv->apf_wake_all) {
		pv->apf_wake_all = false;
		announce = false;
		apf_announce(vcpu, TOKEN_ALL);
	}
	while ((page = apf_take_ready(pv->apf_queue, announce))) {
		if (page->told) {
			apf_announce(vcpu, page->token);
			announce = false;
		}
		apf_page_free(page);
	}
}

/* Forget all pages, and let go of @vcpu if it goes. */
static void apf_drop(struct vcpu *vcpu, bool gone)
{
	struct apf_queue *queue = vcpu->pv.apf_queue;
	struct apf_page *page, *next;
	LIST_HEAD(unstarted);
	LIST_HEAD(ready);

	if (!queue)
		return;
	spin_lock(&queue->lock);
	list_for_each_entry_safe(page, next, &queue->waiting, node) {
		if (cancel_work(&page->work)) {
			list_move(&page->node, &unstarted);
			continue;
		}
		list_del(&page->node);
		page->dropped = true;
	}
	list_splice_init(&queue->ready, &ready);
	if (gone)
		queue->vcpu = NULL;
	spin_unlock(&queue->lock);

	list_for_each_entry_safe(page, next, &unstarted, node) {
		apf_work_done(page->mm);
		apf_page_free(page);
	}
	list_for_each_entry_safe(page, next, &ready, node)
		apf_page_free(page);
}

/** pv_apf_reset() - nothing is on, nothing on its way */
void pv_apf_reset(struct vcpu *vcpu)
{
	struct pv_vcpu *pv = &vcpu->pv;

	apf_drop(vcpu, false);
	pv->apf_msr = 0;
	pv->apf_vector = 0;
	pv->apf_halted = false;
	pv->apf_told_ready = false;
	pv->apf_wake_all = false;
}

/** pv_apf_destroy() - the vCPU goes; workers may stay */
void pv_apf_destroy(struct vcpu *vcpu)
{
	if (!vcpu->pv.apf_queue)
		return;
	apf_drop(vcpu, true);
	apf_queue_put(vcpu->pv.apf_queue);
}

static bool apf_msr_valid(struct vcpu *vcpu, const struct msr_access *msr)
{
	bool valid;
	int idx;

	/* No nested guests, no #PF exits of theirs. */
	if (msr->data & (APF_RESERVED | KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT) ||
	    (msr->data & KVM_ASYNC_PF_DELIVERY_AS_INT && !msr->host &&
	     !pv_has(vcpu, KVM_FEATURE_ASYNC_PF_INT)) ||
	    (msr->data && !vcpu->lapic))
		return false;
	if (!(msr->data & KVM_ASYNC_PF_ENABLED))
		return true;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	valid = pv_writable(vcpu, msr->data & APF_ADDR);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return valid;
}

/**
 * pv_apf_msr_set() - MSR_KVM_ASYNC_PF_EN is written
 * @vcpu: loaded vCPU
 * @msr: address and KVM_ASYNC_PF_*
 *
 * Whoever enables it may have tasks that wait for tokens nobody knows here: of
 * before, or of another host.
 *
 * Return: 0; MSR_FAULT: bits that are not there, no memory there, no local APIC.
 */
int pv_apf_msr_set(struct vcpu *vcpu, const struct msr_access *msr)
{
	struct pv_vcpu *pv = &vcpu->pv;
	bool on = (msr->data & APF_ON) == APF_ON;

	if (!apf_msr_valid(vcpu, msr) || (on && !apf_queue_create(vcpu)))
		return MSR_FAULT;
	pv->apf_msr = msr->data;
	pv->apf_told_ready = false;
	pv->apf_wake_all = on;
	if (on) {
		vcpu_request(vcpu, REQ_APF);
	} else {
		apf_drop(vcpu, false);
		pv->apf_halted = false;
	}
	return 0;
}

/** pv_apf_int_set() - MSR_KVM_ASYNC_PF_INT is written: 0 or MSR_FAULT */
int pv_apf_int_set(struct vcpu *vcpu, u64 data)
{
	if (data & ~0xffULL || (data && !vcpu->lapic))
		return MSR_FAULT;
	vcpu->pv.apf_vector = data;
	return 0;
}

/** pv_apf_ack() - MSR_KVM_ASYNC_PF_ACK is written */
void pv_apf_ack(struct vcpu *vcpu, u64 data)
{
	if (!(data & 1))
		return;
	vcpu->pv.apf_told_ready = false;
	vcpu_request(vcpu, REQ_APF);
}
