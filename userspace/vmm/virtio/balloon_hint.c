// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free-page hinting (virtio 1.2, 5.5.6.4): a run has a number, which the driver sends before the
 * pages that it hints, and VIRTIO_BALLOON_CMD_ID_STOP behind them. Pure.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_balloon.h>

#include "balloon_hint.h"
#include "iov.h"

/* Return: the number that the guest is to be told. */
u32 balloon_hint_begin(struct balloon_hint *hint)
{
	/* The first two are words. */
	do
		hint->id++;
	while (hint->id <= VIRTIO_BALLOON_CMD_ID_DONE);
	hint->running = true;
	hint->taking = false;
	hint->bytes = 0;
	return hint->id;
}

void balloon_hint_end(struct balloon_hint *hint)
{
	hint->running = false;
	hint->taking = false;
}

/* Return: whether the run is over with it. */
static bool take_id(struct balloon_hint *hint, u32 id)
{
	bool over = hint->taking && id == VIRTIO_BALLOON_CMD_ID_STOP;

	hint->taking = hint->running && id == hint->id;
	return over;
}

/**
 * balloon_hint_take() - a request of the driver's
 * @hint: the run
 * @iov: its pieces, of guest memory
 * @nr_out: of them a number, if any
 * @nr_in: of them free memory, the last ones
 * @most: bytes of it that one request may have
 * @give_up: gives memory to the host, and returns how much
 * @ctx: for it
 *
 * Memory of no run, or of one that is over, is left alone.
 *
 * Return: 0; 1: the guest has hinted all that it has to; -EINVAL: against the rules.
 */
int balloon_hint_take(struct balloon_hint *hint, const struct iovec *iov, int nr_out, int nr_in,
		      u64 most, u64 (*give_up)(void *ctx, void *hva, u64 len), void *ctx)
{
	bool over = false;
	__le32 id;
	int i;

	if (nr_out) {
		if (iov_total(iov, nr_out) != sizeof(id))
			return -EINVAL;
		iov_get(iov, nr_out, 0, &id, sizeof(id));
		over = take_id(hint, le32toh(id));
	}
	if (iov_total(iov + nr_out, nr_in) > most)
		return -EINVAL;
	for (i = nr_out; hint->taking && i < nr_out + nr_in; i++)
		hint->bytes += give_up(ctx, iov[i].iov_base, iov[i].iov_len);
	return over;
}
