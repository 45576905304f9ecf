// SPDX-License-Identifier: GPL-2.0-only
/* The guest's figures of its memory (virtio 1.2, 5.5.6.3): a list of tags and values. Pure. */
#include <assert.h>
#include <linux/virtio_balloon.h>
#include <string.h>

#include "balloon_stats.h"
#include "iov.h"

#define ENTRIES_MAX	64	/* looked at: more than there are tags, for those to come */

static_assert(sizeof(struct virtio_balloon_stat) == 10, "as the guest lays it out");

/**
 * balloon_stats_take() - read a list
 * @stats: filled in: what was known before is forgotten
 * @iov: the list; its memory is the guest's, and read once
 * @nr: pieces
 *
 * Tags that nobody knows are skipped, as is half an entry at the end; of a tag that comes
 * twice the later value counts.
 */
void balloon_stats_take(struct balloon_stats *stats, const struct iovec *iov, int nr)
{
	struct virtio_balloon_stat entry[ENTRIES_MAX];
	size_t len, i;

	memset(stats, 0, sizeof(*stats));
	len = iov_get(iov, nr, 0, entry, sizeof(entry));
	for (i = 0; i < len / sizeof(entry[0]); i++) {
		if (entry[i].tag >= BALLOON_STATS)
			continue;
		stats->known |= BIT(entry[i].tag);
		stats->value[entry[i].tag] = entry[i].val;
	}
}
