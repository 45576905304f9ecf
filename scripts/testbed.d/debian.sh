# SPDX-License-Identifier: GPL-2.0-only
# --root debian: a Debian 12 image for what needs real programs; --root systemd: the
# same with systemd as its first process; --root dkms: with what DKMS needs besides.
# Shared by all runs and never written to: an overlay in the bench's memory takes the
# writes.
# shellcheck shell=bash

DEBIAN_LABEL=joist-root
DEBIAN_PACKAGES=kmod,procps,iproute2,pciutils,strace,e2fsprogs,util-linux
DEBIAN_PACKAGES+=,python3-yaml,python3-jsonschema
# What the package joist depends on.
JOIST_NEEDS=adduser,libcap2,libconfuse2,libjson-c5,libncurses6,libnl-genl-3-200,libseccomp2,libslirp0,liburing2

# debian_packages: what --root asks for.
debian_packages()
{
	case $ROOT in
	debian) echo "$DEBIAN_PACKAGES" ;;
	systemd) echo "kmod,procps,util-linux,usr-is-merged,systemd-sysv,dbus,udev,$JOIST_NEEDS" ;;
	dkms) echo "kmod,procps,usr-is-merged,dkms,linux-headers-$RELEASE,$JOIST_NEEDS" ;;
	esac
}

# apart CMD...: runs it with none but the standard files open, in a process group of
# its own. mmdebstrap hands an open file to /bin/sh by its number, of which dash
# takes one digit; and when it fails it hangs up its whole process group.
apart()
{
	(
		for fd in "/proc/$BASHPID/fd"/*; do
			fd=${fd##*/}
			[ "$fd" -le 2 ] || eval "exec $fd>&-"
		done
		exec setsid --wait "$@"
	)
}

# debian_build IMAGE
debian_build()
{
	local tmp=$1.tmp.ext2
	[ -e "$1" ] && return
	need mmdebstrap mmdebstrap
	need genext2fs genext2fs
	say "making a Debian 12 image (once; some two minutes)"
	mkdir -p "${1%/*}"
	rm -f "${1%/*}"/*.ext2
	apart mmdebstrap --quiet --variant=minbase --include="$(debian_packages)" \
		bookworm "$tmp" >&2 || die "mmdebstrap could not make $1"
	/sbin/tune2fs -L "$DEBIAN_LABEL" "$tmp" >/dev/null
	mv "$tmp" "$1"
}

# debian_image: its path.
debian_image()
{
	local key out
	key=$({ debian_packages; cat "$BENCH_D/debian.sh"; } | sha256sum | cut -c 1-12)
	out=$CACHE/debian/$ROOT/$key.ext2
	[ -e "$out" ] || locked debian debian_build "$out" || return
	echo "$out"
}

# systemd_layer ROOT: a service runs the command once the system is up.
systemd_layer()
{
	local units=$1/etc/systemd/system
	mkdir -p "$units/multi-user.target.wants"
	cp "$BENCH_D/bench.service" "$units/"
	ln -s ../bench.service "$units/multi-user.target.wants/"
	cp "$BENCH_D/run" "$1/bench/run"
	touch "$1/bench/systemd"
}

# debian_layer ROOT: makes what the tiny root would have on top of itself a layer
# for the image, whose /bin, /sbin and /lib are links into /usr.
debian_layer()
{
	local root=$1 layer d
	layer=$(mktemp -d "$RUN/layer.XXXX")
	chmod 755 "$layer"
	for d in bin sbin lib lib64; do
		[ -d "$root/$d" ] || continue
		mkdir -p "$root/usr/$d"
		cp -a "$root/$d/." "$root/usr/$d/"
		rm -rf "${root:?}/$d"
	done
	[ "$ROOT" != systemd ] || systemd_layer "$root"
	mv "$root/bench" "$layer/"
	mkdir "$layer/bench/layer"
	find "$root" -mindepth 1 -maxdepth 1 -exec mv -t "$layer/bench/layer" {} +
	mv "$layer/bench" "$root/"
	echo "$DEBIAN_LABEL" >"$root/bench/root"
	rm -rf "$layer"
}
