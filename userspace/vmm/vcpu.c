// SPDX-License-Identifier: GPL-2.0-only
/* Virtual CPUs: creation, the threads that run them, how they are stopped. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "libjoist/joist.h"
#include "log.h"
#include "report.h"
#include "thread.h"
#include "vcpu.h"
#include "vm.h"

#define SIG_KICK	SIGUSR1
#define GRACE_POLL_NS	100000

#define MSR_MTRR_DEF_TYPE	0x2ff
#define MTRR_ENABLE		BIT(11)
#define MTRR_TYPE_WRITEBACK	6

static _Thread_local struct vcpu *current_vcpu;

/* Return: the vCPU of the calling thread; NULL on other threads. */
struct vcpu *vcpu_current(void)
{
	return current_vcpu;
}

/* Firmware would leave all memory write-back; a kernel warns of blank MTRRs. */
static void init_msrs(struct vcpu *vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry = {
			.index = MSR_MTRR_DEF_TYPE,
			.data = MTRR_ENABLE | MTRR_TYPE_WRITEBACK,
		},
	};

	if (joist_set_msrs(vcpu->fd, &msrs.head) != 1)
		log_warn("vCPU %u: the hypervisor has no MTRRs", vcpu->id);
}

static int create_one(struct vm *vm, struct vcpu *vcpu, unsigned int id)
{
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = joist_create_vcpu(vm->fd, id);
	if (vcpu->fd < 0) {
		log_err("cannot create vCPU %u: %s", id, strerror(-vcpu->fd));
		return vcpu->fd;
	}
	vcpu->run = mmap(NULL, (size_t)vm->run_size, PROT_READ | PROT_WRITE,
			 MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		int err = -errno;

		vcpu->run = NULL;
		log_err("cannot map the run page of vCPU %u: %s", id,
			strerror(-err));
		return err;
	}
	return 0;
}

/**
 * vcpus_create() - create all vCPUs of the configuration, not running
 * @vm: VM with its interrupt controllers
 *
 * Return: 0, or -errno with the reason logged.
 */
int vcpus_create(struct vm *vm)
{
	unsigned int i;
	int err;

	vm->vcpu = calloc(vm->config->vcpus, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return -ENOMEM;
	for (i = 0; i < vm->config->vcpus; i++)
		vm->vcpu[i].fd = -1;
	for (i = 0; i < vm->config->vcpus; i++) {
		err = create_one(vm, &vm->vcpu[i], i);
		if (err)
			return err;
	}
	err = vcpu_init_cpuid(vm);
	if (err)
		return err;
	for (i = 0; i < vm->config->vcpus && !vmm_has_firmware(vm->config); i++)
		init_msrs(&vm->vcpu[i]);
	return 0;
}

void vcpus_destroy(struct vm *vm)
{
	unsigned int i;

	if (!vm->vcpu)
		return;
	for (i = 0; i < vm->config->vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpu[i];

		if (vcpu->run)
			munmap(vcpu->run, (size_t)vm->run_size);
		if (vcpu->fd >= 0)
			close(vcpu->fd);
	}
	free(vm->vcpu);
	vm->vcpu = NULL;
}

static void kick_handler(int sig)
{
	(void)sig;	/* its arrival is the message: KVM_RUN returns -EINTR */
}

/*
 * The count needs no barrier before: who looks at it has taken the bus's lock after us, or
 * we find the bus without the device.
 */
static bool serve_exit(struct vcpu *vcpu)
{
	bool go_on;

	__atomic_store_n(&vcpu->serving, vcpu->serving + 1, __ATOMIC_RELAXED);
	go_on = vcpu_handle_exit(vcpu);
	__atomic_store_n(&vcpu->serving, vcpu->serving + 1, __ATOMIC_RELEASE);
	return go_on;
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;
	sigset_t kick;

	current_vcpu = vcpu;
	sigemptyset(&kick);
	sigaddset(&kick, SIG_KICK);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);

	while (!vm_stopping(vm)) {
		int err = joist_run(vcpu->fd);

		if (err == -EINTR || err == -EAGAIN) {
			pause_point(vcpu);
			continue;
		}
		if (err) {
			vm_stop(vm, VMM_INTERNAL, "run-failed",
				report_vcpu(vcpu), "vCPU %u cannot run: %s",
				vcpu->id, strerror(-err));
			break;
		}
		if (!serve_exit(vcpu))
			break;
	}
	return NULL;
}

/* Return: 0, or -errno with the reason logged; vcpus_stop() is due in both cases. */
int vcpus_start(struct vm *vm)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	sigset_t kick;
	unsigned int i;
	char name[16];
	int err;

	sigemptyset(&kick);
	sigaddset(&kick, SIG_KICK);
	pthread_sigmask(SIG_BLOCK, &kick, NULL);
	sigaction(SIG_KICK, &sa, NULL);

	for (i = 0; i < vm->config->vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpu[i];

		snprintf(name, sizeof(name), "vcpu%u", i);
		err = thread_start(&vcpu->thread, name, vcpu_thread, vcpu);
		if (err) {
			log_err("cannot start the thread of vCPU %u: %s", i,
				strerror(-err));
			return err;
		}
		vcpu->started = true;
	}
	return 0;
}

/**
 * vcpus_grace() - wait for the exits that are being served now
 * @vm: VM
 *
 * What was taken off a bus before is not in use afterwards. Not on a vCPU's thread, nor on
 * the main one: a guest that prints may wait for that.
 */
void vcpus_grace(struct vm *vm)
{
	const struct timespec pause = { .tv_nsec = GRACE_POLL_NS };
	unsigned int i;

	for (i = 0; i < vm->config->vcpus; i++) {
		const u64 *serving = &vm->vcpu[i].serving;
		u64 seen = __atomic_load_n(serving, __ATOMIC_ACQUIRE);

		while ((seen & 1) && __atomic_load_n(serving, __ATOMIC_ACQUIRE) == seen)
			nanosleep(&pause, NULL);
	}
}

/**
 * vcpus_kick() - have all vCPUs leave the guest
 * @vm: VM
 * @stay: KVM_RUN returns at once from here on; else it may enter the guest again
 *
 * immediate_exit first: a kick that comes between two KVM_RUNs is not lost.
 */
void vcpus_kick(struct vm *vm, bool stay)
{
	unsigned int i;

	for (i = 0; i < vm->config->vcpus; i++)
		if (vm->vcpu[i].started)
			__atomic_store_n(&vm->vcpu[i].run->immediate_exit, stay,
					 __ATOMIC_SEQ_CST);
	for (i = 0; stay && i < vm->config->vcpus; i++)
		if (vm->vcpu[i].started)
			pthread_kill(vm->vcpu[i].thread, SIG_KICK);
}

/* KVM_NMI for each vCPU; they are paused, so that none is kept by KVM_RUN. */
int vcpus_nmi(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < vm->config->vcpus; i++)
		err = joist_nmi(vm->vcpu[i].fd);
	return err;
}

/* Stop and join the vCPUs' threads; vm_stop() was called. */
void vcpus_stop(struct vm *vm)
{
	unsigned int i;

	if (!vm->vcpu)
		return;
	vcpus_kick(vm, true);
	pause_end(vm);
	for (i = 0; i < vm->config->vcpus; i++) {
		if (vm->vcpu[i].started)
			pthread_join(vm->vcpu[i].thread, NULL);
		vm->vcpu[i].started = false;
	}
}
