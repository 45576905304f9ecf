/* SPDX-License-Identifier: GPL-2.0-only */
/* A slot whose writes are logged, and vCPUs that write: for the tests of dirty logging. */
#ifndef JOIST_SELFTESTS_DIRTY_H
#define JOIST_SELFTESTS_DIRTY_H

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "test.h"

#define SLOT_GPA	0x40000000UL
#define PAGE		4096UL
#define EXTRA_SIZE	(8UL << 20)
#define EXTRA_PAGES	(EXTRA_SIZE / PAGE)
#define LOG		KVM_MEM_LOG_DIRTY_PAGES

#define MANUAL		KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE
#define ALL_SET		KVM_DIRTY_LOG_INITIALLY_SET

#define MSR_WALL_CLOCK	0x4b564d00

FIXTURE(dirty)
{
	struct test_vm vm;
	uint8_t *extra;			/* 2 MiB aligned */
	void *map;
	struct kvm_dirty_gfn *ring;	/* of vCPU 0 */
	unsigned int ring_nr;
	uint32_t at;			/* next entry to be read */
};

FIXTURE_SETUP(dirty)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	self->map = mmap(NULL, EXTRA_SIZE + (2 << 20), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	self->extra = (void *)(((uintptr_t)self->map + (2 << 20) - 1) &
			       ~((2UL << 20) - 1));
}

FIXTURE_TEARDOWN(dirty)
{
	if (self->ring)
		munmap(self->ring, self->ring_nr * sizeof(*self->ring));
	vm_close(&self->vm);
	munmap(self->map, EXTRA_SIZE + (2 << 20));
}

static inline int enable(struct test_vm *vm, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };

	return xioctl(vm->fd, KVM_ENABLE_CAP, &c);
}

static inline int set_log(struct test_vm *vm, uint32_t flags, unsigned int pages,
			  void *mem)
{
	return vm_set_memory(vm, 1, flags, SLOT_GPA, pages * PAGE, mem);
}

static inline int get_log(struct test_vm *vm, uint32_t slot, void *bits)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bits };

	return xioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static inline int clear_log(struct test_vm *vm, uint32_t slot, uint64_t first,
			    uint32_t nr, void *bits)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot, .first_page = first, .num_pages = nr,
		.dirty_bitmap = bits,
	};

	return xioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static inline int reset_rings(struct test_vm *vm)
{
	return xioctl(vm->fd, KVM_RESET_DIRTY_RINGS, NULL);
}

static inline unsigned int count_bits(const uint64_t *bits, unsigned int words)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < words; i++)
		n += __builtin_popcountll(bits[i]);
	return n;
}

/* Writes RCX, counting down, to each of that many pages from RBX on. */
GUEST64(code_fill,
	"1: mov %ecx, (%rbx)\n"
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

/* Reads them. */
GUEST64(code_touch,
	"1: mov (%rbx), %eax\n"
	"add $0x1000, %rbx\n"
	"loop 1b\n" DONE);

static inline int guest_regs(struct test_vm *vm, int i, uint64_t rbx, uint64_t rcx,
			     uint64_t rdx)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rflags = 2, .rsp = GPA_STACK,
		.rbx = rbx, .rcx = rcx, .rdx = rdx,
	};

	return xioctl(vm->vcpu[i], KVM_SET_REGS, &regs);
}

static inline int fill(struct test_vm *vm, unsigned int first, unsigned int pages)
{
	int ret = guest_regs(vm, 0, SLOT_GPA + first * PAGE, pages, 0);

	return ret ? ret : vcpu_done(vm, 0);
}

#define NEW_VCPU()							\
	do {								\
		ASSERT_LE(0, vm_add_vcpu(&self->vm, 0));		\
		ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));	\
		vm_load(&self->vm, GPA_CODE, code_fill);		\
	} while (0)

#define RING_AT		(KVM_DIRTY_LOG_PAGE_OFFSET * PAGE)

static inline struct kvm_dirty_gfn *map_ring(struct test_vm *vm, unsigned int nr)
{
	void *ring = mmap(NULL, nr * sizeof(struct kvm_dirty_gfn),
			  PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[0], RING_AT);

	return ring == MAP_FAILED ? NULL : ring;
}

/* A vCPU with a ring of so many entries. */
#define NEW_RING(entries)						\
	do {								\
		self->ring_nr = (entries);				\
		ASSERT_EQ(0, enable(&self->vm, KVM_CAP_DIRTY_LOG_RING,	\
				    self->ring_nr * sizeof(*self->ring))); \
		NEW_VCPU();						\
		self->ring = map_ring(&self->vm, self->ring_nr);	\
		ASSERT_NE(NULL, self->ring);				\
	} while (0)

/* The next entry's offset, or -1: there is none, or -2: it is of another slot. */
static inline int64_t ring_next(struct kvm_dirty_gfn *ring, unsigned int nr,
				uint32_t *at, uint32_t slot)
{
	struct kvm_dirty_gfn *e = &ring[*at % nr];
	int64_t offset = -2;

	if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
		return -1;
	if (e->slot == slot)
		offset = e->offset;
	__atomic_store_n(&e->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	++*at;
	return offset;
}

#define RING_NEXT(slot) ring_next(self->ring, self->ring_nr, &self->at, slot)

/* Adds one to a word of a random page of 512 from RBX on, for ever. */
GUEST64(code_scatter,
	"1: mov %rdx, %rax\n shl $13, %rax\n xor %rax, %rdx\n"
	"mov %rdx, %rax\n shr $7, %rax\n xor %rax, %rdx\n"
	"mov %rdx, %rax\n shl $17, %rax\n xor %rax, %rdx\n"
	"mov %edx, %eax\n and $0x1ff, %eax\n shl $12, %rax\n"
	"lock incl (%rbx,%rax)\n"
	"jmp 1b\n");

struct runner {
	struct test_vm *vm;
	int i;
	pthread_t thread;
	volatile bool stop;
	volatile int bad;
};

static inline void on_usr1(int sig)
{
}

static inline void *run_thread(void *arg)
{
	struct runner *r = arg;

	while (!r->stop) {
		int ret = vcpu_run(r->vm, r->i);

		if (ret == KVM_EXIT_DIRTY_RING_FULL) {
			usleep(100);
		} else if (ret != KVM_EXIT_MMIO && ret != -EINTR &&
			   ret != -EAGAIN) {
			vcpu_complain(r->vm, r->i, "to go on", ret);
			r->bad = 1;
			break;
		}
	}
	return NULL;
}

static inline int runner_start(struct runner *r, struct test_vm *vm, int i)
{
	struct sigaction sa = { .sa_handler = on_usr1 };

	sigaction(SIGUSR1, &sa, NULL);
	*r = (struct runner){ .vm = vm, .i = i };
	vm->run[i]->immediate_exit = 0;
	return -pthread_create(&r->thread, NULL, run_thread, r);
}

static inline void runner_stop(struct runner *r)
{
	r->stop = true;
	r->vm->run[r->i]->immediate_exit = 1;
	pthread_kill(r->thread, SIGUSR1);
	pthread_join(r->thread, NULL);
}

#define ROUND_PAGES	512

#endif
