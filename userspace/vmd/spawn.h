/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting a VM's process, and finding one that an earlier daemon started. */
#ifndef VMD_SPAWN_H
#define VMD_SPAWN_H

#include "vmd.h"

struct json_object;

/**
 * struct process - a VM's process that runs
 * @pid: its number
 * @pidfd: readable once it has ended
 * @nets: its interfaces, as net_plug() tells them; NULL: it has none
 * @platform: ports and memory of the host's that it was started with
 * @ask_fd: it asks here once for what is to be done for its VM; -1: for nothing
 */
struct process {
	int pid;
	int pidfd;
	struct json_object *nets;
	struct platform_devices platform;
	int ask_fd;
};

int spawn_vm(const struct definition *def, u32 uid, u32 gid,
	     struct process *proc, struct failure *f);
int disk_open_as(const struct definition *def, const struct disk *disk, int procs_fd,
		 struct failure *f);
int process_change(const char *name, int (*change)(struct definition *def, const void *arg),
		   const void *arg, struct json_object *nets);
u64 process_start_time(int pid);
int process_connect(const char *name);
int process_find(const char *name, const char *uuid, struct process *proc);
void process_scan(void (*take)(struct definition *def));
struct json_object *process_result(const char *name);
void process_forget(const char *name);
bool process_known(const char *name);
void process_erase(const char *name);
int run_self(const char *mode, const char *name, int fd, int procs_fd);
void vm_file(char *path, size_t size, const char *name, const char *suffix);

#endif
