// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults: where the host has to fetch a page first, the guest
 * is told so by a #PF with a token, runs another of its tasks, and gets an
 * interrupt when the page is there. Where it could take no #PF now it waits as
 * if it had halted: interrupts still come in.
 *
 * A thread for each page makes it present in the VMM's memory and keeps nothing
 * of it. It may wait for long, and for what the VMM itself has to do: nothing here
 * waits for it. Where the page is not wanted any more it is killed, for while it
 * waits it holds the VMM's memory, and with that the vCPU's own mapping.
 */
#include <linux/kthread.h>
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <asm/trapnr.h>

#include "msr.h"
#include "vendor_ops.h"
#include "x86.h"
#include "../core/vm.h"
#include "../irqchip/lapic.h"

/* Pages on their way: so many for one vCPU and one VM; beyond, vCPUs wait. The
 * host's threads have a limit, too, that no VM alone comes near.
 */
#define APF_MAX_VCPU	32
#define APF_MAX_VM	128
#define APF_MAX_THREADS	4096

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
 * @waiting: their threads are at them
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
 * @task: its thread, until it has done with the page: queue->lock
 * @queue: whose
 * @node: in one of the queue's lists: queue->lock
 * @dropped: nobody wants to hear, in no list: queue->lock
 * @killed: nobody wants it: queue->lock
 * @mm: the VMM's; it may end meanwhile
 * @hva: there
 * @gfn: for the guest
 * @write: it is to be written
 * @token: the guest's name for it
 * @told: the guest knows the token; vcpu->mutex
 */
struct apf_page {
	struct task_struct *task;
	struct apf_queue *queue;
	struct list_head node;
	bool dropped;
	bool killed;
	struct mm_struct *mm;
	hva_t hva;
	gfn_t gfn;
	bool write;
	u32 token;
	bool told;
};

static atomic_t apf_threads;

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
	/* Pairs with the acquire in pv_apf_hurry(). */
	smp_store_release(&vcpu->pv.apf_queue, queue);
	return true;
}

/* The page is in no list, and no thread at it. */
static void apf_page_free(struct apf_page *page)
{
	atomic_dec(&page->queue->nr);
	apf_queue_put(page->queue);
	mmdrop(page->mm);
	kfree(page);
}

static bool apf_killed(struct apf_page *page)
{
	bool killed;

	spin_lock(&page->queue->lock);
	killed = page->killed;
	spin_unlock(&page->queue->lock);
	return killed;
}

/* The thread is not to wait any longer: it wakes up from what can be killed. */
static void apf_kill(struct apf_page *page)
{
	lockdep_assert_held(&page->queue->lock);
	page->killed = true;
	send_sig(SIGKILL, page->task, 1);
}

static void apf_make_present(const struct apf_page *page)
{
	struct page *host;

	if (!mmget_not_zero(page->mm))
		return;
	kthread_use_mm(page->mm);
	if (get_user_pages_unlocked(page->hva, 1, &host,
				    page->write ? FOLL_WRITE : 0) == 1)
		put_page(host);
	kthread_unuse_mm(page->mm);
	mmput(page->mm);
}

static int apf_thread(void *data)
{
	struct apf_page *page = data;
	struct apf_queue *queue = page->queue;
	bool dropped;

	/* From here apf_kill() wakes it; what came before is in the flag. */
	allow_kernel_signal(SIGKILL);
	if (!apf_killed(page))
		apf_make_present(page);
	spin_lock(&queue->lock);
	page->task = NULL;
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
	atomic_dec(&apf_threads);
	module_put_and_kthread_exit(0);
}

/* Its thread is made, but does not run yet. */
static bool apf_thread_create(struct vcpu *vcpu, struct apf_page *page)
{
	if (atomic_inc_return(&apf_threads) > APF_MAX_THREADS)
		goto out;
	page->task = kthread_create(apf_thread, page, "joist-apf/%d",
				    vcpu->vm->owner_pid);
	if (IS_ERR(page->task))
		goto out;
	return true;
out:
	atomic_dec(&apf_threads);
	return false;
}

static struct apf_page *apf_page_create(struct vcpu *vcpu, gfn_t gfn, hva_t hva,
					bool write)
{
	struct apf_queue *queue = vcpu->pv.apf_queue;
	struct apf_page *page;

	/* The mutex keeps this vCPU's count from growing meanwhile. */
	if (atomic_read(&queue->nr) >= APF_MAX_VCPU)
		return NULL;
	if (atomic_inc_return(&vcpu->vm->apf_pages) > APF_MAX_VM)
		goto out;
	page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
	if (!page)
		goto out;
	page->queue = queue;
	if (!apf_thread_create(vcpu, page)) {
		kfree(page);
		goto out;
	}
	vcpu->pv.apf_next++;
	if (!(vcpu->pv.apf_next << TOKEN_ID_BITS))
		vcpu->pv.apf_next = 1;
	page->token = vcpu->pv.apf_next << TOKEN_ID_BITS | vcpu->id;
	page->gfn = gfn;
	page->hva = hva;
	page->write = write;
	page->mm = vcpu->vm->mm;
	mmgrab(page->mm);
	refcount_inc(&queue->refs);
	atomic_inc(&queue->nr);
	return page;
out:
	atomic_dec(&vcpu->vm->apf_pages);
	return NULL;
}

/* One of the VM's pages less is waited for. */
static void apf_page_done(struct vcpu *vcpu, struct apf_page *page)
{
	atomic_dec(&vcpu->vm->apf_pages);
	apf_page_free(page);
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
	vcpu->pv.apf_telling = token;
	return true;
}

static struct apf_page *apf_find(struct list_head *list, u32 token)
{
	struct apf_page *page;

	list_for_each_entry(page, list, node)
		if (page->token == token)
			return page;
	return NULL;
}

/* Is the #PF that tells of a page still on its way, as it was or as the VMM was
 * shown it?
 */
static bool apf_telling(struct vcpu *vcpu)
{
	const struct pending_exception *e = &vcpu->exception;
	u64 addr = e->payload_valid ? e->payload : vcpu->cr2;

	return (e->pending || e->injected) && e->vector == X86_TRAP_PF &&
	       e->has_error && !e->error && addr == vcpu->pv.apf_telling;
}

/* It will not arrive: the guest is to find its flags as if nothing had been said. */
static void apf_untell(struct vcpu *vcpu)
{
	gpa_t gpa = (vcpu->pv.apf_msr & APF_ADDR) + APF_FLAGS;
	struct apf_queue *queue = vcpu->pv.apf_queue;
	u32 token = vcpu->pv.apf_telling, flags;
	struct apf_page *page;

	vcpu->pv.apf_telling = 0;
	spin_lock(&queue->lock);
	page = apf_find(&queue->waiting, token) ?:
	       apf_find(&queue->ready, token);
	if (page)
		page->told = false;
	spin_unlock(&queue->lock);
	if ((vcpu->pv.apf_msr & APF_ON) != APF_ON ||
	    guest_read(vcpu->vm, gpa, &flags, sizeof(flags)) ||
	    flags != KVM_PV_REASON_PAGE_NOT_PRESENT)
		return;
	flags = 0;
	guest_write(vcpu->vm, gpa, &flags, sizeof(flags));
}

/**
 * pv_apf_settle() - KVM_RUN begins: has the VMM taken away the #PF?
 * @vcpu: owner thread, in a read section of vm->srcu; pv.apf_telling is not 0
 *
 * Not earlier: a VMM that writes all of a state back does so piece by piece. If so,
 * the guest finds the page missing once more, and waits for it then.
 */
void pv_apf_settle(struct vcpu *vcpu)
{
	if (!apf_telling(vcpu))
		apf_untell(vcpu);
}

/** pv_apf_entered() - the guest was entered and left: has it got it? */
void pv_apf_entered(struct vcpu *vcpu)
{
	if (!apf_telling(vcpu))
		vcpu->pv.apf_telling = 0;
}

/* The page came before the guest has heard that it is missing: it need not. */
static void apf_untell_ready(struct vcpu *vcpu)
{
	struct apf_queue *queue = vcpu->pv.apf_queue;
	bool ready;

	if (!vcpu->exception.pending || !apf_telling(vcpu))
		return;
	spin_lock(&queue->lock);
	ready = apf_find(&queue->ready, vcpu->pv.apf_telling);
	spin_unlock(&queue->lock);
	if (!ready)
		return;
	vcpu->exception.pending = false;
	apf_untell(vcpu);
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
	__module_get(THIS_MODULE);
	spin_lock(&queue->lock);
	list_add_tail(&page->node, &queue->waiting);
	wake_up_process(page->task);
	spin_unlock(&queue->lock);
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
	if (unlikely(pv->apf_telling))
		apf_untell_ready(vcpu);
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
		apf_page_done(vcpu, page);
	}
}

/* Forget all pages, and let go of @vcpu if it goes. */
static void apf_drop(struct vcpu *vcpu, bool gone)
{
	struct apf_queue *queue = vcpu->pv.apf_queue;
	struct apf_page *page, *next;
	LIST_HEAD(ready);

	if (!queue)
		return;
	spin_lock(&queue->lock);
	list_for_each_entry_safe(page, next, &queue->waiting, node) {
		list_del(&page->node);
		page->dropped = true;
		apf_kill(page);
		atomic_dec(&vcpu->vm->apf_pages);
	}
	list_splice_init(&queue->ready, &ready);
	if (gone)
		queue->vcpu = NULL;
	spin_unlock(&queue->lock);

	list_for_each_entry_safe(page, next, &ready, node)
		apf_page_done(vcpu, page);
}

/**
 * pv_apf_hurry() - a file of the vCPU is closed: its VMM may be at its end
 * @vcpu: any; nothing held
 *
 * Threads that wait for a page hold the VMM's memory, that the mapping of the vCPU,
 * and this its last file: they end now. A vCPU that goes on hears that its pages
 * are there, and asks again.
 */
void pv_apf_hurry(struct vcpu *vcpu)
{
	/* Pairs with the release in apf_queue_create(). */
	struct apf_queue *queue = smp_load_acquire(&vcpu->pv.apf_queue);
	struct apf_page *page;

	if (!queue)
		return;
	spin_lock(&queue->lock);
	list_for_each_entry(page, &queue->waiting, node)
		apf_kill(page);
	spin_unlock(&queue->lock);
}

/** pv_apf_reset() - nothing is on, nothing on its way */
void pv_apf_reset(struct vcpu *vcpu)
{
	struct pv_vcpu *pv = &vcpu->pv;

	apf_drop(vcpu, false);
	pv->apf_telling = 0;
	pv->apf_msr = 0;
	pv->apf_vector = 0;
	pv->apf_halted = false;
	pv->apf_told_ready = false;
	pv->apf_wake_all = false;
}

/** pv_apf_destroy() - the vCPU goes; threads may stay a little */
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
