// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CREATE_DEVICE and its VFIO device, as far as that takes no device of the host's. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/device.h"
#include "lib/test.h"

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

FIXTURE(device) {
	struct test_vm vm;
	int dev;
};

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	self->dev = vfio_device(&self->vm);
	ASSERT_LE(0, self->dev);
}

FIXTURE_TEARDOWN(device)
{
	close(self->dev);
	vm_close(&self->vm);
}

TEST_F(device, types)
{
	struct test_vm *vm = &self->vm;
	uint32_t type;

	EXPECT_EQ(1, xioctl_val(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_DEVICE_CTRL));
	for (type = 0; type < 64; type++)
		if (type != KVM_DEV_TYPE_VFIO) {
			EXPECT_EQ(-ENODEV, device_create(vm, type, 0));
			EXPECT_EQ(-ENODEV, device_create(vm, type, KVM_CREATE_DEVICE_TEST));
		}
	EXPECT_EQ(-ENODEV, device_create(vm, ~0u, 0));
	EXPECT_EQ(-EINVAL, device_create(vm, KVM_DEV_TYPE_VFIO, 2));
	EXPECT_EQ(-EINVAL, device_create(vm, KVM_DEV_TYPE_VFIO, ~0u));
	EXPECT_EQ(0, device_create(vm, KVM_DEV_TYPE_VFIO, KVM_CREATE_DEVICE_TEST));
}

TEST_F(device, one_in_a_vm)
{
	struct test_vm other;

	EXPECT_EQ(-EBUSY, vfio_device(&self->vm));
	ASSERT_EQ(0, vm_new(&other, 0));
	EXPECT_EQ(0, device_create(&other, KVM_DEV_TYPE_VFIO, KVM_CREATE_DEVICE_TEST));
	close(self->dev);
	self->dev = vfio_device(&other);
	EXPECT_LE(0, self->dev);
	vm_close(&other);
	close(self->dev);
	/* Once its file is closed the VM may have another. */
	self->dev = vfio_device(&self->vm);
	EXPECT_LE(0, self->dev);
}

/* The number cannot be told: there is no file, either. */
TEST_F(device, unwritable_argument)
{
	struct kvm_create_device *what;
	int files = open_files();

	what = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, what);
	what->type = KVM_DEV_TYPE_VFIO;
	ASSERT_EQ(0, mprotect(what, 4096, PROT_READ));
	close(self->dev);
	EXPECT_EQ(-EFAULT, xioctl(self->vm.fd, KVM_CREATE_DEVICE, what));
	EXPECT_EQ(-EFAULT, xioctl(self->vm.fd, KVM_CREATE_DEVICE, (void *)8));
	EXPECT_EQ(files - 1, open_files());
	self->dev = vfio_device(&self->vm);
	EXPECT_LE(0, self->dev);
	munmap(what, 4096);
}

TEST_F(device, attributes)
{
	struct kvm_device_attr a = { .group = KVM_DEV_VFIO_FILE, .attr = KVM_DEV_VFIO_FILE_ADD };
	int dev = self->dev;
	int32_t fd = -1;

	EXPECT_EQ(0, attr(dev, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD,
			  NULL));
	EXPECT_EQ(0, attr(dev, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL,
			  NULL));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, 0, NULL));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, 3, NULL));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, 1ULL << 32 | 1, NULL));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_HAS_DEVICE_ATTR, 0, 1, NULL));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_HAS_DEVICE_ATTR, ~0u, 1, NULL));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_SET_DEVICE_ATTR, 0, 1, &fd));
	EXPECT_EQ(-ENXIO, attr(dev, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, 3, &fd));
	a.flags = 1;
	EXPECT_EQ(-ENXIO, xioctl(dev, KVM_HAS_DEVICE_ATTR, &a));
	EXPECT_EQ(-EPERM, attr(dev, KVM_GET_DEVICE_ATTR, KVM_DEV_VFIO_FILE,
			       KVM_DEV_VFIO_FILE_ADD, &fd));
	EXPECT_EQ(-EFAULT, attr(dev, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE,
				KVM_DEV_VFIO_FILE_ADD, NULL));
	EXPECT_EQ(-EFAULT, attr(dev, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE,
				KVM_DEV_VFIO_FILE_ADD, (void *)0xffff888000000000));
	EXPECT_EQ(-EFAULT, xioctl(dev, KVM_SET_DEVICE_ATTR, NULL));
	EXPECT_EQ(-ENOTTY, xioctl(dev, KVM_RUN, NULL));
	EXPECT_EQ(-ENOTTY, xioctl_val(dev, KVM_CREATE_VCPU, 1));
}

static int refused(int dev, int fd)
{
	int add = file_add(dev, fd);

	return add == -EINVAL && file_del(dev, fd) == -ENOENT ? 0 : add;
}

TEST_F(device, files_that_are_not_vfios)
{
	int dev = self->dev, p[2], null = open("/dev/null", O_RDWR);
	int path = open("/dev/null", O_PATH);

	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(-EBADF, file_add(dev, -1));
	EXPECT_EQ(-EBADF, file_del(dev, -1));
	EXPECT_EQ(-EBADF, file_add(dev, 0x7fffffff));
	EXPECT_EQ(-EBADF, file_add(dev, path));
	EXPECT_EQ(0, refused(dev, p[0]));
	EXPECT_EQ(0, refused(dev, null));
	EXPECT_EQ(0, refused(dev, self->vm.dev));
	EXPECT_EQ(0, refused(dev, self->vm.fd));
	EXPECT_EQ(0, refused(dev, self->vm.vcpu[0]));
	EXPECT_EQ(0, refused(dev, dev));
	close(p[0]);
	close(p[1]);
	close(null);
	close(path);
}

TEST_F(device, another_process)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(file_add(self->dev, 0) != -EIO);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EINVAL, file_add(self->dev, self->dev));
}

/* The device's file holds the VM, and the module. */
TEST_F(device, outlives_its_vm)
{
	int users = users_of("joist");

	vm_close(&self->vm);
	EXPECT_LE(1, users_of("joist"));
	EXPECT_GT(users, users_of("joist"));
	EXPECT_EQ(-EINVAL, file_add(self->dev, self->dev));
}

JOIST_TEST_MAIN
