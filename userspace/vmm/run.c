// SPDX-License-Identifier: GPL-2.0-only
/* The life of a virtual machine: create, load, run, end. The main thread. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backend/aio.h"
#include "boot/boot.h"
#include "chipset/i6300esb.h"
#include "chipset/pci.h"
#include "console.h"
#include "frontend.h"
#include "log.h"
#include "terminal.h"
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

#define PLUGGED_DISKS	2	/* that find rings, besides those of disks that have left */

static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Blocked in all threads: they arrive by the file descriptor only. */
static int open_signals(sigset_t *old)
{
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(end_signals); i++)
		sigaddset(&set, end_signals[i]);
	pthread_sigmask(SIG_BLOCK, &set, old);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void take_signal(struct vm *vm, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	vm_stop(vm, VMM_SIGNAL + (int)info.ssi_signo, "signal", NULL,
		"ended by signal %u (%s)", info.ssi_signo,
		strsignal((int)info.ssi_signo));
}

enum {
	FD_STOP, FD_SIGNAL, FD_WAKE,
	FD_HOSTDEV,
	FD_FRONTEND = FD_HOSTDEV + HOSTDEV_FDS * VMM_HOSTDEVS_MAX,
};

/* Until somebody calls vm_stop(): carry the console, mind the signals. */
static void main_loop(struct vm *vm, const struct vmm_frontend *fe, void *ctx,
		      int signal_fd)
{
	struct console *con = vm->console;
	struct pollfd fds[FD_FRONTEND + FRONTEND_FDS_MAX] = {
		[FD_STOP] = { .fd = vm->stop_fd, .events = POLLIN },
		[FD_SIGNAL] = { .fd = signal_fd, .events = POLLIN },
		[FD_WAKE] = { .fd = con->wake_fd, .events = POLLIN },
	};
	eventfd_t count;

	while (!vm_stopping(vm)) {
		int nr = FD_FRONTEND + fe->fds(ctx, fds + FD_FRONTEND);

		hostdev_fds(vm, fds + FD_HOSTDEV);
		if (poll(fds, (nfds_t)nr, -1) < 0) {
			if (errno == EINTR)
				continue;
			vm_stop(vm, VMM_ERROR, "error", NULL, "poll: %s",
				strerror(errno));
			return;
		}
		if (fds[FD_WAKE].revents)
			eventfd_read(con->wake_fd, &count);
		if (fds[FD_SIGNAL].revents)
			take_signal(vm, signal_fd);
		hostdev_serve(vm, fds + FD_HOSTDEV);
		vm_plug_serve(vm);
		fe->serve(ctx, fds + FD_FRONTEND);
	}
}

static int kernel_start(struct vm *vm)
{
	struct boot_entry entry;
	int err = boot_load(vm, &entry);

	return err ? err : vcpu_boot(&vm->vcpu[0], &entry);
}

static int start(struct vm *vm)
{
	int i, err;

	err = vmm_has_firmware(vm->config) ? firmware_load(vm) : kernel_start(vm);
	for (i = 0; !err && i < vm->config->nr_disks; i++)
		err = virtio_blk_start(vm->blk[i]);
	for (i = 0; !err && i < vm->config->nr_nets; i++)
		err = virtio_net_start(vm->net[i]);
	if (!err && vm->rng)
		err = virtio_rng_start(vm->rng);
	if (!err && vm->balloon) {
		virtio_balloon_set(vm->balloon, vm->config->balloon_target);
		err = virtio_balloon_start(vm->balloon);
	}
	if (!err && vm->plug_mem)
		err = virtio_mem_start(vm->plug_mem);
	if (!err && vm->ports)
		err = virtio_ports_start(vm->ports);
	for (i = 0; !err && i < vm->config->nr_shares; i++)
		err = virtio_share_start(vm->share[i]);
	if (!err && vm->watchdog)
		err = i6300esb_start(vm->watchdog);
	if (!err && vm->vsock)
		err = virtio_vsock_start(vm->vsock);
	pci_boot_done(vm->pci);
	if (!err)
		err = vcpus_start(vm);
	return err;
}

/**
 * vmm_rings() - what disks do their I/O by, made before that is forbidden
 * @config: what is to be run
 *
 * Return: for @config->rings, owned by the process; NULL: no memory.
 */
struct rings *vmm_rings(const struct vmm_config *config)
{
	/* And for some that are plugged in: when those leave, the next have them. */
	static const struct vmm_disk other = { .options.format = DISK_RAW };
	int i, nr = PLUGGED_DISKS * virtio_blk_queues(config, &other);

	for (i = 0; i < config->nr_disks; i++)
		/* What a process serves is no file of ours. */
		if (config->disk[i].options.format == DISK_RAW)
			nr += virtio_blk_queues(config, &config->disk[i]);
	return rings_open(nr);
}

/**
 * vmm_run() - run a virtual machine until it ends
 * @config: what to run
 * @result: how it ended; vmm_result_free() is due in all cases
 *
 * Return: 0: it ran; -errno: it could not start, with the reason logged.
 */
int vmm_run(const struct vmm_config *config, struct vmm_result *result)
{
	const struct vmm_frontend *fe = config->frontend ?: &stdio_frontend;
	sigset_t old_mask;
	void *ctx = NULL;
	struct vm vm;
	int signal_fd, i, err;

	memset(result, 0, sizeof(*result));
	result->code = VMM_ERROR;
	result->reason = "error";
	signal_fd = open_signals(&old_mask);
	if (signal_fd < 0)
		return signal_fd;
	err = vm_create(&vm, config, result);
	if (!err) {
		if (!config->frontend)
			terminal_enter();
		err = start(&vm);
		if (!err) {
			ctx = fe->enter(fe->arg, &vm);
			main_loop(&vm, fe, ctx, signal_fd);
		}
		/* A start that failed half-way has threads to stop as well. */
		if (err)
			vm_stop(&vm, VMM_ERROR, "error", NULL, "not started");
		console_stop(vm.console);
		vcpus_stop(&vm);
		vm_plug_end(&vm);
		for (i = 0; i < VMM_DISKS_MAX; i++)
			virtio_blk_stop(vm.blk[i]);
		for (i = 0; i < VMM_NETS_MAX; i++)
			virtio_net_stop(vm.net[i]);
		virtio_rng_stop(vm.rng);
		virtio_balloon_stop(vm.balloon);
		virtio_mem_stop(vm.plug_mem);
		virtio_ports_stop(vm.ports);
		for (i = 0; i < VMM_SHARES_MAX; i++)
			virtio_share_stop(vm.share[i]);
		i6300esb_stop(vm.watchdog);
		virtio_vsock_stop(vm.vsock);
		if (ctx)
			fe->leave(ctx);
		terminal_leave();
	}
	vm_destroy(&vm);
	close(signal_fd);
	pthread_sigmask(SIG_SETMASK, &old_mask, NULL);
	return err;
}

void vmm_result_free(struct vmm_result *result)
{
	free(result->message);
	free(result->report);
	result->message = NULL;
	result->report = NULL;
}
