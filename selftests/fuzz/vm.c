// SPDX-License-Identifier: GPL-2.0-only
/*
 * One input, one VM: the VMM's whole life of it, from its configuration to its result,
 * with a hypervisor and a guest that are ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fake_kvm.h"
#include "guest.h"
#include "sched.h"
#include "target.h"
#include "wrap.h"
#include "vmm/chipset/pm.h"
#include "vmm/chipset/uart.h"
#include "vmm/console.h"
#include "vmm/frontend.h"
#include "vmm/log.h"
#include "vmm/memory.h"
#include "vmm/vm.h"

#define EVENTS_MAX	64
#define GUARD		0x10000ULL

enum { EVENT_INPUT = 240, EVENT_BUTTON, EVENT_PAUSE, EVENT_RESUME, EVENT_STOP, EVENT_SLEEP };

struct event {
	u8 kind;
	u32 c;
	u64 d;
};

/**
 * struct frontend - who carries the console here
 * @poke: eventfd: there are events
 */
static struct {
	struct vm *vm;
	int poke;
	int nr;
	struct event event[EVENTS_MAX];
} front = { .poke = -1 };

/* Something happens to the VM. It does so in the main thread, where orders come from. */
void vm_event(u8 kind, u32 c, u64 d)
{
	if (front.nr == EVENTS_MAX || !front.vm)
		return;
	front.event[front.nr++] = (struct event) { kind, c, d };
	eventfd_write(front.poke, 1);
}

static void serve_event(struct vm *vm, const struct event *e)
{
	u32 i;

	switch (e->kind) {
	case EVENT_INPUT:
		for (i = 0; i < (e->c & 0xff) && uart_room(vm->uart); i++)
			uart_receive(vm->uart, (u8)(e->d >> (i % 8 * 8)));
		break;
	case EVENT_BUTTON:
		pm_power_button(vm->pm);
		break;
	case EVENT_SLEEP:
		pm_sleep_button(vm->pm);
		break;
	case EVENT_PAUSE:
		vm_pause(vm);
		vm_paused(vm);
		break;
	case EVENT_RESUME:
		vm_resume(vm);
		break;
	case EVENT_STOP:
		vm_stop(vm, VMM_ESCAPE, "escape", NULL, "left");
		break;
	default:
		if (target.event)
			target.event(vm, e->kind, e->c, e->d);
	}
}

static void *front_enter(void *arg, struct vm *vm)
{
	(void)arg;
	front.vm = vm;
	front.nr = 0;
	return &front;
}

static int front_fds(void *ctx, struct pollfd *fds)
{
	(void)ctx;
	fds[0] = (struct pollfd) { .fd = front.poke, .events = POLLIN };
	return 1;
}

static void drain_console(struct vm *vm)
{
	u8 text[512];
	size_t n;

	while ((n = console_peek(vm->console, text, sizeof(text))))
		console_consume(vm->console, n);
}

static void front_serve(void *ctx, const struct pollfd *fds)
{
	eventfd_t count;
	int i;

	(void)ctx;
	(void)fds;
	drain_console(front.vm);
	eventfd_read(front.poke, &count);
	for (i = 0; i < front.nr; i++)
		serve_event(front.vm, &front.event[i]);
	front.nr = 0;
	/* A paused guest would wait for ever. */
	if (vm_paused(front.vm))
		vm_resume(front.vm);
}

static void front_leave(void *ctx)
{
	(void)ctx;
	drain_console(front.vm);
	front.vm = NULL;
}

static const struct vmm_frontend frontend = {
	.enter = front_enter,
	.fds = front_fds,
	.serve = front_serve,
	.leave = front_leave,
};

/* The guest's memory ends where it ends: what lies around it in the mapping is poison. */
static void guard(const struct memory *mem, bool on)
{
	u8 *start, *end, *first = mem->region[0].hva, *last;

	if (!mem->map || !mem->nr_regions)
		return;
	last = first + mem->size;
	start = max(mem->map, first - GUARD);
	end = min(mem->map + mem->map_size, last + GUARD);
	if (on) {
		ASAN_POISON_MEMORY_REGION(start, first - start);
		ASAN_POISON_MEMORY_REGION(last, end - last);
	} else {
		ASAN_UNPOISON_MEMORY_REGION(start, first - start);
		ASAN_UNPOISON_MEMORY_REGION(last, end - last);
	}
}

int __wrap_memory_init(struct memory *mem, int vm_fd, u64 size)
{
	int err = __real_memory_init(mem, vm_fd, size);

	if (!err)
		guard(mem, true);
	return err;
}

void __wrap_memory_destroy(struct memory *mem)
{
	guard(mem, false);
	__real_memory_destroy(mem);
}

/**
 * fuzz_memfd() - a file that is there from the start, as a VM is given one
 * @data: what is in it; NULL: zeros
 *
 * Return: its descriptor.
 */
int fuzz_memfd(const char *name, const void *data, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)len) ||
	    (data && pwrite(fd, data, len, 0) != (ssize_t)len)) {
		perror(name);
		abort();
	}
	return fd;
}

/* The least that boots: a multiboot header that says where it goes. */
static int kernel(void)
{
	static const u32 image[] = {
		0x1badb002, 0x10000, 0u - 0x1badb002 - 0x10000,
		0x100000, 0x100000, 0, 0, 0x100000,
	};
	static int fd = -1;

	if (fd < 0)
		fd = fuzz_memfd("kernel", image, sizeof(image));
	return fd;
}

static void configure(struct vmm_config *config, const struct options *options)
{
	*config = (struct vmm_config) {
		.device = { .path = "kvm", .fd = fake_kvm_device() },
		.kernel = { .path = "kernel", .fd = kernel() },
		.initrd = { .fd = -1 },
		.cmdline = "console=ttyS0",
		.memory = MEM_SIZE_MIN,
		.vcpus = 1,
		.debug_exit = 0x501,
		.frontend = &frontend,
	};
	if (options->flags & OPTION_TWO_VCPUS)
		config->vcpus = 2;
	if (options->flags & OPTION_HIGH_MEMORY)
		config->memory = LOW_RAM_MAX + MEM_SIZE_MIN;
	target.configure(config, options);
}

static bool verbose;

static void swallow(const char *text)
{
	if (verbose)
		fprintf(stderr, "vmm: %s\n", text);
}

/* A guest can cause any number of them. They are made, so that how is looked at too. */
void __wrap_log_warn(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	swallow(text);
}

/* The lowest free descriptor: it is the same before and after, or one was leaked. */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct options options = { 0 };
	struct vmm_config config;

	(void)argc;
	(void)argv;
	verbose = getenv("FUZZ_VERBOSE");
	log_errors_to(swallow);
	front.poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	/* A page at a time: a guest of a few pages costs no more. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	/* What is opened once and stays. */
	configure(&config, &options);
	fake_kvm_begin(0);
	if (target.end)
		target.end();
	return 0;
}

/*
 * Descriptors of a configuration are the VMM's, which closes those that it has come to. Ours
 * are for the next run too: it gets others, apart from those of its own.
 */
#define GIVEN_FIRST	200
#define GIVEN_LAST	299

static void give(struct vmm_file *file)
{
	if (file->path && file->fd >= 0)
		file->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, GIVEN_FIRST);
}

static void give_all(struct vmm_config *config)
{
	int i;

	give(&config->device);
	give(&config->kernel);
	give(&config->initrd);
	give(&config->firmware.code);
	give(&config->firmware.vars);
	for (i = 0; i < config->nr_disks; i++)
		give(&config->disk[i].file);
	for (i = 0; i < config->nr_nets; i++)
		give(&config->net[i].file);
	for (i = 0; i < config->nr_ports; i++)
		give(&config->port[i].file);
	for (i = 0; i < config->nr_shares; i++)
		give(&config->share[i].dir);
	give(&config->vsock.file);
	give(&config->vfio);
	for (i = 0; i < config->nr_hostdevs; i++)
		give(&config->hostdev[i].group);
}

/* From a configuration to a result. */
static void live(const struct options *options, const struct insn *program, size_t nr,
		 unsigned int fail_at)
{
	struct vmm_config config;
	struct vmm_result result;
	int fd = next_fd();

	configure(&config, options);
	give_all(&config);
	fake_kvm_begin(fail_at);
	guest_begin(program, nr);
	sched_begin();
	vmm_run(&config, &result);
	sched_end();
	vmm_result_free(&result);
	fake_kvm_end();
	close_range(GIVEN_FIRST, GIVEN_LAST, 0);
	if (target.end)
		target.end();
	if (next_fd() != fd) {
		fprintf(stderr, "==== the VMM leaks a file descriptor\n");
		abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct insn program[INSNS_MAX];
	size_t nr = min(size / sizeof(struct insn), (size_t)INSNS_MAX);
	struct options options = { 0 };

	if (target.take) {
		if (size) {
			options.flags = *data;
			target.take(data + 1, size - 1);
			live(&options, NULL, 0, 0);
		}
		return 0;
	}
	if (!nr)
		return 0;
	memcpy(program, data, nr * sizeof(program[0]));
	options = (struct options) { program[0].a, program[0].b, program[0].d };
	live(&options, program + 1, nr - 1, program[0].c & 0xff);
	return 0;
}
