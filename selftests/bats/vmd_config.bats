#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# vmd -n: the configuration. Nothing here needs the hypervisor.

load helper
VMD=$(first /userspace/vmd "$TOP/build/userspace/vmd")

setup()
{
	DIR=$BATS_TEST_TMPDIR
	mkdir -p "$DIR/conf.d"
	: >"$DIR/joist.conf"
}

check()
{
	run "$VMD" -n -f "$DIR/joist.conf"
}

@test "a good configuration" {
	cat >"$DIR/joist.conf" <<-'END'
		# The comment's lines
		/* are counted
		   once */
		autostart-stagger = 1.5
		template "small" {
			memory = 64M
			kernel = "/boot/vmlinuz"
			disk "root" { path = "/srv/%n.img" }
		}
		vm "web" { template = "small" vcpus = 2 owner = "root" }
		vm "db" { template = "small" restart = always autostart = on }
		switch "lan" { uplink = "eth0" }
	END
	echo 'vm "more" { kernel = "/k" }' >"$DIR/conf.d/50-more.conf"
	check
	[ "$status" = 0 ]
	[[ $output == *"3 VMs, no fault"* ]]
}

@test "each fault is told with its file and line" {
	cat >"$DIR/joist.conf" <<-'END'
		# one
		vm "web" {
			kernel = "relative"
			colour = "red"
			vcpus = 300
			memory = 16Q
			memory-max = "64"
			autostart = maybe
			restart = often
			owner = "no-such-user"
			uuid = "12"
			cpu-max = 0
		}
		vm "2bad" { kernel = "/k" }
		vm "none" { vcpus = 1 }
		vm "lost" { template = "gone" kernel = "/k" }
		vm "disk" {
			kernel = "/k"
			disk "a" { path = "relative" }
			disk "b" { readonly = "perhaps" path = "/b" }
		}
		vm "disk2" {
			kernel = "/k"
			disk "a" { }
		}
		vm "small" { kernel = "/k" memory = 64M memory-max = 32M }
	END
	echo 'vm "disk" { kernel = "/k" }' >"$DIR/conf.d/a.conf"
	check
	[ "$status" = 1 ]
	for text in "3: kernel 'relative' is no absolute path" "4: no such option 'colour'" \
		"5: vcpus 300 is not from 1 to 255" "6: memory '16Q' is no size" \
		"7: memory-max 64 is not from" "8: autostart 'maybe' is neither yes nor no" \
		"9: restart 'often' is none of" "10: there is no user 'no-such-user'" \
		"11: '12' is no UUID" "12: cpu-max 0 is not from 1" "14: '2bad' is no name" \
		"15: the VM 'none' has neither a kernel nor firmware" "16: there is no template \"gone\"" \
		"19: path 'relative' is no absolute path" "20: readonly 'perhaps' is neither" \
		"22: the disk \"a\" has no path" "26: memory-max of the VM 'small' is less"; do
		[[ $output == *"$DIR/joist.conf:$text"* ]] || { echo "not told: $text"; false; }
	done
	[[ $output == *"$DIR/conf.d/a.conf:1: the name or UUID of the VM 'disk' is that of the VM 'disk' in $DIR/joist.conf:17"* ]]
	[ "${#lines[@]}" = 18 ]
}

@test "broken syntax, and files that cannot be read" {
	printf 'vm "web" {\n\tkernel = \n}\n' >"$DIR/joist.conf"
	check
	[ "$status" = 1 ]
	[[ $output == *"$DIR/joist.conf:"[23]":"* ]]
	printf 'vm "web" {\n\tkernel = "/k"\n' >"$DIR/joist.conf"
	check
	[ "$status" = 1 ]
	printf 'vm "a" { kernel = "/k" }\nvm "a" { kernel = "/k" }\n' >"$DIR/joist.conf"
	check
	[ "$status" = 1 ]
	[[ $output == *"$DIR/joist.conf:2:"*"'a'"* ]]
	head -c 5000 /dev/urandom >"$DIR/joist.conf"
	check
	[ "$status" = 1 ]
	rm "$DIR/joist.conf"
	check
	[ "$status" = 1 ]
	[[ $output == *"joist.conf:0: cannot be read: No such file"* ]]
}

@test "the command line" {
	run "$VMD" --help
	[ "$status" = 0 ]
	[[ $output == *"usage: vmd"* ]]
	run "$VMD" --version
	[[ $output == "vmd "[0-9]* ]]
	for bad in -x --fly "-n extra"; do
		run "$VMD" $bad
		[ "$status" = 2 ]
	done
}
