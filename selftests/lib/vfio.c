// SPDX-License-Identifier: GPL-2.0-only
/* VFIO, as far as tests of joist need it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio.h"
#include "vm.h"

#define DEVICES		"/sys/bus/pci/devices"
#define COMMAND		4
#define COMMAND_ALL	7	/* ports, memory, bus master */

static int put(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static uint32_t number(const char *dir, const char *file)
{
	char path[512], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	return strtoul(text, NULL, 16);
}

/* The last name of where a link leads to, or NULL. */
static const char *leads_to(const char *dir, const char *link, char *buf)
{
	char path[512];
	ssize_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, link);
	len = readlink(path, buf, PATH_MAX - 1);
	if (len < 0)
		return NULL;
	buf[len] = 0;
	return basename(buf);
}

static bool find(uint32_t id, char *name, size_t size)
{
	DIR *d = opendir(DEVICES);
	char path[288];
	bool found = false;
	struct dirent *e;

	while (d && !found && (e = readdir(d))) {
		snprintf(path, sizeof(path), DEVICES "/%s", e->d_name);
		found = (number(path, "vendor") << 16 | number(path, "device")) == id;
		if (found)
			snprintf(name, size, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

const char *vfio_find(struct test_vfio *v, uint32_t id)
{
	char path[288], buf[PATH_MAX];
	const char *name;

	memset(v, 0, sizeof(*v));
	v->container = -1;
	v->group = -1;
	v->device = -1;
	if (!find(id, v->pci, sizeof(v->pci)))
		return id == EDU ? "no edu device (testbed --device edu)" :
				   "no such device";
	snprintf(path, sizeof(path), DEVICES "/%s", v->pci);
	name = leads_to(path, "iommu_group", buf);
	if (!name)
		return "no IOMMU (testbed --iommu)";
	v->nr = atoi(name);
	name = leads_to(path, "driver", buf);
	if (name && strcmp(name, "vfio-pci"))
		return "another driver has the device";
	if (name)
		return NULL;
	if (put(path, "driver_override", "vfio-pci") ||
	    put("/sys/bus/pci/drivers/vfio-pci", "bind", v->pci))
		return "no vfio-pci (modprobe vfio-pci vfio_iommu_type1)";
	return NULL;
}

int vfio_group_open(struct test_vfio *v)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", v->nr);
	v->group = open(path, O_RDWR | O_CLOEXEC);
	return v->group < 0 ? -errno : 0;
}

int vfio_attach(struct test_vfio *v)
{
	int ret;

	if (v->group < 0) {
		ret = vfio_group_open(v);
		if (ret)
			return ret;
	}
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container < 0)
		return -errno;
	ret = xioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container);
	return ret ?: xioctl_val(v->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

int vfio_open(struct test_vfio *v)
{
	int ret = vfio_attach(v);

	if (ret)
		return ret;
	ret = xioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, v->pci);
	if (ret < 0)
		return ret;
	v->device = ret;
	return vfio_command(v, COMMAND_ALL);
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vfio_close(struct test_vfio *v)
{
	drop(&v->device);
	drop(&v->group);
	drop(&v->container);
}

bool vfio_no_snoop(const struct test_vfio *v)
{
	return xioctl_val(v->container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU) != 1;
}

int vfio_map_dma(struct test_vfio *v, void *mem, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};

	return xioctl(v->container, VFIO_IOMMU_MAP_DMA, &map);
}

static int region(struct test_vfio *v, int which, struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = which;
	return xioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, info);
}

int vfio_command(struct test_vfio *v, uint16_t command)
{
	struct vfio_region_info info;
	int ret = region(v, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret)
		return ret;
	return pwrite(v->device, &command, 2, info.offset + COMMAND) == 2 ? 0 : -EIO;
}

int vfio_set_msi(struct test_vfio *v, int fd)
{
	struct {
		struct vfio_irq_set head;
		int32_t fd;
	} set = {
		.head = {
			.argsz = fd < 0 ? sizeof(set.head) : sizeof(set),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 (fd < 0 ? VFIO_IRQ_SET_DATA_NONE : VFIO_IRQ_SET_DATA_EVENTFD),
			.index = VFIO_PCI_MSI_IRQ_INDEX,
			.count = fd >= 0,
		},
		.fd = fd,
	};

	return xioctl(v->device, VFIO_DEVICE_SET_IRQS, &set);
}

int vfio_msi_irq(const struct test_vfio *v)
{
	char path[288];
	struct dirent *e;
	int irq = -1;
	DIR *d;

	snprintf(path, sizeof(path), DEVICES "/%s/msi_irqs", v->pci);
	d = opendir(path);
	while (d && irq < 0 && (e = readdir(d)))
		if (e->d_name[0] != '.')
			irq = atoi(e->d_name);
	if (d)
		closedir(d);
	return irq;
}

void *vfio_map_bar(struct test_vfio *v, int bar, size_t *size)
{
	struct vfio_region_info info;
	void *at, *mem;

	if (region(v, VFIO_PCI_BAR0_REGION_INDEX + bar, &info) || !info.size)
		return NULL;
	*size = info.size;
	/* Aligned, so that it may be mapped in large pages. */
	at = mmap(NULL, 2 * info.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	at = (void *)(((uintptr_t)at + info.size - 1) & ~(uintptr_t)(info.size - 1));
	mem = mmap(at, info.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->device,
		   info.offset);
	return mem == MAP_FAILED ? NULL : mem;
}
