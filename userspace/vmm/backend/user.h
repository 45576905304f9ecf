/* SPDX-License-Identifier: GPL-2.0-only */
/* The program of the user-mode network, for those who start it. */
#ifndef VMM_BACKEND_USER_H
#define VMM_BACKEND_USER_H

#include "../vmm.h"

/**
 * struct user_args - its command line
 * @argv: ends with NULL
 */
struct user_args {
	char mtu[16];
	const char *argv[3 + 2 * VMM_FORWARDS_MAX + 1];
};

bool user_program(char *path, size_t size);
int user_await(int fd);
void user_args(struct user_args *args, const struct vmm_net *config);

#endif
