/* SPDX-License-Identifier: GPL-2.0-only */
/* What all of the daemon's files share. */
#ifndef VMD_VMD_H
#define VMD_VMD_H

#include "definition.h"

#define VMD_VERSION	"0.1.0"

#define RUN_DIR		"/run/joist"
#define RUN_VM_DIR	RUN_DIR "/vm"
#define LIB_DIR		"/var/lib/joist"
#define STORE_DIR	LIB_DIR "/vms"
#define LOG_DIR		"/var/log/joist"
#define CONTROL_SOCKET	RUN_DIR "/control"

#define USER_VMS_MAX	32	/* that one user may create */
#define SCROLLBACK_MAX	65536
#define LOG_SIZE_MAX	(1 << 20)

/* Where the daemon's other processes find the socket they are spoken to by. */
#define SETUP_FD	3

/**
 * struct failure - why something was not done
 * @code: of the protocol
 * @remedy: what to do about it, or NULL
 */
struct failure {
	const char *code;
	struct complaint why;
	const char *remedy;
};

/**
 * struct options - the command line
 * @file: configuration
 * @verbose: tell more
 * @seccomp_log: system calls that are not allowed are logged by the kernel, not
 *               punished: to find out what is missing
 */
struct options {
	const char *file;
	bool verbose;
	bool seccomp_log;
};

extern struct options options;

int fail(struct failure *f, const char *code, const char *fmt, ...) __printf(3, 4);
int fail_hostdev(struct failure *f, const struct hostdev_why *why);
void say(const char *fmt, ...) __printf(1, 2);

/* The daemon's processes. */
int parent_main(void);
int control_main(void);
int vm_main(const char *name);

#endif
