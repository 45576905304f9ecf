// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl device: devices of the host that VMs get. What a VM has is vmd's business; to bind a
 * device to vfio-pci and to make virtual functions takes root alone.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "device_list.h"
#include "error.h"
#include "hostdev/hostdev.h"
#include "hostdev_json.h"
#include "out.h"
#include "vmctl.h"

#define BIND_MAX	32

/**
 * struct host_args - the command line
 * @device: what it shares with other kinds of devices; the first member
 * @count: of virtual functions, or DEVICE_NO_TIME: not given
 */
struct host_args {
	struct device_args device;
	u64 count;
};

static const struct device_kind kind = {
	.name = "device",
	.member = "device",
};

static int told(const struct hostdev_why *why)
{
	return fail(why->code, *why->remedy ? why->remedy : NULL, "%s", why->text);
}

static int lock_failed(int err)
{
	struct hostdev_why why;

	hostdev_errno(&why, err, NULL, "cannot use " HOSTDEV_STATE_DIR);
	return told(&why);
}

/* What a device is like now. */
static void tell(const struct host_args *args, const char *verb, const char *addr, const char *done)
{
	struct json_object *whole;
	struct hostdev dev;

	if (!args->device.args.json) {
		printf("%s: %s\n", addr, done);
		fflush(stdout);
		return;
	}
	whole = json_object_new_object();
	json_object_object_add(whole, "verb", json_object_new_string(verb));
	json_object_object_add(whole, "device", hostdev_read("", addr, &dev) ? NULL :
			       hostdev_json(&dev, NULL));
	out_json(whole);
	json_object_put(whole);
}

static int assign(struct host_args *args)
{
	struct args *words = &args->device.args;
	struct json_object *obj;
	const char *wrong;

	if (words->nr_operands != 3)
		return usage_error("device", "give one VM and one device to assign");
	obj = device_option_json(words->operand[2], &wrong);
	if (!obj)
		return usage_error("device", "'%s' %s", words->operand[2], wrong);
	if (args->device.force)
		json_object_object_add(obj, "force", json_object_new_boolean(true));
	return device_add(&args->device, &kind, obj);
}

static int release(struct host_args *args)
{
	return device_remove(&args->device, &kind);
}

/* All that are named go together: half a group does not. The lock is held. */
static int bind_locked(const struct host_args *args, const struct hostdev_id *named, int nr)
{
	const struct hostdev_state bare = { .bare = true };
	struct hostdev dev[BIND_MAX];
	struct hostdev_why why;
	int i, code = 0;

	for (i = 0; i < nr && !code; i++)
		code = device_read(named[i].addr, &dev[i]);
	for (i = 0; i < nr && !code; i++)
		if (hostdev_check(&dev[i], named, nr, args->device.force, &why))
			code = told(&why);
	for (i = 0; i < nr && !code; i++) {
		if (hostdev_bind(&dev[i], &bare, &why))
			code = told(&why);
		else
			tell(args, "bind", dev[i].addr, "bound to vfio-pci");
	}
	return code;
}

static int bind_all(struct host_args *args)
{
	struct args *words = &args->device.args;
	int nr = words->nr_operands - 1, lock, i, code = 0;
	struct hostdev_id named[BIND_MAX];

	if (nr < 1 || nr > BIND_MAX)
		return usage_error("device", "give 1 to %d addresses to bind", BIND_MAX);
	for (i = 0; i < nr && !code; i++)
		code = device_addr(words->operand[i + 1], named[i].addr);
	if (code)
		return code;
	lock = hostdev_lock("");
	if (lock < 0)
		return lock_failed(lock);
	code = bind_locked(args, named, nr);
	close(lock);
	return code;
}

static int unbind_one(struct host_args *args, const char *typed)
{
	struct hostdev_state state;
	char addr[PCI_ADDR_SIZE];
	struct hostdev_why why;
	int err = device_addr(typed, addr);

	if (err)
		return err;
	if (!hostdev_state("", addr, &state) && *state.vm)
		return fail("in-use", "release it there: vmctl device release",
			    "%s is the VM %s's", addr, state.vm);
	if (hostdev_busy("", addr))
		return fail("in-use", "end what uses it first",
			    "somebody has %s open through its IOMMU group", addr);
	err = hostdev_give_back("", addr, &why);
	if (err < 0)
		return told(&why);
	tell(args, "unbind", addr, err ? "is gone" : "back with the host");
	return 0;
}

static int unbind_all(struct host_args *args)
{
	struct args *words = &args->device.args;
	int first = 0, i, lock;

	if (words->nr_operands < 2)
		return usage_error("device", "no address given");
	lock = hostdev_lock("");
	if (lock < 0)
		return lock_failed(lock);
	for (i = 1; i < words->nr_operands; i++) {
		int code = unbind_one(args, words->operand[i]);

		first = first ? first : code;
	}
	close(lock);
	return first;
}

static void tell_vfs(const struct host_args *args, const char *addr)
{
	char vf[PCI_ADDR_SIZE];
	struct hostdev pf;
	u32 i;

	if (args->device.args.json) {
		tell(args, "vf", addr, "");
		return;
	}
	if (hostdev_read("", addr, &pf))
		return;
	if (!pf.nr_vfs)
		printf("%s: no virtual functions\n", addr);
	for (i = 0; !hostdev_vf(&pf, i, vf); i++)
		printf("%s\n", vf);
}

/* Without a count: which there are. */
static int set_vfs(struct host_args *args)
{
	struct args *words = &args->device.args;
	bool set = args->count != DEVICE_NO_TIME;
	char addr[PCI_ADDR_SIZE];
	struct hostdev_why why;
	struct hostdev pf;
	int code, lock;

	if (words->nr_operands != 2)
		return usage_error("device", "give one address, and --count");
	code = device_addr(words->operand[1], addr);
	if (code)
		return code;
	lock = set ? hostdev_lock("") : -1;
	if (set && lock < 0)
		return lock_failed(lock);
	code = device_read(addr, &pf);
	if (!code && set && hostdev_set_vfs(&pf, (u32)args->count, &why))
		code = told(&why);
	if (set)
		close(lock);
	if (!code)
		tell_vfs(args, addr);
	return code;
}

static int list(struct host_args *args)
{
	if (args->device.args.nr_operands != 1)
		return usage_error("device", "list takes no argument");
	return device_list(&args->device.args);
}

static int show(struct host_args *args)
{
	if (args->device.args.nr_operands != 2)
		return usage_error("device", "give one address to show");
	return device_show(&args->device.args);
}

static const struct {
	const char *word;
	int (*fn)(struct host_args *args);
} words[] = {
	{ "list", list }, { "show", show }, { "assign", assign }, { "release", release },
	{ "bind", bind_all }, { "unbind", unbind_all }, { "vf", set_vfs },
};

static int run(const struct command *cmd, int argc, char **argv)
{
	struct host_args args = {
		.device.timeout_ms = DEVICE_NO_TIME, .count = DEVICE_NO_TIME,
	};
	size_t i;
	int code;

	if (!opt_parse(cmd, &args, argc, argv, &code))
		return code;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(args.device.args.operand[0], words[i].word))
			return words[i].fn(&args);
	return usage_error(cmd->name, "unexpected argument '%s': give one of %s",
			   args.device.args.operand[0], cmd->words);
}

static const struct opt options[] = {
	OPT_NUMBER("count", 'c', struct host_args, count, 0, 65535,
		   "vf: have so many virtual functions; 0: none"),
	OPT_TEXT("name", 'n', struct host_args, device.name, "NAME", NULL,
		 "assign: the device's name within the VM"),
	OPT_FLAG("force", 'f', struct host_args, device.force,
		 "assign, bind: the host's way out, too; release: whatever the guest does"),
	OPT_TIME("timeout", 't', struct host_args, device.timeout_ms,
		 "release: wait so long for the guest (30); 0: do not wait"),
	OPT_JSON(struct device_args),	/* the first member */
	OPT_SOCKET,
	OPT_END,
};

const struct command cmd_device = {
	.name = "device",
	.run = run,
	.args = "list | show ADDRESS | assign VM ADDRESS[,OPTION]... | release VM NAME... |\n"
	"       vmctl device bind ADDRESS... | unbind ADDRESS... | vf ADDRESS",
	.help = "give a VM a PCI device of the host, or take one away",
	.more =
	"An address is 0000:01:00.0. For assign, vf-of=ADDRESS is a virtual function of that\n"
	"device that is free. Options are name=NAME, mac=ADDRESS and vlan=N (of virtual\n"
	"functions that are networks), on-fault=keep or stop, and force. A VM that runs gets\n"
	"the device at once, a created one keeps it for its next start. Only admins may.\n"
	"bind takes devices from their drivers for 'vmctl run --device' or another VMM;\n"
	"unbind gives them back. bind, unbind and vf are root's.\n",
	.options = options,
	.operand = OPERAND_WORD,
	.words = "list show assign release bind unbind vf",
	.of_vm = true,
	.least = 1,
	.most = OPERANDS_ANY,
};
