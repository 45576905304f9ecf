// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parent: the one process with privileges. It opens files, starts and reaps processes, and
 * believes nothing of the control process, which clients speak to.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "files.h"
#include "js.h"
#include "net/children.h"
#include "net/net.h"
#include "notify.h"
#include "parent.h"
#include "passthrough.h"
#include "sandbox.h"
#include "store.h"

#define FILES_MAX	16384
#define BACKLOG		128
#define RESPAWN_MS	1000

struct parent parent = { .control.watch.fd = -1 };

static struct watch signal_watch;
static struct timer respawn;
static struct timer watchdog;
static bool inherited;	/* the socket is the service manager's */

static int make_dirs(void)
{
	static const struct {
		const char *path;
		unsigned int mode;
	} dirs[] = {
		{ RUN_DIR, 0755 }, { RUN_VM_DIR, 0700 }, { RUN_DIR "/net", 0755 },
		{ EMPTY_DIR, 0755 },
		{ LIB_DIR, 0711 }, { STORE_DIR, 0700 }, { LOG_DIR, 0700 },
	};
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		err = dir_make(dirs[i].path, dirs[i].mode);
		if (err) {
			say("cannot make %s: %s", dirs[i].path, strerror(-err));
			return err;
		}
	}
	return 0;
}

/* Two daemons would fight for the same VMs. The lock goes with the process. */
static int lock_out_others(void)
{
	int fd = open(RUN_DIR "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
		say("another vmd is running");
		return -EBUSY;
	}
	return 0;	/* and it stays open */
}

static int open_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = listen_fd();

	if (fd >= 0) {
		inherited = true;
		return fd;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", parent.socket);
	unlink(parent.socket);
	/* Anybody may connect: each request is checked. */
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    chmod(parent.socket, 0666) || listen(fd, BACKLOG)) {
		int err = -errno;

		say("cannot listen at %s: %s", parent.socket, strerror(-err));
		close(fd);
		return err;
	}
	return fd;
}

static void tell_all(void)
{
	struct json_object *obj = js_new("type", "settings");
	struct owned *vm;

	js_add_int(obj, "uid", parent.user_uid);
	js_add_int(obj, "gid", parent.user_gid);
	js_add_int(obj, "admin-gid", parent.admin_gid);
	js_add_int(obj, "stagger", parent.stagger_ms);
	js_add_bool(obj, "verbose", options.verbose);
	js_add_bool(obj, "seccomp-log", options.seccomp_log);
	channel_send(&parent.control, obj,
		     fcntl(parent.listen_fd, F_DUPFD_CLOEXEC, 0));
	for (vm = parent.vms; vm; vm = vm->next) {
		owned_tell(vm);
		if (vm->proc.pid)
			owned_tell_process(vm, true);
		if (vm->unseen)
			owned_tell_end(vm);
	}
	channel_send(&parent.control, js_new("type", "all"), -1);
}

static void start_control(struct timer *timer);

static void control_gone(struct channel *ch)
{
	(void)ch;
	/* It may be alive and have broken the rules. */
	kill(parent.control_pid, SIGKILL);
	say("the control process has ended: it is started again");
	timer_set(&respawn, RESPAWN_MS, start_control);
}

static void start_control(struct timer *timer)
{
	int pair[2];

	(void)timer;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		timer_set(&respawn, RESPAWN_MS, start_control);
		return;
	}
	parent.control_pid = run_self("--control", NULL, pair[1], -1);
	close(pair[1]);
	if (parent.control_pid < 0 ||
	    channel_open(&parent.control, pair[0], parent_take, control_gone)) {
		close(pair[0]);
		timer_set(&respawn, RESPAWN_MS, start_control);
		return;
	}
	tell_all();
}

static void on_hup(void)
{
	struct config config;

	notify("RELOADING=1");
	if (!config_load(&config))
		config_apply(&config, NULL);
	config_free(&config);
	notify("READY=1");
}

static void on_signal(struct watch *watch, u32 events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGHUP:
		on_hup();
		break;
	case SIGCHLD:
		/* VMs are reaped where their end is seen; this is the control process. */
		waitpid(parent.control_pid, NULL, WNOHANG);
		children_reap();
		break;
	default:
		notify("STOPPING=1");
		say("ended by signal %u; VMs run on", info.ssi_signo);
		loop_end();
	}
}

static int watch_signals(void)
{
	static const int signals[] = { SIGHUP, SIGCHLD, SIGTERM, SIGINT };
	sigset_t set;
	size_t i;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return watch_add(&signal_watch, fd, EPOLLIN, on_signal);
}

static void feed_watchdog(struct timer *timer)
{
	u64 ms = watchdog_ms();

	if (!ms)
		return;
	notify("WATCHDOG=1");
	timer_set(timer, ms, feed_watchdog);
}

static void raise_files_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl))
		return;
	rl.rlim_max = max(rl.rlim_max, (rlim_t)FILES_MAX);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

static void find_host(void)
{
	FILE *f = fopen("/etc/machine-id", "re");

	if (!f || !fgets(parent.host, sizeof(parent.host), f))
		gethostname(parent.host, sizeof(parent.host) - 1);
	if (f)
		fclose(f);
	parent.host[strcspn(parent.host, "\n")] = '\0';
}

static void take_stored(struct definition *def)
{
	if (owned_find(def->name) || owned_by_uuid(def->uuid)) {
		say("the created VM %s is left out: the configuration has one of its name or UUID",
		    def->name);
		definition_free(def);
		return;
	}
	owned_add(def);
}

/* A VM that runs and that no definition names any longer. */
static void take_running(struct definition *def)
{
	struct owned *vm = owned_find(def->name);
	struct process proc;

	if (vm) {
		/* Started with another definition than it has now? */
		vm->pending = vm->proc.pid && !definition_equal(def, &vm->def);
		definition_free(def);
		return;
	}
	if (process_find(def->name, def->uuid, &proc)) {
		definition_free(def);
		return;
	}
	close(proc.pidfd);
	json_object_put(proc.nets);
	vm = owned_add(def);
	if (vm) {
		vm->orphan = true;
		owned_adopt(vm);
	}
}

static int load_all(void)
{
	struct config config;
	struct owned *vm;
	int i, err;

	err = config_load(&config);
	if (!err) {
		config_settings(&config);
		snprintf(parent.socket, sizeof(parent.socket), "%s",
			 *config.socket ? config.socket : CONTROL_SOCKET);
		net_init();
		net_apply(&config);
		passthrough_init();
		passthrough_apply(&config);
		for (i = 0; i < config.nr_vms; i++)
			owned_add(&config.vm[i]);
		config.nr_vms = 0;	/* their strings are the VMs' now */
	}
	config_free(&config);
	if (err)
		return err;
	if (!parent.user_uid) {
		say("no user for VMs: useradd --system --no-create-home --user-group _joist");
		return -EINVAL;
	}
	store_load(take_stored);
	for (vm = parent.vms; vm; vm = vm->next)
		owned_adopt(vm);
	process_scan(take_running);
	/* What VMs had that ended while there was no daemon. */
	net_settle();
	passthrough_adopt();
	return 0;
}

/**
 * parent_main() - the daemon
 *
 * Return: its exit code.
 */
int parent_main(void)
{
	umask(077);
	raise_files_limit();
	find_host();
	if (loop_init() || watch_signals() || make_dirs() || lock_out_others())
		return 1;
	cgroup_init();
	if (load_all())
		return 1;
	parent.listen_fd = open_socket();
	if (parent.listen_fd < 0)
		return 1;
	if (sandbox_parent()) {
		say("cannot give up capabilities: vmd must be started as root");
		return 1;
	}
	feed_watchdog(&watchdog);
	start_control(&respawn);
	loop_run();
	net_end();
	/* Not to be found by who connects later; a service manager's own stays. */
	if (!inherited)
		unlink(parent.socket);
	return 0;
}
