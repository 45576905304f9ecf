// SPDX-License-Identifier: GPL-2.0-only
/* First process of a guest whose boot is measured: says so and powers off, or stays. */
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	puts("guest: userspace");
	fflush(stdout);
	while (argc > 1 && !strcmp(argv[1], "stay"))
		pause();
	reboot(RB_POWER_OFF);
	return 1;
}
