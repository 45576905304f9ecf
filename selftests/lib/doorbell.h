/* SPDX-License-Identifier: GPL-2.0-only */
/* Doorbells: ioeventfds, and a guest that writes while one comes and goes. */
#ifndef JOIST_SELFTESTS_DOORBELL_H
#define JOIST_SELFTESTS_DOORBELL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vm.h"

static inline int ioeventfd(struct test_vm *vm, int fd, uint64_t addr, int len,
			    int flags, uint64_t value)
{
	struct kvm_ioeventfd io = {
		.addr = addr, .len = len, .fd = fd, .flags = flags,
		.datamatch = value,
	};

	return xioctl(vm->fd, KVM_IOEVENTFD, &io);
}

/* What a non-blocking eventfd has counted since it was last asked. */
static inline int64_t events(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

struct writer {
	struct test_vm *vm;
	uint64_t addr;
	bool pio;
	uint64_t exits;
	volatile int ret;		/* 1: runs, 0: is done, -1 */
};

static inline void *writer_run(void *arg)
{
	struct writer *w = arg;
	struct kvm_run *run = w->vm->run[0];

	while (w->ret == 1) {
		int ret = vcpu_run(w->vm, 0);

		if (ret == KVM_EXIT_IO && run->io.port == PORT_DONE)
			w->ret = 0;
		else if (w->pio ? ret == KVM_EXIT_IO && run->io.port == w->addr :
			 ret == KVM_EXIT_MMIO && run->mmio.phys_addr == w->addr)
			w->exits++;
		else
			w->ret = -1;
	}
	return NULL;
}

/*
 * vCPU 0 writes four bytes to @addr until it is DONE; meanwhile they are an ioeventfd's,
 * and then userspace's. How often each was told: 0, or -1.
 */
static inline int doorbell_comes_and_goes(struct test_vm *vm, uint64_t addr,
					  bool pio, int64_t *rung, int64_t *exits)
{
	int flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0;
	struct writer w = { .vm = vm, .addr = addr, .pio = pio, .ret = 1 };
	int fd = eventfd(0, EFD_NONBLOCK);
	pthread_t thread;
	int err;

	*rung = 0;
	err = ioeventfd(vm, fd, addr, 4, flags, 0);
	if (err || pthread_create(&thread, NULL, writer_run, &w)) {
		close(fd);
		return -1;
	}
	while (w.ret == 1) {
		usleep(500);
		err |= ioeventfd(vm, fd, addr, 4,
				 flags | KVM_IOEVENTFD_FLAG_DEASSIGN, 0);
		*rung += events(fd);
		usleep(500);
		err |= ioeventfd(vm, fd, addr, 4, flags, 0);
	}
	pthread_join(thread, NULL);
	*rung += events(fd);
	*exits = w.exits;
	close(fd);
	return err || w.ret ? -1 : 0;
}

#endif
