// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM processes, from outside: started with open files, recorded in RUN_VM_DIR, found again.
 *	NAME.json	who it is: pid, start time, definition
 *	NAME.ended	the same, once the daemon has seen its end
 *	NAME.sock	where it listens
 *	NAME.result	how it ended, written by itself
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "channel.h"
#include "disk_tool.h"
#include "files.h"
#include "js.h"
#include "libjoist/joist.h"
#include "libjoist/vhost.h"
#include "net/net.h"
#include "passthrough.h"
#include "platform_host.h"
#include "seed.h"
#include "setup.h"
#include "share_tool.h"
#include "spawn.h"
#include "vmm/backend/vsock.h"
#include "vmm/firmware.h"
#include "vmm/vmm.h"

#define STAT_START_TIME	22	/* field of /proc/PID/stat */

void vm_file(char *path, size_t size, const char *name, const char *suffix)
{
	snprintf(path, size, RUN_VM_DIR "/%s.%s", name, suffix);
}

static int pid_open(int pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* When a process started, in ticks since boot; 0: there is none, or it is a zombie. */
u64 process_start_time(int pid)
{
	char path[64], text[1024] = "", *p;
	int field = 3;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	/* Its name may hold anything: the last parenthesis ends it. */
	p = strrchr(text, ')');
	if (!p || !p[1] || p[2] == 'Z' || p[2] == 'X')
		return 0;
	for (p += 2; *p && field < STAT_START_TIME; p++)
		field += *p == ' ';
	return strtoull(p, NULL, 10);
}

/**
 * run_self() - execute this program again, as another of the daemon's processes
 * @mode: "--vm" or "--control"
 * @name: argument, or NULL
 * @fd: becomes SETUP_FD
 * @procs_fd: the cgroup it joins, or -1
 *
 * Return: its pid or -errno.
 */
int run_self(const char *mode, const char *name, int fd, int procs_fd)
{
	const char *const argv[] = { "vmd", mode, name, NULL };
	sigset_t none;
	pid_t pid;
	int null;

	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (procs_fd >= 0 && write(procs_fd, "0", 1) != 1)
		_exit(126);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(126);
	/* dup2() onto itself would keep close-on-exec. */
	if (fd == SETUP_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, SETUP_FD) < 0)
		_exit(126);
	execv("/proc/self/exe", (char **)argv);
	_exit(127);
}

static int open_listener(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	vm_file(addr.sun_path, sizeof(addr.sun_path), name, "sock");
	unlink(addr.sun_path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 4)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* A new connection to a VM's process: it then leaves the one it had. */
int process_connect(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	vm_file(addr.sun_path, sizeof(addr.sun_path), name, "sock");
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int open_device(struct failure *f)
{
	int fd = joist_open(JOIST_DEVICE);

	if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO) {
		fail(f, "no-host", "no hypervisor at " JOIST_DEVICE);
		f->remedy = "load the module first: modprobe joist";
	} else if (fd < 0) {
		fail(f, "no-host", "cannot open " JOIST_DEVICE ": %s",
		     strerror(-fd));
	}
	return fd;
}

static int open_own(const char *path, int flags, struct failure *f)
{
	int fd = open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail(f, "failed", "cannot open %s: %s", path,
			    strerror(errno));
	return fd;
}

/* One that the definition names: with the rights of who named it. */
static int open_named(const struct definition *def, const char *what,
		      const char *path, bool write, struct failure *f)
{
	int fd = file_open_as(def->uid, def->gid, path,
			      write ? O_RDWR : O_RDONLY);
	const char *package;

	if (fd >= 0)
		return fd;
	package = fd == -ENOENT ? firmware_package(path) : NULL;
	fail(f, "failed", "cannot open the %s %s: %s", what, path,
	     strerror(-fd));
	if (package)
		f->remedy = !strcmp(package, "ovmf") ? "install the package ovmf" :
						       "install the package seabios";
	if (fd == -EACCES && def->uid)
		f->remedy = "it is opened with the rights of the VM's creator";
	return fd;
}

/* Likewise, or of who added it to the running VM. Return: a descriptor or -errno. */
int disk_open_as(const struct definition *def, const struct disk *disk, int procs_fd,
		 struct failure *f)
{
	bool write = !disk->options.readonly;
	int fd;

	if (disk->options.format != DISK_RAW)
		return disk_tool_start(def, disk, procs_fd, f);
	if (disk->uid == NOBODY)
		return open_named(def, "disk", disk->path, write, f);
	fd = file_open_as(disk->uid, disk->gid, disk->path, write ? O_RDWR : O_RDONLY);
	if (fd >= 0)
		return fd;
	fail(f, "failed", "cannot open the disk %s: %s", disk->path, strerror(-fd));
	if (fd == -EACCES && disk->uid)
		f->remedy = "it is opened with the rights of who adds it";
	return fd;
}

/* A file that is kept begins with what the firmware's package has. */
static int open_vars(const struct definition *def, const struct vmm_firmware *fw,
		     struct failure *f)
{
	int fd, err;

	if (fw->vars_private || !fw->vars_from)
		return open_named(def, "firmware's variables", fw->vars.path,
				  !fw->vars_private, f);
	fd = file_open_as(def->uid, def->gid, fw->vars.path, O_RDWR | O_CREAT);
	err = fd < 0 ? fd : firmware_fill_vars(fd, fw->vars_from);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return fail(f, "failed", "cannot make the firmware's variables %s from %s: %s",
		    fw->vars.path, fw->vars_from, strerror(-err));
}

/* Those of disks, of the seed and of shares. */
static int nr_device_files(const struct definition *def)
{
	return def->nr_disks + definition_has_seed(def) + def->shares.nr;
}

/* @i: which of them */
static int open_device_file(const struct definition *def, int i, u32 uid, u32 gid, int procs_fd,
			    struct failure *f)
{
	if (i < def->nr_disks)
		return disk_open_as(def, &def->disk[i], procs_fd, f);
	i -= def->nr_disks;
	if (definition_has_seed(def) && !i--)
		return vm_seed_open(def, f);
	return share_open_as(def, &def->shares.share[i], uid, gid, procs_fd, f);
}

/* Return: how many descriptors there are; less than @want with @f filled in. */
static int open_all(const struct definition *def, const struct vmm_firmware *fw, u32 uid, u32 gid,
		    int procs_fd, int *fds, int want, struct failure *f)
{
	int devices = want - nr_device_files(def), nr = 0, i;
	char path[256];

	for (i = 0; i < want; i++) {
		int fd = -1;

		switch (i) {
		case SETUP_DEVICE:
			fd = open_device(f);
			break;
		case SETUP_START:
			fd = def->firmware ?
			     open_named(def, "firmware", fw->code.path, false, f) :
			     open_named(def, "kernel", def->kernel, false, f);
			break;
		case SETUP_LISTEN:
			fd = open_listener(def->name);
			if (fd < 0)
				fail(f, "failed", "cannot listen for the daemon: %s",
				     strerror(-fd));
			break;
		case SETUP_LOG:
			snprintf(path, sizeof(path), LOG_DIR "/%s.log", def->name);
			fd = open_own(path, O_RDWR, f);
			break;
		case SETUP_RESULT:
			vm_file(path, sizeof(path), def->name, "result");
			fd = open_own(path, O_RDWR | O_TRUNC, f);
			break;
		default:
			if (i >= devices)
				fd = open_device_file(def, i - devices, uid, gid, procs_fd, f);
			else if (def->initrd)
				fd = open_named(def, "initrd", def->initrd, false, f);
			else
				fd = open_vars(def, fw, f);
		}
		if (fd < 0)
			break;
		fds[nr++] = fd;
	}
	return nr;
}

/*
 * The host's end of the guest's sockets, by the rights of who wants it. It gets its address
 * here: a VM's process that is taken over cannot take another one.
 */
static int open_vsock(const struct definition *def, struct failure *f)
{
	int fd = char_device_open_as(def->uid, def->gid, VHOST_VSOCK_DEVICE, O_RDWR), err;

	if (fd < 0) {
		fail(f, "failed", "cannot open %s: %s", VHOST_VSOCK_DEVICE, strerror(-fd));
		f->remedy = vsock_remedy(fd);
		return fd;
	}
	err = vhost_vsock_set_cid(fd, def->vsock);
	if (!err)
		return fd;
	close(fd);
	fail(f, "failed", "cannot give the guest the CID %u: %s", def->vsock, strerror(-err));
	f->remedy = vsock_remedy(err);
	return err;
}

static int write_record(const struct definition *def, const struct process *proc)
{
	struct json_object *obj = js_new("name", def->name);
	char path[256];
	int err;

	js_add_int(obj, "pid", proc->pid);
	js_add_int(obj, "start", (s64)process_start_time(proc->pid));
	js_add(obj, "definition", definition_json(def, true));
	js_add(obj, "interfaces", json_object_get(proc->nets));
	vm_file(path, sizeof(path), def->name, "json");
	err = file_write(path, json_object_to_json_string(obj));
	json_object_put(obj);
	return err;
}

/**
 * process_change() - what runs is another than it was
 * @name: the VM's
 * @change: changes the definition it was started with
 * @arg: for @change
 * @nets: its interfaces now; the caller's
 *
 * Return: 0 or -errno.
 */
int process_change(const char *name, int (*change)(struct definition *def, const void *arg),
		   const void *arg, struct json_object *nets)
{
	struct json_object *obj;
	struct definition def;
	struct complaint c;
	char path[256];
	int err;

	vm_file(path, sizeof(path), name, "json");
	obj = file_read_json(path);
	if (!obj)
		return -ENOENT;
	err = definition_from_json(&def, js_get(obj, "definition"), true, &c);
	err = err ?: change(&def, arg);
	if (!err) {
		js_add(obj, "definition", definition_json(&def, true));
		js_add(obj, "interfaces", json_object_get(nets));
		err = file_write(path, json_object_to_json_string(obj));
	}
	definition_free(&def);
	json_object_put(obj);
	return err;
}

/*
 * All a VM's process needs, into the socket it will read. Return: its end, or -1. @ask_fd: set to
 * ours, if it is to be kept.
 */
static int prepare(const struct definition *def, u32 uid, u32 gid,
		   const int *fds, int nr, struct json_object *nets, struct json_object *devices,
		   int *ask_fd, struct failure *f)
{
	struct json_object *obj = json_object_new_object();
	int pair[2], err = -1;
	const char *text;

	js_add(obj, "definition", definition_json(def, true));
	js_add_int(obj, "uid", uid);
	js_add_int(obj, "gid", gid);
	js_add_bool(obj, "seccomp-log", options.seccomp_log);
	js_add(obj, "interfaces", json_object_get(nets));
	js_add(obj, "devices", json_object_get(devices));
	text = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN);
	if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = msg_write(pair[0], text, strlen(text), fds, nr);
		if (err >= 0 && platform_ports(&def->platform, NULL))
			*ask_fd = pair[0];
		else
			close(pair[0]);
		if (err < 0)
			close(pair[1]);
	}
	json_object_put(obj);
	if (err >= 0)
		return pair[1];
	fail(f, "failed", "cannot speak to the VM's process: %s", strerror(errno));
	return -1;
}

static int launch(const struct definition *def, int setup, int procs_fd,
		  struct process *proc, struct failure *f)
{
	int err;

	proc->pid = run_self("--vm", def->name, setup, procs_fd);
	if (proc->pid < 0)
		return fail(f, "failed", "cannot start a process: %s",
			    strerror(-proc->pid));
	proc->pidfd = pid_open(proc->pid);
	err = write_record(def, proc);
	if (proc->pidfd >= 0 && !err)
		return 0;
	fail(f, "failed", "cannot keep hold of the VM's process: %s",
	     strerror(errno));
	/* It has not been reaped: the number is still its own. */
	kill(proc->pid, SIGKILL);
	waitpid(proc->pid, NULL, 0);
	if (proc->pidfd >= 0)
		close(proc->pidfd);
	return -1;
}

/**
 * spawn_vm() - start the process of a VM
 * @def: the VM
 * @uid: whom it shall be
 * @gid: likewise
 * @proc: filled in
 * @f: why not
 *
 * Return: 0 or less.
 */
int spawn_vm(const struct definition *def, u32 uid, u32 gid,
	     struct process *proc, struct failure *f)
{
	int fds[MSG_FDS_MAX], want, nr, setup, procs_fd, err;
	struct vmm_firmware fw = { 0 };
	struct json_object *devices;
	char *text = NULL;

	if (platform_check(def, f))
		return -1;
	if (def->firmware && definition_firmware(def, &fw, &text))
		return fail(f, "failed", "out of memory");
	err = cgroup_create(def, &procs_fd);
	if (err) {
		free(text);
		fail(f, "failed", "its limits cannot be set: %s", strerror(-err));
		f->remedy = "mount cgroup v2 at /sys/fs/cgroup, and start vmd again";
		return err;
	}
	err = -1;
	proc->nets = json_object_new_array();
	proc->platform = def->platform;
	proc->ask_fd = -1;
	want = SETUP_FIXED + (def->initrd || fw.vars.path) + nr_device_files(def);
	nr = open_all(def, &fw, uid, gid, procs_fd, fds, want, f);
	if (nr == want && def->vsock) {
		want++;
		fds[nr] = open_vsock(def, f);
		nr += fds[nr] >= 0;
	}
	if (nr == want) {
		want += interfaces_fds(def->nic, def->nr_nics);
		nr += net_plug(def, uid, gid, fds + nr, proc->nets, f);
	}
	devices = json_object_new_array();
	if (nr == want && def->devices.nr) {
		want += passthrough_fds(def);
		nr += passthrough_open(def, fds + nr, devices, f);
	}
	if (nr == want && platform_fds(def)) {
		want++;
		fds[nr] = platform_open(f);
		nr += fds[nr] >= 0;
	}
	if (nr == want) {
		setup = prepare(def, uid, gid, fds, nr, proc->nets, devices, &proc->ask_fd, f);
		if (setup >= 0) {
			err = launch(def, setup, procs_fd, proc, f);
			close(setup);
		}
	}
	json_object_put(devices);
	while (nr)
		close(fds[--nr]);
	if (procs_fd >= 0)
		close(procs_fd);
	free(text);
	if (err) {
		process_forget(def->name);
		json_object_put(proc->nets);
		proc->nets = NULL;
		if (proc->ask_fd >= 0)
			close(proc->ask_fd);
	}
	return err;
}

/* The ports and the memory that a VM was started with, of what is recorded of it. */
static void take_platform(struct process *proc, struct json_object *obj)
{
	struct definition def;
	struct complaint c;

	if (!definition_from_json(&def, obj, true, &c))
		proc->platform = def.platform;
	definition_free(&def);
}

static int find_process(const char *name, const char *uuid, struct process *proc)
{
	struct json_object *obj;
	const char *was;
	char path[256];
	int conn;
	bool same;
	u64 start;

	vm_file(path, sizeof(path), name, "json");
	obj = file_read_json(path);
	if (!obj)
		return -ENOENT;
	proc->pid = (int)js_int(obj, "pid", 0);
	start = (u64)js_int(obj, "start", 0);
	was = js_text(js_get(obj, "definition"), "uuid");
	same = was && !strcmp(was, uuid);
	proc->nets = json_object_get(js_get(obj, "interfaces"));
	take_platform(proc, js_get(obj, "definition"));
	json_object_put(obj);
	if (proc->pid <= 0)
		return -ESRCH;
	/* First the descriptor, then the look: it cannot become another's between. */
	proc->pidfd = pid_open(proc->pid);
	if (proc->pidfd < 0)
		return -ESRCH;
	if (start && process_start_time(proc->pid) == start) {
		if (!same) {
			close(proc->pidfd);
			return -EEXIST;
		}
		conn = process_connect(name);
		if (conn >= 0) {
			close(conn);
			return 0;
		}
		say("the process %d of the VM %s does not listen: it is ended",
		    proc->pid, name);
		syscall(SYS_pidfd_send_signal, proc->pidfd, SIGKILL, NULL, 0);
	}
	close(proc->pidfd);
	return -ESRCH;
}

/**
 * process_find() - the process of a VM that an earlier daemon started
 * @name: the VM's
 * @uuid: the VM's
 * @proc: filled in
 *
 * Return: 0; -ENOENT: there is none; -ESRCH: it ended while no daemon was there to see;
 * -EEXIST: it is another VM's that had this name.
 */
int process_find(const char *name, const char *uuid, struct process *proc)
{
	int err;

	proc->nets = NULL;
	proc->platform.nr = 0;
	proc->ask_fd = -1;
	err = find_process(name, uuid, proc);
	if (err) {
		json_object_put(proc->nets);
		proc->nets = NULL;
	}
	return err;
}

/**
 * process_scan() - the VMs that were started since the host was
 * @take: called with the definition each was started with; it is then its own
 */
void process_scan(void (*take)(struct definition *def))
{
	DIR *dir = opendir(RUN_VM_DIR);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		struct json_object *obj;
		struct definition def;
		struct complaint c;
		char path[512];

		if (!dot || strcmp(dot, ".json"))
			continue;
		snprintf(path, sizeof(path), RUN_VM_DIR "/%s", entry->d_name);
		obj = file_read_json(path);
		if (!definition_from_json(&def, js_get(obj, "definition"), true,
					  &c))
			take(&def);
		else
			definition_free(&def);
		json_object_put(obj);
	}
	closedir(dir);
}

/* How it ended, as it told itself. Return: an object, or NULL: it told nothing. */
struct json_object *process_result(const char *name)
{
	char path[256];

	vm_file(path, sizeof(path), name, "result");
	return file_read_json(path);
}

/* It has ended: nobody shall look for it. */
void process_forget(const char *name)
{
	char path[256];

	char ended[256];

	vm_file(path, sizeof(path), name, "sock");
	unlink(path);
	vm_file(path, sizeof(path), name, "json");
	vm_file(ended, sizeof(ended), name, "ended");
	rename(path, ended);
	cgroup_remove(name);
}

/* Was it started since the host was? */
bool process_known(const char *name)
{
	char path[256];

	vm_file(path, sizeof(path), name, "ended");
	return !access(path, F_OK);
}

/* Nothing of it is to be left: its VM is deleted. */
void process_erase(const char *name)
{
	static const char *const suffixes[] = { "json", "ended", "sock", "result" };
	char path[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(suffixes); i++) {
		vm_file(path, sizeof(path), name, suffixes[i]);
		unlink(path);
	}
}
