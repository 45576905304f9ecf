// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's functions, looked up when they are needed: its module is pinned for the length of
 * a call, and by its files as long as somebody has one.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "vfio.h"

/* @question is of symbol_get(): NULL where VFIO is not loaded, and then no file is its. */
static bool ask(bool (*question)(struct file *file), struct file *file)
{
	bool answer;

	if (!question)
		return false;
	answer = question(file);
	symbol_put_addr(question);
	return answer;
}

static bool is_group(struct file *file)
{
	return ask(symbol_get(vfio_file_is_group), file);
}

/**
 * compat_vfio_file_valid() - is it a file of VFIO's, of a group or of a device?
 * @file: any
 */
bool compat_vfio_file_valid(struct file *file)
{
#ifdef HAVE_VFIO_FILE_IS_VALID
	return ask(symbol_get(vfio_file_is_valid), file);
#else
	return is_group(file);
#endif
}

/**
 * compat_vfio_file_coherent() - does the IOMMU make its DMA snoop the CPUs' caches, whatever
 * the device asks for?
 * @file: compat_vfio_file_valid()
 *
 * Kernels that know it of the container say true as long as the group is in none.
 */
bool compat_vfio_file_coherent(struct file *file)
{
	return ask(symbol_get(vfio_file_enforced_coherent), file);
}

static void member_add(struct vfio_members *members, struct pci_dev *pdev)
{
	if (members->nr < VFIO_MEMBERS_MAX)
		strscpy(members->name[members->nr++], pci_name(pdev), VFIO_NAME_BYTES);
}

/* -1: none. */
static int group_of(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int id = -1;

	if (group) {
		id = iommu_group_id(group);
		iommu_group_put(group);
	}
	return id;
}

static void find_group(struct vfio_members *members, const char *name)
{
	struct pci_dev *pdev = NULL;

	if (!strncmp(name, "noiommu-", 8))
		name += 8;
	if (kstrtoint(name, 10, &members->group))
		return;
	for_each_pci_dev(pdev)
		if (group_of(&pdev->dev) == members->group)
			member_add(members, pdev);
}

static void find_device(struct vfio_members *members, const char *name)
{
	struct pci_dev *pdev = NULL;
	struct device *child;

	for_each_pci_dev(pdev) {
		child = device_find_child_by_name(&pdev->dev, name);
		if (!child)
			continue;
		put_device(child);
		members->group = group_of(&pdev->dev);
		member_add(members, pdev);
	}
}

/**
 * compat_vfio_members() - which devices a file of VFIO's is about
 * @file: compat_vfio_file_valid(), of a character device: the open file holds that
 * @members: out
 *
 * vfio_file_iommu_group() knows, but answers on POWER alone. So the device's name is asked,
 * which is the group's number, or that of the vfio-dev below the PCI device.
 */
void compat_vfio_members(struct file *file, struct vfio_members *members)
{
	const struct cdev *cdev = file_inode(file)->i_cdev;
	const char *name;

	members->group = -1;
	members->nr = 0;
	if (!cdev || !cdev->kobj.parent)
		return;
	name = kobject_name(cdev->kobj.parent);
	if (is_group(file))
		find_group(members, name);
	else
		find_device(members, name);
}
