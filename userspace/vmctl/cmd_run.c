// SPDX-License-Identifier: GPL-2.0-only
/* vmctl run: one virtual machine on this terminal. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/joist_netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "hostdev/hostdev.h"
#include "libjoist/joist.h"
#include "libjoist/uuid.h"
#include "libjoist/vhost.h"
#include "opt.h"
#include "out.h"
#include "parse.h"
#include "parse_hostdev.h"
#include "parse_net.h"
#include "parse_port.h"
#include "vmctl.h"
#include "vmm/backend/vsock.h"
#include "vmm/firmware.h"
#include "vmm/host_mmio.h"
#include "vmm/memory.h"
#include "vmm/seed.h"
#include "vmm/share_options.h"
#include "vmm/vmm.h"

/*
 * quiet: each line costs two exits per byte. panic=-1: a panic ends the guest at
 * once. reboot=panic_warm: by that vmctl tells it from a reboot. cryptomgr.notests:
 * the known-answer tests of the ciphers are two thirds of a boot, and the same in each
 * VM; a kernel in FIPS mode runs them all the same.
 */
#define DEFAULT_CMDLINE							\
	"console=ttyS0 quiet panic=-1 reboot=panic_warm cryptomgr.notests"
#define DEFAULT_MEMORY	(256ULL << 20)
#define MIB		(1ULL << 20)

/**
 * struct run - the command line, understood
 * @appended: --cmdline
 * @cmdline: the whole, freed at the end
 * @seed_path: files for cloud-init; NULL: none
 */
struct run {
	struct args args;
	struct vmm_config config;
	const char *appended;
	char *cmdline;
	const char *seed_path[SEED_FILES];
	bool only;
	bool reboot;
	bool quiet;
};

static int add_disk(void *args, char *arg)
{
	struct vmm_config *config = &((struct run *)args)->config;
	struct disk_options options;
	const char *wrong = disk_parse(arg, &options);

	if (wrong)
		return usage_error("run", "--disk: '%s' %s", arg, wrong);
	if (config->nr_disks == VMM_DISKS_MAX)
		return usage_error("run", "more than %d disks", VMM_DISKS_MAX);
	config->disk[config->nr_disks++] = (struct vmm_disk) {
		.file = vmm_path(arg), .options = options,
	};
	return 0;
}

static int add_net(void *args, char *arg)
{
	struct vmm_config *config = &((struct run *)args)->config;
	const char *wrong;

	if (config->nr_nets == VMM_NETS_MAX)
		return usage_error("run", "more than %d networks", VMM_NETS_MAX);
	if (parse_net(arg, &config->net[config->nr_nets], &wrong))
		return usage_error("run", "--net: '%s' %s", arg, wrong);
	config->nr_nets++;
	return 0;
}

static int add_share(void *args, char *arg)
{
	struct vmm_config *config = &((struct run *)args)->config;
	struct vmm_share *share = &config->share[config->nr_shares];
	const char *wrong;
	int i;

	if (config->nr_shares == VMM_SHARES_MAX)
		return usage_error("run", "more than %d shares", VMM_SHARES_MAX);
	wrong = share_parse(arg, share);
	if (wrong)
		return usage_error("run", "--share: '%s' %s", arg, wrong);
	for (i = 0; i < config->nr_shares; i++)
		if (!strcmp(config->share[i].tag, share->tag))
			return usage_error("run", "--share: two of the tag '%s'", share->tag);
	config->nr_shares++;
	return 0;
}

static int add_hostdev(void *args, char *arg)
{
	struct vmm_config *config = &((struct run *)args)->config;
	const char *wrong;

	if (config->nr_hostdevs == VMM_HOSTDEVS_MAX)
		return usage_error("run", "more than %d devices of the host's", VMM_HOSTDEVS_MAX);
	if (parse_hostdev(arg, &config->hostdev[config->nr_hostdevs], &wrong))
		return usage_error("run", "--device: %s", wrong);
	config->nr_hostdevs++;
	return 0;
}

static int add_port(void *args, char *arg)
{
	struct vmm_config *config = &((struct run *)args)->config;
	struct vmm_port *port = &config->port[config->nr_ports];
	const char *wrong;
	int i;

	if (config->nr_ports == VMM_PORTS_MAX)
		return usage_error("run", "more than %d ports", VMM_PORTS_MAX);
	if (parse_port(arg, port, &wrong))
		return usage_error("run", "--console-port: %s", wrong);
	for (i = 0; i < config->nr_ports; i++)
		if (!strcmp(config->port[i].name, port->name))
			return usage_error("run", "--console-port: two of the name '%s'",
					   port->name);
	config->nr_ports++;
	return 0;
}

static int set_memory(void *args, char *arg)
{
	struct run *run = args;
	u64 size;

	if (!parse_size(arg, &size))
		return usage_error("run", "bad memory size '%s': give a number with K, M or G",
				   arg);
	if (size < MEM_SIZE_MIN || size > MEM_SIZE_MAX || size % MIB)
		return usage_error("run",
				   "memory size '%s' is not a whole number of MiB from %llu to %llu",
				   arg, (unsigned long long)(MEM_SIZE_MIN / MIB),
				   (unsigned long long)(MEM_SIZE_MAX / MIB));
	run->config.memory = size;
	return 0;
}

/* SIZE[,now=SIZE] */
static int set_pluggable(void *args, char *arg)
{
	char *now = strchr(arg, ',');
	struct run *run = args;
	u64 size, plugged = 0;

	if (now)
		*now++ = '\0';
	if (!parse_size(arg, &size) || !size || size > MEM_SIZE_MAX || size % (2 * MIB))
		return usage_error("run", "bad size '%s' for --pluggable: give whole 2 MiB, as 1G",
				   arg);
	if (now && (strncmp(now, "now=", 4) || !parse_size(now + 4, &plugged) ||
		    plugged > size || plugged % (2 * MIB)))
		return usage_error("run", "bad '%s' of --pluggable: give now=SIZE, at most all",
				   now);
	run->config.pluggable = size;
	run->config.plugged = plugged;
	return 0;
}

static int set_vcpus(void *args, char *arg)
{
	struct run *run = args;
	u64 n;

	if (!parse_number(arg, 1, VMM_VCPUS_MAX, &n))
		return usage_error("run", "bad number of vCPUs '%s': give 1 to %d",
				   arg, VMM_VCPUS_MAX);
	run->config.vcpus = (unsigned int)n;
	return 0;
}

static int set_debug_exit(void *args, char *arg)
{
	struct run *run = args;
	u64 port;

	if (!parse_number(arg, 0, 0xfffc, &port))
		return usage_error("run", "bad port '%s': give 0 to 0xfffc", arg);
	run->config.debug_exit = (int)port;
	return 0;
}

static int add_io_ports(void *args, char *arg)
{
	struct run *run = args;
	struct vmm_config *config = &run->config;

	if (config->nr_io_ports == VMM_IO_PORTS_MAX)
		return usage_error("run", "at most %d --io-port", VMM_IO_PORTS_MAX);
	if (number_range(arg, 0xffff, &config->io_ports[config->nr_io_ports]))
		return usage_error("run",
				   "bad --io-port '%s': give PORT or FIRST-LAST, 0 to 0xffff each",
				   arg);
	config->nr_io_ports++;
	return 0;
}

static int add_mmio(void *args, char *arg)
{
	struct vmm_config *config = &((struct run *)args)->config;
	struct range at;

	if (config->nr_mmio == VMM_MMIO_MAX)
		return usage_error("run", "at most %d --mmio", VMM_MMIO_MAX);
	if (number_range(arg, HOST_MMIO_LAST, &at) || !host_mmio_whole(&at))
		return usage_error("run", "bad --mmio '%s': give " HOST_MMIO_RULE, arg);
	config->mmio[config->nr_mmio++] = (struct vmm_mmio) { .at = at };
	return 0;
}

static int set_balloon(void *args, char *arg)
{
	struct run *run = args;

	if (!parse_size(arg, &run->config.balloon_target) || !run->config.balloon_target)
		return usage_error("run",
				   "bad size '%s' for --balloon: give a number with K, M or G",
				   arg);
	run->config.balloon = true;
	return 0;
}

static int set_watchdog(void *args, char *arg)
{
	struct run *run = args;

	if (!watchdog_parse(arg, &run->config.watchdog))
		return usage_error("run", "bad --watchdog '%s': give " WATCHDOG_RULE, arg);
	return 0;
}

static int set_vsock(void *args, char *arg)
{
	struct run *run = args;
	u64 cid;

	if (!parse_number(arg, VSOCK_CID_MIN, VSOCK_CID_MAX, &cid))
		return usage_error("run", "bad CID '%s' for --vsock: give 3 to 4294967294",
				   arg);
	run->config.vsock = (struct vmm_vsock) {
		(u32)cid, vmm_path(VHOST_VSOCK_DEVICE),
	};
	return 0;
}

static int set_initrd(void *args, char *arg)
{
	struct run *run = args;

	run->config.initrd = vmm_path(arg);
	return 0;
}

static int set_firmware(void *args, char *arg)
{
	struct run *run = args;
	const char *wrong;

	if (firmware_parse(arg, &run->config.firmware, &wrong))
		return usage_error("run", "--firmware: '%s' %s", arg, wrong);
	return 0;
}

static int set_device(void *args, char *arg)
{
	struct run *run = args;

	run->config.device = vmm_path(arg);
	return 0;
}

static int set_name(void *args, char *arg)
{
	struct run *run = args;
	size_t len = strlen(arg), i;

	for (i = 0; i < len && isgraph((unsigned char)arg[i]); i++)
		;
	if (!len || len > JOIST_NAME_MAX || i < len)
		return usage_error("run", "bad name '%s': give 1 to %d printable bytes, no blanks",
				   arg, JOIST_NAME_MAX);
	run->config.name = arg;
	run->config.listed = true;
	return 0;
}

static int set_uuid(void *args, char *arg)
{
	struct run *run = args;

	if (!uuid_valid(arg))
		return usage_error("run", "'%s' is no UUID", arg);
	run->config.uuid = arg;
	return 0;
}

static const struct opt options[] = {
	OPT_CALL("vcpus", 'c', set_vcpus, "N", "1 2 4 8", "virtual CPUs (1)"),
	OPT_CALL("memory", 'm', set_memory, "SIZE", "256M 512M 1G 2G 4G",
		 "memory, with suffix K, M or G (256M)"),
	OPT_CALL("pluggable", 0, set_pluggable, "SIZE[,now=SIZE]", "1G 1G,now=512M",
		 "memory that the guest can plug in, and has to at first (none)"),
	OPT_CALL("firmware", 0, set_firmware, "KIND[,vars=PATH]", "bios uefi",
		 "start by the BIOS, UEFI or an image, from the disks; no KERNEL"),
	OPT_CALL("initrd", 'i', set_initrd, "FILE", "@file", "initial RAM disk"),
	OPT_TEXT("cmdline", 'a', struct run, appended, "STRING", NULL,
		 "appended to the default kernel command line"),
	OPT_FLAG("cmdline-only", 0, struct run, only,
		 "STRING replaces the default"),
	OPT_CALL("disk", 'd', add_disk, "FILE[,OPTION]...", "@file",
		 "a disk, /dev/vda and on; may be repeated"),
	OPT_TEXT("user-data", 0, struct run, seed_path[SEED_USER_DATA], "FILE", "@file",
		 "what cloud-init is to do: on a disk of its own, the last one"),
	OPT_TEXT("meta-data", 0, struct run, seed_path[SEED_META_DATA], "FILE", "@file",
		 "besides (made of what the others say, and --name)"),
	OPT_TEXT("network-config", 0, struct run, seed_path[SEED_NETWORK_CONFIG], "FILE", "@file",
		 "likewise"),
	OPT_CALL("net", 0, add_net, "KIND[,OPTION]...", "user tap=",
		 "a network: user, or tap=NAME; may be repeated"),
	OPT_CALL("device", 0, add_hostdev, "ADDRESS[,name=NAME]", NULL,
		 "a PCI device of the host's, bound to vfio-pci; may be repeated"),
	OPT_CALL("io-port", 0, add_io_ports, "FIRST[-LAST]", NULL,
		 "I/O ports of the host's that the guest uses itself; root; may be repeated"),
	OPT_CALL("mmio", 0, add_mmio, "FIRST-LAST", NULL,
		 "memory of a device of the host's that is not PCI's; root; may be repeated"),
	OPT_CALL("share", 0, add_share, "TAG=FOLDER[,ro]", NULL,
		 "a folder that the guest can mount as TAG; may be repeated"),
	OPT_FLAG("rng", 0, struct run, config.rng,
		 "a source of random numbers for the guest"),
	OPT_CALL("watchdog", 0, set_watchdog, "ACTION", "reset poweroff pause none",
		 "a watchdog, and what is done when it fires"),
	OPT_CALL("balloon", 0, set_balloon, "SIZE", "128M 256M 1G",
		 "the guest is to give back free memory, and keep no more than SIZE"),
	OPT_CALL("vsock", 0, set_vsock, "CID", "3 4 5",
		 "sockets between guest and host, with that address for the guest"),
	OPT_CALL("console-port", 0, add_port, "name=NAME,path=SOCKET[,console]", "name=",
		 "a named port of the guest's, a socket of the host's; may be repeated"),
	OPT_CALL("name", 'n', set_name, "NAME", NULL,
		 "what 'vmctl list' shows it as, and what the guest finds in its SMBIOS"),
	OPT_CALL("uuid", 0, set_uuid, "UUID", NULL,
		 "likewise, in its SMBIOS (none)"),
	OPT_CALL("debug-exit", 0, set_debug_exit, "PORT", "0xf4",
		 "a write of V to PORT ends with exit code V*2+1"),
	OPT_FLAG("reboot", 0, struct run, reboot,
		 "start again when the guest asks for a reset"),
	OPT_CALL("device-path", 0, set_device, "PATH", "@file",
		 "hypervisor (/dev/joist)"),
	OPT_FLAG("json", 0, struct run, args.json,
		 "tell how it ended as JSON on standard error"),
	OPT_FLAG("quiet", 'q', struct run, quiet, "do not tell how it ended"),
	OPT_END,
};

static void tell_json(const struct vmm_result *result)
{
	struct json_object *whole = json_object_new_object();

	json_object_object_add(whole, "reason", out_string(result->reason));
	json_object_object_add(whole, "code", json_object_new_int(result->code));
	json_object_object_add(whole, "message", out_string(result->message));
	json_object_object_add(whole, "report", out_string(result->report));
	out_json_to(stderr, whole);
	json_object_put(whole);
}

static void tell(const struct run *run, const struct vmm_result *result)
{
	if (run->args.json) {
		tell_json(result);
		return;
	}
	if (result->report)
		fputs(result->report, stderr);
	/* A guest that powers off has said enough itself. */
	if (result->message && !run->quiet && result->code != VMM_POWEROFF)
		fprintf(stderr, "vmctl: %s\n", result->message);
}

/* What starts the VM: firmware, or a kernel with all that is for it. */
static int check_start(struct run *run)
{
	const struct args *args = &run->args;

	if (!vmm_has_firmware(&run->config)) {
		if (!args->nr_operands)
			return usage_error("run", "no kernel given, and no --firmware");
		run->config.kernel = vmm_path(args->operand[0]);
		return 0;
	}
	if (args->nr_operands)
		return usage_error("run", "--firmware takes no kernel: not '%s'",
				   args->operand[0]);
	if (run->config.initrd.path || run->appended || run->only)
		return usage_error("run",
				   "--initrd and --cmdline go with a kernel, not --firmware");
	return 0;
}

static int read_seed(const struct run *run, struct seed *seed)
{
	int i, fd, err;

	for (i = 0; i < SEED_FILES; i++) {
		const char *path = run->seed_path[i];

		if (!path)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		err = fd < 0 ? -errno : seed_read(seed, i, fd);
		if (fd >= 0)
			close(fd);
		if (err == -EFBIG)
			return fail("failed", NULL, "%s is larger than %u KiB", path,
				    SEED_BYTES_MAX >> 10);
		if (err)
			return fail("failed", NULL, "cannot read %s: %s", path, strerror(-err));
	}
	return 0;
}

/* The last disk. Whoever changes what cloud-init is to do has a new machine, for cloud-init. */
static int add_seed(struct run *run, struct seed *seed)
{
	struct vmm_config *config = &run->config;
	char id[32];
	int fd;

	if (config->nr_disks == VMM_DISKS_MAX)
		return usage_error("run", "more than %d disks, --user-data's among them",
				   VMM_DISKS_MAX);
	snprintf(id, sizeof(id), "joist-%016llx", (unsigned long long)seed_hash(seed));
	fd = seed_meta_data(seed, id, config->name ?: "joist") ?: seed_memfd(seed);
	if (fd < 0)
		return fail("failed", NULL, "cannot make the seed: %s", strerror(-fd));
	config->disk[config->nr_disks++] = (struct vmm_disk) {
		.name = SEED_DISK,
		.file = { run->seed_path[SEED_USER_DATA], fd },
		.options = { .readonly = true },
	};
	return 0;
}

/* What cloud-init is to find. */
static int take_seed(struct run *run)
{
	struct seed seed = { 0 };
	int code;

	if (!run->seed_path[SEED_USER_DATA] &&
	    (run->seed_path[SEED_META_DATA] || run->seed_path[SEED_NETWORK_CONFIG]))
		return usage_error("run", "--meta-data and --network-config go with --user-data");
	if (!run->seed_path[SEED_USER_DATA])
		return 0;
	code = read_seed(run, &seed) ?: add_seed(run, &seed);
	seed_free(&seed);
	return code;
}

/* The descriptor is gone before there is a guest: it reaches all of the host. */
static int map_mmio(struct vmm_config *config)
{
	struct hostdev_why why = { 0 };
	int fd, i, err = 0;

	if (!config->nr_mmio)
		return 0;
	fd = hostdev_memory_open(&why);
	for (i = 0; fd >= 0 && !err && i < config->nr_mmio; i++)
		err = hostdev_range_check("", HOSTDEV_MEMORY, &config->mmio[i].at, &why);
	if (fd < 0 || err)
		err = fail("failed", *why.remedy ? why.remedy : NULL, "%s", why.text);
	else if (host_mmio_map(config->mmio, config->nr_mmio, fd))
		err = VMM_ERROR;
	if (fd >= 0)
		close(fd);
	return err;
}

/* As it was typed: what parses an option cuts it. Return: NULL: no memory. */
static char **copy_args(int argc, char **argv)
{
	char **copy = calloc((size_t)argc + 1, sizeof(*copy));
	int i;

	for (i = 0; copy && i < argc; i++) {
		copy[i] = strdup(argv[i]);
		if (!copy[i])
			return NULL;
	}
	return copy;
}

/* A reboot is a new process: nothing of the old machine can leak into it. */
static int reexec(char **argv)
{
	execv("/proc/self/exe", argv);
	return fail("failed", NULL, "cannot start again: %s", strerror(errno));
}

static int cmdline(struct run *run)
{
	if (asprintf(&run->cmdline, "%s%s%s", run->only ? "" : DEFAULT_CMDLINE,
		     run->only || !run->appended ? "" : " ",
		     run->appended ? run->appended : "") < 0)
		return fail("failed", NULL, "no memory");
	run->config.cmdline = run->cmdline;
	return 0;
}

static int run_guest(const struct command *cmd, int argc, char **argv)
{
	struct vmm_result result;
	struct run run = {
		.config = {
			.device = vmm_path(JOIST_DEVICE),
			.memory = DEFAULT_MEMORY,
			.vcpus = 1,
			.debug_exit = -1,
		},
	};
	/* argv[0] is the verb here: the program's own name is before it. */
	char **again = copy_args(argc + 1, argv - 1);
	int code;

	if (!again)
		return fail("failed", NULL, "no memory");
	if (!opt_parse(cmd, &run, argc, argv, &code))
		return code;
	code = check_start(&run);
	if (!code)
		code = cmdline(&run);
	if (!code)
		code = take_seed(&run);
	if (code)
		return code;
	errors_of_vmm();
	code = map_mmio(&run.config);
	if (code)
		return code;
	vmm_run(&run.config, &result);
	tell(&run, &result);
	code = result.code;
	vmm_result_free(&result);
	free(run.cmdline);
	if (code == VMM_RESET && run.reboot)
		return reexec(again);
	return code;
}

const struct command cmd_run = {
	.name = "run",
	.run = run_guest,
	.args = "[KERNEL]",
	.help = "run a virtual machine on this terminal",
	.more =
	"KERNEL is a bzImage, an ELF file with a PVH note, or a multiboot image. With\n"
	"--firmware there is none: bios is SeaBIOS, uefi is OVMF, a path another image.\n"
	"UEFI's variables are lost with the VM unless vars=PATH names a file for them.\n"
	"\n"
	"On a terminal, Ctrl-A x leaves, Ctrl-A p presses the power button, Ctrl-A s the\n"
	"sleep button, Ctrl-A a sends Ctrl-A.\n"
	"\n"
	"Exit codes: 0 guest power-off, 1 the host cannot run it, 2 usage,\n"
	"16 guest reset, 18 guest panic, 20 triple fault, 22 hypervisor error,\n"
	"24 VM entry refused, 26 unknown exit, 28 left by Ctrl-A x, 30 watchdog,\n"
	"128+N signal N.\n",
	.options = options,
	.operand = OPERAND_FILE,
	.least = 0,
	.most = 1,
};
