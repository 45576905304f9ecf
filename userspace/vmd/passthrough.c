// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that VMs own: bound to vfio-pci before the VM's process is started, or when one is
 * plugged in, and given back to their drivers once nobody has them open any longer. Which VM has
 * which is kept in HOSTDEV_STATE_DIR: the next daemon finds it there.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "channel.h"
#include "hostdev/fault.h"
#include "js.h"
#include "net/rtnl.h"
#include "net/vf.h"
#include "parent.h"
#include "passthrough.h"

#define STATES_MAX	256
#define FIRST_MS	300	/* a VM that is started again at once has it still */
#define AGAIN_MS	200
#define WORRY_MS	10000
#define FAULT_MS	1000	/* between two events of one device */

/**
 * struct held - a device that is not its driver's
 * @group: its IOMMU group
 * @bars: bytes of its windows in memory
 * @since: of now_ms(): it is to go back since then; 0: its VM has it
 * @worried: it has been told that this takes long
 * @faults: that were not told yet
 * @told: when the last were
 */
struct held {
	struct held *next;
	char addr[PCI_ADDR_SIZE];
	char vm[HOSTDEV_VM_SIZE];
	char name[HOSTDEV_NAME_SIZE];
	int group;
	u64 bars;
	u64 since;
	bool worried;
	u32 faults;
	u64 told;
};

static_assert(HOSTDEV_VM_SIZE > NAME_LEN_MAX, "a VM's name fits");
static_assert(HOSTDEV_NAME_SIZE == DEVICE_NAME_SIZE, "a device's name fits");

static const u8 no_mac[6];
static struct held *list;
static struct timer going;
static struct hostdev_why why;	/* struct failure's remedy lies in it */

static void tell(const struct held *h, const char *what, const char *because, bool stop)
{
	struct json_object *obj = js_new("type", "device");

	js_add_text(obj, "vm", h->vm);
	js_add_text(obj, "device", h->name);
	js_add_text(obj, "host", h->addr);
	js_add_text(obj, "what", what);
	js_add_text(obj, "why", because);
	js_add_bool(obj, "stop", stop);
	channel_send(&parent.control, obj, -1);
}

static struct held *find(const char *addr)
{
	struct held *h;

	for (h = list; h; h = h->next)
		if (!strcmp(h->addr, addr))
			return h;
	return NULL;
}

static struct held *add(const struct hostdev *dev, const char *vm, const char *name)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	snprintf(h->addr, sizeof(h->addr), "%s", dev->addr);
	snprintf(h->vm, sizeof(h->vm), "%s", vm);
	snprintf(h->name, sizeof(h->name), "%s", name);
	h->group = dev->group;
	h->bars = hostdev_bars(dev);
	h->next = list;
	list = h;
	return h;
}

static void forget(struct held *h)
{
	struct held **link;

	for (link = &list; *link != h; link = &(*link)->next)
		;
	*link = h->next;
	free(h);
}

/* A virtual function that is a network: what its physical function is to let it be. */
static int set_network(const struct hostdev *dev, const u8 *mac, int vlan)
{
	char pf_name[IF_NAME_SIZE];
	struct hostdev pf;
	u32 index;

	if (!*dev->physfn || hostdev_read("", dev->physfn, &pf) ||
	    hostdev_child(&pf, "net", pf_name, sizeof(pf_name)) ||
	    hostdev_vf_index(&pf, dev, &index))
		return -ENODEV;
	return vf_set(pf_name, index, mac, vlan);
}

static void clear_network(const char *addr)
{
	struct hostdev_state state;
	struct hostdev dev;

	if (!hostdev_state("", addr, &state) && state.net && !hostdev_read("", addr, &dev))
		set_network(&dev, no_mac, 0);
}

/* It is nobody's any longer, and nobody has it open. */
static void give_back(struct held *h)
{
	int lock = hostdev_lock(""), ret;

	clear_network(h->addr);
	ret = hostdev_give_back("", h->addr, &why);
	if (lock >= 0)
		close(lock);
	if (ret < 0)
		say("%s; %s", why.text, why.remedy);
	if (ret == 1)
		tell(h, "device-lost", "the host has it no longer", false);
	else
		tell(h, "device-released", ret ? why.text : NULL, false);
	forget(h);
}

static void go_on(struct timer *timer)
{
	struct held *h, *next;
	bool left = false;

	for (h = list; h; h = next) {
		next = h->next;
		if (!h->since)
			continue;
		if (!hostdev_busy("", h->addr)) {
			give_back(h);
			continue;
		}
		left = true;
		if (h->worried || now_ms() - h->since < WORRY_MS)
			continue;
		h->worried = true;
		say("the device %s is not given back yet: somebody has its IOMMU group %d open",
		    h->addr, h->group);
	}
	if (left)
		timer_set(timer, AGAIN_MS, go_on);
}

/**
 * passthrough_drop() - a VM has a device no longer
 * @vm: VM
 * @name: device; NULL: all of them, it has ended
 *
 * It goes back as soon as nobody has its group open: where a VM has several of a group, with the
 * last of them.
 */
void passthrough_drop(const char *vm, const char *name)
{
	struct held *h;
	bool any = false;

	for (h = list; h; h = h->next) {
		if (h->since || strcmp(h->vm, vm) || (name && strcmp(h->name, name)))
			continue;
		h->since = now_ms();
		any = true;
	}
	if (any)
		timer_set(&going, FIRST_MS, go_on);
}

/* Is a device that a VM had a moment ago what it wants by that name? */
static bool fits(const struct held *h, const struct assigned *want)
{
	struct hostdev dev;

	return !strcmp(h->name, want->name) && !hostdev_read("", h->addr, &dev) &&
	       !strcmp(want->pool ? dev.physfn : h->addr, want->host);
}

static bool wanted(const struct held *h, const struct definition *def)
{
	int i;

	for (i = 0; def && i < def->devices.nr && !strcmp(h->vm, def->name); i++)
		if (fits(h, &def->devices.dev[i]))
			return true;
	return false;
}

/*
 * What VMs had a moment ago, but for what @def is to have still, by the same name: it is to be
 * back, if it can be. NULL: all.
 */
static void hurry(const struct definition *def)
{
	struct held *h, *next;

	for (h = list; h; h = next) {
		next = h->next;
		if (h->since && !wanted(h, def) && !hostdev_busy("", h->addr))
			give_back(h);
	}
}

/* Return: 0 with @dev filled in, or less with why. */
static int choose(const struct assigned *want, struct hostdev *dev)
{
	struct hostdev pf;

	if (!want->pool) {
		if (!hostdev_read("", want->host, dev))
			return 0;
	} else if (!hostdev_read("", want->host, &pf)) {
		return hostdev_free_vf(&pf, dev, &why);
	}
	return hostdev_why(&why, "not-found", "'vmctl device list' shows those there are",
			   "the host has no PCI device %s", want->host);
}

/* One that its VM had a moment ago, and gets again: but not one whose network is set anew. */
static struct held *still_held(const struct definition *def, const struct assigned *want)
{
	struct held *h;

	if (want->has_mac || want->vlan)
		hurry(NULL);
	for (h = list; h; h = h->next)
		if (h->since && !strcmp(h->vm, def->name) && fits(h, want))
			return h;
	return NULL;
}

/* Those of the same VM go along: together they may be a group. */
static int along_of(const struct definition *def, struct hostdev_id *along)
{
	int i, nr = 0;

	for (i = 0; i < def->devices.nr; i++)
		if (!def->devices.dev[i].pool)
			snprintf(along[nr++].addr, sizeof(along->addr), "%s",
				 def->devices.dev[i].host);
	return nr;
}

static int set_wanted_network(const struct hostdev *dev, const struct assigned *want)
{
	int err;

	if (!want->has_mac && !want->vlan)
		return 0;
	err = set_network(dev, want->has_mac ? want->mac : NULL, want->vlan ?: -1);
	if (err == -ENODEV)
		return hostdev_why(&why, "bad-config", "take mac and vlan out of its definition",
				   "%s is no virtual function that is a network", dev->addr);
	return err ? hostdev_why(&why, "failed", NULL, "the network of %s cannot be set: %s",
				 dev->addr, rtnl_why(err)) : 0;
}

/* Return: what the VM has now, or NULL with why. */
static struct held *take(const struct definition *def, const struct assigned *want)
{
	struct hostdev_state state = { .net = want->has_mac || want->vlan };
	struct hostdev_id along[ASSIGNED_MAX];
	struct held *h = still_held(def, want);
	struct hostdev dev;
	int lock, err;

	if (h) {
		h->since = 0;
		return h;
	}
	hurry(def);
	lock = hostdev_lock("");
	snprintf(state.vm, sizeof(state.vm), "%s", def->name);
	snprintf(state.name, sizeof(state.name), "%s", want->name);
	err = choose(want, &dev);
	/* One of a pool was chosen by that. */
	if (!err && !want->pool)
		err = hostdev_check(&dev, along, along_of(def, along), want->force, &why);
	/* Another VM's has its network already. */
	err = err ?: hostdev_taken(&dev, &why);
	err = err ?: set_wanted_network(&dev, want);
	if (!err && hostdev_bind(&dev, &state, &why)) {
		err = -1;
		if (state.net)
			set_network(&dev, no_mac, 0);
	}
	if (!err)
		h = add(&dev, def->name, want->name);
	if (!err && !h) {
		clear_network(dev.addr);
		hostdev_give_back("", dev.addr, &why);
		hostdev_why(&why, "failed", NULL, "out of memory");
	}
	if (lock >= 0)
		close(lock);
	return h;
}

static int open_vfio(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return hostdev_why(&why, errno == EBUSY ? "in-use" : "failed",
			   errno == EBUSY ? "end what has it open" : NULL, "cannot open %s: %s",
			   path, strerror(errno));
}

/* What the VM's process is told of it. */
static void describe(const struct held *h, struct json_object *told)
{
	struct json_object *obj = js_new("name", h->name);
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", h->group);
	js_add_text(obj, "host", h->addr);
	js_add_text(obj, "group", path);
	js_add_int(obj, "bars", (s64)h->bars);
	json_object_array_add(told, obj);
}

/* Its group; a second device of the same has a copy of the first one's. */
static int open_group(const struct held *h, struct held *const *before, const int *fds, int nr)
{
	char path[64];
	int i, fd;

	for (i = 0; i < nr; i++) {
		if (before[i]->group != h->group)
			continue;
		fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		return fd >= 0 ? fd : hostdev_why(&why, "failed", NULL, "%s", strerror(errno));
	}
	snprintf(path, sizeof(path), "/dev/vfio/%d", h->group);
	return open_vfio(path);
}

/**
 * passthrough_open() - all devices of a VM that is started
 * @def: VM, which has some
 * @fds: the container's and then their groups' descriptors, the caller's
 * @told: an array; what the VM's process is told
 * @f: why not
 *
 * Return: how many of @fds are filled in: passthrough_fds(), or fewer. Of a VM that does not
 * start then passthrough_drop() is due.
 */
int passthrough_open(const struct definition *def, int *fds, struct json_object *told,
		     struct failure *f)
{
	struct held *h[ASSIGNED_MAX];
	int i, fd;

	/* All of them first: the kernel wants whole groups. */
	for (i = 0; i < def->devices.nr; i++) {
		h[i] = take(def, &def->devices.dev[i]);
		if (!h[i]) {
			fail_hostdev(f, &why);
			return 0;
		}
	}
	fds[0] = open_vfio(HOSTDEV_CONTAINER);
	if (fds[0] < 0) {
		fail_hostdev(f, &why);
		return 0;
	}
	for (i = 0; i < def->devices.nr; i++) {
		fd = open_group(h[i], h, fds + 1, i);
		if (fd < 0) {
			fail_hostdev(f, &why);
			break;
		}
		fds[1 + i] = fd;
		describe(h[i], told);
	}
	if (i == def->devices.nr)
		for (i = 0; i < def->devices.nr; i++)
			tell(h[i], "device-assigned", NULL, false);
	return 1 + i;
}

/* What a process that runs may lock, and have mapped. */
static int raise_limits(const struct definition *def, int pid, u64 bars)
{
	u64 lock = passthrough_memlock(def);
	struct rlimit rl = { lock, lock };

	if (prlimit(pid, RLIMIT_MEMLOCK, &rl, NULL) || prlimit(pid, RLIMIT_AS, NULL, &rl))
		return -errno;
	if (rl.rlim_cur == RLIM_INFINITY)
		return 0;
	rl.rlim_cur += bars;
	rl.rlim_max = rl.rlim_cur;
	return prlimit(pid, RLIMIT_AS, &rl, NULL) ? -errno : 0;
}

static bool shares_group(const struct held *h)
{
	struct held *other;

	for (other = list; other; other = other->next)
		if (other != h && other->group == h->group)
			return true;
	return false;
}

/**
 * passthrough_plug() - a device of a VM that runs
 * @def: VM
 * @dev: device
 * @pid: the VM's process
 * @fds: the container's and the group's descriptor are added
 * @told: an array; what the VM's process is told
 * @f: why not
 *
 * Return: 0 or less, and then passthrough_drop() is due.
 */
int passthrough_plug(const struct definition *def, const struct assigned *dev, int pid,
		     struct fd_list *fds, struct json_object *told, struct failure *f)
{
	struct held *h = take(def, dev);
	int err = 0, i;

	if (!h)
		return fail_hostdev(f, &why);
	if (shares_group(h))
		err = hostdev_why(&why, "in-use", "stop the VM, and start it with both",
				  "the VM has another device of the IOMMU group %d: this one cannot be added while it runs",
				  h->group);
	else if (raise_limits(def, pid, h->bars))
		err = hostdev_why(&why, "failed", NULL,
				  "the limits of the VM's process cannot be raised");
	for (i = 0; !err && i < 2; i++) {
		int fd = i ? open_group(h, NULL, NULL, 0) : open_vfio(HOSTDEV_CONTAINER);

		if (fd < 0)
			err = -1;
		else
			fds->fd[fds->nr++] = fd;
	}
	if (err)
		return fail_hostdev(f, &why);
	describe(h, told);
	tell(h, "device-assigned", NULL, false);
	return 0;
}

/* What a VM has. Return: an array, the caller's. */
struct json_object *passthrough_json(const char *vm)
{
	struct json_object *array = json_object_new_array(), *obj;
	struct held *h;

	for (h = list; h; h = h->next) {
		if (h->since || strcmp(h->vm, vm))
			continue;
		obj = js_new("name", h->name);
		js_add_text(obj, "host", h->addr);
		json_object_array_add(array, obj);
	}
	return array;
}

/* The IOMMU has blocked something. */
void passthrough_fault(const struct dma_fault *fault)
{
	static const char *const words[] = { "reach", "read", "write" };
	struct held *h = find(fault->addr);
	struct assigned *dev;
	struct owned *vm;
	char text[200], more[48] = "";

	if (!h)
		return;
	h->faults++;
	if (h->told && now_ms() - h->told < FAULT_MS)
		return;
	vm = owned_find(h->vm);
	dev = vm ? assignments_find(&vm->def.devices, h->name) : NULL;
	if (h->faults > 1)
		snprintf(more, sizeof(more), " (%u times since the last one told)", h->faults);
	snprintf(text, sizeof(text),
		 "the device %s (%s) wanted to %s %#llx, which is none of the guest's memory%s",
		 h->name, h->addr, words[fault->access], (unsigned long long)fault->iova, more);
	tell(h, "device-fault", text, dev && dev->stop);
	h->faults = 0;
	h->told = now_ms();
}

/* Virtual functions that the configuration wants. */
void passthrough_apply(const struct config *config)
{
	struct hostdev pf;
	int lock, i;

	for (i = 0; i < config->nr_vfs; i++) {
		lock = hostdev_lock("");
		if (hostdev_read("", config->vf[i].addr, &pf))
			say("no virtual functions: the host has no PCI device %s",
			    config->vf[i].addr);
		else if (hostdev_set_vfs(&pf, config->vf[i].count, &why))
			say("%s%s%s", why.text, *why.remedy ? "; " : "", why.remedy);
		if (lock >= 0)
			close(lock);
	}
}

/* What an earlier daemon left: VMs that run have theirs, the others' go back. */
void passthrough_adopt(void)
{
	struct hostdev_id left[STATES_MAX];
	int nr = hostdev_states("", left, STATES_MAX), i;
	struct hostdev_state state;
	struct hostdev dev;
	struct owned *vm;
	struct held *h;

	for (i = 0; i < nr; i++) {
		if (hostdev_state("", left[i].addr, &state) || !*state.vm)
			continue;
		/* One that is gone is told of, too. */
		hostdev_read("", left[i].addr, &dev);
		h = add(&dev, state.vm, state.name);
		if (!h)
			continue;
		vm = owned_find(state.vm);
		if (!vm || !vm->proc.pid)
			h->since = now_ms();
	}
	timer_set(&going, 0, go_on);
}

/* While the daemon may still load modules. */
void passthrough_init(void)
{
	struct hostdev_id one;

	/* Where there is no IOMMU there is nothing to be loaded for. */
	if (!hostdev_members("", 0, &one, 1))
		return;
	if (hostdev_load_vfio("", &why))
		say("%s; %s", why.text, why.remedy);
	kmsg_init();
}
