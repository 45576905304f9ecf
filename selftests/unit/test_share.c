// SPDX-License-Identifier: GPL-2.0-only
/* Shares: what a hostile guest asks their server for, and messages that are none. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/backend/share_tool.h"
#include "vmm/share_options.h"
#include "vmm/virtio/p9_wire.h"

enum {
	TLOPEN = 12, TSYMLINK = 16, TREADLINK = 22, TMKDIR = 72, TVERSION = 100, TATTACH = 104,
	TWALK = 110, TREAD = 116,
};

#define ROOT	1U
#define SECRET	"not for guests"

static char top[64], dir[80];
static struct p9_wire wire;
static u32 at, next_fid;

static void put(const void *data, u32 len)
{
	memcpy(wire.tx + at, data, len);
	at += len;
}

static void put32(u32 value)
{
	put(&value, 4);
}

static void put_text(const char *text)
{
	u16 len = (u16)strlen(text);

	put(&len, 2);
	put(text, len);
}

static void begin(u8 type, u16 tag)
{
	at = 4;
	put(&type, 1);
	put(&tag, 2);
}

/* Return: 1: there is a reply; or less: there will be none. */
static int receive(void)
{
	struct pollfd p = { .fd = wire.fd, .events = POLLIN };
	int ret;

	wire.rx_len = 0;
	while (!(ret = p9_wire_receive(&wire)))
		assert_int_equal(poll(&p, 1, 10000), 1);
	return ret;
}

/* Return: 0, or an errno from the server. */
static int ask(void)
{
	u32 code = 0;

	memcpy(wire.tx, &at, 4);
	p9_wire_put(&wire);
	assert_int_equal(p9_wire_send(&wire), 0);
	assert_int_equal(receive(), 1);
	if (wire.rx[4] == P9_RLERROR)
		memcpy(&code, wire.rx + P9_HEADER, 4);
	else
		assert_int_equal(wire.rx[4], wire.tx[4] + 1);
	return (int)code;
}

static int attach(void)
{
	begin(TVERSION, 0xffff);
	put32(65536);
	put_text("9P2000.L");
	if (ask())
		return -1;
	begin(TATTACH, 1);
	put32(ROOT);
	put32(~0U);
	/* As any guest's user, who asks for anything. */
	put_text("alice");
	put_text("/etc");
	put32(1234);
	return ask();
}

/* Of all names at once, as a guest's kernel would not. Return: a fid, or 0. */
static u32 walk(int nr, ...)
{
	u16 count = (u16)nr, got;
	va_list args;

	begin(TWALK, 1);
	put32(ROOT);
	put32(++next_fid);
	put(&count, 2);
	va_start(args, nr);
	while (nr--)
		put_text(va_arg(args, const char *));
	va_end(args);
	if (ask())
		return 0;
	memcpy(&got, wire.rx + P9_HEADER, 2);
	return got == count ? next_fid : 0;
}

/* Return: what is in a file; NULL: it cannot be had. */
static const char *content(u32 fid)
{
	u32 len;

	if (!fid)
		return NULL;
	begin(TLOPEN, 1);
	put32(fid);
	put32(O_RDONLY);
	if (ask())
		return NULL;
	begin(TREAD, 1);
	put32(fid);
	put32(0);
	put32(0);
	put32(1000);
	if (ask())
		return NULL;
	memcpy(&len, wire.rx + P9_HEADER, 4);
	wire.rx[P9_HEADER + 4 + len] = '\0';
	return (char *)wire.rx + P9_HEADER + 4;
}

static int make_dir(const char *name)
{
	begin(TMKDIR, 1);
	put32(ROOT);
	put_text(name);
	put32(0755);
	put32(0);
	return ask();
}

static void write_text(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool there(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return !access(path, F_OK);
}

static void make_link(const char *to, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(symlink(to, path), 0);
}

static int make_tree(void **state)
{
	char path[128];

	signal(SIGPIPE, SIG_IGN);
	snprintf(top, sizeof(top), "/tmp/share-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/dir", top);
	assert_int_equal(mkdir(dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/sub", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	write_text("secret", SECRET);
	write_text("dir/file", "hello");
	snprintf(path, sizeof(path), "%s/secret", top);
	make_link(path, "absolute");
	make_link("../secret", "relative");
	make_link("/etc/passwd", "passwd");
	make_link("..", "up");
	make_link("file", "inside");
	return 0;
}

static int remove_tree(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

/* Return: whether there is one. */
static bool start(bool readonly)
{
	int fd = share_tool_start(dir, readonly, NULL, NULL);

	if (fd == -ENOPKG || fd == -EUSERS) {
		print_message("# %s\n", share_tool_error(fd));
		return false;
	}
	assert_true(fd >= 0);
	memset(&wire, 0, sizeof(wire));
	assert_int_equal(p9_wire_init(&wire, fd), 0);
	assert_int_equal(attach(), 0);
	next_fid = ROOT;
	return true;
}

static void test_files(void **state)
{
	if (!start(false))
		skip();
	assert_string_equal(content(walk(1, "file")), "hello");
	assert_string_equal(content(walk(3, "sub", "..", "file")), "hello");
	assert_int_equal(make_dir("made"), 0);
	assert_true(there("dir/made"));
	p9_wire_destroy(&wire);
}

/* Its own root has neither the secret nor the host's files; it cannot write to it either. */
static void test_escape(void **state)
{
	static const char *const bad[] = {
		"../secret", "sub/../../secret", "/etc/shadow", "../etc/shadow", "../proc/1/stat",
		"../dev/null", "../home", "../root", "../tmp", "../var", "../run", "relative",
		"absolute", "passwd", "up/secret", "up/etc/passwd", "inside", "../share/../secret",
	};
	size_t i;

	if (!start(false))
		skip();
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *text = content(walk(1, bad[i]));

		if (text)
			print_message("# %s: %s\n", bad[i], text);
		assert_null(text);
	}
	assert_null(content(walk(2, "..", "secret")));
	assert_null(content(walk(3, "sub", "up", "secret")));
	assert_null(content(walk(2, "up", "secret")));
	/* What is there above is the server itself. */
	assert_null(content(walk(1, "../usr/share/doc/diod/AUTHORS")));
	assert_null(content(walk(1, "../usr/bin/env")));
	assert_true(walk(1, "../usr/sbin/diod"));
	assert_int_not_equal(make_dir("../evil"), 0);
	assert_int_not_equal(make_dir("../usr/evil"), 0);
	assert_int_not_equal(make_dir("up/evil"), 0);
	assert_false(there("evil") || there("dir/evil"));
	/* Links are made and read as any file. */
	begin(TSYMLINK, 1);
	put32(ROOT);
	put_text("link");
	put_text("/etc/shadow");
	put32(0);
	assert_int_equal(ask(), 0);
	assert_true(walk(1, "link"));
	begin(TREADLINK, 1);
	put32(next_fid);
	assert_int_equal(ask(), 0);
	assert_memory_equal(wire.rx + P9_HEADER + 2, "/etc/shadow", 11);
	assert_null(content(walk(1, "link")));
	p9_wire_destroy(&wire);
}

static void test_readonly(void **state)
{
	u32 fid;

	if (!start(true))
		skip();
	assert_string_equal(content(walk(1, "file")), "hello");
	assert_int_equal(make_dir("dir"), EROFS);
	fid = walk(1, "file");
	begin(TLOPEN, 1);
	put32(fid);
	put32(O_RDWR);
	assert_int_equal(ask(), EROFS);
	p9_wire_destroy(&wire);
}

static void test_no_folder(void **state)
{
	char path[160];
	int fd = share_tool_start(dir, true, NULL, NULL);

	if (fd < 0)
		skip();
	close(fd);
	snprintf(path, sizeof(path), "%s/none", top);
	assert_int_equal(share_tool_start(path, true, NULL, NULL), -ENOENT);
	snprintf(path, sizeof(path), "%s/secret", top);
	assert_int_equal(share_tool_start(path, true, NULL, NULL), -ENOTDIR);
}

/* What a server sends that is no message, comes in pieces, or does not come. */
static void test_wire(void **state)
{
	static const u8 good[] = { 9, 0, 0, 0, 101, 1, 2, 'a', 'b' };
	static const u8 small[] = { 6, 0, 0, 0, 101, 1, 2 };
	static const u8 large[] = { 1, 0, 8, 0, 101, 1, 2 };
	struct p9_wire w = { .fd = -1 };
	int pair[2], i, n = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(p9_wire_init(&w, pair[0]), 0);
	for (i = 0; i < (int)sizeof(good); i++) {
		assert_int_equal(p9_wire_receive(&w), 0);
		assert_int_equal(write(pair[1], good + i, 1), 1);
	}
	assert_int_equal(p9_wire_receive(&w), 1);
	assert_int_equal(p9_tag(w.rx), 0x201);
	assert_memory_equal(w.rx, good, sizeof(good));
	w.rx_len = 0;
	assert_int_equal(write(pair[1], small, sizeof(small)), sizeof(small));
	assert_int_equal(p9_wire_receive(&w), -EPROTO);
	w.rx_len = 0;
	assert_int_equal(write(pair[1], large, sizeof(large)), sizeof(large));
	assert_int_equal(p9_wire_receive(&w), -EPROTO);
	/* Nobody reads: what does not go now goes later. */
	w.tx_len = P9_MESSAGE_MAX;
	memset(w.tx, 7, P9_MESSAGE_MAX);
	assert_int_equal(p9_wire_send(&w), 0);
	assert_true(p9_wire_sending(&w));
	while (p9_wire_sending(&w)) {
		n += (int)read(pair[1], w.rx, P9_MESSAGE_MAX);
		assert_int_equal(p9_wire_send(&w), 0);
	}
	while (n < (int)P9_MESSAGE_MAX)
		n += (int)read(pair[1], w.rx, P9_MESSAGE_MAX);
	assert_int_equal(n, P9_MESSAGE_MAX);
	close(pair[1]);
	w.rx_len = 0;
	assert_int_equal(p9_wire_receive(&w), -EPIPE);
	w.tx_len = 8;
	w.tx_sent = 0;
	assert_int_equal(p9_wire_send(&w), -EPIPE);
	p9_wire_destroy(&w);
}

/* As it is typed. */
static void test_parse(void **state)
{
	static const struct {
		const char *text, *tag, *dir;
		bool readonly;
	} good[] = {
		{ "a=/d", "a", "/d", false }, { "a=/d,ro", "a", "/d", true },
		{ "a=d=e,rw", "a", "d=e", false }, { "a=/d,x,ro", "a", "/d,x", true },
		{ "a=/d,ro,rw", "a", "/d,ro", false }, { "a-b.c=.", "a-b.c", ".", false },
	};
	static const char *const bad[] = {
		"", "a", "=", "=/d", "a=", "a=,ro", "1=/d", "a b=/d", "a,b=/d",
		"a2345678901234567890123456789012=/d",
	};
	struct vmm_share share;
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		snprintf(text, sizeof(text), "%s", good[i].text);
		assert_null(share_parse(text, &share));
		assert_string_equal(share.tag, good[i].tag);
		assert_string_equal(share.dir.path, good[i].dir);
		assert_int_equal(share.readonly, good[i].readonly);
		assert_int_equal(share.dir.fd, -1);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "%s", bad[i]);
		assert_non_null(share_parse(text, &share));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
