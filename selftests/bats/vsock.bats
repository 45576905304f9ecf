#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Sockets between guest and host, of vmctl run and of vmd, with a Debian guest's driver.

load vmd
load guest_net

VSOCK=$BIN/vsock
KB=512

# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
load vsock
'

setup_file()
{
	[ -c "$DEVICE" ] || return 0
	modprobe vhost_vsock
	head -c $((KB * 1024)) /dev/urandom >"$BATS_FILE_TMPDIR/blob"
}

setup()
{
	need_guest
	rm -rf /etc/joist /run/joist /var/lib/joist /var/log/joist
	mkdir -p /var/lib /var/log
	SUM=$(sum <"$BATS_FILE_TMPDIR/blob")
}

sum()
{
	md5sum | cut -c 1-32
}

# vsock_script TEXT: as script, with the tool and a file of the host's beside it.
vsock_script()
{
	script "$1"
	mkdir -p "$BATS_TEST_TMPDIR/tool"
	cp "$VSOCK" "$BATS_FILE_TMPDIR/blob" "$BATS_TEST_TMPDIR/tool"
	(cd "$BATS_TEST_TMPDIR/tool" && printf 'vsock\nblob\n' | cpio -o -H newc 2>/dev/null) \
		>>"$INITRD"
}

# The driver comes and goes in between, while a connection is open.
@test "bytes both ways, whoever connects, and again after a reset; one CID is one VM's" {
	vsock_script '
		/vsock cid
		/vsock connect 2 1000 </blob | md5sum
		/vsock connect 2 1003 seqpacket </blob | md5sum
		sleep 1000 | /vsock connect 2 1001 >/dev/null &
		sleep 1
		echo virtio0 >/sys/bus/virtio/drivers/vmw_vsock_virtio_transport/unbind
		echo virtio0 >/sys/bus/virtio/drivers/vmw_vsock_virtio_transport/bind
		/vsock listen 1002 </blob | md5sum
		awk "/virtio0-/ { print \"irq\", \$NF }" /proc/interrupts'
	"$VSOCK" listen 1000 <"$BATS_FILE_TMPDIR/blob" >"$BATS_TEST_TMPDIR/back0" 3>&- &
	local first=$!
	"$VSOCK" listen 1003 seqpacket <"$BATS_FILE_TMPDIR/blob" >"$BATS_TEST_TMPDIR/back3" 3>&- &
	local packets=$!
	"$VSOCK" listen 1001 </dev/null >/dev/null 2>&1 3>&- &
	local open=$!
	net_guest --vsock 42 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	local guest=$!
	wait $first
	run net_guest_now --vsock 42
	[ "$status" = 1 ]
	[[ $output == *"cannot give the guest the CID 42"*"another VM has it"* ]]
	"$VSOCK" connect 42 1002 <"$BATS_FILE_TMPDIR/blob" >"$BATS_TEST_TMPDIR/back2"
	wait $packets
	wait $guest
	kill $open 2>/dev/null || true
	cat "$BATS_TEST_TMPDIR/out"
	grep -q "^cid 42" "$BATS_TEST_TMPDIR/out"
	[ "$(grep -c "$SUM" "$BATS_TEST_TMPDIR/out")" = 3 ]
	[ "$(grep -c '^irq virtio0-' "$BATS_TEST_TMPDIR/out")" -ge 3 ]
	for n in 0 2 3; do
		[ "$(sum <"$BATS_TEST_TMPDIR/back$n")" = "$SUM" ]
	done
	# Free again.
	net_guest_now --vsock 42
}

# bats test_tags=long
@test "without messages a thread passes the interrupts on" {
	vsock_script '/vsock connect 2 1000 </blob | md5sum'
	"$VSOCK" listen 1000 <"$BATS_FILE_TMPDIR/blob" >"$BATS_TEST_TMPDIR/back" 3>&- &
	run net_guest --vsock 42 --cmdline "joist.do=script pci=nomsi"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"$SUM"* ]]
	wait
	[ "$(sum <"$BATS_TEST_TMPDIR/back")" = "$SUM" ]
}

@test "a driver that writes garbage everywhere: the kernel's queues survive it" {
	run guest v --vsock 42
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"virtio devices: 1, in order after a reset: 1"* ]]
	[[ $output =~ resets\ needed:\ [1-9][0-9]+ ]]
	[[ $output == *"the guest broke a queue of the sockets"* ]]
}

@test "vmd: in its sandbox, by the definition; who may not is told, and of two the second" {
	vsock_script '/vsock listen 1002 </blob | md5sum'
	{
		linux web 'vsock = 42'
		vm other h 'vsock = 42'
		vm none h
	} | conf
	daemon
	ask start web
	"$VSOCK" connect 42 1002 <"$BATS_FILE_TMPDIR/blob" >"$BATS_TEST_TMPDIR/back" 3>&- &
	local talk=$!
	run ask show web
	[[ $output == *'"vsock":42'* ]]
	run ask show none
	[[ $output == *'"vsock":null'* ]]
	"$VMCTL" show web | grep -qx "    vsock: 42\|  vsock: 42"
	run "$VMCTL" start other
	[ "$status" != 0 ]
	[[ $output == *"cannot give the guest the CID 42"*"another VM has it"* ]]
	wait $talk
	[ "$(sum <"$BATS_TEST_TMPDIR/back")" = "$SUM" ]
	state_is web stopped
	ask log web | grep -q "$SUM"
	# Free for the next; and alice has no right to the device.
	"$VMCTL" start other
	chmod 660 /dev/vhost-vsock
	run as alice create '' "\"definition\":{\"name\":\"hers\",\"kernel\":\"$KERNEL\",\"memory\":16777216,\"cmdline\":\"h\",\"vsock\":43},\"start\":true"
	echo "$output"
	[[ $output == *"cannot open /dev/vhost-vsock: Permission denied"* ]]
}
