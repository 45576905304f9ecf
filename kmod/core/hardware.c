// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtualization on the physical CPUs: enabled everywhere at module load,
 * kept in step with CPU hotplug, suspend, reboot, crash and unload.
 */
#define pr_fmt(fmt) "joist: " fmt
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/kobject.h>
#include <linux/module.h>

#include "hardware.h"
#include "../x86/vendor_ops.h"
#include "../x86/x86.h"
#include "../compat/compat.h"

/* Written by its own CPU with interrupts off; read there before each entry. */
DEFINE_PER_CPU(bool, hardware_on);

static enum cpuhp_state hotplug_state;

static int hardware_enable_this_cpu(void)
{
	unsigned long flags;
	int err;

	local_irq_save(flags);
	err = vendor_call(cpu_enable)();
	if (!err)
		this_cpu_write(hardware_on, true);
	local_irq_restore(flags);
	return err;
}

static void hardware_disable_this_cpu(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	if (this_cpu_read(hardware_on)) {
		this_cpu_write(hardware_on, false);
		vendor_call(cpu_disable)(false);
	}
	local_irq_restore(flags);
}

static int hardware_cpu_online(unsigned int cpu)
{
	int err = hardware_enable_this_cpu();

	if (err)
		pr_err("CPU %u: enabling %s failed (%d)\n", cpu, vendor->name, err);
	return err;
}

static int hardware_cpu_offline(unsigned int cpu)
{
	hardware_disable_this_cpu(NULL);
	return 0;
}

/* The boot CPU alone is left, interrupts off. */
static int hardware_suspend(void)
{
	tsc_host_suspend();
	hardware_disable_this_cpu(NULL);
	return 0;
}

static void hardware_resume(void)
{
	tsc_host_resume();
	if (hardware_enable_this_cpu())
		pr_err("enabling %s after resume failed: VMs cannot run until joist is reloaded\n",
		       vendor->name);
}

/* Firmware must find every CPU out of VMX/SVM; running guests leave by the IPI. */
static void hardware_shutdown(void)
{
	on_each_cpu(hardware_disable_this_cpu, NULL, 1);
}

/* A crash, on most CPUs by NMI: whatever was running, this one leaves VMX or SVM. */
static void hardware_emergency(void)
{
	if (this_cpu_read(hardware_on)) {
		this_cpu_write(hardware_on, false);
		vendor_call(cpu_disable)(true);
	}
}

static const struct compat_power_ops hardware_power_ops = {
	.suspend = hardware_suspend,
	.resume = hardware_resume,
	.shutdown = hardware_shutdown,
};

/* KVM owns the CPU's crash hook from its load on, VMs or not: only one of us can
 * be there.
 */
static const char * const kvm_names[] = { "kvm_intel", "kvm_amd" };

static bool kvm_loaded(void)
{
	struct kset *modules = THIS_MODULE->mkobj.kobj.kset;
	struct kobject *kobj;
	int i;

	for (i = 0; modules && i < ARRAY_SIZE(kvm_names); i++) {
		const char *name = kvm_names[i];

		kobj = kset_find_obj(modules, name);
		if (!kobj)
			continue;
		kobject_put(kobj);
		pr_err("%s is held by %s: rmmod %s, or keep it from loading (modprobe.blacklist=%s)\n",
		       vendor->name, name, name, name);
		return true;
	}
	return false;
}

/* KVM would come up half, with a warning, and find the CPU taken later. */
static int module_coming(struct notifier_block *nb, unsigned long state,
			 void *data)
{
	const struct module *module = data;

	if (state != MODULE_STATE_COMING ||
	    match_string(kvm_names, ARRAY_SIZE(kvm_names), module->name) < 0)
		return NOTIFY_DONE;
	pr_err("%s is kept from loading, as %s is held by joist: rmmod joist first\n",
	       module->name, vendor->name);
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block module_notifier = {
	.notifier_call = module_coming,
};

/**
 * hardware_setup() - enable virtualization on every online CPU
 *
 * Return: 0; -EBUSY when KVM is loaded or a CPU is already in VMX/SVM
 * operation (the log says whose and the remedy); other -errno of CPU hotplug.
 * KVM is kept from loading until hardware_teardown().
 */
int hardware_setup(void)
{
	int err, state;

	err = register_module_notifier(&module_notifier);
	if (err)
		return err;
	err = -EBUSY;
	if (kvm_loaded())
		goto out_notifier;
	state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/joist:online",
				  hardware_cpu_online, hardware_cpu_offline);
	err = state;
	if (state < 0)
		goto out_notifier;
	hotplug_state = state;
	compat_emergency_register(hardware_emergency);
	compat_power_register(&hardware_power_ops);
	return 0;

out_notifier:
	unregister_module_notifier(&module_notifier);
	return err;
}

/** hardware_teardown() - turn it off again everywhere; no VM is left. */
void hardware_teardown(void)
{
	compat_power_unregister();
	compat_emergency_unregister();
	cpuhp_remove_state(hotplug_state);
	unregister_module_notifier(&module_notifier);
}
