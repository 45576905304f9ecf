#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What cloud-init is given: a disk made of files, for vmctl run and for VMs of vmd's.

load vmd
load guest_net

# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
load vfat
'
STORE=/var/lib/joist/vms

create()
{
	su alice -c "$VMCTL create seeded --kernel $KERNEL --cmdline h --memory 16M $*"
}

@test "a guest finds the files on a disk labelled CIDATA, which it cannot write to" {
	[ -e /guest/vmlinux ] || skip "no guest kernel"
	script '
		echo "label $(dd if=/dev/vdb bs=1 skip=43 count=11 2>/dev/null)"
		mount -t vfat -o ro /dev/vdb /mnt
		ls /mnt
		cat /mnt/meta-data
		md5sum </mnt/user-data
		md5sum </mnt/network-config
		dd if=/dev/zero of=/dev/vdb count=1 || echo "guest: refused"'
	cd "$BATS_TEST_TMPDIR"
	{ echo "#cloud-config"; yes joist | head -c 100000; } >user
	echo "version: 2" >network
	truncate -s 1M disk
	run net_guest --name seeded --disk disk --user-data user --network-config network
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"label CIDATA"* ]]
	[[ $output == *"meta-data"*"network-config"*"user-data"* ]]
	[[ $output == *"instance-id: joist-"*"local-hostname: seeded"* ]]
	[[ $output == *"$(md5sum <user)"*"$(md5sum <network)"*"guest: refused"* ]]
}

@test "run: files that cannot be had" {
	run net_guest_now --meta-data /dev/null
	[ "$status" = 2 ]
	run net_guest_now --user-data "$BATS_TEST_TMPDIR/none"
	[ "$status" = 1 ]
	[[ $output == *"cannot read $BATS_TEST_TMPDIR/none: No such file"* ]]
	run net_guest_now --user-data /dev/zero
	[ "$status" = 1 ]
	[[ $output == *"/dev/zero is larger than 1024 KiB"* ]]
	net_guest_now --user-data /dev/null
}

@test "vmd: a created VM keeps its seed, until it is deleted" {
	conf </dev/null
	daemon
	echo "#cloud-config, of alice" >/tmp/user
	chmod 644 /tmp/user
	create --user-data /tmp/user
	# What it was made of may go.
	rm /tmp/user
	[ "$(stat -c "%a %u" $STORE/seeded.seed)" = "600 0" ]
	grep -aq "#cloud-config, of alice" $STORE/seeded.seed
	uuid=$(ask show seeded | sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p')
	grep -aq "instance-id: $uuid" $STORE/seeded.seed
	grep -aq "local-hostname: seeded" $STORE/seeded.seed
	"$VMCTL" show seeded | grep -q "user-data: /tmp/user"
	run "$VMCTL" start seeded
	[ "$status" = 0 ]
	ls -l /proc/"$(pid_of seeded)"/fd | grep -q "$STORE/seeded.seed"
	"$VMCTL" stop --force seeded
	"$VMCTL" delete seeded
	[ ! -e $STORE/seeded.seed ]
}

@test "vmd: only what its creator may read, and no more than a MiB" {
	conf </dev/null
	daemon
	echo "root's" >/tmp/user
	chmod 600 /tmp/user
	run create --user-data /tmp/user
	[ "$status" = 1 ]
	[[ $output == *"cannot read /tmp/user: Permission denied"* ]]
	truncate -s 1048577 /tmp/user
	chmod 644 /tmp/user
	run create --user-data /tmp/user
	[[ $output == *"/tmp/user is larger than 1024 KiB"* ]]
	run create --user-data /tmp
	[[ $output == *"cannot read /tmp: Is a directory"* ]]
	run create --network-config /tmp/user
	[[ $output == *"has no user-data"* ]]
	[ -z "$(ls $STORE)" ]
}

@test "vmd: of a VM of the configuration the files are read at each start" {
	echo "#cloud-config 1" >"$BATS_TEST_TMPDIR/user"
	{
		vm web h "user-data = \"$BATS_TEST_TMPDIR/user\""
	} | conf
	daemon
	run "$VMCTL" start web
	[ "$status" = 0 ]
	ls -l /proc/"$(pid_of web)"/fd | grep -q memfd:seed
	"$VMCTL" stop --force web
	rm "$BATS_TEST_TMPDIR/user"
	run "$VMCTL" start web
	[ "$status" = 1 ]
	[[ $output == *"cannot read $BATS_TEST_TMPDIR/user: No such file"* ]]
}
