// SPDX-License-Identifier: GPL-2.0-only
/*
 * Against spoofing: a classic BPF program that a guest's frames must pass. It returns 0
 * for those that are not to; and so it does where a frame ends before what it looks for.
 * Pure: no system call here.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>

#include "guard.h"

#define PASS		0xffffffffU
#define DROP		0
#define AT_SOURCE	6
#define AT_TYPE		12
#define AT_PAYLOAD	14
#define ARP_ETHERNET_IP	0x00010800U
#define ARP_LENGTHS	0x0604
#define AT_ARP_LENGTHS	(AT_PAYLOAD + 4)
#define AT_ARP_MAC	(AT_PAYLOAD + 8)
#define AT_ARP_IP	(AT_PAYLOAD + 14)
#define AT_IP4_PROTO	(AT_PAYLOAD + 9)
#define AT_IP4_SOURCE	(AT_PAYLOAD + 12)
#define AT_IP6_NEXT	(AT_PAYLOAD + 6)
#define AT_IP6_SOURCE	(AT_PAYLOAD + 8)
#define AT_ICMP6	(AT_PAYLOAD + 40)
#define AT_NA_TARGET	(AT_ICMP6 + 8)
#define ICMP6_NA	136
#define PROTO_UDP	17
#define PROTO_ICMP6	58
#define PORT_DHCP	67
#define LINK_LOCAL	0xfe800000U
#define LINK_LOCAL_BITS	0xffc00000U

/**
 * struct program - what is made
 * @insns: room for GUARD_INSNS_MAX
 */
struct program {
	struct sock_filter *insns;
	int nr;
};

static void put(struct program *p, u16 code, u32 k, u8 jt, u8 jf)
{
	if (p->nr < GUARD_INSNS_MAX)
		p->insns[p->nr++] = (struct sock_filter) { code, jt, jf, k };
}

static void load32(struct program *p, u32 at)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

static void load16(struct program *p, u32 at)
{
	put(p, BPF_LD | BPF_H | BPF_ABS, at, 0, 0);
}

static void answer(struct program *p, u32 with)
{
	put(p, BPF_RET | BPF_K, with, 0, 0);
}

/* Else it is dropped. */
static void must_be(struct program *p, u32 value)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	answer(p, DROP);
}

/* If it is not that, go to where skip_end() is. */
static int skip_unless(struct program *p, u32 value)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	put(p, BPF_JMP | BPF_JA, 0, 0, 0);
	return p->nr - 1;
}

static void skip_end(struct program *p, int from)
{
	p->insns[from].k = (u32)(p->nr - from - 1);
}

static u32 be32(const u8 *at)
{
	u32 value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

static void must_be_mac(struct program *p, u32 at, const u8 *mac)
{
	load32(p, at);
	must_be(p, be32(mac));
	load16(p, at + 4);
	must_be(p, (u32)mac[4] << 8 | mac[5]);
}

/* Pass if what lies there is among the prefixes; if not, go on. */
static void pass_prefix(struct program *p, u32 at, const struct ip_prefix *ip)
{
	int words = ip->family == AF_INET ? 1 : 4, skip[4], nr = 0, i, bits;

	for (i = 0; i < words; i++) {
		bits = ip->bits - 32 * i;
		if (bits <= 0)
			break;
		load32(p, at + 4 * (u32)i);
		if (bits < 32)
			put(p, BPF_ALU | BPF_AND | BPF_K, ~0U << (32 - bits), 0, 0);
		skip[nr++] = skip_unless(p, be32(ip->addr + 4 * i) &
					 (bits < 32 ? ~0U << (32 - bits) : ~0U));
	}
	answer(p, PASS);
	while (nr)
		skip_end(p, skip[--nr]);
}

static int pass_listed(struct program *p, u32 at, const struct interface *nic, u8 family)
{
	int i, nr = 0;

	for (i = 0; i < nic->nr_ips; i++) {
		if (nic->ip[i].family != family)
			continue;
		pass_prefix(p, at, &nic->ip[i]);
		nr++;
	}
	return nr;
}

static void check_arp(struct program *p, const struct interface *nic, const u8 *mac)
{
	int skip;

	load16(p, AT_TYPE);
	skip = skip_unless(p, ETH_P_ARP);
	load32(p, AT_PAYLOAD);
	must_be(p, ARP_ETHERNET_IP);
	load16(p, AT_ARP_LENGTHS);
	must_be(p, ARP_LENGTHS);
	if (nic->mac_check)
		must_be_mac(p, AT_ARP_MAC, mac);
	pass_listed(p, AT_ARP_IP, nic, AF_INET);
	load32(p, AT_ARP_IP);
	/* Is an address free? Nobody is taken in by the question. */
	if (nic->nr_ips)
		must_be(p, 0);
	answer(p, PASS);
	skip_end(p, skip);
}

static void check_ip4(struct program *p, const struct interface *nic)
{
	int skip;

	load16(p, AT_TYPE);
	skip = skip_unless(p, ETH_P_IP);
	pass_listed(p, AT_IP4_SOURCE, nic, AF_INET);
	/* Who has no address yet asks for one. */
	load32(p, AT_IP4_SOURCE);
	must_be(p, 0);
	put(p, BPF_LD | BPF_B | BPF_ABS, AT_IP4_PROTO, 0, 0);
	must_be(p, PROTO_UDP);
	put(p, BPF_LDX | BPF_B | BPF_MSH, AT_PAYLOAD, 0, 0);
	put(p, BPF_LD | BPF_H | BPF_IND, AT_PAYLOAD + 2, 0, 0);
	must_be(p, PORT_DHCP);
	answer(p, PASS);
	skip_end(p, skip);
}

static bool has_ip6(const struct interface *nic)
{
	int i;

	for (i = 0; i < nic->nr_ips; i++)
		if (nic->ip[i].family == AF_INET6)
			return true;
	return false;
}

static void pass_link_local(struct program *p, u32 at)
{
	int skip;

	load32(p, at);
	put(p, BPF_ALU | BPF_AND | BPF_K, LINK_LOCAL_BITS, 0, 0);
	skip = skip_unless(p, LINK_LOCAL);
	answer(p, PASS);
	skip_end(p, skip);
}

/* An advertisement is for what it says it is for, whoever sends it. */
static void check_neighbour(struct program *p, const struct interface *nic)
{
	int proto, type;

	put(p, BPF_LD | BPF_B | BPF_ABS, AT_IP6_NEXT, 0, 0);
	proto = skip_unless(p, PROTO_ICMP6);
	put(p, BPF_LD | BPF_B | BPF_ABS, AT_ICMP6, 0, 0);
	type = skip_unless(p, ICMP6_NA);
	pass_listed(p, AT_NA_TARGET, nic, AF_INET6);
	pass_link_local(p, AT_NA_TARGET);
	answer(p, DROP);
	skip_end(p, type);
	skip_end(p, proto);
}

static void check_ip6(struct program *p, const struct interface *nic)
{
	int skip, i;

	load16(p, AT_TYPE);
	skip = skip_unless(p, ETH_P_IPV6);
	check_neighbour(p, nic);
	pass_listed(p, AT_IP6_SOURCE, nic, AF_INET6);
	pass_link_local(p, AT_IP6_SOURCE);
	/* Who has no address yet asks whether one is free. */
	for (i = 0; i < 4; i++) {
		load32(p, AT_IP6_SOURCE + 4 * (u32)i);
		must_be(p, 0);
	}
	answer(p, PASS);
	skip_end(p, skip);
}

/**
 * guard_program() - the program for an interface
 * @insns: filled in; room for GUARD_INSNS_MAX
 * @nic: mac_check and ip say what is checked
 * @mac: its address
 *
 * Return: how many instructions; 0: there is nothing to be checked.
 */
int guard_program(struct sock_filter *insns, const struct interface *nic, const u8 *mac)
{
	struct program p = { insns, 0 };

	if (!nic->mac_check && !nic->nr_ips)
		return 0;
	if (nic->mac_check)
		must_be_mac(&p, AT_SOURCE, mac);
	check_arp(&p, nic, mac);
	if (nic->nr_ips) {
		check_ip4(&p, nic);
		if (has_ip6(nic))
			check_ip6(&p, nic);
		/* Nothing else has an address that could be checked. */
		answer(&p, DROP);
	} else {
		answer(&p, PASS);
	}
	return p.nr;
}
