// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory: one anonymous mapping, so that nothing outlives the process. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "libjoist/joist.h"
#include "log.h"
#include "memory.h"

#define HUGE_SIZE	(2ULL << 20)

/* @size: 0: it is to go. Return: 0 or -errno. */
int memory_slot(int vm_fd, u32 number, u64 gpa, u64 size, u8 *hva)
{
	struct kvm_userspace_memory_region slot = {
		.slot = number,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (u64)(uintptr_t)hva,
	};

	return joist_set_memory(vm_fd, &slot);
}

static int set_slot(int vm_fd, u32 number, u64 gpa, u64 size, u8 *hva)
{
	int err = memory_slot(vm_fd, number, gpa, size, hva);

	if (err)
		log_err("cannot give the guest %llu MiB of memory at %#llx: %s",
			(unsigned long long)(size >> 20),
			  (unsigned long long)gpa, strerror(-err));
	return err;
}

static int add_region(struct memory *mem, int vm_fd, u64 gpa, u64 size, u8 *hva)
{
	int err = set_slot(vm_fd, (u32)mem->nr_regions, gpa, size, hva);

	if (err)
		return err;
	mem->region[mem->nr_regions++] = (struct mem_region) {
		.gpa = gpa, .size = size, .hva = hva,
	};
	return 0;
}

/* Return: MAP_FAILED, with the reason logged. */
static void *map_anonymous(u64 size, const char *option)
{
	void *map = mmap(NULL, size + HUGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		log_err("cannot reserve %llu MiB of memory: %s; try a smaller %s",
			(unsigned long long)(size >> 20), strerror(errno), option);
	return map;
}

/* Aligned as the guest sees it, so that both sides can use 2 MiB pages. */
static u8 *aligned(u8 *map, u64 size)
{
	u8 *hva = (u8 *)align_up((u64)map, HUGE_SIZE);

	/* Advice: without transparent huge pages it fails and nothing is lost. */
	(void)madvise(hva, size, MADV_HUGEPAGE);
	(void)madvise(hva, size, MADV_DONTDUMP);
	return hva;
}

/**
 * memory_init() - allocate guest memory and tell the hypervisor
 * @mem: filled in
 * @vm_fd: the VM
 * @size: bytes, a multiple of the page size
 *
 * Return: 0, or -errno with the reason logged.
 */
int memory_init(struct memory *mem, int vm_fd, u64 size)
{
	u64 low = size < LOW_RAM_MAX ? size : LOW_RAM_MAX;
	u8 *hva;
	int err;

	memset(mem, 0, sizeof(*mem));
	pthread_mutex_init(&mem->keep_lock, NULL);
	mem->size = size;
	mem->map_size = size + HUGE_SIZE;
	mem->map = map_anonymous(size, "-m");
	if (mem->map == MAP_FAILED) {
		mem->map = NULL;
		return -ENOMEM;
	}
	hva = aligned(mem->map, size);
	err = add_region(mem, vm_fd, 0, low, hva);
	if (!err && size > low)
		err = add_region(mem, vm_fd, HIGH_RAM_START, size - low, hva + low);
	if (err)
		memory_destroy(mem);
	return err;
}

/**
 * memory_add_pluggable() - a place for memory that is plugged in later
 * @mem: guest memory
 * @vm_fd: the VM
 * @size: bytes, whole blocks
 *
 * The hypervisor knows all of it: what nobody has touched is no memory of the host's.
 *
 * Return: 0, or -errno with the reason logged.
 */
int memory_add_pluggable(struct memory *mem, int vm_fd, u64 size)
{
	u64 gpa = align_up(memory_end(mem), PLUGGABLE_ALIGN);
	void *map = map_anonymous(size, "--pluggable");
	u8 *hva;
	int err;

	if (map == MAP_FAILED)
		return -ENOMEM;
	mem->plug_map = map;
	hva = aligned(map, size);
	err = set_slot(vm_fd, SLOT_PLUGGABLE, gpa, size, hva);
	mem->pluggable = (struct mem_region) { .gpa = gpa, .size = size, .hva = hva };
	return err;
}

void memory_destroy(struct memory *mem)
{
	if (mem->map)
		munmap(mem->map, mem->map_size);
	if (mem->plug_map)
		munmap(mem->plug_map, mem->pluggable.size + HUGE_SIZE);
	mem->map = NULL;
	mem->plug_map = NULL;
	mem->pluggable.size = 0;
	mem->nr_regions = 0;
}

/**
 * memory_keep() - may parts of the memory go back to the host?
 * @mem: guest memory
 * @keep: none may, from when this returns; or they may again
 */
void memory_keep(struct memory *mem, bool keep)
{
	pthread_mutex_lock(&mem->keep_lock);
	mem->kept = keep;
	pthread_mutex_unlock(&mem->keep_lock);
}

/* Return: whether nothing would go back to the host now. */
bool memory_is_kept(struct memory *mem)
{
	bool kept;

	pthread_mutex_lock(&mem->keep_lock);
	kept = mem->kept;
	pthread_mutex_unlock(&mem->keep_lock);
	return kept;
}

/**
 * memory_discard() - memory that the guest does not use goes back to the host
 * @mem: guest memory
 * @hva: start of whole pages of it
 * @len: bytes
 *
 * Return: 0; -EBUSY: all of it is to stay where it is; another -errno.
 */
int memory_discard(struct memory *mem, void *hva, u64 len)
{
	int err;

	pthread_mutex_lock(&mem->keep_lock);
	err = mem->kept ? -EBUSY : madvise(hva, len, MADV_DONTNEED) ? -errno : 0;
	pthread_mutex_unlock(&mem->keep_lock);
	return err;
}

static bool inside(const struct mem_region *r, u64 gpa, u64 len)
{
	return gpa >= r->gpa && gpa - r->gpa < r->size && len <= r->size - (gpa - r->gpa);
}

/**
 * memory_ptr() - a pointer to guest memory
 * @mem: guest memory
 * @gpa: guest physical address, of any origin
 * @len: bytes that will be touched
 *
 * Return: NULL unless all of [gpa, gpa + len) is RAM of one region.
 */
void *memory_ptr(const struct memory *mem, u64 gpa, u64 len)
{
	int i;

	for (i = 0; i < mem->nr_regions; i++)
		if (inside(&mem->region[i], gpa, len))
			return mem->region[i].hva + (gpa - mem->region[i].gpa);
	if (inside(&mem->pluggable, gpa, len))
		return mem->pluggable.hva + (gpa - mem->pluggable.gpa);
	return NULL;
}

int memory_write(const struct memory *mem, u64 gpa, const void *data, u64 len)
{
	void *p = memory_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(p, data, len);
	return 0;
}

int memory_read(const struct memory *mem, u64 gpa, void *data, u64 len)
{
	const void *p = memory_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(data, p, len);
	return 0;
}
