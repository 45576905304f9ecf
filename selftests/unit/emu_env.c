// SPDX-License-Identifier: GPL-2.0-only
/* A host for the emulator under test. */
#include <string.h>

#include "emu_env.h"

static struct emu_env *to_env(struct emu *emu)
{
	return (struct emu_env *)emu;
}

static int page_fault(struct emu_env *env, u64 lin, bool write)
{
	env->emu.fault = (struct emu_fault) {
		.vector = 14, .has_error = true, .error = write ? 2 : 0,
		.cr2 = lin,
	};
	return EMU_EXCEPTION;
}

static bool in_memory(const struct emu_env *env, u64 lin, unsigned int len)
{
	return lin >= env->base && lin - env->base < env->size &&
	       env->size - (lin - env->base) >= len;
}

static bool on_device(const struct emu_env *env, u64 lin, unsigned int len)
{
	return lin + len > env->device && lin < env->device + env->device_len;
}

static int env_fetch(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	struct emu_env *env = to_env(emu);

	if (!in_memory(env, lin, len))
		return page_fault(env, lin, false);
	memcpy(buf, env->mem + (lin - env->base), len);
	return EMU_OK;
}

static int env_read(struct emu *emu, u64 lin, void *buf, unsigned int len)
{
	struct emu_env *env = to_env(emu);

	env->reads++;
	env->read_after_write |= env->writes;
	if (!in_memory(env, lin, len))
		return page_fault(env, lin, false);
	if (on_device(env, lin, len) && !env->device_ready)
		return EMU_IO;
	memcpy(buf, env->mem + (lin - env->base), len);
	return EMU_OK;
}

static int env_write(struct emu *emu, u64 lin, const void *buf,
		     unsigned int len)
{
	struct emu_env *env = to_env(emu);

	if (!in_memory(env, lin, len) || lin < env->writable)
		return page_fault(env, lin, true);
	env->writes++;
	memcpy(env->mem + (lin - env->base), buf, len);
	return EMU_OK;
}

static int env_cmpxchg(struct emu *emu, u64 lin, void *old, const void *new,
		       unsigned int len)
{
	struct emu_env *env = to_env(emu);
	u8 *mem = env->mem + (lin - env->base);

	if (!in_memory(env, lin, len) || lin < env->writable)
		return page_fault(env, lin, true);
	if (env->lose) {
		env->lose--;
		mem[0]++;
	}
	if (!memcmp(mem, old, len)) {
		env->writes++;
		memcpy(mem, new, len);
	} else {
		memcpy(old, mem, len);
	}
	return EMU_OK;
}

static int env_pio_in(struct emu *emu, u16 port, void *val, unsigned int len)
{
	struct emu_env *env = to_env(emu);

	env->port = port;
	env->port_len = len;
	memcpy(val, &env->port_val, len);
	return EMU_OK;
}

static int env_pio_out(struct emu *emu, u16 port, const void *val,
		       unsigned int len)
{
	struct emu_env *env = to_env(emu);

	env->port = port;
	env->port_len = len;
	env->port_val = 0;
	memcpy(&env->port_val, val, len);
	return EMU_OK;
}

static int env_read_cr(struct emu *emu, unsigned int nr, u64 *val)
{
	*val = to_env(emu)->cr[nr];
	return EMU_OK;
}

static int env_write_cr(struct emu *emu, unsigned int nr, u64 val)
{
	to_env(emu)->cr[nr] = val;
	return EMU_OK;
}

static int env_read_dr(struct emu *emu, unsigned int nr, u64 *val)
{
	*val = to_env(emu)->dr[nr];
	return EMU_OK;
}

static int env_write_dr(struct emu *emu, unsigned int nr, u64 val)
{
	to_env(emu)->dr[nr] = val;
	return EMU_OK;
}

static int env_read_msr(struct emu *emu, u32 index, u64 *val)
{
	to_env(emu)->msr_index = index;
	*val = to_env(emu)->msr_val;
	return EMU_OK;
}

static int env_write_msr(struct emu *emu, u32 index, u64 val)
{
	to_env(emu)->msr_index = index;
	to_env(emu)->msr_val = val;
	return EMU_OK;
}

/* Real-mode rules; in protected mode selector 0xbad0 faults. */
static int env_load_segment(struct emu *emu, enum emu_seg seg, u16 selector)
{
	if (emu->mode == EMU_MODE_REAL || emu->mode == EMU_MODE_VM86) {
		emu->seg[seg].base = (u64)selector << 4;
	} else if (selector == 0xbad0) {
		emu->fault = (struct emu_fault) {
			.vector = 13, .has_error = true, .error = selector,
		};
		return EMU_EXCEPTION;
	}
	emu->seg[seg].selector = selector;
	return EMU_OK;
}

static int env_read_dt(struct emu *emu, enum emu_dt dt, u64 *base, u16 *limit)
{
	*base = to_env(emu)->dt_base[dt];
	*limit = to_env(emu)->dt_limit[dt];
	return EMU_OK;
}

static int env_write_dt(struct emu *emu, enum emu_dt dt, u64 base, u16 limit)
{
	to_env(emu)->dt_base[dt] = base;
	to_env(emu)->dt_limit[dt] = limit;
	return EMU_OK;
}

static int env_system(struct emu *emu, enum emu_system what, u64 *arg)
{
	struct emu_env *env = to_env(emu);

	env->system = what;
	if (what == EMU_SYS_SLDT || what == EMU_SYS_STR)
		*arg = env->system_arg;
	else if (arg)
		env->system_arg = *arg;
	return EMU_OK;
}

static int env_fpu(struct emu *emu, enum emu_fpu what, u16 *word)
{
	struct emu_env *env = to_env(emu);

	switch (what) {
	case EMU_FPU_INIT:
		env->fpu_control = 0x37f;
		env->fpu_status = 0;
		break;
	case EMU_FPU_CLEAR_EXCEPTIONS:
		env->fpu_status &= ~0x80ff;
		break;
	case EMU_FPU_STORE_STATUS:
		*word = env->fpu_status;
		break;
	case EMU_FPU_STORE_CONTROL:
		*word = env->fpu_control;
		break;
	case EMU_FPU_LOAD_CONTROL:
		env->fpu_control = *word;
		break;
	}
	return EMU_OK;
}

static void env_sse_read(struct emu *emu, unsigned int reg, void *buf,
			 unsigned int len)
{
	memcpy(buf, to_env(emu)->xmm[reg], len);
}

static void env_sse_write(struct emu *emu, unsigned int reg, const void *buf,
			  unsigned int len)
{
	memcpy(to_env(emu)->xmm[reg], buf, len);
}

const struct emu_ops emu_env_ops = {
	.fetch = env_fetch,
	.read = env_read,
	.write = env_write,
	.compare_exchange = env_cmpxchg,
	.pio_in = env_pio_in,
	.pio_out = env_pio_out,
	.read_cr = env_read_cr,
	.write_cr = env_write_cr,
	.read_msr = env_read_msr,
	.write_msr = env_write_msr,
	.load_segment = env_load_segment,
	.read_dr = env_read_dr,
	.write_dr = env_write_dr,
	.read_dt = env_read_dt,
	.write_dt = env_write_dt,
	.system = env_system,
	.fpu = env_fpu,
};

/**
 * emu_env_init() - reset the environment: flat writable segments, CPL 0
 * @env: it
 * @mode: of the CPU
 * @mem: memory
 * @base: its linear address
 * @size: its bytes
 */
void emu_env_init(struct emu_env *env, enum emu_mode mode, u8 *mem, u64 base,
		  u64 size)
{
	bool wide = mode == EMU_MODE_PROT32 || mode == EMU_MODE_LONG;
	unsigned int i;

	memset(env, 0, sizeof(*env));
	env->mem = mem;
	env->base = base;
	env->size = size;
	env->system = -1;
	env->emu.ops = &emu_env_ops;
	env->emu.regs = env->regs;
	env->emu.mode = mode;
	env->emu.rflags = 2;
	env->emu.sse_read = env_sse_read;
	env->emu.sse_write = env_sse_write;
	env->emu.cpl = mode == EMU_MODE_VM86 ? 3 : 0;
	env->emu.cr0 = mode == EMU_MODE_REAL ? 0x10 : 0x80000011;
	env->emu.cr4 = 0x40600;		/* OSFXSR, OSXMMEXCPT, OSXSAVE */
	env->cr[0] = env->emu.cr0;
	env->cr[4] = env->emu.cr4;
	env->emu.seg_known = (1 << EMU_NR_SEGS) - 1;
	for (i = 0; i < EMU_NR_SEGS; i++) {
		env->emu.seg[i].limit = wide ? 0xffffffff : 0xffff;
		env->emu.seg[i].writable = true;
		env->emu.seg[i].big = wide;
	}
}
