// SPDX-License-Identifier: GPL-2.0-only
/* vmctl create: a definition for vmd, from options or from a JSON file. */
#include <errno.h>
#include <limits.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "error.h"
#include "hostdev_json.h"
#include "net_json.h"
#include "opt.h"
#include "out.h"
#include "parse.h"
#include "vmctl.h"
#include "vmm/backend/vsock.h"
#include "vmm/disk_json.h"
#include "vmm/firmware.h"
#include "vmm/share_options.h"
#include "vmm/vmm.h"

#define FILE_BYTES_MAX	65536

/**
 * struct create - the command line, understood
 * @definition: what it says; owned
 * @start: start it as well
 * @file: a JSON definition; options are put over it
 */
struct create {
	struct args args;
	struct json_object *definition;
	const char *file;
	bool start;
};

static int set(void *args, const char *name, struct json_object *value)
{
	struct create *create = args;

	json_object_object_add(create->definition, name, value);
	return 0;
}

/* vmd has another working directory. Return: @path, or @whole filled in. */
static const char *make_absolute(const char *path, char *whole, size_t size)
{
	char cwd[PATH_MAX];

	if (*path == '/' || !getcwd(cwd, sizeof(cwd)) ||
	    snprintf(whole, size, "%s/%s", cwd, path) >= (int)size)
		return path;
	return whole;
}

/* As it was typed, but for its paths; parsing has cut what is behind the kind. */
static int set_firmware(void *args, char *arg)
{
	char code[PATH_MAX], vars[PATH_MAX], text[2 * PATH_MAX + 16];
	struct vmm_firmware fw;
	const char *wrong;

	if (firmware_parse(arg, &fw, &wrong))
		return usage_error("create", "--firmware: '%s' %s", arg, wrong);
	snprintf(text, sizeof(text), "%s%s%s%s",
		 fw.code.path == arg ? make_absolute(arg, code, sizeof(code)) : arg,
		 fw.vars.path && !fw.vars_private ? ",vars=" : "",
		 fw.vars.path && !fw.vars_private ?
		 make_absolute(fw.vars.path, vars, sizeof(vars)) : "",
		 fw.debug ? ",debug" : "");
	return set(args, "firmware", json_object_new_string(text));
}

static int set_kernel(void *args, char *arg)
{
	return set(args, "kernel", out_path(arg));
}

static int set_initrd(void *args, char *arg)
{
	return set(args, "initrd", out_path(arg));
}

static int set_cmdline(void *args, char *arg)
{
	return set(args, "cmdline", json_object_new_string(arg));
}

static int set_user_data(void *args, char *arg)
{
	return set(args, "user-data", out_path(arg));
}

static int set_meta_data(void *args, char *arg)
{
	return set(args, "meta-data", out_path(arg));
}

static int set_network_config(void *args, char *arg)
{
	return set(args, "network-config", out_path(arg));
}

static int set_number(void *args, const char *name, const char *arg, u64 lowest, u64 highest)
{
	u64 value;

	if (!parse_number(arg, lowest, highest, &value))
		return usage_error("create", "bad --%s '%s': give %llu to %llu", name, arg,
				   (unsigned long long)lowest, (unsigned long long)highest);
	return set(args, name, json_object_new_uint64(value));
}

static int set_bytes(void *args, const char *name, const char *arg)
{
	u64 value;

	if (!parse_size(arg, &value) || !value || value > INT64_MAX)
		return usage_error("create", "bad --%s '%s': give a number with K, M or G",
				   name, arg);
	return set(args, name, json_object_new_uint64(value));
}

static int set_vcpus(void *args, char *arg)
{
	return set_number(args, "vcpus", arg, 1, 255);
}

static int set_memory(void *args, char *arg)
{
	return set_bytes(args, "memory", arg);
}

static int set_cpu_max(void *args, char *arg)
{
	return set_number(args, "cpu-max", arg, 1, 25600);
}

static int set_pluggable(void *args, char *arg)
{
	return set_bytes(args, "pluggable", arg);
}

static int set_memory_max(void *args, char *arg)
{
	return set_bytes(args, "memory-max", arg);
}

static int set_pids_max(void *args, char *arg)
{
	return set_number(args, "pids-max", arg, 1, 1U << 22);
}

static int set_bool(void *args, const char *name, const char *arg)
{
	if (strcmp(arg, "yes") && strcmp(arg, "no"))
		return usage_error("create", "bad --%s '%s': give yes or no", name, arg);
	return set(args, name, json_object_new_boolean(!strcmp(arg, "yes")));
}

static int set_balloon(void *args, char *arg)
{
	return set_bool(args, "balloon", arg);
}

static int set_rng(void *args, char *arg)
{
	return set_bool(args, "rng", arg);
}

static int set_vsock(void *args, char *arg)
{
	return set_number(args, "vsock", arg, VSOCK_CID_MIN, VSOCK_CID_MAX);
}

static int add_disk(void *args, char *arg)
{
	struct create *create = args;
	struct json_object *disks = out_member(create->definition, "disks");
	struct disk_options options;
	const char *wrong = disk_parse(arg, &options);

	if (wrong)
		return usage_error("create", "--disk: '%s' %s", arg, wrong);
	if (!disks) {
		disks = json_object_new_array();
		set(args, "disks", disks);
	}
	json_object_array_add(disks, disk_json(out_path(arg), &options));
	return 0;
}

static int add_net(void *args, char *arg)
{
	struct create *create = args;
	struct json_object *nets = out_member(create->definition, "interfaces"), *net;
	const char *wrong;

	net = net_json(arg, &wrong);
	if (!net)
		return usage_error("create", "--net: '%s' %s", arg, wrong);
	if (!nets) {
		nets = json_object_new_array();
		set(args, "interfaces", nets);
	}
	json_object_array_add(nets, net);
	return 0;
}

static int add_device(void *args, char *arg)
{
	struct create *create = args;
	struct json_object *devices = out_member(create->definition, "devices"), *device;
	const char *wrong;

	device = device_option_json(arg, &wrong);
	if (!device)
		return usage_error("create", "--device: '%s' %s", arg, wrong);
	if (!devices) {
		devices = json_object_new_array();
		set(args, "devices", devices);
	}
	json_object_array_add(devices, device);
	return 0;
}

static int add_share(void *args, char *arg)
{
	struct create *create = args;
	struct json_object *shares = out_member(create->definition, "shares"), *obj;
	struct vmm_share share;
	const char *wrong = share_parse(arg, &share);

	if (wrong)
		return usage_error("create", "--share: '%s' %s", arg, wrong);
	if (!shares) {
		shares = json_object_new_array();
		set(args, "shares", shares);
	}
	obj = json_object_new_object();
	json_object_object_add(obj, "tag", json_object_new_string(share.tag));
	json_object_object_add(obj, "path", out_path(share.dir.path));
	json_object_object_add(obj, "readonly", json_object_new_boolean(share.readonly));
	json_object_array_add(shares, obj);
	return 0;
}

/* "alice", or ":staff" for a group. */
static int set_owner(void *args, char *arg)
{
	struct json_object *owner;
	bool group = *arg == ':';

	if (!arg[group])
		return usage_error("create", "bad --owner '%s': give USER or :GROUP",
				   arg);
	owner = json_object_new_object();
	json_object_object_add(owner, group ? "group" : "user",
			       json_object_new_string(arg + group));
	return set(args, "owner", owner);
}

static int set_autostart(void *args, char *arg)
{
	(void)arg;
	return set(args, "autostart", json_object_new_boolean(true));
}

static int set_restart(void *args, char *arg)
{
	if (strcmp(arg, "never") && strcmp(arg, "on-failure") &&
	    strcmp(arg, "always"))
		return usage_error("create", "bad --restart '%s': give never, on-failure or always",
				   arg);
	return set(args, "restart", json_object_new_string(arg));
}

static int set_watchdog(void *args, char *arg)
{
	u32 action;

	if (!watchdog_parse(arg, &action))
		return usage_error("create", "bad --watchdog '%s': give " WATCHDOG_RULE, arg);
	return set(args, "watchdog", json_object_new_string(arg));
}

static int set_uuid(void *args, char *arg)
{
	return set(args, "uuid", json_object_new_string(arg));
}

static const struct opt options[] = {
	OPT_CALL("firmware", 0, set_firmware, "KIND[,vars=PATH]",
		 "bios uefi",
		 "bios, uefi or an image, which starts it from its disks"),
	OPT_CALL("kernel", 'k', set_kernel, "FILE", "@file",
		 "bzImage, ELF file with a PVH note, or multiboot image"),
	OPT_CALL("initrd", 'i', set_initrd, "FILE", "@file", "initial RAM disk"),
	OPT_CALL("cmdline", 'a', set_cmdline, "STRING", NULL,
		 "the kernel's whole command line"),
	OPT_CALL("vcpus", 'c', set_vcpus, "N", "1 2 4 8", "virtual CPUs (1)"),
	OPT_CALL("memory", 'm', set_memory, "SIZE", "256M 512M 1G 2G 4G",
		 "memory, with suffix K, M or G (256M)"),
	OPT_CALL("pluggable", 0, set_pluggable, "SIZE", "1G 2G 4G",
		 "more that can be plugged in while it runs: see vmctl memory (none)"),
	OPT_CALL("disk", 'd', add_disk, "FILE[,OPTION]...", "@file",
		 "a disk, /dev/vda and on; may be repeated"),
	OPT_CALL("user-data", 0, set_user_data, "FILE", "@file",
		 "what cloud-init is to do: on a disk of its own, the last one"),
	OPT_CALL("meta-data", 0, set_meta_data, "FILE", "@file",
		 "besides (the VM's UUID and name)"),
	OPT_CALL("network-config", 0, set_network_config, "FILE", "@file", "likewise"),
	OPT_CALL("balloon", 0, set_balloon, "YES-OR-NO", "yes no",
		 "the guest can give memory back: see vmctl balloon (yes)"),
	OPT_CALL("rng", 0, set_rng, "YES-OR-NO", "yes no",
		 "the guest has the host's random numbers (yes)"),
	OPT_CALL("watchdog", 0, set_watchdog, "ACTION", "reset poweroff pause none no",
		 "a watchdog, and what is done when it fires (no)"),
	OPT_CALL("vsock", 0, set_vsock, "CID", "3 4 5",
		 "sockets between guest and host, with that address for the guest"),
	OPT_CALL("net", 0, add_net, "KIND[,OPTION]...", "switch= user",
		 "a network: switch=NAME, or user; may be repeated"),
	OPT_CALL("device", 0, add_device, "[vf-of=]ADDRESS[,OPTION]...", "vf-of= io-ports= mmio=",
		 "a device of the host's, see vmctl device; may be repeated"),
	OPT_CALL("share", 0, add_share, "TAG=FOLDER[,ro]", NULL,
		 "a folder that the guest can mount as TAG; may be repeated"),
	OPT_CALL("owner", 'o', set_owner, "USER|:GROUP", NULL,
		 "who may use it (who creates it)"),
	OPT_CALL("autostart", 0, set_autostart, NULL, NULL,
		 "start it when vmd starts"),
	OPT_CALL("restart", 0, set_restart, "WHEN", "never on-failure always",
		 "never, on-failure or always (never)"),
	OPT_CALL("uuid", 0, set_uuid, "UUID", NULL, "(made)"),
	OPT_CALL("cpu-max", 0, set_cpu_max, "PERCENT", "50 100 200",
		 "of one CPU"),
	OPT_CALL("memory-max", 0, set_memory_max, "SIZE", NULL,
		 "of its process, the guest's memory included"),
	OPT_CALL("pids-max", 0, set_pids_max, "N", NULL, "threads of its process"),
	OPT_TEXT("file", 'f', struct create, file, "FILE", "@file",
		 "a definition in JSON, - for standard input; options win over it"),
	OPT_FLAG("start", 's', struct create, start, "start it as well"),
	OPT_JSON(struct create),
	OPT_SOCKET,
	OPT_END,
};

/* Return: an exit code, told; or 0. */
static int read_file(const char *path, struct json_object **definition)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = calloc(1, FILE_BYTES_MAX + 1);
	enum json_tokener_error error = json_tokener_success;
	int code = 0;

	if (!text || !file) {
		code = fail("failed", NULL, "%s: %s", path, strerror(errno));
	} else if (fread(text, 1, FILE_BYTES_MAX, file) == FILE_BYTES_MAX) {
		code = fail("bad-config", NULL, "%s is larger than %d bytes", path,
			    FILE_BYTES_MAX - 1);
	} else {
		*definition = json_tokener_parse_verbose(text, &error);
		if (!json_object_is_type(*definition, json_type_object))
			code = fail("bad-config", "give one JSON object",
				    "%s: %s", path,
				    error ? json_tokener_error_desc(error) :
				    "no object");
	}
	free(text);
	if (file && file != stdin)
		fclose(file);
	return code;
}

/* Put what the options say over what the file says. */
static int complete(struct create *create)
{
	struct json_object *whole = NULL;
	int code;

	if (create->args.nr_operands)
		set(create, "name",
		    json_object_new_string(create->args.operand[0]));
	if (create->file) {
		code = read_file(create->file, &whole);
		if (code) {
			json_object_put(whole);
			return code;
		}
		json_object_object_foreach(create->definition, name, value)
			json_object_object_add(whole, name, json_object_get(value));
		json_object_put(create->definition);
		create->definition = whole;
	}
	if (!out_text(create->definition, "name"))
		return usage_error("create", "no name given");
	if (!out_text(create->definition, "kernel") &&
	    !out_text(create->definition, "firmware"))
		return usage_error("create", "no --kernel given, and no --firmware");
	return 0;
}

static void tell(const struct create *create, struct json_object *vm)
{
	struct json_object *whole;

	if (!create->args.json) {
		printf("%s: %s\n", out_text(create->definition, "name"),
		       create->start ? "created and started" : "created");
		return;
	}
	whole = json_object_new_object();
	json_object_object_add(whole, "verb", json_object_new_string("create"));
	json_object_object_add(whole, "vm", json_object_get(vm));
	out_json(whole);
	json_object_put(whole);
}

static int ask(const struct create *create)
{
	struct json_object *request = client_request("create"), *vm = NULL;
	int code;

	json_object_object_add(request, "definition",
			       json_object_get(create->definition));
	if (create->start)
		json_object_object_add(request, "start",
				       json_object_new_boolean(true));
	code = client_once(request, CLIENT_TIMEOUT_MS * 2, &vm);
	if (!code)
		tell(create, vm);
	json_object_put(vm);
	return code;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct create create = { .definition = json_object_new_object() };
	int code;

	if (opt_parse(cmd, &create, argc, argv, &code)) {
		code = complete(&create);
		if (!code)
			code = ask(&create);
	}
	json_object_put(create.definition);
	return code;
}

const struct command cmd_create = {
	.name = "create",
	.run = run,
	.args = "NAME",
	.help = "define a VM for vmd to run",
	.more =
	"Without --cmdline it is 'console=ttyS0 quiet panic=-1 reboot=panic_warm\n"
	"cryptomgr.notests'. The files are opened with your rights.\n",
	.options = options,
	.operand = OPERAND_NAME,
	.most = 1,
};
