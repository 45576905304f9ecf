// SPDX-License-Identifier: GPL-2.0-only
/* What a guest may send: the program, run by the kernel as a socket's filter. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmd/definition.h"
#include "vmd/net/guard.h"

static const u8 mac[] = { 2, 0, 0, 0, 0, 1 }, other[] = { 2, 0, 0, 0, 0, 0x66 };
static struct interface nic;
static int pair[2];

static void guard(bool mac_check, const char *const *ips)
{
	static struct sock_filter insns[GUARD_INSNS_MAX];
	struct sock_fprog prog = { .filter = insns };
	struct complaint c;

	interface_free(&nic);
	assert_int_equal(interface_init(&nic, "eth0", &c), 0);
	nic.mac_check = mac_check;
	for (; *ips; ips++)
		assert_int_equal(interface_set(&nic, "ip", *ips, &c), 0);
	prog.len = (unsigned short)guard_program(insns, &nic, mac);
	assert_int_not_equal(prog.len, 0);
	assert_true(prog.len < GUARD_INSNS_MAX);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				    sizeof(prog)), 0);
}

/* Does the whole of it pass? */
static bool passes(const u8 *frame, size_t len)
{
	u8 got[2048];
	ssize_t n;

	assert_int_equal(send(pair[0], frame, len, 0), len);
	n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
	assert_true(n < 0 || (size_t)n == len);
	return n > 0;
}

static size_t arp(u8 *frame, const u8 *source, const u8 *sender, const char *ip)
{
	static const u8 head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(frame, 0, 42);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, source, 6);
	memcpy(frame + 12, head, sizeof(head));
	memcpy(frame + 22, sender, 6);
	inet_pton(AF_INET, ip, frame + 28);
	return 42;
}

static size_t ip4(u8 *frame, const char *source, u8 proto, u16 port)
{
	static const u8 head[] = { 8, 0, 0x46 };

	memset(frame, 0, 80);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, head, sizeof(head));
	frame[23] = proto;
	inet_pton(AF_INET, source, frame + 26);
	/* Its header has options. */
	frame[14 + 24 + 2] = (u8)(port >> 8);
	frame[14 + 24 + 3] = (u8)port;
	return 80;
}

static size_t ip6(u8 *frame, const char *source, u8 next, u8 type, const char *target)
{
	static const u8 head[] = { 0x86, 0xdd, 0x60 };

	memset(frame, 0, 90);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, head, sizeof(head));
	frame[20] = next;
	inet_pton(AF_INET6, source, frame + 22);
	frame[54] = type;
	inet_pton(AF_INET6, target, frame + 62);
	return 90;
}

static void test_mac(void **state)
{
	u8 frame[128];
	size_t i;

	guard(true, (const char *[]) { NULL });
	assert_true(passes(frame, ip4(frame, "1.2.3.4", 6, 0)));
	for (i = 0; i < 6; i++) {
		ip4(frame, "1.2.3.4", 6, 0);
		frame[6 + i] ^= 4;
		assert_false(passes(frame, 80));
	}
	assert_true(passes(frame, arp(frame, mac, mac, "1.2.3.4")));
	assert_false(passes(frame, arp(frame, mac, other, "1.2.3.4")));
	assert_false(passes(frame, arp(frame, other, mac, "1.2.3.4")));
	/* Cut off, of another kind, of other lengths */
	arp(frame, mac, mac, "1.2.3.4");
	for (i = 14; i < 32; i++)
		assert_false(passes(frame, i));
	frame[15] = 6;
	assert_false(passes(frame, 42));
	frame[15] = 1;
	frame[18] = 8;
	assert_false(passes(frame, 42));
}

static void test_ip(void **state)
{
	u8 frame[128];

	guard(true, (const char *[]) { "10.0.0.5", "10.1.0.0/16", NULL });
	assert_true(passes(frame, ip4(frame, "10.0.0.5", 6, 0)));
	assert_true(passes(frame, ip4(frame, "10.1.77.5", 17, 53)));
	assert_false(passes(frame, ip4(frame, "10.0.0.6", 6, 0)));
	assert_false(passes(frame, ip4(frame, "10.2.0.0", 6, 0)));
	/* DHCP's question, and nothing else without an address */
	assert_true(passes(frame, ip4(frame, "0.0.0.0", 17, 67)));
	assert_false(passes(frame, ip4(frame, "0.0.0.0", 17, 68)));
	assert_false(passes(frame, ip4(frame, "0.0.0.0", 6, 67)));
	assert_true(passes(frame, arp(frame, mac, mac, "10.0.0.5")));
	assert_true(passes(frame, arp(frame, mac, mac, "0.0.0.0")));
	assert_false(passes(frame, arp(frame, mac, mac, "10.0.0.1")));
	assert_false(passes(frame, arp(frame, mac, other, "10.0.0.5")));
	/* Without addresses of IPv6 there is none; nor anything else. */
	assert_false(passes(frame, ip6(frame, "fe80::1", 6, 0, "::")));
	ip4(frame, "10.0.0.5", 6, 0);
	frame[12] = 0x88;
	assert_false(passes(frame, 80));
	/* Inside of a second tag it would be somebody else's again. */
	frame[12] = 0x81;
	assert_false(passes(frame, 80));
	guard(false, (const char *[]) { "10.0.0.5", NULL });
	assert_true(passes(frame, arp(frame, other, other, "10.0.0.5")));
	assert_false(passes(frame, arp(frame, other, other, "10.0.0.6")));
}

static void test_ip6(void **state)
{
	u8 frame[128];

	guard(true, (const char *[]) { "2001:db8::5", "2001:db8:1::/48", "10.0.0.5", NULL });
	assert_true(passes(frame, ip6(frame, "2001:db8::5", 6, 0, "::")));
	assert_true(passes(frame, ip6(frame, "2001:db8:1:2::77", 6, 0, "::")));
	assert_false(passes(frame, ip6(frame, "2001:db8::6", 6, 0, "::")));
	assert_false(passes(frame, ip6(frame, "2001:db8:2::", 6, 0, "::")));
	assert_true(passes(frame, ip6(frame, "fe80::77", 58, 135, "2001:db8::1")));
	assert_true(passes(frame, ip6(frame, "::", 58, 135, "2001:db8::5")));
	/* An advertisement: only of its own */
	assert_true(passes(frame, ip6(frame, "fe80::77", 58, 136, "2001:db8::5")));
	assert_true(passes(frame, ip6(frame, "fe80::77", 58, 136, "fe80::77")));
	assert_false(passes(frame, ip6(frame, "fe80::77", 58, 136, "2001:db8::1")));
	assert_false(passes(frame, ip6(frame, "2001:db8::5", 58, 136, "2001:db8::6")));
	assert_true(passes(frame, ip4(frame, "10.0.0.5", 6, 0)));
}

/* As many as there can be still make a program that the kernel takes. */
static void test_most(void **state)
{
	static char text[IPS_MAX][64];
	const char *ips[IPS_MAX + 1] = { NULL };
	u8 frame[128];
	int i;

	for (i = 0; i < IPS_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "2001:db8:%x::ffff:7/127", i);
		ips[i] = text[i];
	}
	guard(true, ips);
	assert_true(passes(frame, ip6(frame, "2001:db8:f::ffff:6", 6, 0, "::")));
	assert_true(passes(frame, ip6(frame, "2001:db8:f::ffff:7", 6, 0, "::")));
	assert_false(passes(frame, ip6(frame, "2001:db8:10::ffff:7", 6, 0, "::")));
}

static void test_none(void **state)
{
	struct sock_filter insns[1];
	struct complaint c;

	interface_free(&nic);
	interface_init(&nic, "eth0", &c);
	nic.mac_check = false;
	assert_int_equal(guard_program(insns, &nic, mac), 0);
}

static int open_pair(void **state)
{
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

static int close_pair(void **state)
{
	return close(pair[0]) || close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_ip6),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("vmd_guard", tests, open_pair, close_pair);
}
