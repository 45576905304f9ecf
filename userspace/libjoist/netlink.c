// SPDX-License-Identifier: GPL-2.0-only
/* The generic netlink family "joist": requests, dumps and events. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "netlink.h"
#include "netlink_parse.h"

#define EVENT_BUFFER	(1 << 20)	/* bytes; the kernel may give less */

struct joist_nl {
	struct nl_sock *sock;		/* requests */
	struct nl_sock *events;		/* NULL: not subscribed */
	int family;
	char error[JOIST_NL_TEXT];
};

/* Takes a message of a reply; what it returns, unless 0, the request returns. */
typedef int (*message_fn)(struct nlmsghdr *hdr, void *arg);

static int nle_errno(int err)
{
	switch (-err) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
		return -EAFNOSUPPORT;
	default:
		return -EIO;
	}
}

static int open_socket(struct nl_sock **sock)
{
	int on = 1, err;

	*sock = nl_socket_alloc();
	if (!*sock)
		return -ENOMEM;
	err = genl_connect(*sock);
	if (err < 0) {
		nl_socket_free(*sock);
		*sock = NULL;
		return nle_errno(err);
	}
	/* Errors in words, and without what they are about. */
	setsockopt(nl_socket_get_fd(*sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(*sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

/**
 * joist_nl_open() - be ready to ask the module
 * @nl: set to a handle that the caller closes
 *
 * Return: 0, -ENOENT where the module is not loaded, or another -errno.
 */
int joist_nl_open(struct joist_nl **nl)
{
	struct joist_nl *new = calloc(1, sizeof(*new));
	int err;

	if (!new)
		return -ENOMEM;
	err = open_socket(&new->sock);
	if (err)
		goto out_free;
	new->family = genl_ctrl_resolve(new->sock, JOIST_FAMILY_NAME);
	if (new->family < 0) {
		err = nle_errno(new->family);
		goto out_socket;
	}
	*nl = new;
	return 0;

out_socket:
	nl_socket_free(new->sock);
out_free:
	free(new);
	return err;
}

/** joist_nl_close() - free a handle; NULL is fine */
void joist_nl_close(struct joist_nl *nl)
{
	if (!nl)
		return;
	if (nl->events)
		nl_socket_free(nl->events);
	nl_socket_free(nl->sock);
	free(nl);
}

/** joist_nl_error() - in words, why the last request failed */
const char *joist_nl_error(const struct joist_nl *nl)
{
	return nl->error;
}

/* The words that come with an error, at @offset of the message. */
static void note_text(struct joist_nl *nl, struct nlmsghdr *hdr, size_t offset)
{
	struct nlattr *attr, *tb[NLMSGERR_ATTR_MAX + 1];
	int left = nlmsg_datalen(hdr) - (int)NLMSG_ALIGN(offset);

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || left <= 0)
		return;
	attr = (void *)((char *)nlmsg_data(hdr) + NLMSG_ALIGN(offset));
	if (nla_parse(tb, NLMSGERR_ATTR_MAX, attr, left, NULL) < 0)
		return;
	attr = tb[NLMSGERR_ATTR_MSG];
	if (attr)
		snprintf(nl->error, sizeof(nl->error), "%.*s", nla_len(attr),
			 (char *)nla_data(attr));
}

static int note_error(struct joist_nl *nl, struct nlmsghdr *hdr)
{
	struct nlmsgerr *e = nlmsg_data(hdr);
	size_t offset = sizeof(*e);

	if (nlmsg_datalen(hdr) < (int)sizeof(*e))
		return -EBADMSG;
	if (e->error && !(hdr->nlmsg_flags & NLM_F_CAPPED))
		offset += e->msg.nlmsg_len - sizeof(e->msg);
	if (e->error)
		note_text(nl, hdr, offset);
	return e->error;
}

/* A dump's end says how it went. */
static int note_done(struct joist_nl *nl, struct nlmsghdr *hdr)
{
	int err = 0;

	if (nlmsg_datalen(hdr) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(hdr), sizeof(err));
	if (err < 0)
		note_text(nl, hdr, sizeof(err));
	return err < 0 ? err : 0;
}

/*
 * Takes what came in one piece. Sets @over when it is the last of the reply; @err is the
 * first error or what the callback wanted.
 */
static void take(struct joist_nl *nl, struct nlmsghdr *hdr, int len, u32 seq,
		 message_fn each, void *arg, bool *over, int *err)
{
	for (; nlmsg_ok(hdr, len); hdr = nlmsg_next(hdr, &len)) {
		int ret = 0;

		if (hdr->nlmsg_seq != seq)
			continue;
		if (hdr->nlmsg_type == NLMSG_ERROR) {
			*over = true;
			ret = note_error(nl, hdr);
		} else if (hdr->nlmsg_type == NLMSG_DONE) {
			*over = true;
			ret = note_done(nl, hdr);
		} else if (hdr->nlmsg_type == nl->family && each && !*err) {
			ret = each(hdr, arg);
		}
		if (!*err)
			*err = ret;
	}
}

/* Sends @msg, which it frees, and gives what comes back to @each. */
static int transact(struct joist_nl *nl, struct nl_msg *msg, message_fn each, void *arg)
{
	struct sockaddr_nl from;
	bool over = false;
	int err = 0, len;
	u32 seq;

	nl->error[0] = '\0';
	len = nl_send_auto(nl->sock, msg);
	seq = nlmsg_hdr(msg)->nlmsg_seq;
	nlmsg_free(msg);
	if (len < 0) {
		err = nle_errno(len);
		goto out;
	}
	while (!over) {
		unsigned char *buf = NULL;

		errno = 0;
		len = nl_recv(nl->sock, &from, &buf, NULL);
		if (len <= 0) {
			err = errno ? -errno : -EIO;
			break;
		}
		if (from.nl_pid == 0)
			take(nl, (struct nlmsghdr *)buf, len, seq, each, arg, &over, &err);
		free(buf);
	}
out:
	if (err < 0 && !nl->error[0])
		snprintf(nl->error, sizeof(nl->error), "%s", strerror(-err));
	return err;
}

static struct nl_msg *new_request(struct joist_nl *nl, u8 cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, flags, cmd,
				JOIST_FAMILY_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/* A request that has one number, unless @value is 0 and it is a dump. */
static int ask(struct joist_nl *nl, u8 cmd, int flags, int attr, u32 value,
	       message_fn each, void *arg)
{
	struct nl_msg *msg = new_request(nl, cmd, flags);

	if (!msg)
		return -ENOMEM;
	if (attr && (value || !(flags & NLM_F_DUMP)))
		nla_put_u32(msg, attr, value);
	return transact(nl, msg, each, arg);
}

/* What a callback of this file has: the caller's, and its argument. */
struct caller {
	union {
		int (*host)(const struct joist_nl_host *host, void *arg);
		int (*vm)(const struct joist_nl_vm *vm, void *arg);
		int (*vcpu)(const struct joist_nl_vcpu *vcpu, void *arg);
		int (*slot)(const struct joist_nl_slot *slot, void *arg);
		int (*device)(const struct joist_nl_device *device, void *arg);
		int (*event)(const struct joist_nl_event *event, void *arg);
	};
	void *arg;
};

static int each_host(struct nlmsghdr *hdr, void *arg)
{
	struct caller *caller = arg;
	struct joist_nl_host host;
	int err = joist_nl_parse_host(hdr, &host);

	return err ?: caller->host(&host, caller->arg);
}

/** joist_nl_host() - the host, what its CPU has, and the number of the last event */
int joist_nl_host(struct joist_nl *nl,
		  int (*each)(const struct joist_nl_host *host, void *arg), void *arg)
{
	struct caller caller = { .host = each, .arg = arg };

	return ask(nl, JOIST_CMD_HOST_GET, 0, 0, 0, each_host, &caller);
}

static int each_vm(struct nlmsghdr *hdr, void *arg)
{
	struct caller *caller = arg;
	struct joist_nl_vm vm;
	int err = joist_nl_parse_vm(hdr, &vm, NULL);

	return err ?: caller->vm(&vm, caller->arg);
}

/** joist_nl_vms() - one VM, with its fault's report, or all in the order of their ids */
int joist_nl_vms(struct joist_nl *nl, u32 vm_id,
		 int (*each)(const struct joist_nl_vm *vm, void *arg), void *arg)
{
	struct caller caller = { .vm = each, .arg = arg };

	return ask(nl, JOIST_CMD_VM_GET, vm_id ? 0 : NLM_F_DUMP, JOIST_A_VM_ID, vm_id,
		   each_vm, &caller);
}

static int each_vcpu(struct nlmsghdr *hdr, void *arg)
{
	struct caller *caller = arg;
	struct joist_nl_room room;
	struct joist_nl_vcpu vcpu;
	int err = joist_nl_parse_vcpu(hdr, &vcpu, &room);

	return err ?: caller->vcpu(&vcpu, caller->arg);
}

/** joist_nl_vcpus() - vCPUs with their counters */
int joist_nl_vcpus(struct joist_nl *nl, u32 vm_id,
		   int (*each)(const struct joist_nl_vcpu *vcpu, void *arg), void *arg)
{
	struct caller caller = { .vcpu = each, .arg = arg };

	return ask(nl, JOIST_CMD_VCPU_GET, NLM_F_DUMP, JOIST_A_VCPU_VM_ID, vm_id, each_vcpu,
		   &caller);
}

static int each_slot(struct nlmsghdr *hdr, void *arg)
{
	struct caller *caller = arg;
	struct joist_nl_slot slot;
	int err = joist_nl_parse_slot(hdr, &slot);

	return err ?: caller->slot(&slot, caller->arg);
}

/** joist_nl_slots() - memory slots */
int joist_nl_slots(struct joist_nl *nl, u32 vm_id,
		   int (*each)(const struct joist_nl_slot *slot, void *arg), void *arg)
{
	struct caller caller = { .slot = each, .arg = arg };

	return ask(nl, JOIST_CMD_SLOT_GET, NLM_F_DUMP, JOIST_A_SLOT_VM_ID, vm_id, each_slot,
		   &caller);
}

static int each_device(struct nlmsghdr *hdr, void *arg)
{
	struct caller *caller = arg;
	struct joist_nl_device device;
	int err = joist_nl_parse_device(hdr, &device, NULL);

	return err ?: caller->device(&device, caller->arg);
}

/** joist_nl_devices() - devices that the module has for VMs */
int joist_nl_devices(struct joist_nl *nl, u32 vm_id,
		     int (*each)(const struct joist_nl_device *device, void *arg),
		     void *arg)
{
	struct caller caller = { .device = each, .arg = arg };

	return ask(nl, JOIST_CMD_DEVICE_GET, NLM_F_DUMP, JOIST_A_DEVICE_VM_ID, vm_id,
		   each_device, &caller);
}

/** joist_nl_set() - change what @settings names of a VM, all of it or nothing */
int joist_nl_set(struct joist_nl *nl, u32 vm_id, const struct joist_nl_settings *settings)
{
	struct nl_msg *msg = new_request(nl, JOIST_CMD_VM_SET, 0);
	u32 what = settings->what;

	if (!msg)
		return -ENOMEM;
	nla_put_u32(msg, JOIST_A_VM_ID, vm_id);
	if (what & JOIST_NL_SET_NAME)
		nla_put_string(msg, JOIST_A_VM_NAME, settings->name);
	if (what & JOIST_NL_SET_UUID)
		nla_put(msg, JOIST_A_VM_UUID, JOIST_UUID_LEN, settings->uuid);
	if (what & JOIST_NL_SET_LIMIT_VCPUS)
		nla_put_u32(msg, JOIST_A_VM_LIMIT_VCPUS, settings->limit_vcpus);
	if (what & JOIST_NL_SET_LIMIT_MEMORY)
		nla_put_u64(msg, JOIST_A_VM_LIMIT_MEMORY, settings->limit_memory);
	if (what & JOIST_NL_SET_TRACE_EXITS)
		nla_put_u64(msg, JOIST_A_VM_TRACE_EXITS, settings->trace_exits);
	return transact(nl, msg, NULL, NULL);
}

/** joist_nl_pause() - returns when no vCPU of the VM is in the guest */
int joist_nl_pause(struct joist_nl *nl, u32 vm_id)
{
	return ask(nl, JOIST_CMD_VM_PAUSE, 0, JOIST_A_VM_ID, vm_id, NULL, NULL);
}

int joist_nl_resume(struct joist_nl *nl, u32 vm_id)
{
	return ask(nl, JOIST_CMD_VM_RESUME, 0, JOIST_A_VM_ID, vm_id, NULL, NULL);
}

/** joist_nl_stop() - ask the VMM to end the VM; @force: do not ask */
int joist_nl_stop(struct joist_nl *nl, u32 vm_id, bool force)
{
	struct nl_msg *msg = new_request(nl, JOIST_CMD_VM_STOP, 0);

	if (!msg)
		return -ENOMEM;
	nla_put_u32(msg, JOIST_A_VM_ID, vm_id);
	if (force)
		nla_put_flag(msg, JOIST_A_VM_FORCE);
	return transact(nl, msg, NULL, NULL);
}

int joist_nl_nmi(struct joist_nl *nl, u32 vm_id)
{
	return ask(nl, JOIST_CMD_VM_NMI, 0, JOIST_A_VM_ID, vm_id, NULL, NULL);
}

static int ports(struct joist_nl *nl, u8 cmd, u32 vm_id, u32 first, u32 nr)
{
	struct nl_msg *msg = new_request(nl, cmd, 0);

	if (!msg)
		return -ENOMEM;
	nla_put_u32(msg, JOIST_A_DEVICE_VM_ID, vm_id);
	nla_put_u32(msg, JOIST_A_DEVICE_FIRST_PORT, first);
	nla_put_u32(msg, JOIST_A_DEVICE_NR_PORTS, nr);
	return transact(nl, msg, NULL, NULL);
}

int joist_nl_port_grant(struct joist_nl *nl, u32 vm_id, u32 first, u32 nr)
{
	return ports(nl, JOIST_CMD_PORT_GRANT, vm_id, first, nr);
}

int joist_nl_port_revoke(struct joist_nl *nl, u32 vm_id, u32 first, u32 nr)
{
	return ports(nl, JOIST_CMD_PORT_REVOKE, vm_id, first, nr);
}

int joist_nl_stats_period(struct joist_nl *nl, u32 ms)
{
	return ask(nl, JOIST_CMD_STATS_SUBSCRIBE, 0, JOIST_A_HOST_STATS_PERIOD_MS, ms, NULL,
		   NULL);
}

/**
 * joist_nl_subscribe() - listen to groups of events
 * @nl: the handle
 * @groups: mask of JOIST_NL_LIFECYCLE and so on
 *
 * Return: 0; -EPERM where the kernel lets only root listen; or another -errno.
 */
int joist_nl_subscribe(struct joist_nl *nl, u32 groups)
{
	static const char * const name[] = {
		JOIST_MCGRP_LIFECYCLE, JOIST_MCGRP_FAULT, JOIST_MCGRP_STATS,
	};
	int err, group;
	size_t i;

	nl->error[0] = '\0';
	if (!nl->events) {
		err = open_socket(&nl->events);
		if (err)
			return err;
		nl_socket_disable_seq_check(nl->events);
		nl_socket_set_buffer_size(nl->events, EVENT_BUFFER, 0);
		nl_socket_set_nonblocking(nl->events);
	}
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		if (!(groups & BIT(i)))
			continue;
		group = genl_ctrl_resolve_grp(nl->sock, JOIST_FAMILY_NAME, name[i]);
		if (group < 0)
			return nle_errno(group);
		errno = 0;
		if (nl_socket_add_membership(nl->events, group) < 0) {
			err = errno ? -errno : -EIO;
			snprintf(nl->error, sizeof(nl->error), "group %s: %s", name[i],
				 strerror(-err));
			return err;
		}
	}
	return 0;
}

int joist_nl_fd(const struct joist_nl *nl)
{
	return nl->events ? nl_socket_get_fd(nl->events) : -1;
}

static int give_event(struct nlmsghdr *hdr, struct caller *caller)
{
	struct genlmsghdr *genl = nlmsg_data(hdr);
	struct joist_nl_event event = { 0 };
	struct joist_nl_room room;
	int err;

	if (!genlmsg_valid_hdr(hdr, 0))
		return -EBADMSG;
	event.cmd = genl->cmd;
	switch (event.cmd) {
	case JOIST_CMD_VCPU_STATS:
		err = joist_nl_parse_vcpu(hdr, &event.vcpu, &room);
		break;
	case JOIST_CMD_DEVICE_ADDED:
	case JOIST_CMD_DEVICE_REMOVED:
		err = joist_nl_parse_device(hdr, &event.device, &event.vm);
		break;
	default:
		err = joist_nl_parse_vm(hdr, &event.vm, &event.cause);
		break;
	}
	return err ?: caller->event(&event, caller->arg) ?: 1;
}

/* Takes one event if there is one. */
static int take_event(struct joist_nl *nl, struct caller *caller)
{
	unsigned char *buf = NULL;
	struct nlmsghdr *hdr;
	struct sockaddr_nl from;
	int len, ret = 0;

	errno = 0;
	len = nl_recv(nl->events, &from, &buf, NULL);
	if (len <= 0)
		return errno == EAGAIN || len == 0 ? 0 : errno ? -errno : -EIO;
	hdr = (struct nlmsghdr *)buf;
	/* The kernel sends each event by itself. */
	if (from.nl_pid == 0 && nlmsg_ok(hdr, len) && hdr->nlmsg_type == nl->family)
		ret = give_event(hdr, caller);
	free(buf);
	return ret;
}

static s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/**
 * joist_nl_event() - take one event
 * @nl: subscribed
 * @timeout_ms: how long to wait for it; -1: for ever
 * @each: gets it
 * @arg: passed on
 *
 * Return: 1, or what @each returned that is not 0; 0: none came; -ENOBUFS: some were lost;
 * -EINTR: a signal came; another -errno.
 */
int joist_nl_event(struct joist_nl *nl, int timeout_ms,
		   int (*each)(const struct joist_nl_event *event, void *arg), void *arg)
{
	struct caller caller = { .event = each, .arg = arg };
	s64 end = now_ms() + timeout_ms, left = timeout_ms;
	struct pollfd pfd = { .events = POLLIN };
	int ret;

	if (!nl->events)
		return -EINVAL;
	pfd.fd = nl_socket_get_fd(nl->events);
	for (;;) {
		ret = take_event(nl, &caller);
		if (ret)
			return ret;
		if (timeout_ms >= 0) {
			left = end - now_ms();
			if (left <= 0)
				return 0;
		}
		if (poll(&pfd, 1, timeout_ms < 0 ? -1 : (int)left) < 0)
			return -errno;
	}
}

static const char *name_of(const char *const *table, size_t nr, unsigned int i)
{
	return i < nr && table[i] ? table[i] : "?";
}

const char *joist_nl_vm_state(enum joist_vm_state state)
{
	static const char * const name[] = {
		[JOIST_VM_STATE_CREATED] = "created",
		[JOIST_VM_STATE_STARTED] = "started",
		[JOIST_VM_STATE_PAUSED] = "paused",
		[JOIST_VM_STATE_STOPPING] = "stopping",
		[JOIST_VM_STATE_DEAD] = "dead",
	};

	return name_of(name, ARRAY_SIZE(name), state);
}

const char *joist_nl_vcpu_state(enum joist_vcpu_state state)
{
	static const char * const name[] = {
		[JOIST_VCPU_STATE_USERSPACE] = "userspace",
		[JOIST_VCPU_STATE_RUNNING] = "running",
		[JOIST_VCPU_STATE_HALTED] = "halted",
		[JOIST_VCPU_STATE_PAUSED] = "paused",
	};

	return name_of(name, ARRAY_SIZE(name), state);
}

const char *joist_nl_cause(enum joist_cause cause)
{
	static const char * const name[] = {
		[JOIST_CAUSE_CLOSED] = "closed",
		[JOIST_CAUSE_STOPPED] = "stopped",
		[JOIST_CAUSE_FORCED] = "forced",
		[JOIST_CAUSE_SHUTDOWN] = "shutdown",
		[JOIST_CAUSE_FAULT] = "fault",
	};

	return name_of(name, ARRAY_SIZE(name), cause);
}

const char *joist_nl_fault_kind(enum joist_fault_kind kind)
{
	static const char * const name[] = {
		[JOIST_FAULT_KIND_TRIPLE_FAULT] = "triple-fault",
		[JOIST_FAULT_KIND_ENTRY_FAILURE] = "entry-failure",
		[JOIST_FAULT_KIND_EMULATION_FAILURE] = "emulation-failure",
		[JOIST_FAULT_KIND_INTERNAL] = "internal",
	};

	return name_of(name, ARRAY_SIZE(name), kind);
}

const char *joist_nl_event_name(int cmd)
{
	static const char * const name[] = {
		[JOIST_CMD_VM_CREATED] = "vm-created",
		[JOIST_CMD_VM_CHANGED] = "vm-changed",
		[JOIST_CMD_VM_HALTED] = "vm-halted",
		[JOIST_CMD_VM_DESTROYED] = "vm-destroyed",
		[JOIST_CMD_VM_FAULT] = "vm-fault",
		[JOIST_CMD_VCPU_STATS] = "vcpu-stats",
		[JOIST_CMD_DEVICE_ADDED] = "device-added",
		[JOIST_CMD_DEVICE_REMOVED] = "device-removed",
	};

	return name_of(name, ARRAY_SIZE(name), (unsigned int)cmd);
}
