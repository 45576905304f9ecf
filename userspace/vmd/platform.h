/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices of the host's that are not PCI's, which a VM is to have: ports and memory, by their
 * addresses.
 */
#ifndef VMD_PLATFORM_H
#define VMD_PLATFORM_H

#include "vmm/vmm.h"

#define PLATFORM_DEVICES_MAX	8

struct complaint;
struct failure;
struct json_object;

/**
 * struct platform_device - one of them
 * @name: within the VM
 * @ports: I/O ports
 * @mmio: memory, whole pages
 */
struct platform_device {
	char name[DEVICE_NAME_SIZE];
	int nr_ports;
	struct range ports[VMM_IO_PORTS_MAX];
	int nr_mmio;
	struct range mmio[VMM_MMIO_MAX];
};

struct platform_devices {
	int nr;
	struct platform_device dev[PLATFORM_DEVICES_MAX];
};

extern const char *const platform_keys[];	/* ended by NULL */

int platform_set(struct platform_device *dev, const char *key, const char *text,
		 struct complaint *c);
int platform_add(struct platform_devices *list, const struct platform_device *dev,
		 struct complaint *c);
const struct platform_device *platform_find(const struct platform_devices *list, const char *name);
bool platform_equal(const struct platform_devices *a, const struct platform_devices *b);
const char *platform_meets(const struct platform_devices *a, const struct platform_devices *b);
int platform_ports(const struct platform_devices *list, struct range *ports);
int platform_mmio(const struct platform_devices *list, struct vmm_mmio *mmio);
void platform_json(const struct platform_devices *list, struct json_object *array);
bool platform_is(struct json_object *obj);
int platform_from_json(struct platform_devices *list, struct json_object *obj,
		       struct complaint *c);

#endif
