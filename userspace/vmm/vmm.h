/* SPDX-License-Identifier: GPL-2.0-only */
/* One virtual machine, as its caller sees it: a configuration in, a result out. */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include "disk_options.h"
#include "libjoist/number.h"
#include "libjoist/types.h"
#include "watchdog.h"

#define VMM_DISKS_MAX	16
#define VMM_NETS_MAX	8
#define VMM_NET_PAIRS_MAX	8
#define VMM_FORWARDS_MAX	32
#define VMM_PORTS_MAX	7
#define VMM_PORT_NAME_MAX	63
#define VMM_SHARES_MAX	4
#define VMM_SHARE_TAG_SIZE	32
#define VMM_IO_PORTS_MAX	8
#define VMM_MMIO_MAX	8
#define VMM_HOSTDEVS_MAX	8
#define VMM_USER_MTU	1500
#define VMM_VCPUS_MAX	255
#define DEVICE_NAME_SIZE	32

struct rings;
struct vmm_frontend;

/**
 * struct vmm_file - a file the VMM is given
 * @path: where it is, for messages at least; NULL: there is no such file
 * @fd: it is open already, as the VMM needs it, which closes it; -1: open @path
 */
struct vmm_file {
	const char *path;
	int fd;
};

static inline struct vmm_file vmm_path(const char *path)
{
	return (struct vmm_file) { .path = path, .fd = -1 };
}

/* @name: within the VM; NULL: made up. */
struct vmm_disk {
	const char *name;
	struct vmm_file file;
	struct disk_options options;
};

/**
 * struct vmm_firmware - what the VM starts with, if not with a kernel
 * @code: image at the top of the first 4 GiB; its path is NULL: none
 * @vars: UEFI's variables, in flash below it; its path is NULL: none
 * @vars_from: what a file of @vars that is new begins with; or NULL
 * @vars_private: @vars is only read: what the guest sets is lost with the VM
 * @debug: what it says to its debug port is shown
 */
struct vmm_firmware {
	struct vmm_file code;
	struct vmm_file vars;
	const char *vars_from;
	bool vars_private;
	bool debug;
};

enum vmm_net_kind { VMM_NET_TAP, VMM_NET_USER };

/**
 * struct vmm_net - a network device, and what it is plugged into
 * @name: within the VM; NULL: made up
 * @file: of a tap, the interface's name and its descriptor; of the user-mode network,
 *        its process's socket; with the descriptor -1 it is opened or started
 * @has_mac: @mac is the device's address; else one is made up
 * @mtu: what the guest is told; 0: what the link has
 * @pairs: of queues, of a tap that may have several; 0: 1
 * @more_fd: of a tap that is open: descriptors of the pairs behind the first
 * @vhost: of a tap: the host's kernel serves the queues
 * @forward: ports of the host's that the user-mode network takes for the guest
 */
struct vmm_net {
	const char *name;
	enum vmm_net_kind kind;
	struct vmm_file file;
	bool has_mac;
	u8 mac[6];
	u16 mtu;
	int pairs;
	int more_fd[VMM_NET_PAIRS_MAX - 1];
	bool vhost;
	int nr_forwards;
	const char *forward[VMM_FORWARDS_MAX];
};

/**
 * struct vmm_port - a named port of the guest's, and a socket of the host's
 * @name: the guest's name for it
 * @file: where the socket is to be, or one that listens already
 * @console: the guest makes a terminal of it
 */
struct vmm_port {
	const char *name;
	struct vmm_file file;
	bool console;
};

/**
 * struct vmm_share - a folder of the host's that the guest can mount
 * @tag: what the guest calls it
 * @dir: the folder, and its server's socket; with the descriptor -1 it is started
 * @readonly: the guest can change nothing there
 */
struct vmm_share {
	const char *tag;
	struct vmm_file dir;
	bool readonly;
};

/**
 * struct vmm_vsock - sockets between guest and host
 * @cid: the guest's address; 0: there are none
 * @file: the kernel's vhost device; one that is open has the address already
 */
struct vmm_vsock {
	u32 cid;
	struct vmm_file file;
};

/**
 * struct vmm_hostdev - a PCI device of the host's that the guest owns
 * @name: within the VM; NULL: made up
 * @host: where the host has it: "0000:01:00.0"
 * @group: its IOMMU group, /dev/vfio/NUMBER; one that is open may be in the container already
 */
struct vmm_hostdev {
	const char *name;
	const char *host;
	struct vmm_file group;
};

/**
 * struct vmm_mmio - memory of a device of the host's, for the guest at the same address
 * @at: physical addresses, whole pages
 * @hva: where host_mmio_map() has mapped it, for as long as the process lives
 */
struct vmm_mmio {
	struct range at;
	void *hva;
};

/**
 * struct vmm_config - what to run
 * @device: /dev/joist or another device with the KVM ABI
 * @firmware: starts from the disks; then there is no kernel
 * @kernel: bzImage, PVH ELF or multiboot image
 * @initrd: RAM disk, if there is one
 * @cmdline: the kernel's command line
 * @memory: bytes, a multiple of 1 MiB
 * @pluggable: bytes of more that the guest can plug in, whole 2 MiB; 0: none
 * @plugged: bytes of these that it is to plug in at first
 * @vcpus: how many
 * @balloon: the guest can give memory back, and tells of what is free
 * @balloon_target: bytes that it is to keep at first; more than it has: all
 * @debug_exit: port whose written value ends the VM, or -1
 * @name: what the guest finds in its SMBIOS tables, or NULL
 * @uuid: likewise
 * @listed: the module's netlink family is to show @name
 * @rng: a source of random numbers
 * @watchdog: enum watchdog_action
 * @vsock: sockets between it and the host
 * @io_ports: of the host's, which the guest uses by itself
 * @granter: who has those opened to it, and is asked by this socket; its path is NULL: we do
 * @vfio: the container that its devices share, /dev/vfio/vfio; its path is NULL: that one,
 *        opened with the first device
 * @rings: from vmm_rings(), where it is forbidden to make any; else NULL
 * @frontend: who carries the console; NULL: standard input and output
 */
struct vmm_config {
	struct vmm_file device;
	struct vmm_firmware firmware;
	struct vmm_file kernel;
	struct vmm_file initrd;
	const char *cmdline;
	u64 memory;
	u64 pluggable;
	u64 plugged;
	unsigned int vcpus;
	bool balloon;
	u64 balloon_target;
	int debug_exit;
	const char *name;
	const char *uuid;
	bool listed;
	bool rng;
	u32 watchdog;
	struct vmm_vsock vsock;
	struct rings *rings;
	const struct vmm_frontend *frontend;
	int nr_disks;
	struct vmm_disk disk[VMM_DISKS_MAX];
	int nr_nets;
	struct vmm_net net[VMM_NETS_MAX];
	int nr_ports;
	struct vmm_port port[VMM_PORTS_MAX];
	int nr_shares;
	struct vmm_share share[VMM_SHARES_MAX];
	int nr_io_ports;
	struct range io_ports[VMM_IO_PORTS_MAX];
	struct vmm_file granter;
	int nr_mmio;
	struct vmm_mmio mmio[VMM_MMIO_MAX];
	struct vmm_file vfio;
	int nr_hostdevs;
	struct vmm_hostdev hostdev[VMM_HOSTDEVS_MAX];
};

static inline bool vmm_has_firmware(const struct vmm_config *config)
{
	return config->firmware.code.path;
}

/* How a VM ends; the exit code vmctl gives for it. */
enum vmm_code {
	VMM_POWEROFF	= 0,
	VMM_ERROR	= 1,	/* the host's side: device, files, memory */
	VMM_USAGE	= 2,
	VMM_RESET	= 16,	/* the guest asked for a reboot */
	VMM_PANIC	= 18,	/* the guest says it panicked */
	VMM_TRIPLE	= 20,	/* triple fault */
	VMM_INTERNAL	= 22,	/* KVM_EXIT_INTERNAL_ERROR */
	VMM_ENTRY	= 24,	/* KVM_EXIT_FAIL_ENTRY */
	VMM_UNKNOWN	= 26,	/* an exit the VMM does not know */
	VMM_ESCAPE	= 28,	/* Ctrl-A x */
	VMM_WATCHDOG	= 30,	/* the guest's watchdog, which is to switch it off */
	VMM_SIGNAL	= 128,	/* + the signal's number */
};

/**
 * struct vmm_result - how it ended
 * @code: enum vmm_code, or what the guest wrote to the debug-exit port
 * @reason: a word: "poweroff", "reset", "triple-fault", ...
 * @message: a sentence for people; freed by vmm_result_free()
 * @report: registers, last exits, code, page walk; NULL unless the guest
 *          came to grief; freed by vmm_result_free()
 */
struct vmm_result {
	int code;
	const char *reason;
	char *message;
	char *report;
};

int vmm_open_device(const char *path);
int vmm_check_device(int fd, const char *path);
int vmm_file_open(const struct vmm_file *file, int flags);
void vmm_file_close(const struct vmm_file *file);
struct rings *vmm_rings(const struct vmm_config *config);
int vmm_run(const struct vmm_config *config, struct vmm_result *result);
void vmm_result_free(struct vmm_result *result);

#endif
