// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the host's memory a VM takes in the kernel, in bytes: the mean of many, each
 * with an irqchip and one vCPU that has run. Lines of device, name, number.
 * usage: vm_memory [MEMORY.STAT]: the file of this process's cgroup
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vm.h"

#define VMS		50

GUEST64(code, "xor %eax, %eax\ncpuid\n" DONE);

static const char *const meminfo[] = {
	"MemFree:", "AnonPages:", "Slab:", "VmallocUsed:", "KernelStack:",
	"Percpu:", "PageTables:", "SecPageTables:",
};

static const char *const cgroup[] = {
	"kernel ", "slab ", "vmalloc ", "percpu ", "kernel_stack ",
	"pagetables ", "sec_pagetables ",
};

#define FREE		0
#define ANON		1
enum { NR = sizeof(meminfo) / sizeof(*meminfo) };
enum { NR_CGROUP = sizeof(cgroup) / sizeof(*cgroup) };

/* Numbers that follow names at the beginnings of lines. */
static void read_stats(const char *path, const char *const *names, int nr,
		       long long *values)
{
	FILE *f = fopen(path, "r");
	char line[256];
	int i;

	while (f && fgets(line, sizeof(line), f))
		for (i = 0; i < nr; i++)
			if (!strncmp(line, names[i], strlen(names[i])))
				sscanf(line + strlen(names[i]), "%lld", &values[i]);
	if (f)
		fclose(f);
}

/* KiB that are free but in the lists of CPUs: tens of MiB come and go there. */
static long long listed(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long long sum = 0, pages;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %lld", &pages) == 1)
			sum += pages * (sysconf(_SC_PAGESIZE) / 1024);
	if (f)
		fclose(f);
	return sum;
}

static void read_memory(long long *values)
{
	read_stats("/proc/meminfo", meminfo, NR, values);
	values[FREE] += listed();
}

/* So that free memory is counted as such. */
static void settle(void)
{
	static const char *const files[] = {
		"/proc/sys/vm/drop_caches", "/proc/sys/vm/compact_memory",
		"/proc/sys/vm/stat_refresh",
	};
	unsigned int i;
	FILE *f;

	usleep(300000);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		f = fopen(files[i], "w");
		if (f) {
			fputs("1\n", f);
			fclose(f);
		}
	}
}

static int start(struct test_vm *vm)
{
	if (vm_new(vm, VM_IRQCHIP) || vm_add_vcpu(vm, 0))
		return -1;
	vm_load(vm, GPA_CODE, code);
	return vcpu_long64(vm, 0, GPA_CODE) || vcpu_done(vm, 0) ? -1 : 0;
}

static void print_row(const char *what, const char *name, long long bytes)
{
	int len = strcspn(name, ": ");

	printf("%s\t%s%.*s\t%lld\n", strrchr(test_dev(), '/') + 1, what, len,
	       name, bytes / VMS);
}

int main(int argc, char **argv)
{
	long long before[NR] = { }, after[NR] = { };
	long long before_cg[NR_CGROUP] = { }, after_cg[NR_CGROUP] = { };
	static struct test_vm vms[VMS + 1];
	int i;

	/* One more, that caches and tables that all share be there. */
	if (start(&vms[VMS]))
		return 1;
	settle();
	read_memory(before);
	if (argc > 1)
		read_stats(argv[1], cgroup, NR_CGROUP, before_cg);
	for (i = 0; i < VMS; i++)
		if (start(&vms[i]))
			return 1;
	settle();
	read_memory(after);
	if (argc > 1)
		read_stats(argv[1], cgroup, NR_CGROUP, after_cg);
	for (i = 0; i <= VMS; i++)
		vm_close(&vms[i]);

	print_row("kernel memory of a VM, all", "",
		  (before[FREE] - after[FREE] - after[ANON] + before[ANON]) * 1024);
	for (i = ANON + 1; i < NR; i++)
		print_row("/proc/meminfo: ", meminfo[i], (after[i] - before[i]) * 1024);
	for (i = 0; i < NR_CGROUP && argc > 1; i++)
		print_row("memory.stat: ", cgroup[i], after_cg[i] - before_cg[i]);
	return 0;
}
