// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family "joist": VMs are paused, resumed, stopped and sent NMIs, by those who
 * may.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/admin.h"
#include "lib/test.h"

#define OTHER_UID	1000
#define PROGRESS	(*(volatile uint64_t *)(self->vm.mem + GPA_DATA))

GUEST64(code_count, "1: incq 0x20000\n jmp 1b\n");
GUEST64(code_sleep, "sti\n 1: hlt\n jmp 1b\n");
GUEST64(code_done, "1:\n" DONE "jmp 1b\n");
GUEST64(code_nmi, "incq 0x20000\n iretq\n");
/* Bochs 2.7 lets a guest begin with NMIs blocked as they were in the one before it, whatever
 * the VMCS says: IRET ends that.
 */
GUEST64(code_sleep_iret,
	"mov %rsp, %rcx\n mov %ss, %eax\n push %rax\n push %rcx\n pushfq\n"
	"mov %cs, %eax\n push %rax\n lea 1f(%rip), %rax\n push %rax\n iretq\n"
	"1: sti\n 2: hlt\n jmp 2b\n");

FIXTURE(steer) {
	struct genl g;
	struct test_vm vm;
	uint32_t id;
	pthread_t thread;
	bool running;
};

FIXTURE_SETUP(steer)
{
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, vm_new(&self->vm, VM_IRQCHIP));
	ASSERT_EQ(0, vm_add_vcpu(&self->vm, 0));
	ASSERT_EQ(0, vcpu_long64(&self->vm, 0, GPA_CODE));
	self->id = admin_newest(&self->g);
	ASSERT_NE(0, self->id);
}

static void nothing(int sig)
{
}

/* Until KVM_RUN says something else than that a signal came. Returns what. */
static void *vmm(void *arg)
{
	struct test_vm *vm = arg;
	intptr_t ret;

	do {
		ret = vcpu_run(vm, 0);
	} while (ret == -EINTR);
	return (void *)ret;
}

static void start(struct __test_metadata *_metadata, FIXTURE_DATA(steer) * self)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, vmm, &self->vm));
	self->running = true;
}

static intptr_t end(FIXTURE_DATA(steer) * self)
{
	void *ret;

	pthread_join(self->thread, &ret);
	self->running = false;
	return (intptr_t)ret;
}

FIXTURE_TEARDOWN(steer)
{
	if (self->running) {
		admin_kill(&self->g, self->id);
		end(self);
	}
	vm_close(&self->vm);
	genl_close(&self->g);
}

static uint32_t state(FIXTURE_DATA(steer) * self)
{
	struct admin_vm vm;

	return admin_get(&self->g, self->id, &vm) ? ~0U : vm.state;
}

static int take_state(struct nlmsghdr *hdr, void *arg)
{
	*(uint32_t *)arg = genl_u32(genl_attr(hdr, JOIST_A_VCPU_STATE));
	return 0;
}

static uint32_t vcpu_state(FIXTURE_DATA(steer) * self)
{
	struct genl_msg m;
	uint32_t value = ~0U;

	genl_begin(&m, &self->g, JOIST_CMD_VCPU_GET, NLM_F_DUMP);
	genl_put_u32(&m, JOIST_A_VCPU_VM_ID, self->id);
	return genl_ask(&self->g, &m, take_state, &value) ? ~0U : value;
}

/* Within ten seconds; the machine is slow. */
static bool comes_to(FIXTURE_DATA(steer) * self, uint32_t wanted)
{
	int i;

	for (i = 0; i < 10000 && vcpu_state(self) != wanted; i++)
		usleep(1000);
	return vcpu_state(self) == wanted;
}

static bool moves(FIXTURE_DATA(steer) * self)
{
	uint64_t was = PROGRESS;
	int i;

	for (i = 0; i < 10000; i++) {
		if (was != PROGRESS)
			return true;
		usleep(1000);
	}
	return false;
}

static int pause_vm(FIXTURE_DATA(steer) * self)
{
	return admin_do(&self->g, JOIST_CMD_VM_PAUSE, self->id);
}

static int resume_vm(FIXTURE_DATA(steer) * self)
{
	return admin_do(&self->g, JOIST_CMD_VM_RESUME, self->id);
}

static int stop_vm(FIXTURE_DATA(steer) * self)
{
	return admin_do(&self->g, JOIST_CMD_VM_STOP, self->id);
}

/* --- pause ------------------------------------------------------------------------ */

TEST_F(steer, pause_while_it_spins)
{
	uint64_t was;
	int i;

	vm_load(&self->vm, GPA_CODE, code_count);
	start(_metadata, self);
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(moves(self));
		ASSERT_EQ(0, pause_vm(self));
		/* Nothing of it is left when the request returns. */
		was = PROGRESS;
		EXPECT_EQ(JOIST_VM_STATE_PAUSED, state(self));
		usleep(2000);
		ASSERT_EQ(was, PROGRESS);
		EXPECT_TRUE(comes_to(self, JOIST_VCPU_STATE_PAUSED));
		ASSERT_EQ(was, PROGRESS);
		ASSERT_EQ(0, resume_vm(self));
		EXPECT_EQ(JOIST_VM_STATE_STARTED, state(self));
	}
	EXPECT_TRUE(moves(self));
	EXPECT_EQ(JOIST_VCPU_STATE_RUNNING, vcpu_state(self));
}

TEST_F(steer, pause_while_it_sleeps)
{
	vm_load(&self->vm, GPA_CODE, code_sleep);
	start(_metadata, self);
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_HALTED));
	ASSERT_EQ(0, pause_vm(self));
	EXPECT_TRUE(comes_to(self, JOIST_VCPU_STATE_PAUSED));
	ASSERT_EQ(0, resume_vm(self));
	EXPECT_TRUE(comes_to(self, JOIST_VCPU_STATE_HALTED));
}

/* Paused while its VMM has it, it waits when it is run. */
TEST_F(steer, pause_before_it_runs)
{
	vm_load(&self->vm, GPA_CODE, code_count);
	ASSERT_EQ(0, pause_vm(self));
	EXPECT_EQ(JOIST_VCPU_STATE_USERSPACE, vcpu_state(self));
	start(_metadata, self);
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_PAUSED));
	EXPECT_EQ(0, PROGRESS);
	ASSERT_EQ(0, resume_vm(self));
	EXPECT_TRUE(moves(self));
}

TEST_F(steer, vcpu_made_while_paused_waits_too)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(0, pause_vm(self));
	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	ASSERT_EQ(0, xioctl(vm->vcpu[1], KVM_SET_MP_STATE, &runnable));
	ASSERT_EQ(0, vcpu_long64(vm, 1, GPA_CODE));
	vm_load(vm, GPA_CODE, code_done);
	alarm_in(50000);
	EXPECT_EQ(-EINTR, vcpu_run(vm, 1));
	ASSERT_EQ(0, resume_vm(self));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(vm, 1));
}

TEST_F(steer, signals_reach_a_paused_vcpu)
{
	struct test_vm *vm = &self->vm;
	int i;

	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(0, pause_vm(self));
	for (i = 0; i < 3; i++) {
		alarm_in(20000);
		EXPECT_EQ(-EINTR, vcpu_run(vm, 0));
		EXPECT_EQ(KVM_EXIT_INTR, vm->run[0]->exit_reason);
	}
	vm->run[0]->immediate_exit = 1;
	EXPECT_EQ(-EINTR, vcpu_run(vm, 0));
	vm->run[0]->immediate_exit = 0;
	/* An exit to userspace is completed, and then it waits. */
	ASSERT_EQ(0, resume_vm(self));
	ASSERT_EQ(KVM_EXIT_IO, vcpu_run(vm, 0));
	ASSERT_EQ(0, pause_vm(self));
	alarm_in(20000);
	EXPECT_EQ(-EINTR, vcpu_run(vm, 0));
	ASSERT_EQ(0, resume_vm(self));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(vm, 0));
}

/* Its registers are its VMM's to read while it waits: the mutex is KVM_RUN's, a signal ends
 * that. Memory slots are never held up.
 */
TEST_F(steer, vmm_works_while_it_is_paused)
{
	struct test_vm *vm = &self->vm;
	struct kvm_regs regs;

	vm_load(vm, GPA_CODE, code_count);
	start(_metadata, self);
	ASSERT_TRUE(moves(self));
	ASSERT_EQ(0, pause_vm(self));
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_PAUSED));
	ASSERT_EQ(0, vm_set_memory(vm, 3, 0, 0x10000000, 0x1000, vm->mem));
	ASSERT_EQ(0, vm_set_memory(vm, 3, 0, 0x10000000, 0, vm->mem));
	vm->run[0]->immediate_exit = 1;
	pthread_kill(self->thread, SIGUSR1);
	ASSERT_EQ(0, xioctl(vm->vcpu[0], KVM_GET_REGS, &regs));
	EXPECT_LE(GPA_CODE, regs.rip);
	EXPECT_GE(GPA_CODE + 16, regs.rip);
	vm->run[0]->immediate_exit = 0;
	ASSERT_EQ(0, resume_vm(self));
	EXPECT_TRUE(moves(self));
}

static void *pause_and_resume(void *arg)
{
	FIXTURE_DATA(steer) * self = arg;
	struct genl g;
	int i;

	if (genl_open(&g))
		return NULL;
	for (i = 0; i < 500; i++) {
		admin_do(&g, JOIST_CMD_VM_PAUSE, self->id);
		admin_do(&g, JOIST_CMD_VM_RESUME, self->id);
	}
	genl_close(&g);
	return NULL;
}

/* Whoever is last has resumed it. */
TEST_F(steer, many_pause_at_once)
{
	pthread_t other[3];
	int i;

	vm_load(&self->vm, GPA_CODE, code_count);
	start(_metadata, self);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&other[i], NULL, pause_and_resume, self));
	for (i = 0; i < 3; i++)
		pthread_join(other[i], NULL);
	EXPECT_TRUE(moves(self));
	EXPECT_EQ(JOIST_VM_STATE_STARTED, state(self));
}

/* A VMM of its own, in a child; returns its pid and the VM's id. */
static pid_t child_vmm(struct genl *g, uint32_t *id)
{
	struct test_vm vm;
	pid_t pid;
	int i;

	*id = admin_newest(g);
	pid = fork();
	if (!pid) {
		if (vm_new(&vm, VM_IRQCHIP) || vm_add_vcpu(&vm, 0) ||
		    vcpu_long64(&vm, 0, GPA_CODE))
			_exit(1);
		vm_load(&vm, GPA_CODE, code_count);
		vcpu_run(&vm, 0);
		_exit(0);
	}
	for (i = 0; i < 10000; i++) {
		struct admin_vm seen;

		if (admin_newest(g) > *id &&
		    !admin_get(g, admin_newest(g), &seen) &&
		    seen.state == JOIST_VM_STATE_STARTED) {
			*id = seen.id;
			return pid;
		}
		usleep(1000);
	}
	return -1;
}

TEST_F(steer, vmm_killed_while_paused)
{
	struct admin_vm seen;
	uint32_t id;
	int status;
	pid_t pid = child_vmm(&self->g, &id);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, admin_do(&self->g, JOIST_CMD_VM_PAUSE, id));
	usleep(20000);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(-ENOENT, admin_get(&self->g, id, &seen));
}

/* --- stop ------------------------------------------------------------------------- */

static uint32_t cause_of(struct genl *ear, uint32_t id)
{
	struct genl_msg m;

	while (genl_event(ear, &m, 2000) == 1)
		if (genl_cmd(&m.hdr) == JOIST_CMD_VM_DESTROYED &&
		    genl_u32(genl_attr(&m.hdr, JOIST_A_VM_ID)) == id)
			return genl_u32(genl_attr(&m.hdr, JOIST_A_VM_CAUSE));
	return ~0U;
}

TEST_F(steer, stop)
{
	struct genl ear;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	vm_load(&self->vm, GPA_CODE, code_count);
	start(_metadata, self);
	ASSERT_TRUE(moves(self));
	ASSERT_EQ(0, stop_vm(self));
	EXPECT_EQ(KVM_EXIT_SYSTEM_EVENT, end(self));
	EXPECT_EQ(KVM_SYSTEM_EVENT_SHUTDOWN, self->vm.run[0]->system_event.type);
	EXPECT_EQ(0, self->vm.run[0]->system_event.ndata);
	EXPECT_EQ(JOIST_VM_STATE_STOPPING, state(self));
	/* It is asked once; what it does then is its own business. */
	start(_metadata, self);
	ASSERT_TRUE(moves(self));
	ASSERT_EQ(0, stop_vm(self));
	EXPECT_EQ(KVM_EXIT_SYSTEM_EVENT, end(self));
	vm_close(&self->vm);
	EXPECT_EQ(JOIST_CAUSE_STOPPED, cause_of(&ear, self->id));
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	genl_close(&ear);
}

TEST_F(steer, stop_a_paused_one)
{
	vm_load(&self->vm, GPA_CODE, code_count);
	start(_metadata, self);
	ASSERT_EQ(0, pause_vm(self));
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_PAUSED));
	ASSERT_EQ(0, stop_vm(self));
	EXPECT_EQ(KVM_EXIT_SYSTEM_EVENT, end(self));
}

TEST_F(steer, stop_one_that_sleeps)
{
	vm_load(&self->vm, GPA_CODE, code_sleep);
	start(_metadata, self);
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_HALTED));
	ASSERT_EQ(0, stop_vm(self));
	EXPECT_EQ(KVM_EXIT_SYSTEM_EVENT, end(self));
}

/* Whichever is run first hears of it, and no other. */
TEST_F(steer, stop_is_heard_once)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct test_vm *vm = &self->vm;

	ASSERT_EQ(1, vm_add_vcpu(vm, 1));
	ASSERT_EQ(0, xioctl(vm->vcpu[1], KVM_SET_MP_STATE, &runnable));
	ASSERT_EQ(0, vcpu_long64(vm, 1, GPA_CODE));
	vm_load(vm, GPA_CODE, code_done);
	ASSERT_EQ(0, stop_vm(self));
	EXPECT_EQ(KVM_EXIT_SYSTEM_EVENT, vcpu_run(vm, 1));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(vm, 1));
	EXPECT_EQ(KVM_EXIT_IO, vcpu_run(vm, 0));
}

TEST_F(steer, stop_needs_a_vcpu)
{
	struct test_vm vm;

	ASSERT_EQ(0, vm_new(&vm, 0));
	EXPECT_EQ(-ENXIO, admin_do(&self->g, JOIST_CMD_VM_STOP, self->id + 1));
	EXPECT_STREQ("the VM has no vCPU whose VMM could be asked", self->g.error);
	vm_close(&vm);
	EXPECT_EQ(-ENOENT, admin_do(&self->g, JOIST_CMD_VM_STOP, self->id + 1));
}

TEST_F(steer, stop_by_force)
{
	struct genl ear;

	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	vm_load(&self->vm, GPA_CODE, code_count);
	start(_metadata, self);
	ASSERT_TRUE(moves(self));
	ASSERT_EQ(0, admin_kill(&self->g, self->id));
	EXPECT_EQ(-EIO, end(self));
	EXPECT_EQ(-EIO, vcpu_run(&self->vm, 0));
	EXPECT_EQ(JOIST_VM_STATE_DEAD, state(self));
	ASSERT_EQ(1, vm_add_vcpu(&self->vm, 1));
	EXPECT_EQ(-EIO, vcpu_run(&self->vm, 1));
	EXPECT_EQ(0, admin_kill(&self->g, self->id));
	EXPECT_EQ(-EIO, pause_vm(self));
	EXPECT_STREQ("the VM was stopped by force", self->g.error);
	EXPECT_EQ(-EIO, resume_vm(self));
	EXPECT_EQ(-EIO, stop_vm(self));
	vm_close(&self->vm);
	EXPECT_EQ(JOIST_CAUSE_FORCED, cause_of(&ear, self->id));
	ASSERT_EQ(0, vm_new(&self->vm, 0));
	genl_close(&ear);
}

TEST_F(steer, force_on_a_paused_one)
{
	vm_load(&self->vm, GPA_CODE, code_count);
	start(_metadata, self);
	ASSERT_EQ(0, pause_vm(self));
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_PAUSED));
	ASSERT_EQ(0, admin_kill(&self->g, self->id));
	EXPECT_EQ(-EIO, end(self));
}

/* --- NMI --------------------------------------------------------------------------- */

TEST_F(steer, nmi)
{
	uint64_t nr;

	vm_load(&self->vm, GPA_CODE, code_sleep_iret);
	vm_load(&self->vm, GPA_CODE + 0x100, code_nmi);
	vm_set_gate(&self->vm, 2, GPA_CODE + 0x100);
	start(_metadata, self);
	ASSERT_TRUE(comes_to(self, JOIST_VCPU_STATE_HALTED));
	/* The later ones find it in the handler of the one before, or asleep again. */
	for (nr = 1; nr <= 50; nr++) {
		ASSERT_EQ(0, admin_do(&self->g, JOIST_CMD_VM_NMI, self->id));
		while (nr > PROGRESS)
			usleep(100);
		ASSERT_EQ(nr, PROGRESS);
	}
}

/* --- who may ------------------------------------------------------------------------- */

static int ask_fd;		/* in the child */

/* The child has root rename root's VM. */
static void ask_root(void)
{
	if (write(ask_fd, "", 1) != 1)
		_exit(101);
}

/* What a child with another uid does; its exit code: which step failed, 0: none. */
static int in_child(FIXTURE_DATA(steer) * self,
		    int (*steps)(int dev, uint32_t root_vm))
{
	int status, ask[2];
	pid_t pid;
	char c;

	if (pipe(ask))
		return 102;
	pid = fork();
	if (!pid) {
		close(ask[0]);
		ask_fd = ask[1];
		if (setgid(OTHER_UID) || setuid(OTHER_UID))
			_exit(100);
		_exit(steps(self->vm.dev, self->id));
	}
	close(ask[1]);
	while (read(ask[0], &c, 1) == 1)
		admin_set_name(&self->g, self->id, "secret");
	close(ask[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

#define STEP(n, is) do { if (!(is)) return n; } while (0)

static int take_count(struct nlmsghdr *hdr, void *arg)
{
	++*(int *)arg;
	return 0;
}

static int listed(struct genl *g)
{
	struct genl_msg m;
	int n = 0;

	genl_begin(&m, g, JOIST_CMD_VM_GET, NLM_F_DUMP);
	return genl_ask(g, &m, take_count, &n) ?: n;
}

static int own_only(int dev, uint32_t root_vm)
{
	int fd = xioctl_val(dev, KVM_CREATE_VM, 0);
	struct admin_vm vm;
	struct genl g;

	STEP(1, fd >= 0);
	STEP(2, !genl_open(&g));
	STEP(3, listed(&g) == 1);
	STEP(4, admin_newest(&g) == root_vm + 1);
	STEP(5, !admin_get(&g, root_vm + 1, &vm));
	STEP(6, vm.owner_uid == OTHER_UID && vm.owner_pid == getpid());
	/* Another's is not there, whatever is asked of it. */
	STEP(7, admin_get(&g, root_vm, &vm) == -ENOENT);
	STEP(8, admin_do(&g, JOIST_CMD_VM_PAUSE, root_vm) == -ENOENT);
	STEP(9, admin_do(&g, JOIST_CMD_VM_STOP, root_vm) == -ENOENT);
	STEP(10, admin_kill(&g, root_vm) == -ENOENT);
	STEP(11, admin_set_name(&g, root_vm, "mine") == -ENOENT);
	STEP(12, !strcmp(g.error, "no VM with this id is yours"));
	STEP(13, admin_set_name(&g, root_vm + 1, "mine") == 0);
	STEP(14, admin_do(&g, JOIST_CMD_VM_PAUSE, root_vm + 1) == 0);
	STEP(15, admin_do(&g, JOIST_CMD_VM_RESUME, root_vm + 1) == 0);
	/* He may bind himself, and no more. */
	STEP(16, !admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_VCPUS, 8));
	STEP(17, !admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_VCPUS, 4));
	STEP(18, admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_VCPUS, 5) == -EPERM);
	STEP(19, strstr(g.error, "CAP_SYS_ADMIN in the initial user namespace"));
	STEP(20, admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_VCPUS, 0) == -EPERM);
	STEP(21, !admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_MEMORY, 1 << 20));
	STEP(22, admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_MEMORY, 0) == -EPERM);
	STEP(23, !admin_get(&g, root_vm + 1, &vm) && vm.limit_vcpus == 4);
	STEP(24, genl_simple(&g, JOIST_CMD_STATS_SUBSCRIBE, JOIST_A_HOST_STATS_PERIOD_MS,
			     1000) == -EPERM);
	STEP(25, strstr(g.error, "CAP_SYS_ADMIN"));
	return 0;
}

TEST_F(steer, others_have_their_own)
{
	if (geteuid())
		SKIP(return, "needs root");
	EXPECT_EQ(0, in_child(self, own_only));
}

/* Events of other people's VMs are not heard. Where the kernel cannot tell listeners apart,
 * nobody else listens at all.
 */
static int hears_own(int dev, uint32_t root_vm)
{
	struct genl_msg m;
	struct genl ear;
	int fd, err, status;
	pid_t pid;

	STEP(1, !genl_open(&ear));
	err = genl_join(&ear, JOIST_GROUP_LIFECYCLE);
	if (err == -EPERM)
		return 77;
	STEP(2, !err);
	fd = xioctl_val(dev, KVM_CREATE_VM, 0);
	STEP(3, fd >= 0);
	STEP(4, genl_event(&ear, &m, 2000) == 1);
	STEP(5, genl_cmd(&m.hdr) == JOIST_CMD_VM_CREATED);
	STEP(6, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_ID)) == root_vm + 1);
	/* Root's is renamed by the parent while we listen. */
	ask_root();
	STEP(7, genl_event(&ear, &m, 500) == 0);
	close(fd);
	STEP(8, genl_event(&ear, &m, 2000) == 1);
	STEP(9, genl_cmd(&m.hdr) == JOIST_CMD_VM_DESTROYED);
	/* Nor by a child that has no rights left. */
	pid = fork();
	if (!pid)
		_exit(genl_event(&ear, &m, 100) != 0);
	STEP(10, waitpid(pid, &status, 0) == pid && !WEXITSTATUS(status));
	return 0;
}

TEST_F(steer, others_hear_their_own)
{
	struct genl_msg m;
	struct genl ear;
	int ret;

	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, genl_open(&ear));
	ASSERT_EQ(0, genl_join(&ear, JOIST_GROUP_LIFECYCLE));
	ret = in_child(self, hears_own);
	if (ret == 77) {
		genl_close(&ear);
		SKIP(return, "this kernel lets only root listen");
	}
	EXPECT_EQ(0, ret);
	/* Root hears all three, each after the other. */
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_CREATED, genl_cmd(&m.hdr));
	EXPECT_EQ(OTHER_UID, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_OWNER_UID)));
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_CHANGED, genl_cmd(&m.hdr));
	EXPECT_STREQ("secret", genl_string(genl_attr(&m.hdr, JOIST_A_VM_NAME)));
	ASSERT_EQ(1, genl_event(&ear, &m, 2000));
	EXPECT_EQ(JOIST_CMD_VM_DESTROYED, genl_cmd(&m.hdr));
	genl_close(&ear);
}

/* A socket that is handed on gives nobody more than both may. */
static int inherited_fd = -1;

static int uses_roots_socket(int dev, uint32_t root_vm)
{
	struct genl g = { 0 };
	struct genl own;

	STEP(1, !genl_open(&own));
	g = own;
	g.fd = inherited_fd;
	STEP(2, listed(&g) == 0);
	STEP(3, xioctl_val(dev, KVM_CREATE_VM, 0) >= 0);
	STEP(4, listed(&g) == 1);
	return 0;
}

TEST_F(steer, socket_handed_on)
{
	int status;
	struct genl g;
	pid_t pid;

	if (geteuid())
		SKIP(return, "needs root");
	inherited_fd = self->g.fd;
	EXPECT_EQ(0, in_child(self, uses_roots_socket));

	/* And root with another's, as a setuid program that is made to write to it. */
	pid = fork();
	if (!pid) {
		if (setresuid(OTHER_UID, OTHER_UID, 0) || genl_open(&g) ||
		    setresuid(0, 0, 0))
			_exit(100);
		_exit(listed(&g) == 0 && admin_kill(&g, self->id) == -ENOENT ? 0 : 1);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Root of a user namespace is not root. */
static int in_a_namespace(int dev, uint32_t root_vm)
{
	int fd = xioctl_val(dev, KVM_CREATE_VM, 0);
	struct admin_vm vm;
	struct genl_msg m;
	struct genl g;

	STEP(1, fd >= 0);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 77;
	STEP(2, !genl_open(&g));
	STEP(3, listed(&g) == 1);
	STEP(4, admin_get(&g, root_vm, &vm) == -ENOENT);
	STEP(5, !admin_get(&g, root_vm + 1, &vm));
	/* He has no name here yet. */
	STEP(6, vm.owner_uid == 65534);
	STEP(7, admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_VCPUS, 4) == 0);
	STEP(8, admin_limit(&g, root_vm + 1, JOIST_A_VM_LIMIT_VCPUS, 0) == -EPERM);
	if (genl_join(&g, JOIST_GROUP_LIFECYCLE))
		return 0;
	STEP(9, !admin_set_name(&g, root_vm + 1, "mine"));
	/* Where it may listen, it hears. Else it hears nothing. */
	ask_root();
	while (genl_event(&g, &m, 300) == 1)
		STEP(10, genl_u32(genl_attr(&m.hdr, JOIST_A_VM_ID)) == root_vm + 1 &&
		     genl_u32(genl_attr(&m.hdr, JOIST_A_VM_OWNER_PID)) == 0);
	return 0;
}

TEST_F(steer, namespaces)
{
	int ret;

	if (geteuid())
		SKIP(return, "needs root");
	ret = in_child(self, in_a_namespace);
	if (ret == 77)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, ret);
}

JOIST_TEST_MAIN
