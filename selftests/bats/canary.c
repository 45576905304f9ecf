// SPDX-License-Identifier: GPL-2.0-only
/* canary MIB: memory that nobody else is to write: looked at when standard input ends. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t words = argc == 2 ? strtoul(argv[1], NULL, 10) * (1 << 20) / sizeof(uint64_t) : 0;
	uint64_t *memory = malloc(words * sizeof(*memory));
	size_t i, wrong = 0;
	char byte;

	if (!words || !memory)
		return 2;
	for (i = 0; i < words; i++)
		memory[i] = i ^ 0x5ca1ab1e0ddba11ULL;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (i = 0; i < words; i++)
		wrong += memory[i] != (i ^ 0x5ca1ab1e0ddba11ULL);
	printf("%zu words changed\n", wrong);
	return wrong != 0;
}
