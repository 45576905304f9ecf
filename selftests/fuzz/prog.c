// SPDX-License-Identifier: GPL-2.0-only
/* Programs as text: how the seeds are kept, and how what was found is read. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prog.h"

const char *const op_names[NR_OPS] = {
	[OP_OPTIONS] = "options",
	[OP_OUT] = "out",
	[OP_IN] = "in",
	[OP_READ] = "read",
	[OP_WRITE] = "write",
	[OP_BAR_READ] = "bar-read",
	[OP_BAR_WRITE] = "bar-write",
	[OP_CFG_READ] = "cfg-read",
	[OP_CFG_WRITE] = "cfg-write",
	[OP_SETUP] = "setup",
	[OP_QUEUE] = "queue",
	[OP_STATUS] = "status",
	[OP_DESC] = "desc",
	[OP_AVAIL] = "avail",
	[OP_CHAIN] = "chain",
	[OP_RING] = "ring",
	[OP_FILL] = "fill",
	[OP_DATA] = "data",
	[OP_NOTIFY] = "notify",
	[OP_STEP] = "step",
	[OP_TIME] = "time",
	[OP_EVENT] = "event",
	[OP_PREEMPT] = "preempt",
	[OP_EXIT] = "exit",
	[OP_MSIX] = "msix",
	[OP_FWCFG] = "fwcfg",
};

static bool find_op(const char *word, u8 *op)
{
	u8 i;

	for (i = 0; i < NR_OPS; i++) {
		if (!strcmp(word, op_names[i])) {
			*op = i;
			return true;
		}
	}
	return false;
}

/* One of "a=1", "b=0x2", ... */
static bool take_field(struct insn *insn, const char *word)
{
	char *end;
	u64 value;

	if (!word[0] || word[1] != '=')
		return false;
	errno = 0;
	value = strtoull(word + 2, &end, 0);
	if (errno || *end || end == word + 2)
		return false;
	switch (word[0]) {
	case 'a':
		insn->a = (u8)value;
		return insn->a == value;
	case 'b':
		insn->b = (u16)value;
		return insn->b == value;
	case 'c':
		insn->c = (u32)value;
		return insn->c == value;
	case 'd':
		insn->d = value;
		return true;
	}
	return false;
}

/* "raw" and its bytes: what a data instruction copies. */
static bool take_raw(struct insn *insn, const char *hex)
{
	u8 *at = (u8 *)insn;
	unsigned int byte;
	size_t i;

	if (!hex || strlen(hex) > 2 * sizeof(*insn) || strlen(hex) % 2)
		return false;
	for (i = 0; hex[2 * i]; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return false;
		at[i] = (u8)byte;
	}
	return true;
}

/* Return: 1: an instruction; 0: an empty line; -1: neither. */
static int take_line(char *line, struct insn *insn)
{
	static const char space[] = " \t\n";
	char *save, *word;

	line[strcspn(line, "#")] = '\0';
	memset(insn, 0, sizeof(*insn));
	word = strtok_r(line, space, &save);
	if (!word)
		return 0;
	if (!strcmp(word, "raw"))
		return take_raw(insn, strtok_r(NULL, space, &save)) ? 1 : -1;
	if (!find_op(word, &insn->op))
		return -1;
	while ((word = strtok_r(NULL, space, &save)))
		if (!take_field(insn, word))
			return -1;
	return 1;
}

/* From text to a fuzzer's input. Return: 0, or 1 with the reason told. */
int prog_assemble(FILE *in, FILE *out, const char *name)
{
	struct insn insn;
	char line[256];
	int nr = 0, ret;

	while (fgets(line, sizeof(line), in)) {
		nr++;
		ret = take_line(line, &insn);
		if (ret < 0) {
			fprintf(stderr, "%s:%d: no instruction\n", name, nr);
			return 1;
		}
		if (ret && fwrite(&insn, sizeof(insn), 1, out) != 1) {
			perror(name);
			return 1;
		}
	}
	return 0;
}

/* What a data instruction copies is shown as what it would be otherwise. */
void prog_print(const struct insn *insn, size_t nr, FILE *out)
{
	for (; nr; nr--, insn++) {
		fprintf(out, "%s", op_names[insn->op % NR_OPS]);
		if (insn->a)
			fprintf(out, " a=%#x", insn->a);
		if (insn->b)
			fprintf(out, " b=%#x", insn->b);
		if (insn->c)
			fprintf(out, " c=%#" PRIx32, insn->c);
		if (insn->d)
			fprintf(out, " d=%#" PRIx64, insn->d);
		fprintf(out, "\n");
	}
}
