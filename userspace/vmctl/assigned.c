// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of the host that VMs have. vmd knows what its VMs call theirs; of all others' the module
 * knows the IOMMU groups, and sysfs whose drivers the devices in them have.
 */
#include <json-c/json.h>
#include <string.h>

#include "assigned.h"
#include "hostdev/hostdev.h"
#include "out.h"

static void add_now(const char *root, struct json_object *dev, const char *addr)
{
	int group = hostdev_group(root, addr);
	char driver[HOSTDEV_DRIVER_SIZE];

	hostdev_driver(root, addr, driver);
	json_object_object_add(dev, "group", group < 0 ? NULL : json_object_new_int(group));
	json_object_object_add(dev, "driver", *driver ? json_object_new_string(driver) : NULL);
}

/*
 * Is it of those that who opened the group has? Others of it are left alone by the host: bridges,
 * and devices without a driver. One that is gone was.
 */
static bool had(const char *root, const char *addr)
{
	char driver[HOSTDEV_DRIVER_SIZE];

	hostdev_driver(root, addr, driver);
	return strstr(driver, "vfio") || hostdev_group(root, addr) < 0;
}

static void add_group(const char *root, struct json_object *list, struct json_object *group)
{
	struct json_object *pci = out_member(group, "pci");
	size_t i;

	for (i = 0; pci && i < json_object_array_length(pci); i++) {
		const char *addr = json_object_get_string(json_object_array_get_idx(pci, i));
		struct json_object *dev;

		if (!had(root, addr))
			continue;
		dev = json_object_new_object();
		json_object_object_add(dev, "name", NULL);
		json_object_object_add(dev, "host", json_object_new_string(addr));
		add_now(root, dev, addr);
		json_object_array_add(list, dev);
	}
}

static struct json_object *of_groups(const char *root, s64 id, struct json_object *groups)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; groups && i < json_object_array_length(groups); i++) {
		struct json_object *group = json_object_array_get_idx(groups, i);

		if (out_number(group, "vm-id") == id)
			add_group(root, list, group);
	}
	return list;
}

/**
 * assigned_add() - which devices a VM has, and where they are now
 * @root: of the host's files
 * @vm: VM, with vmd's "devices" if that has told; set. What one that does not run is to have stays
 * @groups: the module's devices of it, or of all VMs; NULL: it does not tell
 */
void assigned_add(const char *root, struct json_object *vm, struct json_object *groups)
{
	struct json_object *list = out_member(vm, "devices");
	size_t i;

	if (!json_object_is_type(list, json_type_array)) {
		list = of_groups(root, out_number(vm, "id"), groups);
		json_object_object_add(vm, "devices", list);
		return;
	}
	for (i = 0; out_number(vm, "pid") && i < json_object_array_length(list); i++) {
		struct json_object *dev = json_object_array_get_idx(list, i);
		const char *addr = out_text(dev, "host");

		if (addr)
			add_now(root, dev, addr);
	}
}
