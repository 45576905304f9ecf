// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plugging VMs in. A tap goes with the last descriptor of it, which the VM's process has:
 * however that ends, its port, rules and limits are gone with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge.h"
#include "children.h"
#include "libjoist/mac.h"
#include "libjoist/tap.h"
#include "macvtap.h"
#include "switches.h"
#include "tc.h"
#include "vmd/js.h"
#include "vmd/parent.h"
#include "vmd/sandbox.h"
#include "vmd/users.h"
#include "vmm/backend/user.h"

#define TAP_PATTERN	"jtap%d"
#define REMEDY_MODULES							\
	"modprobe -a bridge sch_tbf sch_ingress cls_bpf cls_matchall act_police act_gact"
#define MTU_DEFAULT	1500

static bool is_admin(u32 uid, u32 gid)
{
	u32 groups[GROUPS_MAX];
	int nr, i;

	if (!uid)
		return true;
	nr = user_groups(uid, gid, groups, GROUPS_MAX);
	for (i = 0; i < nr; i++)
		if (parent.admin_gid != NOBODY && groups[i] == parent.admin_gid)
			return true;
	return false;
}

static bool may_use(const struct switch_def *sw, u32 uid, u32 gid)
{
	u32 groups[GROUPS_MAX];
	int nr, i, k;

	if (is_admin(uid, gid))
		return true;
	nr = user_groups(uid, gid, groups, GROUPS_MAX);
	for (i = 0; i < sw->nr_users; i++) {
		const struct owner *user = &sw->user[i];

		if (user->kind == OWNER_USER && user->id == uid)
			return true;
		for (k = 0; user->kind == OWNER_GROUP && k < nr; k++)
			if (groups[k] == user->id)
				return true;
	}
	return false;
}

/* Whose guests are neighbours of the host's own is an admin's to say. */
static int check_macvtap(const struct definition *def, const struct interface *nic,
			 struct failure *f)
{
	if (is_admin(def->uid, def->gid))
		return 0;
	fail(f, "not-yours", "the interface %s of the host is not for the VM's creator",
	     nic->link);
	f->remedy = "an admin can make a switch of it in joist.conf: uplink and users";
	return -1;
}

static int check_switch(const struct definition *def, const struct interface *nic,
			struct failure *f)
{
	struct soft_switch *sw = switch_find(nic->link);
	struct complaint c;

	if (!sw || sw->dropped) {
		fail(f, "bad-config", "there is no switch '%s'", nic->link);
		f->remedy = "switches are sections of joist.conf";
		return -1;
	}
	if (!may_use(&sw->def, def->uid, def->gid)) {
		fail(f, "not-yours", "the switch '%s' is not for the VM's creator", nic->link);
		f->remedy = "an admin can add them to 'users' of the switch in joist.conf";
		return -1;
	}
	if (switch_takes(&sw->def, nic, &c))
		return fail(f, "bad-config", "%s", c.text);
	return 0;
}

/**
 * net_check() - can and may a VM be plugged in where it wants to be?
 * @def: the VM
 * @f: why not
 *
 * Return: 0 or less.
 */
int net_check(const struct definition *def, struct failure *f)
{
	int i;

	for (i = 0; i < def->nr_nics; i++) {
		const struct interface *nic = &def->nic[i];

		if (nic->kind == IF_SWITCH && check_switch(def, nic, f))
			return -1;
		if (nic->kind == IF_MACVTAP && check_macvtap(def, nic, f))
			return -1;
	}
	return 0;
}

/* A step of port_arrange(), for its complaint. */
static int failed(int err, const char *what, const struct interface *nic, struct failure *f)
{
	fail(f, "failed", "cannot %s the interface \"%s\": %s", what, nic->name,
	     rtnl_why(err));
	/* What the kernel says to a name of something it has no module for. */
	if (err == -ENOENT || err == -EOPNOTSUPP)
		f->remedy = REMEDY_MODULES;
	return err;
}

static int port_arrange(const struct definition *def, const struct interface *nic,
			const struct soft_switch *sw, const char *tap, u16 mtu,
			struct failure *f)
{
	struct link link;
	char alias[128];
	u8 mac[6];
	int err;

	err = link_find(tap, &link);
	if (err)
		return failed(err, "find", nic, f);
	interface_mac(nic, def->uuid, mac);
	snprintf(alias, sizeof(alias), PORT_ALIAS "%s/%s", def->name, nic->name);
	err = link_set_alias(link.index, alias);
	err = err ?: link_quiet(link.index);
	err = err ?: link_set_mtu(link.index, mtu);
	if (err)
		return failed(err, "set up", nic, f);
	err = nic->rate_in ? tc_limit_in(link.index, nic->rate_in) : 0;
	err = err ?: tc_guard(link.index, TC_H_MIN_INGRESS, nic, mac);
	if (err)
		return failed(err, "check and limit what passes", nic, f);
	err = link_set_master(link.index, sw->index);
	if (!err && sw->def.vlan_filtering)
		err = bridge_port_vlans(link.index, nic);
	if (!err && (nic->isolated || sw->def.isolated))
		err = bridge_port_isolated(link.index, true);
	/* Only now: no frame takes a way that it should not. */
	err = err ?: link_set_up(link.index, true);
	return err ? failed(err, "plug in", nic, f) : 0;
}

static int create_queue(void *tap, bool queues)
{
	return tap_create(tap, queues);
}

/* Return: how many descriptors, or less than one with @f filled in. */
static int plug_switch(const struct definition *def, const struct interface *nic, int *fds,
		       struct json_object *net, struct failure *f)
{
	struct soft_switch *sw = switch_find(nic->link);
	char tap[IF_NAME_SIZE] = TAP_PATTERN;
	int nr;
	u16 mtu;

	if (!sw || switch_ready(sw))
		return fail(f, "failed", "the switch '%s' is not there: %s", nic->link,
			    sw ? sw->why.text : "it is not configured");
	nr = tap_queues((int)nic->queues, fds, create_queue, tap);
	if (nr < 0) {
		fail(f, "failed", "cannot make a tap interface: %s", strerror(-nr));
		if (nr == -ENOENT || nr == -ENODEV)
			f->remedy = "load the kernel's tun module: modprobe tun";
		return nr;
	}
	mtu = nic->mtu ?: sw->def.mtu ?: MTU_DEFAULT;
	if (port_arrange(def, nic, sw, tap, mtu, f)) {
		while (nr)
			close(fds[--nr]);
		return -1;
	}
	js_add_text(net, "tap", tap);
	js_add_int(net, "mtu", mtu);
	return nr;
}

/* The child: nobody's but its user's. */
static void run_user(const char *path, int fd, const struct interface *nic, u32 uid, u32 gid)
{
	struct vmm_net config = { .mtu = nic->mtu, .nr_forwards = nic->nr_forwards };
	struct user_args args;
	int i;

	for (i = 0; i < nic->nr_forwards; i++)
		config.forward[i] = nic->forward[i];
	user_args(&args, &config);
	if (dup2(fd, STDIN_FILENO) < 0 || sandbox_become(uid, gid))
		_exit(126);
	execv(path, (char **)args.argv);
	_exit(127);
}

/* Likewise: its program's first word is read by who gets the descriptor. */
static int plug_user(const struct interface *nic, u32 uid, u32 gid, int *fds,
		     struct failure *f)
{
	char path[4096 + 64];
	int pair[2], pid;

	if (!user_program(path, sizeof(path)))
		return fail(f, "failed", "there is no vmnat, which is built with libslirp");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fail(f, "failed", "no user-mode network: %s", strerror(errno));
	pid = child_start(NULL);
	if (!pid)
		run_user(path, pair[1], nic, uid, gid);
	close(pair[1]);
	if (pid > 0 && !fcntl(pair[0], F_SETFL, O_NONBLOCK)) {
		*fds = pair[0];
		return 1;
	}
	fail(f, "failed", "cannot start %s: %s", path, strerror(errno));
	close(pair[0]);
	return -1;
}

/**
 * net_plug_one() - make one of a VM's interfaces
 * @def: the VM
 * @nic: the interface, which net_check() has found good
 * @uid: whom its process is, or shall be
 * @gid: likewise
 * @fds: filled in, one for each of its pairs of queues; the caller closes them
 * @net: told "tap", "mac" and "mtu" besides its definition
 * @f: why not
 *
 * Return: how many descriptors, or less than 0.
 */
int net_plug_one(const struct definition *def, const struct interface *nic, u32 uid, u32 gid,
		 int *fds, struct json_object *net, struct failure *f)
{
	char mac[MAC_TEXT_SIZE];
	u8 addr[6];

	interface_mac(nic, def->uuid, addr);
	mac_text(addr, mac);
	js_add_text(net, "mac", mac);
	switch (nic->kind) {
	case IF_USER:
		return plug_user(nic, uid, gid, fds, f);
	case IF_MACVTAP:
		return macvtap_plug(def, nic, fds, net, f);
	default:
		return plug_switch(def, nic, fds, net, f);
	}
}

/**
 * net_plug() - make all of a VM's interfaces
 * @def: the VM
 * @uid: whom its process shall be
 * @gid: likewise
 * @fds: filled in: interfaces_fds() of them; the caller closes them
 * @nets: an array; told what each is, "tap", "mac" and "mtu" besides its definition
 * @f: why not
 *
 * Return: how many descriptors there are; if that are too few, @f is filled in.
 */
int net_plug(const struct definition *def, u32 uid, u32 gid, int *fds,
	     struct json_object *nets, struct failure *f)
{
	int i, nr = 0, more;

	if (net_check(def, f))
		return 0;
	for (i = 0; i < def->nr_nics; i++) {
		const struct interface *nic = &def->nic[i];
		struct json_object *net = interface_json(nic);

		json_object_array_add(nets, net);
		more = net_plug_one(def, nic, uid, gid, fds + nr, net, f);
		if (more < 0)
			break;
		nr += more;
	}
	return nr;
}
