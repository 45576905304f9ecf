// SPDX-License-Identifier: GPL-2.0-only
/* Devices of the host, on a tree of files that is made for each test. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "hostdev/fault.h"
#include "vmctl/assigned.h"

#define NIC	"0000:02:00.0"
#define NVME	"0000:01:00.0"
#define SATA	"0000:00:1f.2"
#define SMBUS	"0000:00:1f.3"
#define PORT	"0000:00:01.0"

static char made[PATH_MAX];

static const char *path(const char *fmt, va_list args)
{
	static char whole[PATH_MAX];
	int n = snprintf(whole, sizeof(whole), "%s", made);

	vsnprintf(whole + n, sizeof(whole) - (size_t)n, fmt, args);
	return whole;
}

static void make_parents(const char *of)
{
	char dir[PATH_MAX];
	char *p;

	snprintf(dir, sizeof(dir), "%s", of);
	for (p = dir + strlen(made) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(dir, 0755);
		*p = '/';
	}
}

static __attribute((format(printf, 2, 3))) void put(const char *text, const char *fmt, ...)
{
	va_list args;
	FILE *f;

	va_start(args, fmt);
	make_parents(path(fmt, args));
	va_end(args);
	va_start(args, fmt);
	f = fopen(path(fmt, args), "w");
	va_end(args);
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

/* @to: absolute within the tree. */
static __attribute((format(printf, 2, 3))) void lead(const char *to, const char *fmt, ...)
{
	char target[PATH_MAX];
	va_list args;

	snprintf(target, sizeof(target), "%s%s", made, to);
	make_parents(target);
	mkdir(target, 0755);
	va_start(args, fmt);
	make_parents(path(fmt, args));
	va_end(args);
	va_start(args, fmt);
	unlink(path(fmt, args));
	va_end(args);
	va_start(args, fmt);
	assert_int_equal(symlink(target, path(fmt, args)), 0);
	va_end(args);
}

static __attribute((format(printf, 2, 3))) void expect(const char *text, const char *fmt, ...)
{
	char now[256] = "";
	va_list args;
	FILE *f;

	va_start(args, fmt);
	f = fopen(path(fmt, args), "r");
	va_end(args);
	assert_non_null(f);
	if (!fgets(now, sizeof(now), f))
		*now = '\0';
	fclose(f);
	now[strcspn(now, "\n")] = '\0';
	assert_string_equal(now, text);
}

static void add(const char *addr, const char *class, const char *driver, int group)
{
	char real[PATH_MAX], name[64];

	snprintf(real, sizeof(real), "/sys/devices/pci0000:00/%s", addr);
	lead(real, "/sys/bus/pci/devices/%s", addr);
	put("0x8086", "%s/vendor", real);
	put("0x1234", "%s/device", real);
	put(class, "%s/class", real);
	put("", "%s/driver_override", real);
	put("0x00000000fe200000 0x00000000fe203fff 0x0000000000140204\n"
	    "0x0000000000000000 0x0000000000000000 0x0000000000000000", "%s/resource", real);
	if (*driver) {
		snprintf(name, sizeof(name), "/sys/bus/pci/drivers/%s", driver);
		lead(name, "%s/driver", real);
		put("", "%s/unbind", name);
	}
	if (group < 0)
		return;
	snprintf(name, sizeof(name), "/sys/kernel/iommu_groups/%d", group);
	lead(name, "%s/iommu_group", real);
	lead(real, "%s/devices/%s", name, addr);
}

/* A host with an IOMMU, a NIC, an NVMe disk, and a group of two. */
static int setup(void **state)
{
	(void)state;
	snprintf(made, sizeof(made), "/tmp/hostdev.XXXXXX");
	assert_non_null(mkdtemp(made));
	put("", "/run/there");
	put("IR-PCI-MSI", "/sys/kernel/irq/24/chip_name");
	put("", "/proc/self/mountinfo");
	put("Filename Type Size Used Priority", "/proc/swaps");
	put("", "/sys/bus/pci/drivers_probe");
	lead("/sys/bus/pci/drivers/vfio-pci", "/ignored");
	put("", "/sys/module/vfio_iommu_type1/there");
	add(PORT, "0x060400", "pcieport", 1);
	add(NVME, "0x010802", "nvme", 5);
	add(NIC, "0x020000", "e1000e", 6);
	add(SATA, "0x010601", "ahci", 4);
	add(SMBUS, "0x0c0500", "", 4);
	return 0;
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(name);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(made, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct hostdev get(const char *addr)
{
	struct hostdev dev;

	assert_int_equal(hostdev_read(made, addr, &dev), 0);
	return dev;
}

/* Refused, with these words in the reason and in the remedy. */
static void refused(const char *addr, const char *code, const char *text, const char *remedy)
{
	struct hostdev dev = get(addr);
	struct hostdev_why why;

	assert_int_equal(hostdev_check(&dev, NULL, 0, false, &why), -1);
	assert_string_equal(why.code, code);
	if (!strstr(why.text, text) || !strstr(why.remedy, remedy))
		fail_msg("'%s' ('%s') has not '%s' ('%s')", why.text, why.remedy, text, remedy);
}

static void accepted(const char *addr)
{
	struct hostdev dev = get(addr);
	struct hostdev_why why;

	if (hostdev_check(&dev, NULL, 0, false, &why))
		fail_msg("%s", why.text);
}

static void addresses(void **state)
{
	static const char *const bad[] = {
		"", "1", "0000:01:00", "0000:01:20.0", "0000:01:00.8", "01:00.0x", "01:00.0 ",
		"../01:00.0", "0000:001:00.0", "-1:00.0", "0000:01:00.0/..",
	};
	char addr[PCI_ADDR_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!pci_addr_parse(bad[i], addr))
			fail_msg("'%s' is taken for %s", bad[i], addr);
	assert_int_equal(pci_addr_parse("01:1f.7", addr), 0);
	assert_string_equal(addr, "0000:01:1f.7");
	assert_int_equal(pci_addr_parse("10000:E1:00.0", addr), 0);
	assert_string_equal(addr, "10000:e1:00.0");
}

static void reading(void **state)
{
	struct hostdev dev = get(NVME), *list;

	(void)state;
	assert_int_equal(dev.vendor, 0x8086);
	assert_int_equal(dev.class, 0x010802);
	assert_string_equal(dev.driver, "nvme");
	assert_int_equal(dev.group, 5);
	assert_int_equal(dev.bar[0], 0x4000);
	assert_int_equal(hostdev_bars(&dev), 0x4000);
	assert_int_equal(dev.total_vfs, 0);
	assert_int_equal(hostdev_read(made, "0000:09:00.0", &dev), -ENODEV);
	assert_int_equal(hostdev_list(made, &list), 5);
	assert_string_equal(list[0].addr, PORT);
	assert_string_equal(list[4].addr, NIC);
	free(list);
}

/* @vm and @groups: as vmd and the module tell them. @expected: what vmctl makes of it. */
static void vm_has(const char *vm, const char *groups, const char *expected)
{
	struct json_object *obj = json_tokener_parse(vm), *list = json_tokener_parse(groups);
	struct json_object *devices = NULL;

	assigned_add(made, obj, list);
	assert_true(json_object_object_get_ex(obj, "devices", &devices));
	assert_string_equal(json_object_to_json_string_ext(devices, JSON_C_TO_STRING_PLAIN),
			    expected);
	json_object_put(list);
	json_object_put(obj);
}

static void of_vms(void **state)
{
	static const char groups[] =
		"[{'vm-id':1,'kind':'irqchip'},\n"
		"{'vm-id':1,'kind':'vfio','iommu-group':4,'pci':['" SATA "','" SMBUS "']},\n"
		"{'vm-id':2,'kind':'vfio','iommu-group':7,'pci':['0000:09:00.0']},\n"
		"{'vm-id':3,'kind':'vfio','iommu-group':5,'pci':['" NVME "']},\n"
		"{'vm-id':3,'kind':'vfio'}]";

	(void)state;
	lead("/sys/bus/pci/drivers/vfio-pci", "/sys/devices/pci0000:00/" SATA "/driver");
	/* Another program's. What of the group no driver has is nobody's. */
	vm_has("{'id':1,'pid':7}", groups,
	       "[{\"name\":null,\"host\":\"" SATA "\",\"group\":4,\"driver\":\"vfio-pci\"}]");
	/* It was pulled out. */
	vm_has("{'id':2,'pid':7}", groups,
	       "[{\"name\":null,\"host\":\"0000:09:00.0\",\"group\":null,\"driver\":null}]");
	/* The host's driver has it: then no VM. */
	vm_has("{'id':3,'pid':7}", groups, "[]");
	vm_has("{'id':4,'pid':7}", groups, "[]");
	vm_has("{'id':1,'pid':7}", "null", "[]");
	/* vmd's knows better; what one is to have is not looked for. */
	vm_has("{'id':1,'pid':7,'devices':[{'name':'a','host':'" SATA "'}]}", groups,
	       "[{\"name\":\"a\",\"host\":\"" SATA "\",\"group\":4,\"driver\":\"vfio-pci\"}]");
	vm_has("{'id':null,'pid':null,'devices':[{'name':'a','vf-of':'" NVME "'}]}", groups,
	       "[{\"name\":\"a\",\"vf-of\":\"" NVME "\"}]");
}

static void counted(void **state)
{
	struct hostdev dev = get(NVME);
	struct hostdev_interrupts irqs;

	(void)state;
	assert_false(hostdev_interrupts(&dev, &irqs));
	put("           CPU0       CPU1\n"
	    " 16:      100      7  IR-IO-APIC   16-fasteoi   i801, vfio-intx(" SATA "), ahci\n"
	    " 24:          5          0  IR-PCI-MSI 1048576-edge      vfio-msix[0](" NVME ")\n"
	    " 25:         10        200  IR-PCI-MSIX-" NVME "  1-edge      vfio-msix[1](" NVME ")\n"
	    " 26:       1000   1000  IR-PCI-MSI 1048578-edge      vfio-msix[1](0000:02:00.1)\n"
	    " 27:       1000   1000  IR-PCI-MSI 1048579-edge      vfio-msi[0](" NIC ")\n"
	    " 28:       1000   1000  IR-PCI-MSI 1048580-edge      nvme(" NVME ")\n"
	    " 29:       1000   1000  IR-PCI-MSI 1048581-edge      vfio-toolongword(" NVME ")\n"
	    " 30:       1000   1000  IR-PCI-MSI 1048581-edge      vfio-msi[0](" NVME "\n"
	    " 31:       1000   1000  IR-PCI-MSI 1048581-edge      vfio-msi[0](0" NVME ")\n"
	    "NMI:          3          4   Non-maskable interrupts\n"
	    "ERR:          0", "/proc/interrupts");
	assert_true(hostdev_interrupts(&dev, &irqs));
	assert_string_equal(irqs.kind, "msix");
	assert_int_equal(irqs.vectors, 2);
	assert_int_equal(irqs.count, 215);
	dev = get(SATA);
	assert_true(hostdev_interrupts(&dev, &irqs));
	assert_string_equal(irqs.kind, "intx");
	assert_int_equal(irqs.vectors, 1);
	assert_int_equal(irqs.count, 107);
	dev = get(NIC);
	assert_true(hostdev_interrupts(&dev, &irqs));
	assert_string_equal(irqs.kind, "msi");
	assert_int_equal(irqs.count, 2000);
	dev = get(SMBUS);
	assert_false(hostdev_interrupts(&dev, &irqs));
}

static void names(void **state)
{
	char vendor[64], device[64];
	struct hostdev dev = get(NVME);

	(void)state;
	hostdev_names(&dev, vendor, device, sizeof(vendor));
	assert_string_equal(vendor, "");
	put("# c\n8085  Other\n\t1234  Wrong\n"
	    "8086  Intel\n\t1233  No\n\t1234  Disk\n\t\t8086 1  Sub\nC 01  Mass",
	    "/usr/share/misc/pci.ids");
	hostdev_names(&dev, vendor, device, sizeof(vendor));
	assert_string_equal(vendor, "Intel");
	assert_string_equal(device, "Disk");
	dev.device = 0x9999;
	hostdev_names(&dev, vendor, device, sizeof(vendor));
	assert_string_equal(device, "");
}

static void no_iommu(void **state)
{
	(void)state;
	accepted(NVME);
	add("0000:03:00.0", "0x020000", "", -1);
	refused("0000:03:00.0", "no-iommu", "no IOMMU group", "intel_iommu=on or amd_iommu=on");
	put("x", "/sys/firmware/acpi/tables/IVRS");
	refused("0000:03:00.0", "no-iommu", "no IOMMU group", "amd_iommu=on");
	put("x", "/sys/firmware/acpi/tables/DMAR");
	refused("0000:03:00.0", "no-iommu", "no IOMMU group", "intel_iommu=on");
	put("PCI-MSI", "/sys/kernel/irq/24/chip_name");
	refused(NVME, "no-iommu", "remaps no interrupts", "intremap=on");
	put("Y", "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	accepted(NVME);
}

static void groups(void **state)
{
	const struct hostdev_id along[1] = { { SATA } };
	struct hostdev_why why;
	struct hostdev dev;

	(void)state;
	refused(SMBUS, "in-use", SATA " (ahci)", "bind " SMBUS " " SATA);
	dev = get(SMBUS);
	assert_int_equal(hostdev_check(&dev, along, 1, false, &why), 0);
	accepted(SATA);
	add("0000:00:1c.0", "0x060400", "pcieport", 4);
	add("0000:00:1f.4", "0x0c0500", "pci-stub", 4);
	accepted(SATA);
	add("0000:00:1f.0", "0x060100", "lpc_ich", 4);
	refused(SATA, "in-use", "0000:00:1f.0 (lpc_ich)", "another slot");
}

static void bridges_and_functions(void **state)
{
	(void)state;
	refused(PORT, "in-use", "is a bridge", "behind it");
	put("2", "/sys/devices/pci0000:00/" NIC "/sriov_numvfs");
	refused(NIC, "in-use", "2 virtual functions", "vf " NIC " --count 0");
}

#define SDA	"/sys/devices/pci0000:00/" SATA "/ata1/block/sda"

static void disks(void **state)
{
	(void)state;
	lead(SDA, "/sys/block/sda");
	put("8:0", SDA "/dev");
	put("8:1", SDA "/sda1/dev");
	put("1", SDA "/sda1/partition");
	accepted(SATA);
	put("21 1 8:1 / /mnt/a\\040b rw - ext4 /dev/sda1 rw", "/proc/self/mountinfo");
	refused(SATA, "in-use", "sda1, which is mounted at /mnt/a b", "unmount");
	put("21 1 8:1 / / rw shared:1 - ext4 /dev/root rw", "/proc/self/mountinfo");
	refused(SATA, "in-use", "mounted at /", "runs from it");
	/* btrfs: a number that is nobody's. */
	put("21 1 0:33 / /home rw - btrfs /dev/sda rw", "/proc/self/mountinfo");
	refused(SATA, "in-use", "sda, which is mounted at /home", "unmount");
	put("21 1 8:16 / / rw - ext4 /dev/sdb rw", "/proc/self/mountinfo");
	accepted(SATA);
	put("Filename Type\n/dev/sda1 partition 1 0 -2", "/proc/swaps");
	refused(SATA, "in-use", "sda1, which is swapped to", "swapoff");
	accepted(NVME);
}

static void built_upon(void **state)
{
	(void)state;
	lead(SDA, "/sys/block/sda");
	put("8:0", SDA "/dev");
	lead("/sys/devices/virtual/block/dm-0", SDA "/holders/dm-0");
	put("253:0", "/sys/devices/virtual/block/dm-0/dev");
	refused(SATA, "in-use", "sda, which is part of dm-0", "LVM");
	/* Two floors up. */
	lead("/sys/devices/virtual/block/md127",
	     "/sys/devices/virtual/block/dm-0/holders/md127");
	put("9:127", "/sys/devices/virtual/block/md127/dev");
	put("21 1 9:127 / /srv rw - xfs /dev/md127 rw", "/proc/self/mountinfo");
	refused(SATA, "in-use", "md127, which is mounted at /srv", "unmount");
}

#define SUBSYS	"/sys/devices/virtual/nvme-subsystem/nvme-subsys0"

static void multipath(void **state)
{
	(void)state;
	lead(SUBSYS "/nvme0n1", "/sys/block/nvme0n1");
	lead("/sys/devices/pci0000:00/" NVME "/nvme/nvme0", SUBSYS "/nvme0");
	put("259:1", SUBSYS "/nvme0n1/dev");
	accepted(NVME);
	put("21 1 259:1 / / rw - ext4 /dev/nvme0n1 rw", "/proc/self/mountinfo");
	refused(NVME, "in-use", "nvme0n1, which is mounted at /", "runs from it");
	accepted(NIC);
}

#define ETH0	"/sys/devices/pci0000:00/" NIC "/virtio0/net/eth0"

static void networks(void **state)
{
	struct hostdev dev = get(NIC);
	struct hostdev_why why;

	(void)state;
	lead(ETH0, "/sys/class/net/eth0");
	put("0x1003", ETH0 "/flags");
	put("Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\n"
	    "eth1 00000000 0102A8C0 0003 0 0 0 00000000 0\n"
	    "eth0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0", "/proc/net/route");
	accepted(NIC);
	put("Iface Destination\neth0 00000000 0102A8C0 0003 0 0 0 00000000 0", "/proc/net/route");
	refused(NIC, "in-use", "eth0, with its default route", "--force");
	assert_int_equal(hostdev_check(&dev, NULL, 0, true, &why), 0);
	put("0x1002", ETH0 "/flags");
	accepted(NIC);
	put("0x1003", ETH0 "/flags");
	put("", "/proc/net/route");
	put("00000000000000000000000000000000 00 0000000000000000 00 fe80 1 1 1 3 eth0",
	    "/proc/net/ipv6_route");
	refused(NIC, "in-use", "default route", "--force");
	put("", "/proc/net/ipv6_route");
	lead("/sys/devices/virtual/net/br0", ETH0 "/master");
	refused(NIC, "in-use", "a port of br0", "--force");
}

/* Files do not bind: it fails, and all is as it was. */
static void bind_unwinds(void **state)
{
	const struct hostdev_state want = { .vm = "web", .name = "nic" };
	struct hostdev dev = get(NIC);
	struct hostdev_state kept;
	struct hostdev_why why;

	(void)state;
	assert_int_equal(hostdev_bind(&dev, &want, &why), -1);
	assert_non_null(strstr(why.text, NIC " cannot be bound to vfio-pci"));
	expect(NIC, "/sys/bus/pci/drivers/e1000e/unbind");
	expect(NIC, "/sys/bus/pci/drivers_probe");
	expect("", "/sys/bus/pci/devices/%s/driver_override", NIC);
	assert_int_equal(hostdev_state(made, NIC, &kept), -ENOENT);
}

static void bind_and_back(void **state)
{
	struct hostdev_state want = { .vm = "web", .name = "nic" }, kept;
	struct hostdev_id list[4];
	struct hostdev_why why;
	struct hostdev dev;

	(void)state;
	/* One that somebody had bound there: it stays when it is back. */
	add(NIC, "0x020000", "vfio-pci", 6);
	dev = get(NIC);
	assert_int_equal(hostdev_taken(&dev, &why), 0);
	assert_int_equal(hostdev_bind(&dev, &want, &why), 0);
	assert_int_equal(hostdev_taken(&dev, &why), -1);
	assert_non_null(strstr(why.text, NIC " is the VM web's"));
	assert_int_equal(hostdev_state(made, NIC, &kept), 0);
	assert_string_equal(kept.vm, "web");
	assert_string_equal(kept.name, "nic");
	assert_true(kept.bare);
	assert_int_equal(hostdev_states(made, list, 4), 1);
	assert_string_equal(list[0].addr, NIC);
	snprintf(want.vm, sizeof(want.vm), "db");
	assert_int_equal(hostdev_bind(&dev, &want, &why), -1);
	assert_non_null(strstr(why.text, NIC " is the VM web's"));
	assert_string_equal(why.code, "in-use");
	assert_int_equal(hostdev_give_back(made, NIC, &why), 0);
	assert_int_equal(hostdev_state(made, NIC, &kept), 0);
	assert_string_equal(kept.vm, "");
	assert_int_equal(hostdev_taken(&dev, &why), 0);
	expect("", "/sys/bus/pci/drivers_probe");
	assert_int_equal(hostdev_give_back(made, NIC, &why), 0);
	assert_int_equal(hostdev_state(made, NIC, &kept), -ENOENT);
	assert_int_equal(hostdev_give_back(made, NIC, &why), -1);
	assert_string_equal(why.code, "not-found");
}

/* What root could do is told from what nobody could. */
static void errors(void **state)
{
	struct hostdev dev = get(NVME);
	struct hostdev_why why;
	char name[8];

	(void)state;
	assert_int_equal(hostdev_errno(&why, -EACCES, "wait", "cannot open %s", "it"), -1);
	assert_string_equal(why.code, "not-yours");
	assert_string_equal(why.text, "cannot open it: Permission denied");
	assert_string_equal(why.remedy, "run it as root");
	hostdev_errno(&why, -EBUSY, "wait", "cannot open %s", "it");
	assert_string_equal(why.code, "failed");
	assert_string_equal(why.remedy, "wait");
	hostdev_errno(&why, -EBUSY, NULL, "no");
	assert_string_equal(why.remedy, "");
	assert_int_equal(hostdev_child(&dev, "nvme", name, sizeof(name)), -ENODEV);
	put("live", "/sys/devices/pci0000:00/" NVME "/nvme/nvme0/state");
	assert_int_equal(hostdev_child(&dev, "nvme", name, sizeof(name)), 0);
	assert_string_equal(name, "nvme0");
	assert_int_equal(hostdev_child(&dev, "nvme", name, 5), -ENODEV);
}

/* One that is gone meanwhile is not waited for. */
static void lost(void **state)
{
	const struct hostdev_state was = { .driver = "nvme", .vm = "web" };
	struct hostdev_state kept;
	struct hostdev_why why;

	(void)state;
	assert_int_equal(hostdev_state_save(made, "0000:09:00.0", &was), 0);
	assert_int_equal(hostdev_give_back(made, "0000:09:00.0", &why), 1);
	assert_int_equal(hostdev_state(made, "0000:09:00.0", &kept), -ENOENT);
}

#define PF	"/sys/devices/pci0000:00/" NIC

static void functions(void **state)
{
	const struct hostdev_state taken = { .vm = "web" };
	struct hostdev pf = get(NIC), vf;
	struct hostdev_why why;
	u32 index;

	(void)state;
	assert_int_equal(hostdev_set_vfs(&pf, 2, &why), -1);
	assert_non_null(strstr(why.text, "no SR-IOV"));
	put("4", PF "/sriov_totalvfs");
	put("0", PF "/sriov_numvfs");
	put("1", PF "/sriov_drivers_autoprobe");
	pf = get(NIC);
	assert_int_equal(hostdev_set_vfs(&pf, 5, &why), -1);
	assert_string_equal(why.code, "limit");
	assert_int_equal(hostdev_free_vf(&pf, &vf, &why), -1);
	assert_non_null(strstr(why.remedy, "vf " NIC " -c"));
	assert_int_equal(hostdev_set_vfs(&pf, 2, &why), 0);
	expect("2", PF "/sriov_numvfs");
	expect("1", PF "/sriov_drivers_autoprobe");

	add("0000:02:10.0", "0x020000", "e1000evf", 7);
	add("0000:02:10.1", "0x020000", "", 8);
	lead("/sys/devices/pci0000:00/0000:02:10.0", PF "/virtfn0");
	lead("/sys/devices/pci0000:00/0000:02:10.1", PF "/virtfn1");
	lead(PF, "/sys/devices/pci0000:00/0000:02:10.1/physfn");
	pf = get(NIC);
	/* First the one that no driver has. */
	assert_int_equal(hostdev_free_vf(&pf, &vf, &why), 0);
	assert_string_equal(vf.addr, "0000:02:10.1");
	assert_string_equal(vf.physfn, NIC);
	assert_int_equal(hostdev_vf_index(&pf, &vf, &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(hostdev_state_save(made, "0000:02:10.1", &taken), 0);
	assert_int_equal(hostdev_free_vf(&pf, &vf, &why), 0);
	assert_string_equal(vf.addr, "0000:02:10.0");
	assert_int_equal(hostdev_set_vfs(&pf, 0, &why), -1);
	assert_non_null(strstr(why.text, "0000:02:10.1 is the VM web's"));
	assert_int_equal(hostdev_state_save(made, "0000:02:10.0", &taken), 0);
	assert_int_equal(hostdev_free_vf(&pf, &vf, &why), -1);
	assert_non_null(strstr(why.text, "none of the 2"));
	hostdev_state_drop(made, "0000:02:10.0");
	hostdev_state_drop(made, "0000:02:10.1");
	assert_int_equal(hostdev_set_vfs(&pf, 0, &why), 0);
	expect("0", PF "/sriov_numvfs");
}

#define AMD		"AMD-Vi: Event logged [IO_PAGE_FAULT "
#define AMD_DRIVEN	"vfio-pci 0000:01:00.0: " AMD

static void faults(void **state)
{
	static const struct {
		const char *line, *addr;
		enum dma_access access;
		u64 iova;
	} good[] = {
		{ "DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x7fff0000 [f",
		  "0000:01:00.0", DMA_WRITE, 0x7fff0000 },
		{ "DMAR: [DMA Read] Request device [0001:00:03.1] fault addr 0x0 [fault reason 06]",
		  "0001:00:03.1", DMA_READ, 0 },
		{ AMD_DRIVEN "domain=0x000a address=0xfffff000 flags=0x0020]",
		  "0000:01:00.0", DMA_WRITE, 0xfffff000 },
		{ AMD "device=0000:01:00.0 domain=0x000a address=0x10 flags=0x0000]",
		  "0000:01:00.0", DMA_READ, 0x10 },
		{ AMD "device=01:00.0 domain=0x000a address=0x10]",
		  "0000:01:00.0", DMA_UNKNOWN, 0x10 },
	};
	static const char *const bad[] = {
		"", "DMAR: ", "DMAR: DRHD: handling fault status reg 2",
		"DMAR: [DMA Write NO_PASID] Request device [01:00.0",
		"DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr",
		"DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr -1",
		"DMAR: [INTR-REMAP] Request device [01:00.0] fault index 0x1",
		"DMAR: [DMA Write NO_PASID] Request device [0000:01:00.0.1.2.3.4.5.6.7] fault addr 0x0",
		": AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a address=0x10]",
		" AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a address=0x10]",
		"AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a address=0x10]",
		"AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=01:00.0 address=0x10]",
		"nvme 0000:01:00.0: I/O error",
	};
	struct dma_fault fault;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		if (!dma_fault_parse(good[i].line, &fault))
			fail_msg("'%s' is not understood", good[i].line);
		assert_string_equal(fault.addr, good[i].addr);
		assert_int_equal(fault.access, good[i].access);
		assert_int_equal(fault.iova, good[i].iova);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (dma_fault_parse(bad[i], &fault))
			fail_msg("'%s' is taken for one", bad[i]);
}

static const char iomem[] =
	"00000000-00000fff : Reserved\n"
	"00001000-0009fbff : System RAM\n"
	"000a0000-000bffff : PCI Bus 0000:00\n"
	"00100000-3ffdffff : System RAM\n"
	"  01000000-01ffffff : Kernel code\n"
	"b0000000-bfffffff : PCI MMCONFIG 0000 [bus 00-ff]\n"
	"  b0000000-bfffffff : Reserved\n"
	"c0000000-febfffff : PCI Bus 0000:00\n"
	"  fe800000-fe9fffff : PCI Bus 0000:01\n"
	"  fea00000-feafffff : 0000:00:02.0\n"
	"    fea00000-fea00fff : edu\n"
	"fec00000-fec003ff : IOAPIC 0\n"
	"fed00000-fed003ff : HPET 0\n"
	"  fed00000-fed003ff : PNP0103:00\n"
	"fed1c000-fed1ffff : Reserved\n"
	"  fed1f410-fed1f414 : iTCO_wdt.0.auto\n"
	"fed20000-fed7ffff : pnp 00:09\n"
	"  fed40000-fed44fff : MSFT0101:00\n"
	"  fed50000-fed54fff : INTC6001:00\n"
	"    fed50000-fed54fff : INTC6001:00\n"
	"fed90000-fed90fff : dmar0";

static const char ioports[] =
	"0000-0cf7 : PCI Bus 0000:00\n"
	"  0020-0021 : pic1\n"
	"  02f8-02ff : serial\n"
	"  0510-051b : QEMU0002:00\n"
	"  0600-063f : 0000:00:1f.0\n"
	"    0600-0603 : ACPI PM1a_EVT_BLK\n"
	"0cf8-0cff : PCI conf1\n"
	"0d00-ffff : PCI Bus 0000:00";

/* @says: NULL: it may be given away. */
static const struct {
	enum hostdev_space space;
	struct range range;
	const char *says, *remedy;
} ranges[] = {
	{ HOSTDEV_MEMORY, { 0xfed1c000, 0xfed1efff }, NULL, NULL },
	{ HOSTDEV_MEMORY, { 0xfed40000, 0xfed44fff }, NULL, NULL },
	{ HOSTDEV_MEMORY, { 0xfed20000, 0xfed20fff }, NULL, NULL },
	{ HOSTDEV_MEMORY, { 0xfeb00000, 0xfebfffff }, NULL, NULL },
	{ HOSTDEV_MEMORY, { 0xfed80000, 0xfed8ffff }, NULL, NULL },
	{ HOSTDEV_MEMORY, { 0x100000000, 0x100000fff }, NULL, NULL },
	{ HOSTDEV_MEMORY, { 0x2000000, 0x2000fff }, "System RAM", "alone" },
	{ HOSTDEV_MEMORY, { 0x3ffdf000, 0x4fffffff }, "System RAM", "alone" },
	{ HOSTDEV_MEMORY, { 0xb0000000, 0xb0000fff }, "PCI MMCONFIG", "vmctl device" },
	{ HOSTDEV_MEMORY, { 0xfe8ff000, 0xfe8fffff }, "PCI Bus 0000:01", "vmctl device" },
	{ HOSTDEV_MEMORY, { 0xfea01000, 0xfea01fff }, "0000:00:02.0", "show 0000:00:02.0" },
	{ HOSTDEV_MEMORY, { 0xfec00000, 0xfec00fff }, "IOAPIC 0", "unbind" },
	{ HOSTDEV_MEMORY, { 0xfed00000, 0xfed00fff }, "HPET 0", "unbind" },
	{ HOSTDEV_MEMORY, { 0xfed1f000, 0xfed1ffff }, "iTCO_wdt", "unbind" },
	{ HOSTDEV_MEMORY, { 0xfed50000, 0xfed50fff }, "INTC6001:00", "unbind" },
	{ HOSTDEV_MEMORY, { 0xfed20000, 0xfed9ffff }, "INTC6001:00", "unbind" },
	{ HOSTDEV_MEMORY, { 0xfed8f000, 0xfed90fff }, "dmar0", "unbind" },
	{ HOSTDEV_PORTS, { 0x510, 0x511 }, NULL, NULL },
	{ HOSTDEV_PORTS, { 0x300, 0x30f }, NULL, NULL },
	{ HOSTDEV_PORTS, { 0x2ff, 0x300 }, "serial", "/proc/ioports" },
	{ HOSTDEV_PORTS, { 0x0, 0xffff }, "pic1", "/proc/ioports" },
	{ HOSTDEV_PORTS, { 0x604, 0x605 }, "0000:00:1f.0", "show 0000:00:1f.0" },
	{ HOSTDEV_PORTS, { 0xcfc, 0xcfc }, "PCI conf1", "vmctl device" },
};

static void whose(void **state)
{
	struct hostdev_why why;
	size_t i;

	(void)state;
	put(iomem, "/proc/iomem");
	put(ioports, "/proc/ioports");
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		int err = hostdev_range_check(made, ranges[i].space, &ranges[i].range, &why);

		if (err != (ranges[i].says ? -1 : 0) ||
		    (err && (!strstr(why.text, ranges[i].says) ||
			     !strstr(why.remedy, ranges[i].remedy) || strcmp(why.code, "in-use"))))
			fail_msg("%llx: %s; %s", (unsigned long long)ranges[i].range.first,
				 err ? why.text : "may be given away", err ? why.remedy : "");
	}
	/* What who is not root reads. */
	put("00000000-00000000 : System RAM\n00000000-00000000 : Reserved", "/proc/iomem");
	assert_int_equal(hostdev_range_check(made, HOSTDEV_MEMORY, &ranges[0].range, &why), -1);
	assert_string_equal(why.code, "not-yours");
	put("", "/proc/iomem");
	assert_int_equal(hostdev_range_check(made, HOSTDEV_MEMORY, &ranges[0].range, &why), -1);
	assert_int_equal(hostdev_range_check("/no", HOSTDEV_PORTS, &ranges[0].range, &why), -1);
	assert_string_equal(why.code, "failed");
}

/* @test: with a host of its own. */
#define TEST(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses), TEST(reading), TEST(of_vms), TEST(counted), TEST(names),
		TEST(no_iommu), TEST(groups),
		TEST(bridges_and_functions), TEST(disks), TEST(built_upon), TEST(multipath),
		TEST(networks), TEST(bind_unwinds), TEST(bind_and_back), TEST(errors), TEST(lost),
		TEST(functions), TEST(whose), cmocka_unit_test(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
