// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's process: executed afresh, given all it needs as open files, and then nobody,
 * nowhere. It outlives the daemon, and tells how it ended in a file.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "devices.h"
#include "hostile.h"
#include "js.h"
#include "libjoist/vhost.h"
#include "passthrough.h"
#include "platform_host.h"
#include "sandbox.h"
#include "seed.h"
#include "setup.h"
#include "vm_front.h"
#include "vmm/backend/user.h"
#include "vmm/host_mmio.h"
#include "vmm/log.h"
#include "vmm/seed.h"
#include "vmm/vmm.h"

#define FDS_MAX		1024	/* vCPUs, and what their interrupts come by */
#define OVERHEAD	(2ULL << 30)	/* addresses, mostly of threads' stacks */

/**
 * struct setup - what the parent sent
 * @firmware: of @def; its code's path is NULL: there is none
 * @text: where its paths are
 * @nets: what the interfaces are
 * @devices: likewise, those of the host
 * @fd: see enum setup_fd; what is behind follows from @def
 * @memory_fd: one of them, the host's memory; -1: there is none
 */
struct setup {
	struct definition def;
	struct vmm_firmware firmware;
	char *text;
	u32 uid, gid;
	bool seccomp_log;
	struct json_object *nets;
	struct json_object *devices;
	int nr_fds;
	int fd[MSG_FDS_MAX];
	int memory_fd;
};

static int receive(struct setup *s)
{
	static char data[MSG_SIZE_MAX];
	struct json_object *obj;
	struct complaint c;
	ssize_t n;

	n = msg_read(SETUP_FD, data, sizeof(data) - 1, s->fd, &s->nr_fds);
	if (n <= 0)
		return -EINVAL;
	obj = json_tokener_parse(data);
	if (definition_from_json(&s->def, js_get(obj, "definition"), true, &c))
		return -EINVAL;
	if (!platform_ports(&s->def.platform, NULL))
		close(SETUP_FD);
	s->uid = (u32)js_int(obj, "uid", 0);
	s->gid = (u32)js_int(obj, "gid", 0);
	options.seccomp_log = js_bool(obj, "seccomp-log", false);
	s->nets = json_object_get(js_get(obj, "interfaces"));
	s->devices = json_object_get(js_get(obj, "devices"));
	json_object_put(obj);
	if (s->def.firmware && definition_firmware(&s->def, &s->firmware, &s->text))
		return -ENOMEM;
	return s->nr_fds == SETUP_FIXED + s->def.nr_disks + definition_has_seed(&s->def) +
	       s->def.shares.nr + (s->def.vsock != 0) +
	       interfaces_fds(s->def.nic, s->def.nr_nics) + passthrough_fds(&s->def) +
	       platform_fds(&s->def) + (s->def.initrd || s->firmware.vars.path) ? 0 : -EINVAL;
}

static void configure(struct vmm_config *config, struct setup *s)
{
	int i, next = SETUP_FIXED;

	*config = (struct vmm_config) {
		.device = { "/dev/joist", s->fd[SETUP_DEVICE] },
		.firmware = s->firmware,
		.kernel = { s->def.kernel, s->fd[SETUP_START] },
		.initrd = vmm_path(NULL),
		.cmdline = s->def.cmdline,
		.memory = s->def.memory,
		.pluggable = s->def.pluggable,
		.vcpus = s->def.vcpus,
		.name = s->def.name,
		.uuid = s->def.uuid,
		.balloon = s->def.balloon,
		.balloon_target = s->def.memory,
		.rng = s->def.rng,
		.watchdog = s->def.watchdog,
		.debug_exit = -1,
		.nr_disks = s->def.nr_disks,
		.nr_nets = s->def.nr_nics,
	};
	config->firmware.code.fd = s->fd[SETUP_START];
	if (s->firmware.vars.path)
		config->firmware.vars.fd = s->fd[next++];
	if (s->def.initrd)
		config->initrd = (struct vmm_file) { s->def.initrd, s->fd[next++] };
	for (i = 0; i < s->def.nr_disks; i++)
		config->disk[i] = device_disk(&s->def.disk[i], s->fd[next++]);
	if (definition_has_seed(&s->def))
		config->disk[config->nr_disks++] = (struct vmm_disk) {
			.name = SEED_DISK,
			.file = { s->def.user_data, s->fd[next++] },
			.options = { .readonly = true },
		};
	for (i = 0; i < s->def.shares.nr; i++)
		config->share[config->nr_shares++] = (struct vmm_share) {
			.tag = s->def.shares.share[i].tag,
			.dir = { s->def.shares.share[i].path, s->fd[next++] },
			.readonly = s->def.shares.share[i].readonly,
		};
	if (s->def.vsock)
		config->vsock = (struct vmm_vsock) {
			s->def.vsock, { VHOST_VSOCK_DEVICE, s->fd[next++] },
		};
	for (i = 0; i < s->def.nr_nics; i++) {
		config->net[i] = device_net(&s->def.nic[i],
					    json_object_array_get_idx(s->nets, (size_t)i),
					    s->fd + next);
		next += (int)s->def.nic[i].queues;
	}
	if (s->def.devices.nr)
		config->vfio = (struct vmm_file) { HOSTDEV_CONTAINER, s->fd[next++] };
	for (i = 0; i < s->def.devices.nr; i++) {
		struct json_object *told = json_object_array_get_idx(s->devices, (size_t)i);

		config->hostdev[config->nr_hostdevs++] = device_host(told, s->fd[next++]);
	}
	config->nr_io_ports = platform_ports(&s->def.platform, config->io_ports);
	if (config->nr_io_ports)
		config->granter = (struct vmm_file) { "the daemon", SETUP_FD };
	config->nr_mmio = platform_mmio(&s->def.platform, config->mmio);
	s->memory_fd = platform_fds(&s->def) ? s->fd[next++] : -1;
}

/*
 * The last that is done with all rights: who has the descriptor has the host. The mappings cannot
 * grow, and are all that is left of it. Return: 0, or -errno with the reason logged.
 */
static int map_host_memory(const struct setup *s, struct vmm_config *config)
{
	int err;

	if (s->memory_fd < 0)
		return 0;
	err = host_mmio_map(config->mmio, config->nr_mmio, s->memory_fd);
	close(s->memory_fd);
	return err;
}

/* Addresses that the devices' windows take. */
static u64 windows(const struct setup *s, const struct vmm_config *config)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < s->def.devices.nr; i++)
		sum += (u64)js_int(json_object_array_get_idx(s->devices, (size_t)i), "bars", 0);
	for (i = 0; i < config->nr_mmio; i++)
		sum += range_size(&config->mmio[i].at);
	return sum;
}

/* The processes of user-mode networks say whether they can. */
static int await_networks(const struct setup *s, const struct vmm_config *config)
{
	int i, err = 0;

	for (i = 0; !err && i < s->def.nr_nics; i++)
		if (s->def.nic[i].kind == IF_USER)
			err = user_await(config->net[i].file.fd);
	return err;
}

static int limit(int resource, u64 value)
{
	struct rlimit rl = { value, value };

	return setrlimit(resource, &rl) ? -errno : 0;
}

/* Return: 0, or -errno with the reason logged. */
static int lock_up(struct setup *s, const struct vmm_config *config)
{
	int err;

	/* The real-time clock's conversions read the time zone's file: now or never. */
	tzset();
	/* A thread's own heap that shrinks asks /proc whether it may: there are none. */
	mallopt(M_ARENA_MAX, 1);
	err = sandbox_empty_root();
	if (err) {
		log_err("cannot empty the root of the VM's process: %s",
			strerror(-err));
		return err;
	}
	err = limit(RLIMIT_CORE, 0);
	err = err ?: limit(RLIMIT_NOFILE, FDS_MAX);
	err = err ?: limit(RLIMIT_AS, s->def.memory + s->def.pluggable + OVERHEAD +
			   windows(s, config));
	/* A device can reach all of the guest's memory at any time: it stays where it is. */
	if (s->def.devices.nr)
		err = err ?: limit(RLIMIT_MEMLOCK, passthrough_memlock(&s->def));
	err = err ?: limit(RLIMIT_MSGQUEUE, 0);
	err = err ?: sandbox_become(s->uid, s->gid);
	if (err) {
		log_err("cannot give up the rights of the VM's process: %s",
			strerror(-err));
		return err;
	}
	err = seccomp_vm();
	if (err)
		log_err("cannot filter the system calls of the VM's process: %s",
			strerror(-err));
	return err;
}

/* For the parent, this one or the next. */
static void write_result(int fd, const struct vmm_result *result,
			 const char *message)
{
	struct json_object *obj = js_new("reason", result->reason);
	const char *text;

	js_add_int(obj, "code", result->code);
	js_add_text(obj, "message", message);
	text = json_object_to_json_string(obj);
	if (write(fd, text, strlen(text)) < 0)
		log_err("cannot tell how the VM ended: %s", strerror(errno));
	json_object_put(obj);
}

/**
 * vm_main() - be the process of a VM
 * @name: the VM's
 *
 * Return: the exit code of the process.
 */
int vm_main(const char *name)
{
	struct vmm_result result = { .code = VMM_ERROR, .reason = "error" };
	struct front_config front;
	struct vmm_frontend fe = vm_frontend;
	struct vmm_config config;
	static struct setup s;
	static char who[80];
	int code, err;

	snprintf(who, sizeof(who), "vmd: %s", name);
	log_name(who);
	if (receive(&s)) {
		log_err("what the daemon sent cannot be understood");
		return VMM_ERROR;
	}
	configure(&config, &s);
	front = (struct front_config) { s.fd[SETUP_LISTEN], s.fd[SETUP_LOG] };
	fe.arg = &front;
	config.frontend = &fe;
	config.rings = vmm_rings(&config);
	err = map_host_memory(&s, &config);
	err = err ?: lock_up(&s, &config);
	err = err ?: await_networks(&s, &config);
	if (!err && !hostile(s.def.cmdline, &result))
		err = vmm_run(&config, &result);
	if (result.report)
		fputs(result.report, stderr);
	/* What kept it from running was told to the log. */
	write_result(s.fd[SETUP_RESULT], &result, err ? log_last() : result.message);
	code = result.code;
	vmm_result_free(&result);
	return code;
}
