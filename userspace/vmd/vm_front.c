// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frontend of a VM's process. It listens, and whoever connects last is the daemon: when that is
 * started again, it connects again. Nothing here waits for it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "devices.h"
#include "console.h"
#include "vm_front.h"
#include "vm_protocol.h"
#include "vmm/chipset/i6300esb.h"
#include "vmm/chipset/pm.h"
#include "vmm/log.h"
#include "vmm/vcpu.h"
#include "vmm/vfio/hostdev.h"
#include "vmm/virtio/balloon.h"
#include "vmm/virtio/mem.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/share.h"
#include "vmm/vm.h"

#define PENDING_MAX	16

enum { FD_LISTEN, FD_DAEMON, FD_CONSOLE };

/**
 * struct front - its state; main thread only
 * @daemon_fd: the daemon's connection, or -1
 * @want_paused: the daemon wants the VM to be paused
 * @told: of each disk, how many failed requests the daemon knows of
 * @told_lost: of each share, whether it knows that it is lost
 * @bites: how often its watchdog has fired, as far as the daemon was told
 * @pending: requests that are answered once the vCPUs have stopped
 * @asking: those that are once the guest has told new figures of its memory
 * @reclaiming: one is once the guest has hinted its free memory, or cannot
 * @reclaim_id: that one's
 */
struct front {
	struct vm *vm;
	int listen_fd;
	int daemon_fd;
	bool want_paused;
	u32 told[VMM_DISKS_MAX];
	bool told_lost[VMM_SHARES_MAX];
	u32 bites;
	int nr_pending;
	struct vm_request pending[PENDING_MAX];
	int nr_asking;
	struct vm_request asking[PENDING_MAX];
	bool reclaiming;
	u32 reclaim_id;
	struct console_server console;
};

static void drop_daemon(struct front *fr)
{
	if (fr->daemon_fd >= 0)
		close(fr->daemon_fd);
	fr->daemon_fd = -1;
	fr->nr_asking = 0;
	/* Who would end it if it took too long is gone. */
	if (fr->reclaiming)
		virtio_balloon_reclaim_end(fr->vm->balloon);
	fr->reclaiming = false;
	/* Nobody is there to be answered; what was asked is done all the same. */
}

/* Return: whether it was sent. */
static bool answer(struct front *fr, const void *data, size_t len)
{
	if (fr->daemon_fd < 0)
		return false;
	if (msg_write(fr->daemon_fd, data, len, NULL, 0) >= 0)
		return true;
	drop_daemon(fr);
	return false;
}

static struct vm_reply reply_head(const struct front *fr, u32 op, u32 id, int error)
{
	return (struct vm_reply) {
		.version = VM_PROTOCOL, .op = op, .id = id,
		.error = (u32)-error,
		.state = fr->want_paused ? VM_PAUSED : VM_RUNNING,
	};
}

static void reply(struct front *fr, u32 op, u32 id, int error)
{
	struct vm_reply head = reply_head(fr, op, id, error);

	answer(fr, &head, sizeof(head));
}

static void reply_balloon(struct front *fr, u32 op, u32 id,
			  const struct balloon_state *state)
{
	struct vm_balloon_reply r = {
		.head = reply_head(fr, op, id, 0),
		.flags = (state->driver ? BALLOON_DRIVER : 0) |
			 (state->reached ? BALLOON_REACHED : 0) |
			 (state->inhibited ? BALLOON_INHIBITED : 0),
		.target = state->target,
		.actual = state->actual,
		.age_ms = state->age_ms,
		.known = state->stats.known,
	};

	memcpy(r.stat, state->stats.value, sizeof(r.stat));
	answer(fr, &r, sizeof(r));
}

/* Unasked, as soon as there is a daemon to hear it. */
static void tell_disk_errors(struct front *fr)
{
	int i, last;

	for (i = 0; i < VMM_DISKS_MAX && fr->daemon_fd >= 0; i++) {
		u32 failed = disk_error_count(fr->vm, i, &last);
		struct vm_device_reply news = {
			.head = reply_head(fr, VM_DISK_ERROR, 0, -last),
		};

		if (failed == fr->told[i])
			continue;
		news.head.state = failed - fr->told[i];
		vm_plug_name(fr->vm, PLUG_DISK, i, news.name);
		if (answer(fr, &news, sizeof(news)))
			fr->told[i] = failed;
	}
}

static void tell_lost_shares(struct front *fr)
{
	struct vm_device_reply news = { .head = reply_head(fr, VM_SHARE_LOST, 0, 0) };
	int i;

	for (i = 0; i < VMM_SHARES_MAX && fr->daemon_fd >= 0; i++) {
		if (fr->told_lost[i] || !virtio_share_lost(fr->vm->share[i]))
			continue;
		snprintf(news.name, sizeof(news.name), "%s", fr->vm->config->share[i].tag);
		fr->told_lost[i] = answer(fr, &news, sizeof(news));
	}
}

/* Likewise: it stays in the VM's list until somebody has heard that it is gone. */
static void tell_unplugged(struct front *fr)
{
	struct vm_device_reply news = { .head = reply_head(fr, VM_UNPLUGGED, 0, 0) };
	enum plug_kind kind;

	while (fr->daemon_fd >= 0 && vm_plug_left(fr->vm, &kind, news.name)) {
		news.kind = kind;
		answer(fr, &news, sizeof(news));
	}
}

/* Unasked: what the host says of its devices. */
static void tell_host_news(struct front *fr)
{
	struct vm_device_reply news = { .kind = PLUG_HOSTDEV };
	enum hostdev_event event;

	while (fr->daemon_fd >= 0 && hostdev_news(fr->vm, &event, news.name)) {
		news.head = reply_head(fr, VM_HOST_NEWS, 0, 0);
		news.head.error = event == HOSTDEV_WANTED ? HOST_NEWS_WANTED : HOST_NEWS_ERROR;
		answer(fr, &news, sizeof(news));
	}
}

static void *front_enter(void *arg, struct vm *vm)
{
	const struct front_config *config = arg;
	static struct front fr;

	fr.vm = vm;
	fr.listen_fd = config->listen_fd;
	fr.daemon_fd = -1;
	server_init(&fr.console, vm, config->log_fd);
	return &fr;
}

static int front_fds(void *ctx, struct pollfd *fds)
{
	struct front *fr = ctx;

	fds[FD_LISTEN] = (struct pollfd) { fr->listen_fd, POLLIN, 0 };
	fds[FD_DAEMON] = (struct pollfd) { fr->daemon_fd, POLLIN, 0 };
	return FD_CONSOLE + server_fds(&fr->console, fds + FD_CONSOLE);
}

static void accept_daemon(struct front *fr)
{
	int fd = accept4(fr->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	drop_daemon(fr);
	fr->daemon_fd = fd;
	reply(fr, VM_HELLO, 0, 0);
}

/* Answered by finish_pending(). */
static void when_paused(struct front *fr, const struct vm_request *req)
{
	if (fr->nr_pending == PENDING_MAX) {
		reply(fr, req->op, req->id, -EBUSY);
		return;
	}
	fr->pending[fr->nr_pending++] = *req;
	if (!vm_paused(fr->vm))
		vm_pause(fr->vm);
}

static void finish_pending(struct front *fr)
{
	int i, err;

	if (!fr->nr_pending || !vm_paused(fr->vm))
		return;
	for (i = 0; i < fr->nr_pending; i++) {
		const struct vm_request *req = &fr->pending[i];

		err = req->op == VM_NMI ? vcpus_nmi(fr->vm) : 0;
		reply(fr, req->op, req->id, err);
	}
	fr->nr_pending = 0;
	if (!fr->want_paused)
		vm_resume(fr->vm);
}

static void attach(struct front *fr, const struct vm_request *req, struct fd_list *fds)
{
	int err = -EINVAL;

	if (fds->nr)
		err = server_add(&fr->console, fds->fd[0], req->flags & CONSOLE_WRITE,
				 req->flags & CONSOLE_FORCE, req->amount);
	if (!err)
		fds->fd[0] = -1;
	reply(fr, req->op, req->id, err);
}

/* How it is now, and first of all that it is where it was to be, if that is news. */
static void look(struct front *fr, struct balloon_state *state)
{
	if (virtio_balloon_state(fr->vm->balloon, state))
		reply_balloon(fr, VM_BALLOON_AT, 0, state);
}

/* One that does not want to wait ends the waiting of those that do: that took too long. */
static void balloon(struct front *fr, const struct vm_request *req)
{
	struct virtio_balloon *b = fr->vm->balloon;
	struct balloon_state state;
	int err = b ? 0 : -ENODEV;

	if (b && (req->flags & BALLOON_SET))
		err = virtio_balloon_set(b, (u64)req->amount * PAGE_SIZE);
	if (err) {
		reply(fr, req->op, req->id, err);
		return;
	}
	if ((req->flags & BALLOON_FRESH) && fr->nr_asking < PENDING_MAX &&
	    virtio_balloon_refresh(b)) {
		fr->asking[fr->nr_asking++] = *req;
		return;
	}
	look(fr, &state);
	reply_balloon(fr, req->op, req->id, &state);
	while (fr->nr_asking) {
		req = &fr->asking[--fr->nr_asking];
		reply_balloon(fr, req->op, req->id, &state);
	}
}

static void serve_balloon(struct front *fr)
{
	struct balloon_state state;

	if (!fr->vm->balloon)
		return;
	look(fr, &state);
	while (fr->nr_asking && !state.refreshing) {
		const struct vm_request *req = &fr->asking[--fr->nr_asking];

		reply_balloon(fr, req->op, req->id, &state);
	}
}

static void reclaim(struct front *fr, const struct vm_request *req)
{
	struct virtio_balloon *b = fr->vm->balloon;
	int err = -ENODEV;

	if (b && (req->flags & RECLAIM_END)) {
		virtio_balloon_reclaim_end(b);
		return;
	}
	if (b)
		err = virtio_balloon_reclaim(b);
	fr->reclaiming |= !err;
	if (!err)
		fr->reclaim_id = req->id;
	else
		reply(fr, req->op, req->id, err);
}

static void serve_reclaim(struct front *fr)
{
	struct vm_reclaim_reply r = { 0 };
	int err;

	/* One that the daemon has left is over, too. */
	if (!fr->vm->balloon || !virtio_balloon_reclaimed(fr->vm->balloon, &r.bytes, &err) ||
	    !fr->reclaiming)
		return;
	fr->reclaiming = false;
	r.head = reply_head(fr, VM_RECLAIM, fr->reclaim_id, err);
	answer(fr, &r, sizeof(r));
}

static void reply_memory(struct front *fr, u32 op, u32 id, const struct mem_state *state)
{
	struct vm_memory_reply r = {
		.head = reply_head(fr, op, id, 0),
		.flags = state->driver ? MEMORY_DRIVER : 0,
		.size = state->size,
		.wanted = state->wanted,
		.plugged = state->plugged,
	};

	answer(fr, &r, sizeof(r));
}

/* As look(), of the memory that can be plugged in. */
static void look_at_memory(struct front *fr, struct mem_state *state)
{
	if (virtio_mem_state(fr->vm->plug_mem, state))
		reply_memory(fr, VM_MEMORY_AT, 0, state);
}

static void memory(struct front *fr, const struct vm_request *req)
{
	struct mem_state state;

	if (!fr->vm->plug_mem) {
		reply(fr, req->op, req->id, -ENODEV);
		return;
	}
	if (req->flags & MEMORY_SET)
		virtio_mem_set(fr->vm->plug_mem, (u64)req->amount * MIB);
	look_at_memory(fr, &state);
	reply_memory(fr, req->op, req->id, &state);
}

static void serve_memory(struct front *fr)
{
	struct mem_state state;

	if (fr->vm->plug_mem)
		look_at_memory(fr, &state);
}

static int resize_disk(struct front *fr, const struct vm_request *req, const char *name)
{
	int disk = vm_plug_disk_index(fr->vm, name);

	return disk < 0 ? disk : virtio_blk_resize(fr->vm->blk[disk], (u64)req->flags * MIB);
}

/* The failure's sentence is told with it: who asked for the device is to read it. */
static void plug(struct front *fr, const struct vm_request *req, const char *text,
		 struct fd_list *fds)
{
	struct vm_device_reply r = { 0 };
	int err = device_plug(fr->vm, text, fds, r.name);

	r.head = reply_head(fr, req->op, req->id, err);
	if (err)
		snprintf(r.why, sizeof(r.why), "%s", log_last());
	answer(fr, &r, sizeof(r));
}

static void obey(struct front *fr, const struct vm_request *req, const char *text,
		 struct fd_list *fds)
{
	int err = 0;

	switch (req->op) {
	case VM_BUTTON:
		pm_power_button(fr->vm->pm);
		break;
	case VM_END:
		vm_stop(fr->vm, VMM_ESCAPE, "stopped", NULL, "ended by request");
		break;
	case VM_RESET:
		vm_stop(fr->vm, VMM_RESET, "reset", NULL, "reset by request");
		break;
	case VM_PAUSE:
		fr->want_paused = true;
		when_paused(fr, req);
		return;
	case VM_RESUME:
		fr->want_paused = false;
		/* Those that wait for a pause see that it is over. */
		if (!fr->nr_pending)
			vm_resume(fr->vm);
		break;
	case VM_NMI:
		when_paused(fr, req);
		return;
	case VM_DISK_RESIZE:
		reply(fr, req->op, req->id, resize_disk(fr, req, text));
		return;
	case VM_CONSOLE:
		attach(fr, req, fds);
		return;
	case VM_BALLOON:
		balloon(fr, req);
		return;
	case VM_RECLAIM:
		reclaim(fr, req);
		return;
	case VM_MEMORY:
		memory(fr, req);
		return;
	case VM_PLUG:
		plug(fr, req, text, fds);
		return;
	case VM_UNPLUG:
		err = vm_unplug(fr->vm, UNPLUG_KIND_OF(req->flags), text,
				req->flags & UNPLUG_FORCE);
		break;
	default:
		err = -EOPNOTSUPP;
	}
	reply(fr, req->op, req->id, err);
}

static void take_request(struct front *fr)
{
	static struct {
		struct vm_request req;
		char text[VM_TEXT_MAX + 1];
	} in;
	struct fd_list fds;
	ssize_t n = msg_read(fr->daemon_fd, &in, sizeof(in) - 1, fds.fd, &fds.nr);

	if (n == -EAGAIN)
		return;
	if (n >= (ssize_t)sizeof(in.req) && in.req.version == VM_PROTOCOL) {
		((char *)&in)[n] = '\0';
		obey(fr, &in.req, in.text, &fds);
	} else {
		drop_daemon(fr);
	}
	fds_close(&fds);
}

/*
 * What is done now is not to be undone by a daemon that does not know of it. Who is not there
 * does not hear of it, but finds the VM paused.
 */
static void serve_watchdog(struct front *fr)
{
	if (!i6300esb_fired(fr->vm->watchdog, &fr->bites))
		return;
	log_warn("the guest's watchdog has fired");
	if (fr->vm->config->watchdog == WATCHDOG_PAUSE && !vm_stopping(fr->vm)) {
		fr->want_paused = true;
		vm_pause(fr->vm);
	}
	reply(fr, VM_WATCHDOG, 0, 0);
}

static void front_serve(void *ctx, const struct pollfd *fds)
{
	struct front *fr = ctx;

	server_serve(&fr->console, fds + FD_CONSOLE);
	if (fds[FD_DAEMON].revents && fds[FD_DAEMON].fd == fr->daemon_fd)
		take_request(fr);
	if (fds[FD_LISTEN].revents)
		accept_daemon(fr);
	finish_pending(fr);
	serve_balloon(fr);
	serve_reclaim(fr);
	serve_memory(fr);
	serve_watchdog(fr);
	tell_disk_errors(fr);
	tell_lost_shares(fr);
	tell_host_news(fr);
	tell_unplugged(fr);
}

static void front_leave(void *ctx)
{
	struct front *fr = ctx;

	serve_watchdog(fr);
	tell_disk_errors(fr);
	server_end(&fr->console);
}

const struct vmm_frontend vm_frontend = {
	.enter = front_enter,
	.fds = front_fds,
	.serve = front_serve,
	.leave = front_leave,
};
