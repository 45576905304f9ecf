// SPDX-License-Identifier: GPL-2.0-only
/*
 * Binary statistics: a file that describes itself, then holds the numbers. The
 * whole file is composed for each read: it is small, and readers are slow.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "stats.h"
#include "vcpu.h"
#include "vm.h"

#define NAME_BYTES	STATS_NAME_BYTES
#define DESC_BYTES	(offsetof(struct kvm_stats_desc, name) + NAME_BYTES)

static_assert(sizeof(struct kvm_stats_header) == 24);
static_assert(offsetof(struct kvm_stats_desc, name) == 16);

#define COUNTER_NAME(name)	#name,
static const char * const vcpu_counters[] = {
	VCPU_COUNTERS(COUNTER_NAME)
};

static_assert(ARRAY_SIZE(vcpu_counters) == NR_VCPU_STATS - NR_EXIT_KINDS);

static const char * const vm_gauges[] = { "vcpus", "memslots", "table_pages" };

/**
 * struct stats_file - what is behind a statistics file
 * @vm: held
 * @vcpu: of it, or NULL: the VM's own
 */
struct stats_file {
	struct vm *vm;
	struct vcpu *vcpu;
};

static u32 stats_count(const struct stats_file *sf)
{
	return sf->vcpu ? NR_VCPU_STATS : ARRAY_SIZE(vm_gauges);
}

/**
 * stats_vcpu_name() - of a counter of vCPUs
 * @i: which, below NR_VCPU_STATS
 * @name: STATS_NAME_BYTES for it
 */
void stats_vcpu_name(u32 i, char *name)
{
	if (i >= NR_EXIT_KINDS) {
		strscpy(name, vcpu_counters[i - NR_EXIT_KINDS], NAME_BYTES);
		return;
	}
	snprintf(name, NAME_BYTES, "exits_%s", exit_kind_name(i));
	strreplace(name, '-', '_');
}

static u64 count_memslots(struct vm *vm)
{
	int idx = srcu_read_lock(&vm->srcu);
	enum space space;
	u64 nr = 0;

	for (space = 0; space < NR_SPACES; space++)
		nr += srcu_dereference(vm->memslots[space], &vm->srcu)->nr;
	srcu_read_unlock(&vm->srcu, idx);
	return nr;
}

static u64 vm_gauge(struct vm *vm, u32 i)
{
	switch (i) {
	case 0:
		return atomic_read(&vm->online_vcpus);
	case 1:
		return count_memslots(vm);
	default:
		return READ_ONCE(vm->mmu.nr_tables);
	}
}

static void stats_describe(const struct stats_file *sf, u32 i, void *out)
{
	struct kvm_stats_desc desc = {
		.flags = KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10 |
			 (sf->vcpu ? KVM_STATS_TYPE_CUMULATIVE :
				     KVM_STATS_TYPE_INSTANT),
		.size = 1,
		.offset = i * sizeof(u64),
	};
	char *name = out + offsetof(struct kvm_stats_desc, name);

	memcpy(out, &desc, offsetof(struct kvm_stats_desc, name));
	if (sf->vcpu)
		stats_vcpu_name(i, name);
	else
		strscpy(name, vm_gauges[i], NAME_BYTES);
}

/** stats_vcpu_value() - what a vCPU has counted, as seen from outside */
u64 stats_vcpu_value(const struct vcpu *vcpu, u32 i)
{
	return READ_ONCE(((const u64 *)&vcpu->stat)[i]);
}

static u64 stats_value(const struct stats_file *sf, u32 i)
{
	if (!sf->vcpu)
		return vm_gauge(sf->vm, i);
	return stats_vcpu_value(sf->vcpu, i);
}

/* A zeroed buffer becomes the file: header, id, descriptors, numbers. */
static void stats_compose(const struct stats_file *sf, void *buf)
{
	u32 n = stats_count(sf), i;
	struct kvm_stats_header *head = buf;
	u64 *data;

	head->name_size = NAME_BYTES;
	head->num_desc = n;
	head->id_offset = sizeof(*head);
	head->desc_offset = head->id_offset + NAME_BYTES;
	head->data_offset = head->desc_offset + n * DESC_BYTES;
	/* Tools look for this word. */
	if (sf->vcpu)
		snprintf(buf + head->id_offset, NAME_BYTES, "kvm-%d/vcpu-%u",
			 sf->vm->owner_pid, sf->vcpu->id);
	else
		snprintf(buf + head->id_offset, NAME_BYTES, "kvm-%d",
			 sf->vm->owner_pid);
	data = buf + head->data_offset;
	for (i = 0; i < n; i++) {
		stats_describe(sf, i, buf + head->desc_offset + i * DESC_BYTES);
		data[i] = stats_value(sf, i);
	}
}

static ssize_t stats_read(struct file *file, char __user *user, size_t len,
			  loff_t *pos)
{
	const struct stats_file *sf = file->private_data;
	u32 n = stats_count(sf);
	size_t size = sizeof(struct kvm_stats_header) + NAME_BYTES +
		      n * (DESC_BYTES + sizeof(u64));
	void *buf = kzalloc(size, GFP_KERNEL);
	ssize_t ret;

	if (!buf)
		return -ENOMEM;
	stats_compose(sf, buf);
	ret = simple_read_from_buffer(user, len, pos, buf, size);
	kfree(buf);
	return ret;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_file *sf = file->private_data;

	vm_put(sf->vm);
	kfree(sf);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

/**
 * stats_fd() - KVM_GET_STATS_FD
 * @vm: alive
 * @vcpu: of it, or NULL: the VM's own numbers
 *
 * The file holds the VM as the vCPUs' files do.
 *
 * Return: a file descriptor or -errno.
 */
int stats_fd(struct vm *vm, struct vcpu *vcpu)
{
	struct stats_file *sf = kzalloc(sizeof(*sf), GFP_KERNEL_ACCOUNT);
	struct file *file;
	int fd;

	if (!sf)
		return -ENOMEM;
	sf->vm = vm;
	sf->vcpu = vcpu;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto out_free;
	file = anon_inode_getfile(vcpu ? "joist-vcpu-stats" : "joist-vm-stats",
				  &stats_fops, sf, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto out_free;
	}
	/* Tools read at offsets. */
	file->f_mode |= FMODE_PREAD;
	vm_get(vm);
	fd_install(fd, file);
	return fd;

out_free:
	kfree(sf);
	return fd;
}
