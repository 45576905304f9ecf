/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual machine inside the VMM. */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <pthread.h>

#include "bus.h"
#include "disk_error.h"
#include "irq.h"
#include "memory.h"
#include "pause.h"
#include "plug.h"
#include "vfio/container.h"
#include "vmm.h"

struct console;
struct flash;
struct fwcfg;
struct host_bridge;
struct i8042;
struct hostdev;
struct hotplug;
struct i6300esb;
struct lpc;
struct pci;
struct pm;
struct rtc;
struct uart;
struct vcpu;
struct virtio_balloon;
struct virtio_blk;
struct virtio_net;
struct virtio_mem;
struct virtio_ports;
struct virtio_rng;
struct virtio_share;
struct virtio_vsock;

/**
 * struct vm - one virtual machine
 * @config: the caller's; constant
 * @sys_fd: the device
 * @fd: the VM
 * @stop_lock: protects @result until @stop_fd was signalled
 * @stopping: somebody ended it; vCPUs leave their loops. Atomic
 * @stop_fd: eventfd: the main thread leaves its loop
 * @result: the first end wins
 */
struct vm {
	const struct vmm_config *config;
	int sys_fd;
	int fd;
	int run_size;
	struct memory mem;
	struct irq irq;
	struct bus pio;
	struct bus mmio;
	struct vcpu *vcpu;

	struct console *console;
	struct uart *uart;
	struct rtc *rtc;
	struct pm *pm;
	struct pci *pci;
	struct host_bridge *host_bridge;
	struct lpc *lpc;
	struct i8042 *i8042;
	void *firmware;		/* these with firmware only, or NULL */
	u64 firmware_size;
	struct fwcfg *fwcfg;
	struct flash *flash;
	struct hotplug *hotplug;
	struct virtio_blk *blk[VMM_DISKS_MAX];
	struct virtio_net *net[VMM_NETS_MAX];
	struct virtio_rng *rng;
	struct virtio_balloon *balloon;	/* or NULL */
	struct virtio_mem *plug_mem;	/* or NULL */
	struct virtio_ports *ports;	/* or NULL */
	struct virtio_share *share[VMM_SHARES_MAX];
	struct i6300esb *watchdog;	/* or NULL */
	struct virtio_vsock *vsock;	/* or NULL */
	struct container container;
	struct hostdev *hostdev[VMM_HOSTDEVS_MAX];

	struct disk_errors disk_errors;
	struct plug plug;
	struct pause pause;
	pthread_mutex_t stop_lock;
	bool stopping;
	int stop_fd;
	struct vmm_result *result;
};

int vm_create(struct vm *vm, const struct vmm_config *config,
	      struct vmm_result *result);
void vm_destroy(struct vm *vm);
bool vm_stop(struct vm *vm, int code, const char *reason, char *report,
	     const char *fmt, ...) __printf(5, 6);
void vm_reset(struct vm *vm, const char *how);
void vm_panic(struct vm *vm, const char *how);

static inline bool vm_stopping(struct vm *vm)
{
	return __atomic_load_n(&vm->stopping, __ATOMIC_ACQUIRE);
}

#endif
