// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG: how many instructions each basic block executed, in the
 * host and in its SVM guests, between two marks of a program in the bench
 * (selftests/bench/ticks). Arguments: out=FILE. Lines of the file:
 *   block host|guest PC SIZE INSNS RUNS FIRST	(FIRST: instructions before its first run)
 *   exit PC SIZE COUNT INSNS	guest block that ended in an exit; the host's until entry
 *   at INSNS host|guest PC	a sample every 65,536 instructions
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"

int qemu_plugin_version = 1;

#define HASH		(1 << 18)
#define SAMPLE_SHIFT	16
#define U64		" %" PRIu64

enum { HOST, GUEST, MODES };

static const char * const mode_name[] = { "host", "guest" };

/**
 * struct block - all translations that start at one address
 * @after_vmrun: address after the VMRUN it ends in, or 0
 * @first: when it first ran, by mode
 * @exits: how often the guest left from it
 * @exit_insns: what the host executed then
 */
struct block {
	struct block *next;
	uint64_t pc, size, after_vmrun;
	bool mark;
	uint64_t insns[MODES], runs[MODES], first[MODES];
	uint64_t exits, exit_insns;
};

static struct block *table[HASH];
static uint64_t executed;	/* counted by the translated code itself */
static uint64_t began, counted, left;
static bool active;
static int mode;
static uint64_t host_pc;	/* where the host goes on after an exit */
static struct block *last, *left_from;
static const char *out = "profile";
static FILE *file;
static int runs;

static struct block *find(uint64_t pc)
{
	struct block **slot = &table[(pc ^ pc >> 18) % HASH], *b;

	for (b = *slot; b; b = b->next)
		if (b->pc == pc)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->pc = pc;
	b->next = *slot;
	*slot = b;
	return b;
}

/* What is known of a block, and forgotten then. */
static void dump_block(struct block *b)
{
	int m;

	for (m = 0; m < MODES; m++) {
		if (!b->insns[m])
			continue;
		fprintf(file, "block %s %" PRIx64 U64 U64 U64 U64 "\n", mode_name[m],
			b->pc, b->size, b->insns[m], b->runs[m], b->first[m]);
		b->insns[m] = 0;
		b->runs[m] = 0;
	}
	if (b->exits)
		fprintf(file, "exit %" PRIx64 U64 U64 U64 "\n", b->pc, b->size,
			b->exits, b->exit_insns);
	b->exits = 0;
	b->exit_insns = 0;
}

static void dump(void)
{
	struct block *b;
	int i;

	for (i = 0; i < HASH; i++)
		for (b = table[i]; b; b = b->next)
			dump_block(b);
	fclose(file);
}

static void mark(void)
{
	char name[4096];

	active = !active;
	if (!active) {
		dump();
		return;
	}
	snprintf(name, sizeof(name), "%s.%d", out, runs++);
	file = fopen(name, "w");
	if (!file)
		abort();
	began = executed;
	counted = executed;
	last = NULL;
	left_from = NULL;
}

static void account(void)
{
	uint64_t now = executed - began, n = executed - counted;

	last->insns[mode] += n;
	if ((now ^ (now - n)) >> SAMPLE_SHIFT)
		fprintf(file, "at" U64 " %s %" PRIx64 "\n", now, mode_name[mode],
			last->pc);
	counted = executed;
}

/* A block is about to run: what was executed since the last call is the one before's. */
static void run_block(unsigned int cpu, void *data)
{
	struct block *b = data;

	if (active && last)
		account();
	if (b->mark)
		mark();
	if (last && last->after_vmrun && mode == HOST) {
		mode = GUEST;
		host_pc = last->after_vmrun;
		if (left_from)
			left_from->exit_insns += executed - left;
		left_from = NULL;
	} else if (mode == GUEST && b->pc == host_pc) {
		mode = HOST;
		left = executed;
		left_from = last;
		if (last)
			last->exits++;
	}
	last = b;
	if (!active)
		return;
	if (!b->runs[mode]++)
		b->first[mode] = executed - began;
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	static const unsigned char marker[] = { 0x0f, 0x1f, 0x84, 0, 'j', 'o', 'i', 's' };
	static const unsigned char vmrun[] = { 0x0f, 0x01, 0xd8 };
	struct block *b = find(qemu_plugin_tb_vaddr(tb));
	size_t i, n = qemu_plugin_tb_n_insns(tb), size = 0, len;

	/* A block may be translated again, and shorter: what was seen of it stays. */
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const void *code = qemu_plugin_insn_data(insn);

		len = qemu_plugin_insn_size(insn);
		size += len;
		if (len == sizeof(marker) && !memcmp(code, marker, len))
			b->mark = true;
		if (len == sizeof(vmrun) && !memcmp(code, vmrun, len))
			b->after_vmrun = b->pc + size;
		qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &executed, 1);
	}
	if (size > b->size)
		b->size = size;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, run_block, 0, b);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
