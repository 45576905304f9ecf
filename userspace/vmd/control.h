/* SPDX-License-Identifier: GPL-2.0-only */
/* The control process: it speaks with clients, VMs' processes and the parent. */
#ifndef VMD_CONTROL_H
#define VMD_CONTROL_H

#include "channel.h"
#include "client.h"
#include "vmd.h"
#include "vm_protocol.h"

enum state { STOPPED, STARTING, RUNNING, PAUSED, STOPPING, FAILED };

/* How a VM ended the last time. */
struct last {
	char *reason;	/* NULL: never */
	char *message;
	int code;
	double time;
};

/**
 * struct machine - a VM, as the control process sees it
 * @def: its definition
 * @changed: @def is not what runs
 * @orphan: it has no definition any longer
 * @wants_start: it is to be started by itself once all VMs are known
 * @state: where it is, since @since
 * @was: state before STOPPING
 * @pid: of its process, 0: there is none
 * @id: in the module's list of VMs, 0: none
 * @nets: its interfaces while it runs; NULL: as @def says
 * @devices: those of the host that it has while it runs; NULL: none
 * @greeted: its process has said hello on this connection
 * @said: enum vm_state: what it said last, while it is not known to run
 * @conn: to its process
 * @balloon: what its process said last of its balloon
 * @memory: likewise, of memory that is plugged in
 * @stop_asked: its end is wanted: it is not to be restarted
 * @reset_asked: its end is wanted: it is to be started at once
 * @started: when, of now_ms()
 * @tries: restarts in a row that did not last
 * @again: when it is restarted, or started by itself
 * @force: when it is killed, because it did not end
 * @give_up: when STOPPING is over, because the guest did not react
 */
struct machine {
	struct machine *next;
	struct definition def;
	bool changed;
	bool orphan;
	bool wants_start;
	enum state state;
	enum state was;
	double since;
	int pid;
	u32 id;
	struct json_object *nets;
	struct json_object *devices;
	bool greeted;
	u32 said;
	struct last last;
	struct watch conn;
	struct vm_balloon_reply balloon;
	struct vm_memory_reply memory;
	bool stop_asked;
	bool reset_asked;
	u64 started;
	unsigned int tries;
	struct timer again;
	struct timer force;
	struct timer give_up;
};

/* What a request waits for. */
enum waiting {
	FOR_PARENT,	/* its answer */
	FOR_PROCESS,	/* the answer of the VM's process */
	FOR_RUNNING,	/* the VM to run */
	FOR_STOPPED,	/* the VM to have stopped */
	FOR_BALLOON,	/* the VM's balloon to be where it is to be */
	FOR_MEMORY,	/* likewise, the memory plugged in */
	FOR_UNPLUGGED,	/* the VM's device to have gone */
};

/**
 * struct pending - a request that is not answered yet
 * @client: who asked; NULL: nobody, or they have left
 * @id: of the request
 * @vm: NULL: of none
 * @token: of the answer it waits for
 * @strict: FOR_RUNNING: a VM that fails to start ends the waiting
 * @force: FOR_STOPPED: in the end by force
 * @start: FOR_PARENT, create: start it then
 * @name: likewise, which one; devices: the device's; log: unused
 * @bytes: FOR_PARENT, log; hello: the state told
 * @fd: FOR_PROCESS, console: the client's end
 * @kind: devices: which it is
 * @wait: balloon, memory: until the target is reached
 * @limit: likewise, but no longer than so many seconds; below 0: as long as it takes
 * @resident: balloon, reclaim: bytes that the host had of it before; below 0: unknown
 * @hinted: likewise, that the guest had free; below 0: that was not asked for
 * @late: FOR_PROCESS: what to do when the time is over, instead of giving up
 * @done: FOR_PARENT, FOR_PROCESS: what to do with the answer; frees it
 */
struct pending {
	struct pending *next, **link;
	struct client *client;
	struct json_object *id;
	struct machine *vm;
	enum waiting waiting;
	u32 token;
	struct timer timer;
	bool strict;
	bool force;
	bool start;
	bool write;
	char name[NAME_LEN_MAX + 1];
	u32 bytes;
	int fd;
	enum plug_kind kind;
	bool wait;
	double limit;
	s64 resident;
	s64 hinted;
	void (*late)(struct pending *p);
	void (*parent_done)(struct pending *p, struct msg *msg);
	void (*process_done)(struct pending *p, const struct vm_reply *reply);
};

/* A request, checked for its form. */
struct request {
	struct client *client;
	struct json_object *id;
	struct json_object *json;
	struct machine *vm;
	bool admin;
};

/* The process's own state. */
struct control {
	struct channel parent;
	u32 admin_gid;
	u32 stagger_ms;
	int listen_fd;
	bool started;	/* told of all VMs there are */
};

extern struct control control;

/* machine.c */
struct machine *machines(void);
struct machine *machine_find(const char *name);
struct machine *machine_find_id(const char *text);
void machine_update(struct json_object *obj);
void machine_gone(const char *name);
void machine_connect(struct json_object *obj, int fd);
void machine_exited(struct json_object *obj);
int machine_start(struct machine *vm, struct failure *f);
void machine_end(struct machine *vm);
void machine_stopping(struct machine *vm);
void machine_start_later(struct machine *vm, u64 ms);
bool machine_alive(const struct machine *vm);
bool machine_at_rest(const struct machine *vm);
bool machine_takes_orders(const struct machine *vm);
struct json_object *machine_json(const struct machine *vm);

/* machine_conn.c */
int machine_ask(struct machine *vm, enum vm_op op, u32 id, u32 flags, u32 amount,
		int fd);
int machine_tell(struct machine *vm, enum vm_op op, u32 id, u32 flags, const char *text,
		 const struct fd_list *fds);
int machine_open(struct machine *vm, int fd);
void machine_hang_up(struct machine *vm);
void machine_greet(struct machine *vm, u32 state);
void machine_hello(struct machine *vm, u32 state);
void machine_state(struct machine *vm, enum state state);

/* pending.c */
struct pending *pending_new(const struct request *req, enum waiting waiting);
struct pending *pending_amount(const struct request *req);
struct pending *pending_internal(struct machine *vm, enum waiting waiting);
void pending_free(struct pending *p);
void pending_timeout(struct pending *p, double seconds);
void pending_result(struct pending *p, struct json_object *result, int fd);
void pending_vm(struct pending *p);
void pending_refuse(struct pending *p, const char *code, const char *message,
		    const char *remedy);
void pending_busy(struct pending *p);
void pendings_running(struct machine *vm);
void pendings_stopped(struct machine *vm);
void pendings_reached(struct machine *vm, enum waiting reason,
		      void (*fn)(struct pending *p));
void pendings_unplugged(struct machine *vm, enum plug_kind kind, const char *name,
			void (*fn)(struct pending *p));
void pendings_failed(struct machine *vm, const struct failure *f);
void pendings_gone(struct machine *vm);
void pendings_reply(struct machine *vm, const struct vm_reply *reply);
void pendings_hang_up(struct machine *vm);
void pendings_parent(struct msg *msg);
void pendings_parent_gone(void);
void parent_ask(struct pending *p, struct json_object *msg, int fd);
bool parent_refused(struct pending *p, struct msg *msg);

/* requests.c */
void request_refuse(const struct request *req, const struct failure *f);
void request_result(const struct request *req, struct json_object *result);
void request_not_running(const struct request *req);
double request_seconds(const struct request *req, double otherwise);

/* ops_memory.c */
void op_memory(struct request *req);
void machine_memory_at(struct machine *vm);

/* ops_balloon.c */
void op_balloon(struct request *req);
void machine_balloon_at(struct machine *vm);

/* ops_device.c */
void op_disk_add(struct request *req);
void op_disk_remove(struct request *req);
void op_disk_list(struct request *req);
void op_net_add(struct request *req);
void op_net_remove(struct request *req);
void op_net_list(struct request *req);
void op_device_add(struct request *req);
void op_device_remove(struct request *req);
void op_device_list(struct request *req);
void machine_unplugged(struct machine *vm, u32 kind, const char *name);

/* device_news.c */
void machine_host_news(struct machine *vm, const struct vm_device_reply *news);
void device_news(struct json_object *obj);

/* ops.c, ops_vm.c */
void op_version(struct request *req);
void op_list(struct request *req);
void op_show(struct request *req);
void op_create(struct request *req);
void op_delete(struct request *req);
void op_log(struct request *req);
void op_events(struct request *req);
void op_check(struct request *req);
void op_reload(struct request *req);
void op_start(struct request *req);
void op_stop(struct request *req);
void op_pause(struct request *req);
void op_resume(struct request *req);
void op_reset(struct request *req);
void op_nmi(struct request *req);
void op_disk_resize(struct request *req);
void op_wait(struct request *req);
void op_console(struct request *req);

/* events.c */
void event(const struct machine *vm, const char *what, const char *why);
void event_more(const struct machine *vm, const char *what, const char *why,
		struct json_object *more);
u64 event_last(void);

#endif
