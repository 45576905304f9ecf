// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz-prog asm TEXT INPUT, fuzz-prog print INPUT: programs to and from text.
 * fuzz-prog hex TEXT INPUT: bytes. fuzz-prog lines TEXT DIR: an input for each line.
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

/* "\\n", "\\0", "\\x41" and the like in @line, as bytes. Return: how many. */
static size_t unescape(char *line)
{
	char *from = line, *to = line;
	unsigned int byte;

	while (*from) {
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from += 2;
		} else if (from[0] == '\\' && sscanf(from + 1, "x%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	return (size_t)(to - line);
}

static int lines(const char *from, const char *dir)
{
	FILE *in = fopen(from, "r"), *out;
	char line[4096], name[4096];
	size_t len;
	int nr = 0;

	while (in && fgets(line, sizeof(line), in)) {
		nr++;
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		snprintf(name, sizeof(name), "%s/line%d", dir, nr);
		out = fopen(name, "w");
		len = unescape(line);
		if (!out || fwrite(line, 1, len, out) != len || fclose(out)) {
			perror(name);
			return 1;
		}
	}
	if (!in)
		perror(from);
	else
		fclose(in);
	return !in;
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
	if (argc == 4 && !strcmp(argv[1], "lines"))
		return lines(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "print"))
		return print(argv[2]);
	fprintf(stderr, "usage: fuzz-prog asm|hex TEXT INPUT | lines TEXT DIR | print INPUT\n");
	return 2;
}
