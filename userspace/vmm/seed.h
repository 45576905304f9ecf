/* SPDX-License-Identifier: GPL-2.0-only */
/* The disk that cloud-init finds its orders on. */
#ifndef VMM_SEED_H
#define VMM_SEED_H

#include "libjoist/types.h"

#define SEED_BYTES_MAX	(1U << 20)	/* of a file */
#define SEED_DISK	"(seed)"	/* no name that a disk can be given */

enum { SEED_USER_DATA, SEED_META_DATA, SEED_NETWORK_CONFIG, SEED_FILES };

/**
 * struct seed - what is on it
 * @data: bytes; NULL: there is no such file
 * @len: how many, at most SEED_BYTES_MAX
 */
struct seed {
	struct {
		char *data;
		size_t len;
	} file[SEED_FILES];
};

int seed_read(struct seed *seed, int file, int fd);
int seed_meta_data(struct seed *seed, const char *id, const char *host);
u64 seed_hash(const struct seed *seed);
int seed_write(const struct seed *seed, int fd);
int seed_memfd(const struct seed *seed);
void seed_free(struct seed *seed);

#endif
