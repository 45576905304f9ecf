// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel is asked of virtual functions that are networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "vmd/net/rtnl.h"
#include "vmd/net/vf.h"

static const u8 mac[] = { 2, 0, 0, 0, 0, 0x42 };

static struct nlattr *info_of(struct nl_msg *msg, struct nlattr **tb)
{
	struct nlattr *link[IFLA_MAX + 1], *list[IFLA_VF_INFO_MAX + 1];
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct ifinfomsg *ifi = nlmsg_data(hdr);

	assert_int_equal(hdr->nlmsg_type, RTM_SETLINK);
	assert_true(hdr->nlmsg_flags & NLM_F_REQUEST);
	assert_int_equal(ifi->ifi_index, 7);
	assert_int_equal(nlmsg_parse(hdr, sizeof(*ifi), link, IFLA_MAX, NULL), 0);
	assert_non_null(link[IFLA_VFINFO_LIST]);
	assert_int_equal(nla_parse_nested(list, IFLA_VF_INFO_MAX, link[IFLA_VFINFO_LIST], NULL), 0);
	assert_non_null(list[IFLA_VF_INFO]);
	assert_int_equal(nla_parse_nested(tb, IFLA_VF_MAX, list[IFLA_VF_INFO], NULL), 0);
	return list[IFLA_VF_INFO];
}

static void both(void **state)
{
	struct nl_msg *msg = vf_message(7, 3, mac, 42);
	struct nlattr *tb[IFLA_VF_MAX + 1];
	struct ifla_vf_vlan *vlan;
	struct ifla_vf_mac *m;

	(void)state;
	info_of(msg, tb);
	assert_non_null(tb[IFLA_VF_MAC]);
	assert_int_equal(nla_len(tb[IFLA_VF_MAC]), sizeof(*m));
	m = nla_data(tb[IFLA_VF_MAC]);
	assert_int_equal(m->vf, 3);
	assert_memory_equal(m->mac, mac, 6);
	assert_int_equal(m->mac[6], 0);
	assert_non_null(tb[IFLA_VF_VLAN]);
	assert_int_equal(nla_len(tb[IFLA_VF_VLAN]), sizeof(*vlan));
	vlan = nla_data(tb[IFLA_VF_VLAN]);
	assert_int_equal(vlan->vf, 3);
	assert_int_equal(vlan->vlan, 42);
	assert_int_equal(vlan->qos, 0);
	nlmsg_free(msg);
}

static void one_of_them(void **state)
{
	struct nlattr *tb[IFLA_VF_MAX + 1];
	struct nl_msg *msg = vf_message(7, 0, NULL, 0);

	(void)state;
	info_of(msg, tb);
	assert_null(tb[IFLA_VF_MAC]);
	assert_non_null(tb[IFLA_VF_VLAN]);
	nlmsg_free(msg);
	msg = vf_message(7, 0, mac, -1);
	info_of(msg, tb);
	assert_non_null(tb[IFLA_VF_MAC]);
	assert_null(tb[IFLA_VF_VLAN]);
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both), cmocka_unit_test(one_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
