#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Folders of the host's: a Debian guest mounts them (the standard kernel: the cloud kernel has no
# 9P), and what a hostile driver and the end of the server do.

load vmd
load guest_net

# shellcheck disable=SC2034 # guest_net's script() begins with it
GUEST_FIRST='
load 9p
mkdir /work /look
mount -t 9p -o trans=virtio,version=9p2000.L work /work
mount -t 9p -o trans=virtio,version=9p2000.L look /look
'

need_diod()
{
	need_device
	[ -x /usr/sbin/diod ] || skip "no diod"
}

teardown()
{
	killall vmctl 2>/dev/null || true
	vmd_teardown
}

logged()
{
	ask log guest | grep -aq "$1"
}

# Under vmd: its filters of system calls are to have all that it takes.
@test "a guest reads and writes a folder, and no other; its server ends" {
	[ -e /guest/9p.cpio ] || skip "no guest kernel with 9P"
	need_diod
	script '
		md5sum </work/in
		cat /look/in
		dd if=/work/in of=/work/copy bs=64k
		mkdir /work/dir && mv /work/copy /work/dir/out
		echo more >>/work/log; echo more >>/work/log
		rm /work/gone
		touch /look/new || echo "guest: refused"
		cat /work/link || echo "guest: no link"
		echo "other:x:1234:1234::/:/bin/sh" >/etc/passwd
		su other -c "echo other >/work/other"
		sync
		ls -l /work
		echo "guest: written"
		while cat /look/in >/dev/null; do sleep 1; done
		echo "guest: lost"'
	cat /guest/9p.cpio >>"$INITRD"
	dir=/tmp/shares
	rm -rf $dir
	mkdir -p $dir/work $dir/look
	chown alice $dir/work
	chmod 777 $dir/work
	echo secret >$dir/secret
	head -c 3000000 /dev/urandom >$dir/work/in
	echo "look at it" >$dir/look/in
	echo gone | su alice -c "cat >$dir/work/gone"
	ln -s $dir/secret $dir/work/link
	printf 'vm "guest" {\nkernel = "/guest/vmlinuz-standard"\ninitrd = "%s"\nmemory = 256M\nowner = alice
		cmdline = "console=ttyS0 quiet panic=-1 cryptomgr.notests joist.do=script"
		share "work" { path = "%s/work" }
		share "look" { path = "%s/look"\nreadonly = yes }
		}\n' "$INITRD" $dir $dir | conf
	daemon
	run "$VMCTL" start guest
	echo "$output"
	[ "$status" = 0 ]
	until_true 900 logged "guest: written"
	ask log guest
	sum=$(md5sum <$dir/work/in)
	logged "$sum"
	[ "$(md5sum <$dir/work/dir/out)" = "$sum" ]
	[ "$(stat -c %U $dir/work/dir/out)" = alice ]
	[ "$(wc -l <$dir/work/log)" = 2 ]
	[ ! -e $dir/work/gone ]
	[ ! -e $dir/look/new ]
	[ "$(cat $dir/work/other)" = other ]
	logged "look at it"
	logged "guest: refused"
	logged "guest: no link"
	[ "$(ask log guest | grep -ac "secret\\r")" = 0 ]
	[ "$(pidof diod | wc -w)" = 2 ]
	killall -9 diod
	until_true 300 logged "guest: lost"
	until_true 50 grep -q "the share of $dir/look is lost: its server has ended" "$BATS_TEST_TMPDIR/vmd.log"
	state_is guest stopped
}

@test "a driver that writes garbage everywhere harms nobody but its guest" {
	need_diod
	mkdir "$BATS_TEST_TMPDIR/work"
	run guest v --share "work=$BATS_TEST_TMPDIR/work"
	echo "$output"
	[[ $status = 0 || $status = 20 ]]
	[[ $output == *"the guest broke the queue of the share"* ]]
	until_true 50 eval '! pidof diod'
}

@test "run: folders that are none" {
	need_diod
	run net_guest_now --share work
	[ "$status" = 2 ]
	[[ $output == *"'work' is no share: give TAG=FOLDER"* ]]
	run net_guest_now --share 2=/tmp
	[ "$status" = 2 ]
	run net_guest_now --share a=/tmp --share a=/tmp
	[ "$status" = 2 ]
	run net_guest_now --share a=/none
	[ "$status" = 1 ]
	[[ $output == *"cannot share /none: No such file or directory"* ]]
	run net_guest_now --share a="$KERNEL"
	[ "$status" = 1 ]
	net_guest_now --share a=/tmp,ro --share b=/tmp
}

@test "vmd: the server has its user's rights, sees the folder and no other, and ends with the VM" {
	need_diod
	mkdir -p /tmp/hers /tmp/roots
	chown alice /tmp/hers
	chmod 700 /tmp/hers /tmp/roots
	touch /tmp/hers/file
	conf </dev/null
	daemon
	su alice -c "$VMCTL create a -k $KERNEL -a h -m 16M --share work=/tmp/hers --start"
	"$VMCTL" events a --json >"$BATS_TEST_TMPDIR/events" 2>&1 3>&- &
	events=$!
	pid=$(pidof diod)
	[ "$(awk '/^Uid/ { print $2, $3 }' "/proc/$pid/status")" = "$(id -u alice) $(id -u alice)" ]
	[ "$(awk '/^CapEff|^CapPrm/ { print $2 }' "/proc/$pid/status" | sort -u)" = 0000000000000000 ]
	[ "$(ls "/proc/$pid/root/share")" = file ]
	[ ! -e "/proc/$pid/root/tmp" ]
	[ ! -e "/proc/$pid/root/userspace" ]
	"$VMCTL" show a --json | grep -q '"shares":\[{"tag":"work","path":"/tmp/hers","readonly":false}\]'
	kill -9 "$pid"
	until_true 50 grep -q '"what":"share-lost".*"share":"work"' "$BATS_TEST_TMPDIR/events"
	kill $events
	[ "$(state a)" = '"state":"running"' ]
	"$VMCTL" stop --force a
	"$VMCTL" start a
	[ -n "$(pidof diod)" ]
	"$VMCTL" stop --force a
	until_true 50 eval '! pidof diod'
	run su alice -c "$VMCTL create b -k $KERNEL -a h -m 16M --share work=/tmp/roots --start"
	[ "$status" = 1 ]
	[[ $output == *"cannot share /tmp/roots: Permission denied"* ]]
}
