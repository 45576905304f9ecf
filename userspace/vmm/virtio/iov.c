// SPDX-License-Identifier: GPL-2.0-only
/* Lists of pieces: virtio leaves it to the driver where one piece ends. */
#include <string.h>

#include "iov.h"

/* Take @len bytes off the front of a list of pieces. Return: whether they were there. */
bool iov_pull(struct iovec **iov, int *nr, void *data, size_t len)
{
	while (len && *nr) {
		size_t n = min(len, (*iov)->iov_len);

		memcpy(data, (*iov)->iov_base, n);
		data = (u8 *)data + n;
		len -= n;
		(*iov)->iov_base = (u8 *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
		if (!(*iov)->iov_len) {
			(*iov)++;
			(*nr)--;
		}
	}
	return !len;
}

/* Take the last byte off the end of a list. Return: where it is, or NULL. */
u8 *iov_pull_last(struct iovec *iov, int *nr)
{
	while (*nr && !iov[*nr - 1].iov_len)
		(*nr)--;
	if (!*nr)
		return NULL;
	return (u8 *)iov[*nr - 1].iov_base + --iov[*nr - 1].iov_len;
}

u64 iov_total(const struct iovec *iov, int nr)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < nr; i++)
		sum += iov[i].iov_len;
	return sum;
}

/* Return: where byte @offset of a list is, or NULL. */
u8 *iov_at(const struct iovec *iov, int nr, size_t offset)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (offset < iov[i].iov_len)
			return (u8 *)iov[i].iov_base + offset;
		offset -= iov[i].iov_len;
	}
	return NULL;
}

/* Copy to the front of a list. Return: how many bytes it had room for. */
size_t iov_put(const struct iovec *iov, int nr, const void *data, size_t len)
{
	size_t done = 0, n;
	int i;

	for (i = 0; i < nr && done < len; i++) {
		n = min(len - done, iov[i].iov_len);
		memcpy(iov[i].iov_base, (const u8 *)data + done, n);
		done += n;
	}
	return done;
}

/* Copy from byte @offset of a list on. Return: how many bytes there were, up to @len. */
size_t iov_get(const struct iovec *iov, int nr, size_t offset, void *data, size_t len)
{
	size_t done = 0, n;
	int i;

	for (i = 0; i < nr && done < len; i++) {
		if (offset >= iov[i].iov_len) {
			offset -= iov[i].iov_len;
			continue;
		}
		n = min(len - done, iov[i].iov_len - offset);
		memcpy((u8 *)data + done, (u8 *)iov[i].iov_base + offset, n);
		done += n;
		offset = 0;
	}
	return done;
}
