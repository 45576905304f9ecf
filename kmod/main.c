// SPDX-License-Identifier: GPL-2.0-only
/* joist: a hypervisor in a kernel module. Load and unload, nothing else. */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/init.h>
#include <linux/module.h>

#include "core/chardev.h"
#include "core/eventfd.h"
#include "core/hardware.h"
#include "core/netlink.h"
#include "mmu/mmu.h"
#include "x86/cpuid.h"
#include "x86/exits.h"
#include "x86/vendor_ops.h"
#include "x86/x86.h"

static int __init joist_init(void)
{
	int err;

	err = vendor_select();
	if (err)
		return err;
	exit_caps_setup();
	err = vendor_call(setup)();
	if (err)
		return err;
	err = mmu_setup();
	if (err)
		goto out_vendor;
	err = fpu_setup();
	if (err)
		goto out_mmu;
	tsc_setup();
	err = cpuid_setup();
	if (err)
		goto out_mmu;
	err = eventfd_setup();
	if (err)
		goto out_mmu;
	err = hardware_setup();
	if (err)
		goto out_eventfd;
	err = chardev_register();
	if (err)
		goto out_hardware;
	err = netlink_register();
	if (err)
		goto out_chardev;
	pr_info("%s ready\n", vendor->name);
	return 0;

out_chardev:
	chardev_unregister();
out_hardware:
	hardware_teardown();
out_eventfd:
	eventfd_teardown();
out_mmu:
	mmu_teardown();
out_vendor:
	vendor_call(teardown)();
	return err;
}

static void __exit joist_exit(void)
{
	netlink_unregister();
	chardev_unregister();
	hardware_teardown();
	eventfd_teardown();
	mmu_teardown();
	vendor_call(teardown)();
}

module_init(joist_init);
module_exit(joist_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The joist developers");
MODULE_DESCRIPTION("A hypervisor speaking the KVM ABI at /dev/joist");
