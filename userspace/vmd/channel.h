/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages between the daemon's own processes: JSON with descriptors, SOCK_SEQPACKET. */
#ifndef VMD_CHANNEL_H
#define VMD_CHANNEL_H

#include "loop.h"

#define MSG_SIZE_MAX	(128 << 10)
#define MSG_FDS_MAX	128	/* what a VM with all disks and queues comes with */
#define MSG_QUEUE_MAX	8192

struct json_object;
struct queued;

/**
 * struct fd_list - descriptors on their way
 * @fd: below 0: it has been taken
 */
struct fd_list {
	int nr;
	int fd[MSG_FDS_MAX];
};

/**
 * struct msg - one that arrived
 * @json: an object
 * @fds: what came with it; those that are left afterwards are closed
 */
struct msg {
	struct json_object *json;
	struct fd_list fds;
};

/**
 * struct channel - one end
 * @receive: called for each message
 * @closed: the other end is gone, or did not keep to the rules
 */
struct channel {
	struct watch watch;
	void (*receive)(struct channel *ch, struct msg *msg);
	void (*closed)(struct channel *ch);
	struct queued *head, **tail;
	unsigned int nr_queued;
};

int channel_open(struct channel *ch, int fd,
		 void (*receive)(struct channel *ch, struct msg *msg),
		 void (*closed)(struct channel *ch));
void channel_close(struct channel *ch);
void channel_send(struct channel *ch, struct json_object *json, int fd);
void channel_send_fds(struct channel *ch, struct json_object *json, struct fd_list *fds);

int msg_write(int sock, const void *data, size_t len, const int *fds, int nr);
ssize_t msg_read(int sock, void *data, size_t len, int *fds, int *nr);
int msg_take_fd(struct msg *msg, int i);

void fds_close(struct fd_list *fds);

#endif
