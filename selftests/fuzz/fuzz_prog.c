// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz-prog asm TEXT INPUT, fuzz-prog print INPUT: programs to and from text.
 * fuzz-prog hex TEXT INPUT: bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "prog.h"

/* Lines of bytes; "at N": the next ones are there; "#": a comment. */
static int hex(FILE *in, FILE *out, const char *name)
{
	char line[256], *p, *end;
	int nr = 0;
	long byte;

	while (fgets(line, sizeof(line), in)) {
		nr++;
		line[strcspn(line, "#\n")] = '\0';
		if (!strncmp(line, "at ", 3)) {
			fseek(out, strtol(line + 3, NULL, 0), SEEK_SET);
			continue;
		}
		for (p = line; *(p += strspn(p, " \t")); p = end) {
			byte = strtol(p, &end, 16);
			if (end == p || byte < 0 || byte > 0xff) {
				fprintf(stderr, "%s:%d: no bytes\n", name, nr);
				return 1;
			}
			fputc((int)byte, out);
		}
	}
	return 0;
}

static int convert(int (*how)(FILE *in, FILE *out, const char *name), const char *from,
		   const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	int ret = 1;

	if (!in || !out)
		perror(in ? to : from);
	else
		ret = how(in, out, from);
	if (in)
		fclose(in);
	if (out && fclose(out)) {
		perror(to);
		ret = 1;
	}
	return ret;
}

static int print(const char *from)
{
	struct insn insn[INSNS_MAX];
	FILE *in = fopen(from, "r");
	size_t nr;

	if (!in) {
		perror(from);
		return 1;
	}
	nr = fread(insn, sizeof(insn[0]), INSNS_MAX, in);
	fclose(in);
	prog_print(insn, nr, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "asm"))
		return convert(prog_assemble, argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "hex"))
		return convert(hex, argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "print"))
		return print(argv[2]);
	fprintf(stderr, "usage: fuzz-prog asm|hex TEXT INPUT | fuzz-prog print INPUT\n");
	return 2;
}
