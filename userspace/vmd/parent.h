/* SPDX-License-Identifier: GPL-2.0-only */
/* The parent: what it knows of each VM, and its conversation with the control process. */
#ifndef VMD_PARENT_H
#define VMD_PARENT_H

#include "channel.h"
#include "config.h"
#include "spawn.h"

/**
 * struct owned - a VM, as the parent sees it
 * @def: what is to be run the next time
 * @proc: its process; pid 0: there is none
 * @exit: of its process
 * @ask: it says that its VM is there
 * @unseen: it ended while no daemon was there: the control process has not heard
 * @pending: @def has changed since it was started
 * @orphan: it has no definition any longer: it goes when it has stopped
 */
struct owned {
	struct owned *next;
	struct definition def;
	struct process proc;
	struct watch exit;
	struct watch ask;
	bool unseen;
	bool pending;
	bool orphan;
};

/**
 * struct parent - its state
 * @control: the control process
 * @vms: all, in no order
 * @user_uid: whose rights VMs without an owner have
 * @admin_gid: NOBODY: there is no such group
 */
struct parent {
	struct channel control;
	int control_pid;
	int listen_fd;
	struct owned *vms;
	int nr_vms;
	char host[64];
	u32 user_uid, user_gid;
	u32 admin_gid;
	char socket[108];
	u32 stagger_ms;
};

extern struct parent parent;

/* parent_vms.c */
struct owned *owned_find(const char *name);
struct owned *owned_by_uuid(const char *uuid);
struct owned *owned_add(struct definition *def);
void owned_remove(struct owned *vm);
void owned_adopt(struct owned *vm);
void owned_user(const struct definition *def, u32 *uid, u32 *gid);
int owned_start(struct owned *vm, struct failure *f);
void owned_hang_up(struct owned *vm);
void owned_status(void);
void owned_tell(const struct owned *vm);
void owned_tell_end(struct owned *vm);
void owned_tell_process(const struct owned *vm, bool found);

/* vm_id.c */
u32 vm_identify(const struct owned *vm);
void vm_let_go(const struct owned *vm);
int vm_open_ports(const struct owned *vm);

/* parent_requests.c */
void parent_take(struct channel *ch, struct msg *msg);

/* reload.c */
int config_load(struct config *config);
void config_settings(const struct config *config);
void config_apply(struct config *config, struct json_object *changed);

#endif
