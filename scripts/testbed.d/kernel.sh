# SPDX-License-Identifier: GPL-2.0-only
# Stock Debian kernels: which release a series means, fetched once by apt.
# shellcheck shell=bash

# kernel_meta SERIES FLAVOUR: the Debian metapackage that follows a series.
kernel_meta()
{
	local flavour=amd64
	[ "$2" = cloud ] && flavour=cloud-amd64
	case $1 in
	6.1) echo "linux-image-$flavour" ;;
	*) echo "linux-image-$1-$flavour" ;;
	esac
}

# kernel_release SERIES FLAVOUR: the release whose headers are installed, since
# joist.ko is built for these, else the newest the archive has.
kernel_release()
{
	local series=$1 flavour=$2 dir rel=
	if [ "$series" = debug ]; then
		cat "$CACHE/kernel/debug" 2>/dev/null ||
			die "no debug kernel is built: make check-debug builds it"
		return
	fi
	dir=$("$TOP/scripts/headers" "$series")
	if [ -d "$dir" ]; then
		rel=${dir#/usr/src/linux-headers-}
		[ "$flavour" = cloud ] && rel=${rel%-amd64}-cloud-amd64
	else
		rel=$(apt-cache depends "$(kernel_meta "$series" "$flavour")" 2>/dev/null |
			sed -n 's/^ *Depends: linux-image-//p' | head -n 1)
	fi
	[ -n "$rel" ] || die "no Debian kernel $series ($flavour) known to apt: run apt-get update"
	echo "$rel"
}

# le32 FILE OFFSET: a little-endian 32-bit word.
le32() { od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '; }

# extract_vmlinux BZIMAGE OUT: the ELF kernel inside, found by the payload fields
# of the boot protocol's header (2.08).
extract_vmlinux()
{
	local image=$1 out=$2 sects start len magic unpack
	[ "$(od -An -tx4 -j 514 -N 4 "$image" | tr -d ' ')" = 53726448 ] ||
		die "$image is not a bzImage"
	sects=$(od -An -tu1 -j 497 -N 1 "$image" | tr -d ' ')
	start=$(((sects + 1) * 512 + $(le32 "$image" 584)))
	len=$(le32 "$image" 588)
	magic=$(od -An -tx1 -j "$start" -N 4 "$image" | tr -d ' ')
	case $magic in
	fd377a58) unpack="xz -dc" ;;
	28b52ffd) unpack="zstd -dcq" ;;
	1f8b*) unpack="gzip -dc" ;;
	02214c18) unpack="lz4 -dcq" ;;
	*) die "$image: unknown compression of the payload ($magic)" ;;
	esac
	# The last four bytes are the unpacked size, no part of the stream.
	need "${unpack%% *}" "its package"
	head -c $((start + len - 4)) "$image" | tail -c $((len - 4)) | $unpack >"$out.tmp" ||
		die "$image: its payload does not unpack"
	mv "$out.tmp" "$out"
}

# kernel_fetch RELEASE: fill .cache/kernel/RELEASE with the unpacked package.
kernel_fetch()
{
	local rel=$1 dir=$CACHE/kernel/$1 tmp deb
	[ -e "$dir/.complete" ] && return
	need dpkg dpkg
	say "fetching linux-image-$rel"
	tmp=$dir.tmp
	rm -rf "$tmp" "$dir"
	mkdir -p "$tmp"
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "linux-image-$rel") >&2 ||
		die "apt cannot fetch linux-image-$rel: run apt-get update, and upgrade linux-headers if the archive has moved on"
	deb=$(echo "$tmp"/*.deb)
	dpkg-deb -x "$deb" "$tmp"
	rm -f "$deb"
	# Debian 12 has /lib merged into /usr; a package may use either name.
	if [ -d "$tmp/usr/lib/modules" ] && [ ! -d "$tmp/lib/modules" ]; then
		mkdir -p "$tmp/lib"
		mv "$tmp/usr/lib/modules" "$tmp/lib/modules"
	fi
	find "$tmp/lib/modules" -name '*.ko.xz' -exec xz -dq {} +
	depmod -b "$tmp" "$rel"
	extract_vmlinux "$tmp/boot/vmlinuz-$rel" "$tmp/vmlinux"
	touch "$tmp/.complete"
	mv "$tmp" "$dir"
}

# kernel_dir RELEASE: where its files are, after fetching them if need be.
kernel_dir()
{
	[ -e "$CACHE/kernel/$1/.complete" ] || locked "kernel-$1" kernel_fetch "$1" || return
	echo "$CACHE/kernel/$1"
}
