// SPDX-License-Identifier: GPL-2.0-only
/* What the guest asks of a disk (virtio 1.2, chapter 5.2.6): checked, and translated. */
#include <errno.h>
#include <string.h>

#include "blk_queue.h"
#include "iov.h"

/* Return: whether the disk has these sectors. */
static bool on_disk(const struct virtio_blk *blk, u64 sector, u64 sectors)
{
	u64 capacity = disk_size(&blk->disk) / SECTOR_SIZE;

	return sector <= capacity && sectors <= capacity - sector;
}

static enum blk_step answer(struct blk_req *req, u8 code)
{
	req->code = code;
	return BLK_ANSWER;
}

static enum blk_step transfer(const struct virtio_blk *blk, struct blk_req *req,
			      enum aio_op op, struct iovec *iov, int nr, u64 sector)
{
	u64 len = iov_total(iov, nr);

	if (len % blk->disk.block || (sector * SECTOR_SIZE) % blk->disk.block ||
	    !on_disk(blk, sector, len / SECTOR_SIZE) ||
	    (op == AIO_WRITE && blk->disk.readonly))
		return answer(req, VIRTIO_BLK_S_IOERR);
	if (!len)
		return answer(req, VIRTIO_BLK_S_OK);
	req->aio.op = op;
	req->aio.iov = iov;
	req->aio.nr = nr;
	req->aio.offset = sector * SECTOR_SIZE;
	req->aio.len = len;
	req->written = op == AIO_READ ? (u32)len : 0;
	return BLK_START;
}

/* One range a request: what we said we take. */
static enum blk_step give_back(const struct virtio_blk *blk, struct blk_req *req, u32 type,
			       const struct iovec *iov, int nr)
{
	struct virtio_blk_discard_write_zeroes range;
	bool unmap;

	if (!blk->disk.can_discard)
		return answer(req, VIRTIO_BLK_S_UNSUPP);
	if (iov_total(iov, nr) != sizeof(range))
		return answer(req, VIRTIO_BLK_S_IOERR);
	iov_get(iov, nr, 0, &range, sizeof(range));
	unmap = range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	if ((range.flags & ~VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP) ||
	    (unmap && type == VIRTIO_BLK_T_DISCARD))
		return answer(req, VIRTIO_BLK_S_UNSUPP);
	if (range.num_sectors > BLK_DISCARD_MAX ||
	    !on_disk(blk, range.sector, range.num_sectors))
		return answer(req, VIRTIO_BLK_S_IOERR);
	if (!range.num_sectors)
		return answer(req, VIRTIO_BLK_S_OK);
	/* A hole reads as zeroes, so it does for both. */
	req->aio.op = type == VIRTIO_BLK_T_DISCARD || unmap ? AIO_DISCARD : AIO_ZERO;
	req->aio.offset = range.sector * SECTOR_SIZE;
	req->aio.len = (u64)range.num_sectors * SECTOR_SIZE;
	return BLK_START;
}

static enum blk_step get_id(const struct virtio_blk *blk, struct blk_req *req,
			    const struct iovec *iov, int nr)
{
	if (iov_total(iov, nr) < sizeof(blk->serial))
		return answer(req, VIRTIO_BLK_S_IOERR);
	req->written = (u32)iov_put(iov, nr, blk->serial, sizeof(blk->serial));
	return answer(req, VIRTIO_BLK_S_OK);
}

/**
 * blk_understand() - what a request asks for
 * @blk: disk
 * @req: its chain was popped; the rest is filled in
 *
 * Return: BLK_BROKEN: it has no header or status; BLK_ANSWER: its code is set;
 * BLK_START: @req->aio is to be done.
 */
enum blk_step blk_understand(struct virtio_blk *blk, struct blk_req *req)
{
	struct chain *chain = &req->chain;
	struct iovec *out = chain->iov;
	struct iovec *in = chain->iov + chain->nr_out;
	struct virtio_blk_outhdr hdr;

	req->written = 0;
	req->aio.len = 0;
	req->status = iov_pull_last(in, &chain->nr_in);
	if (!req->status || !iov_pull(&out, &chain->nr_out, &hdr, sizeof(hdr)))
		return BLK_BROKEN;
	if (__atomic_load_n(&blk->dead, __ATOMIC_RELAXED))
		return answer(req, VIRTIO_BLK_S_IOERR);
	switch (hdr.type) {
	case VIRTIO_BLK_T_IN:
		return transfer(blk, req, AIO_READ, in, chain->nr_in, hdr.sector);
	case VIRTIO_BLK_T_OUT:
		return transfer(blk, req, AIO_WRITE, out, chain->nr_out, hdr.sector);
	case VIRTIO_BLK_T_FLUSH:
		if (!blk->disk.can_flush)
			return answer(req, VIRTIO_BLK_S_OK);
		req->aio.op = AIO_FLUSH;
		return BLK_START;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return give_back(blk, req, hdr.type, out, chain->nr_out);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(blk, req, in, chain->nr_in);
	default:
		return answer(req, VIRTIO_BLK_S_UNSUPP);
	}
}

/**
 * blk_result() - how a request went
 * @req: its @aio is done
 *
 * Return: VIRTIO_BLK_S_*.
 */
u8 blk_result(struct blk_req *req)
{
	int err = req->aio.error;
	bool gives_back = req->aio.op == AIO_DISCARD || req->aio.op == AIO_ZERO;

	if (!err)
		return VIRTIO_BLK_S_OK;
	req->written = 0;
	/* The guest then writes zeroes itself. */
	return gives_back && err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP :
								      VIRTIO_BLK_S_IOERR;
}
