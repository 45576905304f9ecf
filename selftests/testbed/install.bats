# SPDX-License-Identifier: GPL-2.0-only
# make install and make uninstall, on the machine, below a directory of the test's own.

bats_require_minimum_version 1.5.0

setup()
{
	TOP=$BATS_TEST_DIRNAME/../..
	KDIR=$("$TOP/scripts/headers" 6.1)
	[ -d "$KDIR" ] || skip "no kernel headers"
	RELEASE=${KDIR#/usr/src/linux-headers-}
	[ -e "$TOP/build/$RELEASE/joist.ko" ] || skip "no module is built"
	D=$BATS_TEST_TMPDIR/root
}

# make_to TARGET [VAR=VALUE...]: of the module, what is built is taken as it is.
make_to()
{
	make -s -C "$TOP" -o module "$1" KDIR="$KDIR" DESTDIR="$D" "${@:2}" >&2
}

# files: what is there, directories left out
files() { (cd "$D" && find . ! -type d | sort); }

# has PATH...: and nobody but the owner may write it
has()
{
	local f
	for f in "$@"; do
		[ -n "$(find "$D/$f" -type f ! -perm /022 -size +0)" ] || {
			echo "not there, or of the wrong mode: $f"
			return 1
		}
	done
}

both()
{
	local prefix=$1 f pages=0
	shift
	rm -rf "$D"
	mkdir -p "$D$prefix/bin"
	echo somebody >"$D$prefix/bin/else"
	make_to install "$@"
	has "$prefix/bin/vmctl" "$prefix/sbin/vmd" "$prefix/share/bash-completion/completions/vmctl" \
		"lib/modules/$RELEASE/updates/joist.ko" usr/lib/udev/rules.d/60-joist.rules \
		usr/lib/modprobe.d/joist.conf
	[ -x "$D$prefix/bin/vmctl" ]
	[ -x "$D$prefix/sbin/vmd" ]
	for f in "$TOP"/Documentation/man/*.[1-8]; do
		has "$prefix/share/man/man${f##*.}/${f##*/}"
		pages=$((pages + 1))
	done
	[ "$pages" -ge 5 ]
	for f in "$TOP"/userspace/vmd/systemd/*; do
		has "usr/lib/systemd/system/${f##*/}"
	done
	# The units name the programs where they are; modprobe is the system's.
	! grep -rhE '^Exec[A-Za-z]*=' "$D/usr/lib/systemd/system" |
		grep -vE "=$prefix/(sbin/vmd|bin/vmctl) |=-\+/sbin/modprobe " || false
	make_to uninstall "$@"
	[ "$(files)" = ".$prefix/bin/else" ]
}

@test "what make install puts there make uninstall takes away, and no more" {
	both /usr/local
}

@test "likewise with a prefix, by either name" {
	both /opt/joist PREFIX=/opt/joist
	both /opt/other prefix=/opt/other
}

@test "uninstall where nothing is installed is no failure, nor is the second one" {
	mkdir "$D"
	make_to uninstall
	make_to uninstall
	[ -z "$(files)" ]
}
