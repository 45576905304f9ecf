// SPDX-License-Identifier: GPL-2.0-only
/* Coalesced I/O: writes that wait in the ring, and those that do not. */
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "lib/test.h"

#define PAGE		4096UL
#define ZONE		(GPA_HOLE + 0x1100)	/* within a page */
#define PORT		0x510
#define ENTRIES		KVM_COALESCED_MMIO_MAX
#define PAGE_SIZE	PAGE	/* for that */

FIXTURE(coalesced)
{
	struct test_vm vm;
	struct kvm_run *run;
	struct kvm_coalesced_mmio_ring *ring;
};

FIXTURE_SETUP(coalesced)
{
	int at;

	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->run = self->vm.run[0];
	at = xioctl_val(self->vm.dev, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	ASSERT_LT(0, at);
	ASSERT_LE((at + 1) * PAGE, self->vm.run_size);
	self->ring = (void *)((uint8_t *)self->run + at * PAGE);
	EXPECT_EQ(1, xioctl_val(self->vm.fd, KVM_CHECK_EXTENSION,
				KVM_CAP_COALESCED_PIO));
}

FIXTURE_TEARDOWN(coalesced)
{
	vm_close(&self->vm);
}

static int zone(struct test_vm *vm, unsigned long cmd, uint64_t addr,
		uint32_t size, uint32_t pio)
{
	struct kvm_coalesced_mmio_zone z = {
		.addr = addr, .size = size, .pio = pio,
	};

	return xioctl(vm->fd, cmd, &z);
}

static int zone_add(struct test_vm *vm, uint64_t addr, uint32_t size,
		    uint32_t pio)
{
	return zone(vm, KVM_REGISTER_COALESCED_MMIO, addr, size, pio);
}

static int zone_del(struct test_vm *vm, uint64_t addr, uint32_t size,
		    uint32_t pio)
{
	return zone(vm, KVM_UNREGISTER_COALESCED_MMIO, addr, size, pio);
}

static int guest_regs(struct test_vm *vm, uint64_t rbx, uint64_t rcx,
		      uint64_t rdx)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rflags = 2, .rsp = GPA_STACK, .rax = 1,
		.rbx = rbx, .rcx = rcx, .rdx = rdx, .rsi = GPA_DATA,
	};

	return xioctl(vm->vcpu[0], KVM_SET_REGS, &regs);
}

/* RCX times a word of EAX, which counts up, to RBX. */
GUEST64(code_mmio,
	"1: mov %eax, (%rbx)\n"
	"inc %eax\n"
	"loop 1b\n" DONE);

/* The same to port DX. */
GUEST64(code_pio,
	"1: out %eax, %dx\n"
	"inc %eax\n"
	"loop 1b\n" DONE);

GUEST64(code_byte_word_quad,
	"movb $0x11, (%rbx)\n"
	"movw $0x2222, 2(%rbx)\n"
	"mov $0x3333333344444444, %rax\n"
	"mov %rax, 8(%rbx)\n" DONE);

GUEST64(code_string,
	"cld\n rep outsw\n" DONE);

#define EXPECT_ENTRY(n, gpa, bytes, val, is_pio)			\
	do {								\
		struct kvm_coalesced_mmio *e = &self->ring->coalesced_mmio[n]; \
		uint64_t data = 0;					\
		uint32_t len = (bytes);					\
									\
		memcpy(&data, e->data, len);				\
		EXPECT_EQ(gpa, e->phys_addr);				\
		EXPECT_EQ(len, e->len);					\
		EXPECT_EQ(val, data);					\
		EXPECT_EQ(is_pio, e->pio);				\
	} while (0)

/* An ordinary exit for a write to @gpa. */
#define EXPECT_MMIO(gpa)						\
	do {								\
		ASSERT_EQ(KVM_EXIT_MMIO, vcpu_run(&self->vm, 0));	\
		EXPECT_EQ(1, self->run->mmio.is_write);			\
		EXPECT_EQ(gpa, self->run->mmio.phys_addr);		\
	} while (0)

TEST_F(coalesced, arguments)
{
	struct test_vm *vm = &self->vm;

	EXPECT_EQ(-EINVAL, zone_add(vm, ZONE, 16, 2));
	EXPECT_EQ(-EINVAL, zone_del(vm, ZONE, 16, 2));
	EXPECT_EQ(-EFAULT, xioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, (void *)8));
	/* Nothing there to be taken back: no matter. */
	EXPECT_EQ(0, zone_del(vm, ZONE, 16, 0));
	EXPECT_EQ(0, zone_add(vm, ZONE, 16, 0));
	EXPECT_EQ(0, zone_add(vm, ZONE, 16, 0));
	EXPECT_EQ(0, zone_add(vm, ~0ULL, 16, 0));
	EXPECT_EQ(0, zone_add(vm, PORT, 0, 1));
	EXPECT_EQ(0, self->ring->first);
	EXPECT_EQ(0, self->ring->last);
}

TEST_F(coalesced, mmio)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, zone_add(vm, ZONE, 16, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE + 4, 3, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(3, self->ring->last);
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_ENTRY(i, ZONE + 4, 4, 1 + i, 0);

	/* Outside, and half outside, on both sides. */
	static const int off[] = { -4, -1, 13, 16, 0x100 };

	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, guest_regs(vm, ZONE + off[i], 1, 0));
		EXPECT_MMIO(ZONE + off[i]);
		EXPECT_EQ(0, vcpu_done(vm, 0));
	}
	EXPECT_EQ(3, self->ring->last);
	/* A port of that number is another thing. */
	vm_load(vm, GPA_CODE, code_pio);
	ASSERT_EQ(0, zone_add(vm, PORT, 16, 0));
	ASSERT_EQ(0, guest_regs(vm, 0, 1, PORT));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(vm, 0));
	EXPECT_EQ(PORT, self->run->io.port);
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(3, self->ring->last);
}

TEST_F(coalesced, sizes)
{
	struct test_vm *vm = &self->vm;

	vm_load(vm, GPA_CODE, code_byte_word_quad);
	ASSERT_EQ(0, zone_add(vm, ZONE, 16, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE, 0, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(3, self->ring->last);
	EXPECT_ENTRY(0, ZONE, 1, 0x11, 0);
	EXPECT_ENTRY(1, ZONE + 2, 2, 0x2222, 0);
	EXPECT_ENTRY(2, ZONE + 8, 8, 0x3333333344444444, 0);
}

TEST_F(coalesced, pio)
{
	struct test_vm *vm = &self->vm;
	uint16_t *words = (uint16_t *)(vm->mem + GPA_DATA);

	vm_load(vm, GPA_CODE, code_pio);
	ASSERT_EQ(0, zone_add(vm, PORT, 4, 1));
	ASSERT_EQ(0, guest_regs(vm, 0, 2, PORT));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(2, self->ring->last);
	EXPECT_ENTRY(0, PORT, 4, 1, 1);
	EXPECT_ENTRY(1, PORT, 4, 2, 1);
	/* Half outside. */
	ASSERT_EQ(0, guest_regs(vm, 0, 1, PORT + 2));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(vm, 0));
	EXPECT_EQ(PORT + 2, self->run->io.port);
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(2, self->ring->last);
	/* Strings, word by word. */
	vm_load(vm, GPA_CODE, code_string);
	for (int i = 0; i < 5; i++)
		words[i] = 0x100 + i;
	ASSERT_EQ(0, guest_regs(vm, 0, 5, PORT));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(7, self->ring->last);
	for (uint32_t i = 0; i < 5; i++)
		EXPECT_ENTRY(2 + i, PORT, 2, 0x100 + i, 1);
}

/* The write that finds no room exits, and so do all after it. (KVM 6.1 takes its
 * ring for full when it is half so.)
 */
TEST_F(coalesced, full)
{
	struct test_vm *vm = &self->vm;
	unsigned int n = 0, room;
	int ret;

	vm_load(vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, zone_add(vm, ZONE, 16, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE, ENTRIES + 2, 0));
	while ((ret = vcpu_run(vm, 0)) == KVM_EXIT_MMIO) {
		n++;
		EXPECT_EQ(self->ring->last + n,
			  *(uint32_t *)self->run->mmio.data);
	}
	EXPECT_EQ(KVM_EXIT_IO, ret);
	room = self->ring->last;
	EXPECT_EQ(ENTRIES + 2, room + n);
	EXPECT_ENTRY(room - 1, ZONE, 4, room, 0);
	if (!strcmp(test_dev(), "/dev/kvm"))
		return;
	EXPECT_EQ(ENTRIES - 1, room);

	/* Two are read: there is room for two, the second at the start again. */
	self->ring->first = 2;
	ASSERT_EQ(0, guest_regs(vm, ZONE, 3, 0));
	EXPECT_MMIO(ZONE);
	EXPECT_EQ(3, *(uint32_t *)self->run->mmio.data);
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(1, self->ring->last);
	EXPECT_ENTRY(ENTRIES - 1, ZONE, 4, 1, 0);
	EXPECT_ENTRY(0, ZONE, 4, 2, 0);
}

TEST_F(coalesced, unregistered)
{
	struct test_vm *vm = &self->vm;

	if (!strcmp(test_dev(), "/dev/kvm"))
		SKIP(return, "KVM may not find a zone that overlaps another");
	vm_load(vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, zone_add(vm, ZONE, 64, 0));
	ASSERT_EQ(0, zone_add(vm, ZONE + 16, 16, 0));
	ASSERT_EQ(0, zone_add(vm, ZONE + 256, 16, 0));
	/* Two have it: it is recorded once. */
	ASSERT_EQ(0, guest_regs(vm, ZONE + 16, 1, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(1, self->ring->last);
	/* Not whole in any of them, or of the other kind: none goes. */
	ASSERT_EQ(0, zone_del(vm, ZONE, 65, 0));
	ASSERT_EQ(0, zone_del(vm, ZONE, 64, 1));
	ASSERT_EQ(0, guest_regs(vm, ZONE + 60, 1, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(2, self->ring->last);
	/* All that have it go. */
	ASSERT_EQ(0, zone_del(vm, ZONE + 16, 16, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE + 16, 1, 0));
	EXPECT_MMIO(ZONE + 16);
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE, 1, 0));
	EXPECT_MMIO(ZONE);
	EXPECT_EQ(0, vcpu_done(vm, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE + 256, 1, 0));
	EXPECT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(3, self->ring->last);
}

/* A device in the kernel comes before the zone around it. */
TEST_F(coalesced, behind_an_ioeventfd)
{
	struct test_vm *vm = &self->vm;
	struct kvm_ioeventfd io = {
		.addr = ZONE + 8, .len = 4, .fd = eventfd(0, EFD_NONBLOCK),
	};
	uint64_t val = 0;

	ASSERT_LE(0, io.fd);
	vm_load(vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, zone_add(vm, ZONE, 16, 0));
	ASSERT_EQ(0, xioctl(vm->fd, KVM_IOEVENTFD, &io));
	ASSERT_EQ(0, guest_regs(vm, ZONE + 8, 2, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	if (!strcmp(test_dev(), "/dev/joist")) {
		EXPECT_EQ(8, read(io.fd, &val, 8));
		EXPECT_EQ(2, val);
		EXPECT_EQ(0, self->ring->last);
	}
	ASSERT_EQ(0, guest_regs(vm, ZONE + 4, 1, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_LE(1, self->ring->last);
	close(io.fd);
}

/* One ring for the whole VM, whichever vCPU's file it is seen through. */
TEST_F(coalesced, one_ring)
{
	struct test_vm *vm = &self->vm;
	struct kvm_coalesced_mmio_ring *other;

	ASSERT_LE(0, vm_add_vcpu(vm, 1));
	other = (void *)((uint8_t *)vm->run[1] +
			 ((uint8_t *)self->ring - (uint8_t *)self->run));
	vm_load(vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, zone_add(vm, ZONE, 16, 0));
	ASSERT_EQ(0, guest_regs(vm, ZONE, 5, 0));
	ASSERT_EQ(0, vcpu_done(vm, 0));
	EXPECT_EQ(5, other->last);
}

struct scribbler {
	struct kvm_coalesced_mmio_ring *ring;
	struct test_vm *vm;
	volatile bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	unsigned int seed = 1;

	while (!s->stop) {
		seed = seed * 1103515245 + 12345;
		__atomic_store_n(&s->ring->first, seed >> (seed & 31),
				 __ATOMIC_RELAXED);
		seed = seed * 1103515245 + 12345;
		__atomic_store_n(&s->ring->last, seed >> (seed & 31),
				 __ATOMIC_RELAXED);
		zone_add(s->vm, ZONE, 16, 0);
		zone_del(s->vm, ZONE, 16, 0);
	}
	return NULL;
}

/* The ring is the VMM's to write, and zones come and go under the guest. */
TEST_F_TIMEOUT(coalesced, scribbled_on, 200)
{
	struct test_vm *vm = &self->vm;
	struct scribbler s = { .ring = self->ring, .vm = vm };
	pthread_t thread;
	int ret;

	vm_load(vm, GPA_CODE, code_mmio);
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, guest_regs(vm, ZONE, 500, 0));
		while ((ret = vcpu_run(vm, 0)) == KVM_EXIT_MMIO)
			;
		EXPECT_EQ(KVM_EXIT_IO, ret);
	}
	s.stop = true;
	pthread_join(thread, NULL);
}

JOIST_TEST_MAIN
