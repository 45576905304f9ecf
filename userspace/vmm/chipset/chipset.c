// SPDX-License-Identifier: GPL-2.0-only
/* The board's devices, in the order they are built. */
#include <string.h>

#include "chipset.h"
#include "../console.h"
#include "../log.h"
#include "../vm.h"
#include "flash.h"
#include "fwcfg.h"
#include "host_bridge.h"
#include "hotplug.h"
#include "lpc.h"
#include "pci.h"
#include "pm.h"
#include "uart.h"

static const struct {
	const char *name;
	int (*create)(struct vm *vm);
	void (*destroy)(struct vm *vm);
} devices[] = {
	{ "console", console_create, console_destroy },
	{ "uart", uart_create, uart_destroy },
	{ "rtc", rtc_create, rtc_destroy },
	{ "power management", pm_create, pm_destroy },
	{ "pci", pci_create, pci_destroy },
	{ "host bridge", host_bridge_create, host_bridge_destroy },
	{ "LPC bridge", lpc_create, lpc_destroy },
	{ "keyboard controller", i8042_create, i8042_destroy },
	{ "hot-plug", hotplug_create, hotplug_destroy },
	{ "reset", reset_create, NULL },
	{ "debug console", debugcon_create, NULL },
	{ "flash", NULL, flash_destroy },	/* made by firmware_load() */
	{ "fw_cfg", NULL, fwcfg_destroy },	/* likewise */
	{ "panic", panic_create, NULL },
	{ "debug exit", debugexit_create, NULL },
};

/* Return: 0, or -errno with the reason logged; chipset_destroy() is due anyway. */
int chipset_create(struct vm *vm)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		err = devices[i].create ? devices[i].create(vm) : 0;
		if (err) {
			log_err("cannot create the %s device: %s",
				devices[i].name, strerror(-err));
			return err;
		}
	}
	return 0;
}

void chipset_destroy(struct vm *vm)
{
	size_t i;

	for (i = ARRAY_SIZE(devices); i-- > 0;)
		if (devices[i].destroy)
			devices[i].destroy(vm);
}
