// SPDX-License-Identifier: GPL-2.0-only
/*
 * One frame at a time. A link carries frames with the header that virtio has, so that
 * the guest's memory is read from and written to by the kernel, and nothing of a frame
 * is interpreted here but where it goes to.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "iov.h"
#include "net_frames.h"

static ssize_t link_write(int fd, const struct iovec *iov, int nr)
{
	ssize_t n;

	do {
		n = writev(fd, iov, nr);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t link_read(int fd, const struct iovec *iov, int nr)
{
	ssize_t n;

	do {
		n = readv(fd, iov, nr);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* No interface and no peer there: not just a frame that is refused. */
static bool link_gone(ssize_t err)
{
	return err == -EBADFD || err == -EPIPE || err == -ECONNRESET ||
	       err == -ENOTCONN;
}

/* The driver has no more buffers; is that so even if it had not been asked to tell? */
static enum net_step wait_for_guest(struct virtq *q)
{
	return queue_arm(q) ? NET_MORE : NET_EMPTY;
}

/**
 * net_transmit() - send the guest's next frame
 * @pair: its transmit queue is ready
 *
 * A frame that the link refuses is lost, as on a wire.
 *
 * Return: enum net_step.
 */
enum net_step net_transmit(struct net_pair *pair)
{
	struct chain *chain = &pair->chain;
	u64 len;
	ssize_t n;
	int ret;

	ret = queue_pop(pair->tx, chain);
	if (!ret)
		return wait_for_guest(pair->tx);
	if (ret < 0 || chain->nr_in)
		return NET_BROKEN;
	len = iov_total(chain->iov, chain->nr_out);
	if (len < NET_HDR_LEN)
		return NET_BROKEN;
	n = 0;
	if (pair->fd >= 0 && len >= NET_HDR_LEN + ETH_HLEN && len <= NET_FRAME_MAX)
		n = link_write(pair->fd, chain->iov, chain->nr_out);
	if (n == -EAGAIN) {
		queue_unpop(pair->tx, 1);
		return NET_BLOCKED;
	}
	queue_push(pair->tx, chain->head, 0);
	return link_gone(n) ? NET_GONE : NET_MORE;
}

static bool wanted(const struct net_pair *pair, const struct iovec *iov, int nr, size_t len)
{
	u8 head[NET_FILTER_LEN] = { 0 };

	if (len < NET_HDR_LEN + ETH_HLEN)
		return false;
	iov_get(iov, nr, NET_HDR_LEN, head, min(sizeof(head), len - NET_HDR_LEN));
	return net_filter_pass(pair->filter, head);
}

/* The next buffer for a frame. Return: as queue_pop(), or -EINVAL: it is none. */
static int next_buffer(struct net_pair *pair)
{
	int ret = queue_pop(pair->rx, &pair->chain);

	if (ret > 0 && pair->chain.nr_out)
		return -EINVAL;
	return ret;
}

/* Where the driver looks for how many buffers a frame has. Return: whether there is room. */
static bool find_count(const struct chain *chain, u8 *count[2])
{
	const size_t at = offsetof(struct virtio_net_hdr_v1, num_buffers);

	count[0] = iov_at(chain->iov, chain->nr_in, at);
	count[1] = iov_at(chain->iov, chain->nr_in, at + 1);
	return count[1];
}

static void set_count(u8 *count[2], u16 nr)
{
	*count[0] = (u8)nr;
	*count[1] = (u8)(nr >> 8);
}

/* Read a frame into the guest's next buffer; what exceeds it comes into @pair->frame. */
static enum net_step receive_direct(struct net_pair *pair)
{
	struct chain *chain = &pair->chain;
	struct iovec *iov = chain->iov;
	int ret = next_buffer(pair), nr;
	u8 *count[2];
	ssize_t n;
	u64 room;

	if (!ret)
		return wait_for_guest(pair->rx);
	if (ret < 0 || !find_count(chain, count))
		return NET_BROKEN;
	nr = chain->nr_in;
	room = iov_total(iov, nr);
	if (room < NET_FRAME_MAX)
		iov[nr++] = (struct iovec) {
			.iov_base = pair->frame + room,
			.iov_len = NET_FRAME_MAX - room,
		};
	n = link_read(pair->fd, iov, nr);
	if (n <= 0) {
		queue_unpop(pair->rx, 1);
		return n == -EAGAIN ? NET_BLOCKED : NET_GONE;
	}
	if (!wanted(pair, iov, nr, (size_t)n)) {
		queue_unpop(pair->rx, 1);
		return NET_MORE;
	}
	if ((u64)n <= room) {
		set_count(count, 1);
		queue_push(pair->rx, chain->head, (u32)n);
		return NET_MORE;
	}
	queue_unpop(pair->rx, 1);
	if (pair->mergeable) {
		iov_get(iov, nr, 0, pair->frame, room);
		pair->held = (size_t)n;
	}
	return NET_MORE;
}

/* The guest's queue ended in the middle of a frame, @nr buffers from its start. */
static enum net_step out_of_buffers(struct net_pair *pair, u16 nr)
{
	enum net_step step = wait_for_guest(pair->rx);

	queue_unpop(pair->rx, nr);
	if (nr < pair->rx->size)
		return step;
	/* All that there can be are not enough. */
	pair->held = 0;
	return NET_MORE;
}

/* Copy the frame we hold into as many buffers as it takes. */
static enum net_step receive_held(struct net_pair *pair)
{
	struct chain *chain = &pair->chain;
	u8 *count[2];
	size_t done = 0, n;
	u16 nr = 0;
	int ret;

	while (done < pair->held) {
		ret = next_buffer(pair);
		if (!ret)
			return out_of_buffers(pair, nr);
		if (ret < 0)
			return NET_BROKEN;
		if (!nr && !find_count(chain, count))
			return NET_BROKEN;
		n = iov_put(chain->iov, chain->nr_in, pair->frame + done,
			    pair->held - done);
		if (!n)
			return NET_BROKEN;
		queue_fill(pair->rx, nr++, chain->head, (u32)n);
		done += n;
	}
	set_count(count, nr);
	queue_commit(pair->rx, nr);
	pair->held = 0;
	return NET_MORE;
}

/**
 * net_receive() - give the guest the link's next frame
 * @pair: its receive queue is ready
 *
 * Without buffers the link waits; what the filter refuses is dropped.
 *
 * Return: enum net_step.
 */
enum net_step net_receive(struct net_pair *pair)
{
	if (pair->held)
		return receive_held(pair);
	if (pair->fd < 0)
		return NET_GONE;
	return receive_direct(pair);
}
