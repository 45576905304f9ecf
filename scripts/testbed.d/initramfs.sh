# SPDX-License-Identifier: GPL-2.0-only
# The tiny root: a cached base archive, and behind it one with what changes.
# The kernel unpacks concatenated cpio archives in order.
# shellcheck shell=bash

pack() { (cd "$1" && find . -mindepth 1 -print0 | sort -z | cpio -0 -o -H newc -R 0:0 --quiet); }

# copy_libs ROOT FILE: the shared libraries a dynamic program asks for.
copy_libs()
{
	local root=$1 lib
	[ "$(head -c 4 "$2" | od -An -tx1 | tr -d ' ')" = 7f454c46 ] || return 0
	# A static program has none: that is no failure.
	{ ldd "$2" 2>/dev/null | grep -o '/[^ ]*' || true; } | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		[ -e "$root$lib" ] || cp -L "$lib" "$root$lib"
	done
}

# base_modules RELEASE KDIR ROOT: the modules named in the list and their needs.
base_modules()
{
	local rel=$1 kdir=$2 root=$3 name path
	grep -v '^#' "$BENCH_D/modules" | while read -r name; do
		modprobe -d "$kdir" -S "$rel" --show-depends "$name" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | sort -u | while read -r path; do
		mkdir -p "$root$(dirname "${path#"$kdir"}")"
		cp "$path" "$root${path#"$kdir"}"
	done
	cp "$kdir/lib/modules/$rel"/modules.builtin* "$kdir/lib/modules/$rel/modules.order" \
		"$root/lib/modules/$rel/"
	depmod -b "$root" "$rel"
}

# base_build RELEASE OUT
base_build()
{
	local rel=$1 out=$2 kdir root
	[ -e "$out" ] && return
	need cpio cpio
	need busybox busybox-static
	kdir=$(kernel_dir "$rel")
	root=$(mktemp -d)
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,root,etc,usr/bin,usr/sbin,sbin,bench,var} \
		"$root/lib/modules/$rel"
	# What Debian's own root has: programs may ask by either name.
	cp "$(command -v busybox)" "$root/bin/busybox"
	busybox --list | while read -r app; do
		[ "$app" = busybox ] || ln -sf busybox "$root/bin/$app"
	done
	ln -s ../../bin/env "$root/usr/bin/env"
	ln -s ../bin/modprobe "$root/sbin/modprobe" # where the kernel looks
	cp "$BENCH_D/init" "$root/init"
	# Those that vmd and its tests need, too.
	printf '%s\n' root:x:0:0:root:/root:/bin/sh _joist:x:900:900::/:/bin/false \
		alice:x:1001:1001::/tmp:/bin/sh bob:x:1002:1002::/tmp:/bin/sh \
		carol:x:1003:1003::/tmp:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: kvm:x:106: _joist:x:900: joist:x:901:carol alice:x:1001: \
		bob:x:1002: carol:x:1003: crew:x:1010:bob >"$root/etc/group"
	base_modules "$rel" "$kdir" "$root"
	mkdir -p "$(dirname "$out")"
	rm -f "$CACHE/initramfs/$rel-"*.cpio
	pack "$root" >"$out.tmp"
	rm -rf "$root"
	mv "$out.tmp" "$out"
}

# initramfs_base RELEASE: the path of the cached base archive.
initramfs_base()
{
	local rel=$1 key out
	key=$(cat "$BENCH_D/init" "$BENCH_D/modules" "$BENCH_D/initramfs.sh" "$(command -v busybox)" |
		sha256sum | cut -c 1-12)
	out=$CACHE/initramfs/$rel-$key.cpio
	[ -e "$out" ] || locked "initramfs-$rel" base_build "$rel" "$out" || return
	echo "$out"
}

# overlay_add ROOT HOSTFILE[:GUESTPATH]
overlay_add()
{
	local root=$1 src=${2%%:*} dst=
	[[ $2 == *:* ]] && dst=${2#*:}
	[ -e "$src" ] || die "--add: $src does not exist"
	[ -n "$dst" ] || dst=/$(basename "$src")
	mkdir -p "$root$(dirname "$dst")"
	if [ -d "$src" ]; then
		mkdir -p "$root$dst"
		cp -aL "$src/." "$root$dst/"
		find "$root$dst" -type f -perm -u+x | while read -r f; do
			copy_libs "$root" "$f"
		done
	else
		cp -L "$src" "$root$dst"
		copy_libs "$root" "$src"
	fi
}

# terminals ROOT: what programs with a screen ask for, of those that tests name.
terminals()
{
	local t
	for t in l/linux v/vt100 x/xterm; do
		[ ! -e "/lib/terminfo/$t" ] || overlay_add "$1" "/lib/terminfo/$t:/lib/terminfo/$t"
	done
}

# initramfs_make OUT RELEASE MODULE COMMAND ADD...: MODULE and COMMAND may be
# empty; no command means a shell.
initramfs_make()
{
	local out=$1 rel=$2 module=$3 command=$4 base root item
	shift 4
	base=$(initramfs_base "$rel")
	root=$(mktemp -d "$RUN/overlay.XXXX")
	mkdir -p "$root/bench"
	[ -n "$module" ] && strip -g -o "$root/joist.ko" "$module"
	if [ -n "$command" ]; then
		printf '%s\n' "$command" >"$root/bench/command"
	else
		touch "$root/bench/shell"
	fi
	[ -z "$BEFORE" ] || printf '%s\n' "$BEFORE" >"$root/bench/before"
	[ -d "$BUILD/userspace" ] && overlay_add "$root" "$BUILD/userspace:/userspace"
	[ -x "$root/userspace/vmctl" ] && {
		mkdir -p "$root/usr/bin"
		ln -s /userspace/vmctl "$root/usr/bin/vmctl"
	}
	[ -d "$BUILD/selftests" ] && overlay_add "$root" "$BUILD/selftests:/selftests"
	[ "$ROOT" != tiny ] || terminals "$root"
	for item in "$@"; do
		overlay_add "$root" "$item"
	done
	[ "${#DISKS[@]}$ROOT" = 0tiny ] || touch "$root/bench/disks"
	[ "$ROOT" = tiny ] || debian_layer "$root"
	{
		cat "$base"
		pack "$root"
	} >"$out"
	rm -rf "$root"
}
