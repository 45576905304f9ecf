// SPDX-License-Identifier: GPL-2.0-only
/* libjoist's reading of the module's netlink messages. */
#include <stdlib.h>
#include <string.h>

#include <netlink/genl/genl.h>

#include "libjoist/netlink_parse.h"
#include "wrap.h"

/* What a string points to is looked at: to its end it must be the message's. */
static void touch(const char *s)
{
	if (s && strlen(s) == SIZE_MAX)
		abort();
}

static void parse_vcpu(struct nlmsghdr *hdr)
{
	static struct joist_nl_room room;
	struct joist_nl_vcpu vcpu;
	int i;

	if (joist_nl_parse_vcpu(hdr, &vcpu, &room))
		return;
	for (i = 0; i < (int)vcpu.nr_counters; i++)
		touch(vcpu.counters[i].name);
}

static void parse_host(struct nlmsghdr *hdr)
{
	struct joist_nl_host host;
	int i;

	if (joist_nl_parse_host(hdr, &host))
		return;
	touch(host.vendor);
	touch(host.version);
	for (i = 0; i < (int)host.nr_features; i++)
		touch(host.features[i]);
}

/* The attributes are the input; the headers, which libnl makes sure of, are right. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t len = NLMSG_HDRLEN + GENL_HDRLEN + size;
	struct nlmsghdr *hdr = calloc(1, len);
	struct joist_nl_device device;
	struct joist_nl_slot slot;
	enum joist_cause cause;
	struct joist_nl_vm vm;
	u32 i;

	hdr->nlmsg_len = (u32)len;
	memcpy((u8 *)hdr + NLMSG_HDRLEN + GENL_HDRLEN, data, size);
	if (!joist_nl_parse_vm(hdr, &vm, &cause)) {
		touch(vm.name);
		touch(vm.fault.report);
	}
	parse_vcpu(hdr);
	joist_nl_parse_slot(hdr, &slot);
	if (!joist_nl_parse_device(hdr, &device, &vm)) {
		touch(device.kind);
		for (i = 0; i < device.nr_pci; i++)
			touch(device.pci[i]);
	}
	parse_host(hdr);
	free(hdr);
	return 0;
}
