#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Disks of vmctl run, with a Debian guest's own driver at the other end.

load vmd
load guest_net

# A guest of these tests has no network to wait for.
GUEST_FIRST=

setup()
{
	need_guest
	need_bench
	rm -rf /etc/joist /run/joist /var/lib/joist /var/log/joist
	mkdir -p /var/lib /var/log
	DISK=$BATS_TEST_TMPDIR/disk
	truncate -s 16M "$DISK"
}

# kib FILE: what it takes of the host.
kib()
{
	du -k "$1" | cut -f 1
}

# In the guest: data of its own to the second MiB and on, and its sum; what was there first.
COPY='
dd if=/dev/urandom of=/tmp/data bs=1000k count=4 2>/dev/null
dd if=/tmp/data of=/dev/vda bs=64k seek=16 conv=fsync 2>/dev/null
dd if=/dev/vda bs=1M count=1 iflag=direct 2>/dev/null | md5sum | sed "s/^/read: /"
md5sum </tmp/data | sed "s/^/written: /"
'

# copied: what the guest wrote is in the file, and what was in the file it has read.
copied()
{
	local sum
	sum=$(dd if="$DISK" bs=1k skip=1024 count=4000 2>/dev/null | md5sum | cut -c 1-32)
	[[ $output == *"written: $sum"* ]]
	sum=$(head -c 1048576 "$DISK" | md5sum | cut -c 1-32)
	[[ $output == *"read: $sum"* ]]
}

@test "a disk is what its options say" {
	script '
		cd /sys/block/vda
		echo "queues $(ls mq | wc -l) serial $(cat serial) ro $(cat ro) size $(cat size)"
		echo "block $(cat queue/logical_block_size) $(cat queue/physical_block_size)"
		echo "discard $(cat queue/discard_max_bytes) zeroes $(cat queue/write_zeroes_max_bytes)"
		cat device/features
		cd ../vdb
		echo "queues $(ls mq | wc -l) serial $(cat serial) ro $(cat ro) discard $(cat queue/discard_max_bytes)"
		dd if=/dev/zero of=/dev/vdb count=1 2>&1 | grep -i permitted'
	run net_guest -c 2 --disk "$DISK,serial=01234567890123456789,queues=3" --disk "$DISK.2,ro,queues=1"
	[ "$status" = 1 ]
	truncate -s 1M "$DISK.2"
	run net_guest -c 2 --disk "$DISK,serial=01234567890123456789,queues=2" --disk "$DISK.2,ro,queues=1"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"queues 2 serial 01234567890123456789 ro 0 size 32768"* ]]
	[[ $output == *"block 512 4096"* ]]
	[[ $output == *"discard 2147483648 zeroes 2147483648"* ]]
	[[ $output == *"queues 1 serial joist-"*" ro 1 discard 0"* ]]
	[[ $output == *"not permitted"* ]]
}

@test "what is written is there, what was there is read; a hole is one" {
	head -c 1048576 /dev/urandom | dd of="$DISK" conv=notrunc 2>/dev/null
	script "$COPY
		sync"
	run net_guest --disk "$DISK"
	echo "$output"
	[ "$status" = 0 ]
	copied
	[ "$(kib "$DISK")" -ge 5000 ]
	script 'blkdiscard -o 0 -l 4194304 /dev/vda'
	run net_guest --disk "$DISK,discard=off"
	[ "$(kib "$DISK")" -ge 5000 ]
	run net_guest --disk "$DISK"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(kib "$DISK")" -lt 2000 ]
	[ "$(head -c 1048576 "$DISK" | tr -d '\0' | wc -c)" = 0 ]
}

# bats test_tags=long
@test "without io_uring it goes by threads" {
	head -c 1048576 /dev/urandom | dd of="$DISK" conv=notrunc 2>/dev/null
	script "$COPY"
	run timeout 200 "$BIN/nouring" "$VMCTL" run --device-path "$DEVICE" -m 128M \
		--initrd "$INITRD" --cmdline joist.do=script --disk "$DISK" /guest/vmlinux </dev/null
	echo "$output"
	[ "$status" = 0 ]
	copied
}

# Of a loop device, because the bench's root has no direct I/O.
# bats test_tags=long
@test "past the page cache" {
	modprobe loop max_loop=1
	losetup /dev/loop0 "$DISK"
	head -c 1048576 /dev/urandom | dd of=/dev/loop0 conv=notrunc,fsync 2>/dev/null
	script "$COPY"
	run net_guest --disk /dev/loop0,direct
	echo "$output"
	losetup -d /dev/loop0
	[ "$status" = 0 ]
	copied
	run net_guest_now --disk "$DISK,direct"
	[ "$status" = 1 ]
	[[ $output == *"past the page cache"*"leave out 'direct'"* ]]
}

need_qcow2()
{
	[ -x /usr/bin/qemu-nbd ] || skip "no qemu-nbd"
}

@test "qcow2: written and read; what is raw is not one; its process goes with us" {
	need_qcow2
	head -c 1048576 /dev/urandom >"$DISK.base"
	qemu-img create -q -f qcow2 -b "$DISK.base" -F raw "$DISK.qcow2" 16M
	script "$COPY"
	run net_guest --disk "$DISK.qcow2,format=qcow2"
	echo "$output"
	[ "$status" = 0 ]
	qemu-img convert -O raw "$DISK.qcow2" "$DISK"
	copied
	! pidof qemu-nbd
	qemu-img check -q "$DISK.qcow2"
	run net_guest_now --disk "$DISK.base,format=qcow2"
	[ "$status" = 1 ]
	[[ $output == *"not in qcow2 format"*"qemu-nbd ended at once"* ]]
}

@test "vmd: a disk in qcow2 has a process with its creator's rights" {
	need_qcow2
	rm -rf /tmp/qcow2
	mkdir -m 700 /tmp/qcow2
	qemu-img create -q -f qcow2 /tmp/qcow2/disk 16M
	chown -R alice /tmp/qcow2
	script "$COPY
		sleep 1000"
	chmod -R go+rX "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
	conf </dev/null
	daemon
	run as alice create "" '"definition":{"name":"q","kernel":"/guest/vmlinux","initrd":"'"$INITRD"'","memory":134217728,"cmdline":"console=ttyS0 quiet panic=-1 joist.do=script","disks":[{"path":"/tmp/qcow2/disk","format":"qcow2"}]},"start":true'
	echo "$output"
	[[ $output == *'"ok":true'* ]]
	until_true 300 grep -q "written:" /var/log/joist/q.log
	[ "$(stat -c %u "/proc/$(pidof qemu-nbd)")" = 1001 ]
	grep -q "^CapPrm:.0*$" "/proc/$(pidof qemu-nbd)/status"
	kill -9 "$(pid_of q)"
	state_is q stopped
	until_true 100 eval '! pidof qemu-nbd'
	qemu-img convert -f qcow2 -O raw /tmp/qcow2/disk "$DISK"
	run cat /var/log/joist/q.log
	copied
	run as bob create "" '"definition":{"name":"p","kernel":"/guest/vmlinux","disks":[{"path":"/tmp/qcow2/disk","format":"qcow2"}]},"start":true'
	[[ $output == *'"ok":false'* ]]
}

# bats test_tags=long
@test "vmd: a disk grows while it is used" {
	script '
		for i in $(seq 600); do
			[ "$(cat /sys/block/vda/size)" != 65536 ] || break
			usleep 100000
		done
		echo "size $(cat /sys/block/vda/size)"
		dd if=/dev/zero of=/dev/vda bs=1M seek=31 count=1 conv=fsync && echo at the end'
	conf <<-END
		vm "g" {
			kernel = "/guest/vmlinux"
			initrd = "$INITRD"
			memory = 128M
			cmdline = "console=ttyS0 quiet panic=-1 joist.do=script"
			disk "a" { path = "$DISK" }
		}
	END
	daemon
	run "$VMCTL" disk resize g 0 32M
	[ "$status" != 0 ]
	run "$VMCTL" start g
	[ "$status" = 0 ]
	run "$VMCTL" disk resize g 0 8M
	[[ $output == *"cannot be made smaller"* ]]
	run "$VMCTL" disk resize g nosuch 32M
	[[ $output == *"no such disk"* ]]
	run "$VMCTL" disk resize g 0 1000K
	[ "$status" = 2 ]
	run "$VMCTL" disk resize g "$DISK" 32M
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"g: disk resized"* ]]
	state_is g stopped
	run cat /var/log/joist/g.log
	echo "$output"
	[[ $output == *"size 65536"*"at the end"* ]]
	[ "$(stat -c %s "$DISK")" = 33554432 ]
}

# small: a host without room for its disk, and a guest that fills it
small()
{
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=2m small "$BATS_TEST_TMPDIR/small"
	truncate -s 16M "$BATS_TEST_TMPDIR/small/disk"
	script '
		dd if=/dev/zero of=/dev/vda bs=64k count=128 conv=fsync 2>&1 | grep -i error
		dd if=/dev/vda of=/dev/null bs=64k count=16 iflag=direct && echo reads on'
}

@test "vmd: a VM's disks do their I/O in its sandbox; errors of the host's are events" {
	small
	chmod -R go+rX "$BATS_TEST_TMPDIR"
	conf <<-END
		vm "full" {
			kernel = "/guest/vmlinux"
			initrd = "$INITRD"
			memory = 128M
			vcpus = 2
			cmdline = "console=ttyS0 quiet panic=-1 joist.do=script"
			disk "a" {
				path = "$BATS_TEST_TMPDIR/small/disk"
				queues = 2
				bps = 500M
				serial = "small"
			}
		}
	END
	daemon
	"$CTL" -f 60 '{"v":1,"op":"events"}' >"$BATS_TEST_TMPDIR/events" 3>&- &
	until_true 50 grep -q ok "$BATS_TEST_TMPDIR/events"
	ask start full
	until_true 400 grep -q '"stopped"' "$BATS_TEST_TMPDIR/events"
	cat "$BATS_TEST_TMPDIR/events" /var/log/joist/full.log
	kill %2 || true
	umount "$BATS_TEST_TMPDIR/small"
	grep -q '"what":"disk-error","why":"the disk .*small.disk: No space left on device ([0-9]* requests* failed)".*"errno":28' \
		"$BATS_TEST_TMPDIR/events"
	grep -q "reads on" /var/log/joist/full.log
	grep -q "small/disk: No space left on device" "$BATS_TEST_TMPDIR/vmd.log"
	grep -q 'stopped.*power' "$BATS_TEST_TMPDIR/events"
}

@test "a host without room: the guest has an error, and people hear of it" {
	small
	run net_guest --disk "$BATS_TEST_TMPDIR/small/disk"
	umount "$BATS_TEST_TMPDIR/small"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"Input/output error"* ]]
	[[ $output == *"reads on"* ]]
	[[ $output == *"small/disk: No space left on device ("*"failed)"* ]]
}

# The bench's clock is that of an emulator: wide margins.
# bats test_tags=long
@test "limits: requests and bytes a second" {
	script '
		read -r from _ </proc/uptime
		dd if=/dev/vda of=/dev/null bs=4k count=200 iflag=direct 2>/dev/null
		read -r to _ </proc/uptime
		dd if=/dev/vdb of=/dev/null bs=64k count=48 iflag=direct 2>/dev/null
		read -r end _ </proc/uptime
		awk "BEGIN { print \"seconds: \" int(10 * ($to - $from)) \" \" int(10 * ($end - $to)) }"'
	truncate -s 16M "$DISK.2"
	run net_guest --disk "$DISK,iops=100" --disk "$DISK.2,bps=1M"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output =~ seconds:\ ([0-9]+)\ ([0-9]+) ]]
	# 100 at once, and 100 in a second; 1 MiB at once, and 2 in two.
	[ "${BASH_REMATCH[1]}" -ge 8 ] && [ "${BASH_REMATCH[1]}" -le 15 ]
	[ "${BASH_REMATCH[2]}" -ge 17 ] && [ "${BASH_REMATCH[2]}" -le 28 ]
}

# bats test_tags=long
@test "the driver comes and goes in the middle of it" {
	script '
		for i in 1 2 3; do
			dd if=/dev/zero of=/dev/vda bs=64k count=256 2>/dev/null &
			dd if=/dev/vda of=/dev/null bs=64k count=256 iflag=direct 2>/dev/null &
			usleep 100000
			echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/unbind
			wait
			echo virtio0 >/sys/bus/virtio/drivers/virtio_blk/bind
		done
		dd if=/dev/vda of=/dev/null bs=64k count=1 iflag=direct && echo works'
	run net_guest -c 2 --disk "$DISK"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *works* ]]
}

@test "a driver that writes garbage everywhere: disks get over it" {
	truncate -s 1M "$DISK.2"
	run guest v --disk "$DISK,queues=4" --disk "$DISK.2,ro,queues=1" --disk "$DISK.2,ro,iops=1000"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"virtio devices: 3, in order after a reset: 3"* ]]
	[[ $output =~ resets\ needed:\ [1-9][0-9]+ ]]
	[[ $output == *"the guest broke the queue of the disk $DISK"* ]]
}
