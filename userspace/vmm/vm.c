// SPDX-License-Identifier: GPL-2.0-only
/* Creation, end and destruction of the virtual machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/layout.h"
#include "chipset/chipset.h"
#include "chipset/i6300esb.h"
#include "libjoist/joist.h"
#include "host_mmio.h"
#include "host_ports.h"
#include "log.h"
#include "name.h"
#include "report.h"
#include "vcpu.h"
#include "vfio/hostdev.h"
#include "virtio/balloon.h"
#include "virtio/blk.h"
#include "virtio/mem.h"
#include "virtio/net.h"
#include "virtio/ports.h"
#include "virtio/rng.h"
#include "virtio/share.h"
#include "virtio/vsock.h"
#include "vm.h"

static int open_device(struct vm *vm)
{
	const struct vmm_file *device = &vm->config->device;

	if (device->fd < 0)
		vm->sys_fd = vmm_open_device(device->path);
	else
		vm->sys_fd = vmm_file_open(device, O_RDWR);
	if (vm->sys_fd < 0)
		return vm->sys_fd;
	if (device->fd >= 0 && vmm_check_device(vm->sys_fd, device->path))
		return -EINVAL;
	vm->run_size = joist_run_size(vm->sys_fd);
	if (vm->run_size < (int)sizeof(struct kvm_run)) {
		log_err("%s: a run page of %d bytes is too small",
			device->path, vm->run_size);
		return -EINVAL;
	}
	return 0;
}

static int create_vm(struct vm *vm)
{
	int max;

	vm->fd = joist_create_vm(vm->sys_fd);
	if (vm->fd < 0) {
		log_err("cannot create a VM: %s%s", strerror(-vm->fd),
			vm->fd == -EBUSY ?
			  "; another hypervisor uses the CPU: unload it (rmmod kvm_amd kvm_intel)" :
			  "");
		return vm->fd;
	}
	max = joist_check(vm->fd, KVM_CAP_MAX_VCPUS);
	if (max > 0 && vm->config->vcpus > (unsigned int)max) {
		log_err("%u vCPUs are more than the hypervisor's %d; use -c %d or less",
			vm->config->vcpus, max, max);
		return -EINVAL;
	}
	/* Only CPUs without unrestricted guest need them: others may refuse. */
	joist_set_identity_map(vm->fd, IDENTITY_MAP_GPA);
	joist_set_tss_addr(vm->fd, TSS_GPA);
	if (vm->config->listed)
		vm_set_name(vm->config->name);
	return 0;
}

static int add_disks(struct vm *vm)
{
	int i, err;

	for (i = 0; i < vm->config->nr_disks; i++) {
		err = virtio_blk_create(vm, &vm->config->disk[i], i,
					&vm->blk[i]);
		if (err)
			return err;
	}
	return 0;
}

static int add_nets(struct vm *vm)
{
	int i, err;

	for (i = 0; i < vm->config->nr_nets; i++) {
		err = virtio_net_create(vm, &vm->config->net[i], i, &vm->net[i]);
		if (err)
			return err;
	}
	return 0;
}

/* After the memory that can be plugged in: they are to have all of it. */
static int add_hostdevs(struct vm *vm)
{
	const struct vmm_config *config = vm->config;
	int i, err;

	for (i = 0; i < config->nr_hostdevs; i++) {
		err = hostdev_create(vm, &config->hostdev[i], i ? NULL : &config->vfio,
				     &vm->hostdev[i]);
		if (err)
			return err;
	}
	return 0;
}

static int add_shares(struct vm *vm)
{
	int i, err;

	for (i = 0; i < vm->config->nr_shares; i++) {
		err = virtio_share_create(vm, &vm->config->share[i], &vm->share[i]);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vm_create() - everything but the threads
 * @vm: filled in
 * @config: constant until vm_destroy()
 * @result: where its end will be told
 *
 * Return: 0, or -errno with the reason logged; vm_destroy() is due in both
 * cases.
 */
int vm_create(struct vm *vm, const struct vmm_config *config,
	      struct vmm_result *result)
{
	int err;

	memset(vm, 0, sizeof(*vm));
	vm->config = config;
	vm->result = result;
	vm->sys_fd = -1;
	vm->fd = -1;
	pthread_mutex_init(&vm->stop_lock, NULL);
	disk_errors_init(&vm->disk_errors);
	pause_init(&vm->pause);
	container_init(&vm->container, vm);
	bus_init(&vm->pio);
	bus_init(&vm->mmio);
	vm->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->stop_fd < 0)
		return -errno;

	err = open_device(vm);
	if (!err)
		err = create_vm(vm);
	if (!err)
		err = memory_init(&vm->mem, vm->fd, config->memory);
	if (!err && config->pluggable)
		err = memory_add_pluggable(&vm->mem, vm->fd, config->pluggable);
	if (!err)
		err = irq_init(&vm->irq, vm->fd);
	if (!err)
		err = chipset_create(vm);
	if (!err)
		err = add_disks(vm);
	if (!err)
		err = add_nets(vm);
	if (!err)
		err = vm_plug_init(vm);
	if (!err && config->rng)
		err = virtio_rng_create(vm, &vm->rng);
	if (!err && config->balloon)
		err = virtio_balloon_create(vm, &vm->balloon);
	if (!err && config->pluggable)
		err = virtio_mem_create(vm, &vm->plug_mem);
	if (!err && config->nr_ports)
		err = virtio_ports_create(vm, &vm->ports);
	if (!err && config->watchdog)
		err = i6300esb_create(vm, &vm->watchdog);
	if (!err && config->vsock.cid)
		err = virtio_vsock_create(vm, &vm->vsock);
	if (!err)
		err = add_shares(vm);
	if (!err)
		err = add_hostdevs(vm);
	if (!err)
		err = host_mmio_add(vm);
	if (!err)
		err = host_ports_grant(vm);
	if (!err)
		err = vcpus_create(vm);
	return err;
}

/* After its threads have been joined. */
void vm_destroy(struct vm *vm)
{
	int i;

	vcpus_destroy(vm);
	for (i = 0; i < VMM_DISKS_MAX; i++)
		virtio_blk_destroy(vm->blk[i]);
	for (i = 0; i < VMM_NETS_MAX; i++)
		virtio_net_destroy(vm->net[i]);
	virtio_rng_destroy(vm->rng);
	virtio_balloon_destroy(vm->balloon);
	virtio_mem_destroy(vm->plug_mem);
	virtio_ports_destroy(vm->ports);
	for (i = 0; i < VMM_SHARES_MAX; i++)
		virtio_share_destroy(vm->share[i]);
	i6300esb_destroy(vm->watchdog);
	virtio_vsock_destroy(vm->vsock);
	for (i = 0; i < VMM_HOSTDEVS_MAX; i++)
		hostdev_destroy(vm->hostdev[i]);
	container_destroy(&vm->container);
	chipset_destroy(vm);
	firmware_unload(vm);
	irq_destroy(&vm->irq);
	if (vm->fd >= 0)
		close(vm->fd);
	memory_destroy(&vm->mem);
	if (vm->sys_fd >= 0)
		close(vm->sys_fd);
	if (vm->stop_fd >= 0)
		close(vm->stop_fd);
}

/**
 * vm_stop() - end the VM
 * @vm: VM
 * @code: exit code
 * @reason: a word, a constant string
 * @report: from report_vcpu(), or NULL; owned by the VM from here on
 * @fmt: a sentence for people
 *
 * Any thread; the first end wins, later ones are dropped, but for a signal after
 * a reset: who wants us to end must not see us start again.
 *
 * Return: whether this is the end that counts.
 */
bool vm_stop(struct vm *vm, int code, const char *reason, char *report,
	     const char *fmt, ...)
{
	bool counts;
	va_list args;

	pthread_mutex_lock(&vm->stop_lock);
	counts = !vm->stopping ||
		 (vm->result->code == VMM_RESET && code > VMM_SIGNAL);
	if (counts) {
		vmm_result_free(vm->result);
		va_start(args, fmt);
		if (vasprintf(&vm->result->message, fmt, args) < 0)
			vm->result->message = NULL;
		va_end(args);
		vm->result->code = code;
		vm->result->reason = reason;
		vm->result->report = report;
		__atomic_store_n(&vm->stopping, true, __ATOMIC_RELEASE);
	} else {
		free(report);
	}
	pthread_mutex_unlock(&vm->stop_lock);
	if (counts)
		eventfd_write(vm->stop_fd, 1);
	return counts;
}

/* The guest panicked: by the panic device, or by what vm_reset() sees. */
void vm_panic(struct vm *vm, const char *how)
{
	vm_stop(vm, VMM_PANIC, "panic", report_current(vm), "guest panic (%s)",
		how);
}

/* Whether it is Linux, started by us, that panicked. */
static bool warm_is_panic(struct vm *vm)
{
	u16 mode = 0;

	if (vmm_has_firmware(vm->config))
		return false;
	memory_read(&vm->mem, BIOS_RESET_MODE, &mode, sizeof(mode));
	return mode == BIOS_RESET_WARM;
}

/**
 * vm_reset() - the guest asks for a reset
 * @vm: VM
 * @how: by which device
 *
 * Linux started with reboot=panic_warm asks for a warm boot at a panic, and for
 * a cold one otherwise: it leaves that word at the BIOS's place for it. With firmware
 * any system may run, and the word has its old meaning.
 */
void vm_reset(struct vm *vm, const char *how)
{
	if (warm_is_panic(vm))
		vm_panic(vm, how);
	else
		vm_stop(vm, VMM_RESET, "reset", NULL, "guest reset (%s)", how);
}
