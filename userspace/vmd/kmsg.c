// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's log, read for what it says of blocked DMA. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hostdev/fault.h"
#include "loop.h"
#include "passthrough.h"

#define RECORDS_AT_ONCE	64	/* a storm of them is not to keep the daemon from its work */

static struct watch watch;

static void on_record(struct watch *w, u32 events)
{
	struct dma_fault fault;
	char record[1024], *text;
	ssize_t n;
	int i;

	(void)events;
	for (i = 0; i < RECORDS_AT_ONCE; i++) {
		n = read(w->fd, record, sizeof(record) - 1);
		/* Records that were overwritten before they were read, or do not fit. */
		if (n < 0 && (errno == EPIPE || errno == EINVAL || errno == EINTR))
			continue;
		if (n <= 0)
			return;
		record[n] = '\0';
		/* "priority,sequence,time,flags;text" */
		text = strchr(record, ';');
		if (text && dma_fault_parse(text + 1, &fault))
			passthrough_fault(&fault);
	}
}

/* Who reads it must be allowed to when it is opened. What was said before is nobody's. */
void kmsg_init(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		say("cannot read /dev/kmsg (%s): DMA that is blocked will not be told of",
		    strerror(errno));
		return;
	}
	lseek(fd, 0, SEEK_END);
	if (watch_add(&watch, fd, EPOLLIN, on_record))
		close(fd);
}
