/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration files. */
#ifndef VMD_CONFIG_H
#define VMD_CONFIG_H

#include "switch.h"

#define CONFIG_FILE	"/etc/joist/joist.conf"
#define FAULTS_MAX	100
#define VMS_MAX		1024

#define VF_DEFS_MAX	32

struct fault {
	char *file;
	int line;
	char *message;
};

/* Virtual functions that are to be made. */
struct vf_def {
	char addr[PCI_ADDR_SIZE];
	u32 count;
};

/**
 * struct config - what the files say
 * @vm: definitions, all good unless there are faults
 * @sw: switches, likewise
 * @vf: virtual functions of the host's devices
 * @user: whose rights processes without an owner have
 * @group: whose members are admins
 * @socket: where clients connect
 * @stagger_ms: between two starts by themselves
 */
struct config {
	int nr_vms;
	struct definition *vm;
	int nr_switches;
	struct switch_def *sw;
	int nr_vfs;
	struct vf_def vf[VF_DEFS_MAX];
	int nr_faults;
	struct fault fault[FAULTS_MAX];
	char user[NAME_LEN_MAX + 1];
	char group[NAME_LEN_MAX + 1];
	char socket[108];
	u32 stagger_ms;
};

int config_read(struct config *config, const char *file, const char *host);
const struct switch_def *config_switch(const struct config *config, const char *name);
void config_free(struct config *config);
void config_fault(struct config *config, const char *file, int line,
		  const char *fmt, ...) __printf(4, 5);
struct json_object *config_faults_json(const struct config *config);

#endif
