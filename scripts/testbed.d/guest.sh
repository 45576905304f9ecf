# SPDX-License-Identifier: GPL-2.0-only
# What a guest inside the bench boots: a stock cloud kernel, and the standard one;
# a tiny root whose /init reports and powers off; a disk with an ext4 root.
# shellcheck shell=bash

# guest_disk FILE
guest_disk()
{
	local root
	need mkfs.ext4 e2fsprogs
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$BENCH_D/guest-root" "$root/sbin/init"
	mkfs.ext4 -q -F -d "$root" "$1" 16M >&2
	rm -rf "$root"
}

# guest_modules KDIR RELEASE DIR LIST NAME...: modules, and the order they load in
guest_modules()
{
	local kdir=$1 rel=$2 dir=$3 list=$4 name path
	shift 4
	for name in "$@"; do
		modprobe -d "$kdir" -S "$rel" --show-depends "$name" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | awk '!seen[$0]++' | while read -r path; do
		cp "$path" "$dir/"
		basename "$path" >>"$dir/$list"
	done
}

# guest_build SERIES DIR
guest_build()
{
	local series=$1 dir=$2 rel kdir std root
	[ -e "$dir/.complete" ] && return
	rel=$(kernel_release "$series" cloud) || return
	rm -rf "$dir"
	mkdir -p "$dir"
	kdir=$(kernel_dir "$rel") || return
	cp "$kdir/boot/vmlinuz-$rel" "$dir/vmlinuz"
	cp "$kdir/vmlinux" "$dir/vmlinux"
	std=$(kernel_release "$series" standard)
	cp "$(kernel_dir "$std")/boot/vmlinuz-$std" "$dir/vmlinuz-standard"
	guest_disk "$dir/disk.ext4"
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,mnt,root,etc}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$BENCH_D/guest-init" "$root/init"
	mkdir -p "$root/modules"
	guest_modules "$kdir" "$rel" "$root/modules" order virtio_pci virtio_blk ext4
	# For those who ask: each takes its time at boot.
	guest_modules "$kdir" "$rel" "$root/modules" order-net virtio_pci virtio_net
	guest_modules "$kdir" "$rel" "$root/modules" order-rng virtio_pci virtio_rng
	guest_modules "$kdir" "$rel" "$root/modules" order-balloon virtio_pci virtio_balloon
	guest_modules "$kdir" "$rel" "$root/modules" order-console virtio_pci virtio_console
	guest_modules "$kdir" "$rel" "$root/modules" order-memory virtio_pci virtio_mem
	guest_modules "$kdir" "$rel" "$root/modules" order-vfat virtio_pci vfat nls_cp437 nls_ascii
	# Of the standard kernel: the other has none.
	guest_modules "$(kernel_dir "$std")" "$std" "$root/modules" order-e1000e e1000e
	guest_modules "$(kernel_dir "$std")" "$std" "$root/modules" order-watchdog i6300esb
	guest_modules "$kdir" "$rel" "$root/modules" order-vsock virtio_pci vmw_vsock_virtio_transport
	pack "$root" >"$dir/initrd"
	rm -rf "$root"
	# The cloud kernel has no 9P: to be put behind the initrd where the standard one boots.
	root=$(mktemp -d)
	mkdir -p "$root/modules"
	guest_modules "$(kernel_dir "$std")" "$std" "$root/modules" order-9p virtio_pci 9pnet_virtio 9p
	pack "$root" >"$dir/9p.cpio"
	rm -rf "$root"
	touch "$dir/.complete"
}

# guest_files SERIES: the directory to put at /guest.
guest_files()
{
	local key dir
	key=$(cat "$BENCH_D/guest.sh" "$BENCH_D/guest-init" "$BENCH_D/guest-root" | sha256sum | cut -c 1-12)
	dir=$CACHE/guest/$1-$key
	[ -e "$dir/.complete" ] || locked "guest-$1" guest_build "$1" "$dir" || return
	echo "$dir"
}
