# SPDX-License-Identifier: GPL-2.0-only
# The Intel bench: Bochs. Kernel and initrd are placed in its memory, where
# pvhrom.S finds them: no boot loader, no decompression.
# shellcheck shell=bash

# Bochs interprets 50 to 100 million instructions per second: told so, its
# clock runs about like ours, and time limits mean the same. Its TSC counts
# instructions, whatever frequency CPUID's leaf 0x15 tells: the kernel must
# be told, else each of its seconds would last for billions of them.
VMX_IPS=50000000
VMX_INFO=$((0x600000))
VMX_BLOCK=$((0x20000))
VMX_PAD=63 # blocks; see pvhrom.S

vmx_cmdline() { echo "tsc=reliable tsc_early_khz=$((VMX_IPS / 1000)) no_timer_check"; }

# vmx_flatten ELF OUT: the kernel as it lies in memory, and what is needed to
# enter it: load address, entry (the PHYS32_ENTRY note), end.
vmx_flatten()
{
	local elf=$1 out=$2 load entry end
	[ -e "$out.map" ] && return
	need objcopy binutils
	objcopy -O binary "$elf" "$out"
	read -r load end < <(readelf -lW "$elf" | awk '
		function hex(s,	i, v) {
			v = 0
			for (i = 3; i <= length(s); i++)
				v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
			return v
		}
		$1 == "LOAD" {
			if (!low || hex($4) < low) low = hex($4)
			if (hex($4) + hex($6) > high) high = hex($4) + hex($6)
		}
		END { printf "%d %d\n", low, high }')
	entry=$(readelf -nW "$elf" | sed -n \
		's/.*0x00000012).*description data: \(..\) \(..\) \(..\) \(..\) .*/0x\4\3\2\1/p')
	[ -n "$entry" ] || die "$elf has no PVH entry"
	echo "$load $((entry)) $end" >"$out.map"
}

# vmx_rom OUT
vmx_rom()
{
	local out=$1 tmp sum
	[ -e "$out" ] && return
	need as binutils
	tmp=$(mktemp -d)
	as --32 -o "$tmp/rom.o" "$BENCH_D/pvhrom.S"
	objcopy -O binary -j .text "$tmp/rom.o" "$tmp/rom"
	sum=$(od -An -v -tu1 -w1 "$tmp/rom" | awk '{ s += $1 } END { print s % 256 }')
	printf '%b' "$(printf '\\x%02x' $(((256 - sum) % 256)))" |
		dd of="$tmp/rom" bs=1 seek=2047 conv=notrunc status=none
	mkdir -p "$(dirname "$out")"
	mv "$tmp/rom" "$out"
	rm -rf "$tmp"
}

# put BYTES VALUE: a little-endian number.
put()
{
	local i v=$2
	for ((i = 0; i < $1; i++)); do
		printf '%b' "$(printf '\\x%02x' $((v & 255)))"
		v=$((v >> 8))
	done
}

# vmx_info LOAD LOAD_SIZE ENTRY INITRD_ADDRESS INITRD_SIZE: struct hvm_start_info
# and what it points to.
vmx_info()
{
	put 4 $((0x336ec578)) # magic
	put 4 1               # version
	put 4 0               # flags
	put 4 1               # modules
	put 8 $((VMX_INFO + 0x40))
	put 8 $((VMX_INFO + 0x800))
	put 8 0  # RSDP: the kernel finds it
	put 8 0  # memory map: the ROM's part
	put 4 0
	put 4 0
	put 8 0
	put 8 "$4" # module list at 0x40: the initrd
	put 8 "$5"
	put 16 0
	put 32 0
	put 4 "$3" # at 0x80: what the ROM asks for
	put 4 "$1"
	put 4 $(($1 + $2))
	put 4 "$4"
	put 4 $(($4 + $5))
	head -c $((0x800 - 0x94)) /dev/zero
	printf '%s\0' "$CMDLINE"
}

# vmx_pad OUT: the padding blocks.
vmx_pad()
{
	local i
	[ -e "$1" ] && return
	for ((i = 1; i < VMX_PAD; i++)); do
		head -c "$VMX_BLOCK" /dev/zero
	done >"$1.tmp"
	printf JPAL >>"$1.tmp"
	head -c $((VMX_BLOCK - 4)) /dev/zero >>"$1.tmp"
	mv "$1.tmp" "$1"
}

# vmx_image KERNEL INITRD_ADDRESS OUT: the one file that fills the memory.
vmx_image()
{
	local load entry size
	read -r load entry _ <"$1.map"
	size=$(stat -L -c %s "$1")
	vmx_info "$load" "$size" "$entry" "$2" "$(stat -c %s "$RUN/initrd")" >"$3"
	truncate -s "$VMX_BLOCK" "$3"
	cat "$CACHE/vmx/pad" "$1" >>"$3"
	truncate -s %"$VMX_BLOCK" "$3"
	cat "$RUN/initrd" >>"$3"
}

vmx_megs()
{
	case $MEMORY in
	*[gG]) echo $((${MEMORY%?} * 1024)) ;;
	*[mM]) echo "${MEMORY%?}" ;;
	*) echo "$MEMORY" ;;
	esac
}

# vmx_config: the bochsrc.
vmx_config()
{
	local megs n=0 d
	megs=$(vmx_megs)
	cat <<-RC
		plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, gameport=0, usb_uhci=0
		memory: guest=$megs, host=$megs
		romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
		vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
		cpu: model=${CPU:-corei7_skylake_x}, count=$SMP, ips=$VMX_IPS, reset_on_triple_fault=0, ignore_bad_msrs=1
		clock: sync=none
		optromimage1: file=$CACHE/vmx/pvhrom, address=0xd0000
		optramimage1: file=$RUN/image, address=$(printf '0x%x' "$VMX_INFO")
		display_library: rfb, options="timeout=0"
		com1: enabled=1, mode=file, dev=$RUN/console
		log: $RUN/emulator
		debugger_log: /dev/null
		panic: action=fatal
		error: action=report
		info: action=ignore
		debug: action=ignore
	RC
	[ -z "$TRACE" ] || echo "magic_break: enabled=1"
	if [ "$SHELL_MODE" = yes ]; then
		echo "com2: enabled=1, mode=term, dev=$(tty)"
	else
		echo "com2: enabled=1, mode=file, dev=$RUN/output"
	fi
	for d in "${DISKS[@]/%/, mode=flat}" \
		${ROOT_IMAGE:+"$ROOT_IMAGE, mode=volatile, journal=$RUN/journal"}; do
		[ $n -lt 2 ] || die "the vmx bench has two disks, the one of --root debian included"
		echo "ata0-$([ $n = 0 ] && echo master || echo slave): type=disk, path=${d/,ro, mode=flat/, mode=volatile, journal=$RUN/journal.$n}"
		n=$((n + 1))
	done
}

# vmx_start: runs Bochs in the background; sets EMU_PID.
vmx_start()
{
	local flat=${KERNEL_ELF%/*}/vmlinux.flat end
	need bochs-bin bochs
	[ "$IOMMU$ICOUNT" = nono ] || say "note: --iommu and --icount are of the svm bench (Bochs always counts instructions)"
	[ ${#DEVICES[@]} = 0 ] || die "--device is of the svm bench"
	locked vmx-flat vmx_flatten "$KERNEL_ELF" "$flat"
	locked vmx-rom vmx_rom "$CACHE/vmx/pvhrom"
	locked vmx-pad vmx_pad "$CACHE/vmx/pad"
	read -r _ _ end <"$flat.map"
	vmx_image "$flat" $(((end + 0x3fffff) & ~0x1fffff)) "$RUN/image"
	rm -f "$RUN/initrd"
	vmx_config >"$RUN/bochsrc"
	echo c >"$RUN/rc.bochs"
	[ -z "$TRACE" ] || printf '%s\n' "trace on" "s 60000" q >>"$RUN/rc.bochs"
	set -- bochs-bin -q -f "$RUN/bochsrc" -rc "$RUN/rc.bochs"
	if [ "$SHELL_MODE" = yes ]; then
		"$@" >/dev/null 2>&1
	else
		"$@" </dev/null >"${TRACE:-$RUN/emulator.out}" 2>&1 &
		EMU_PID=$!
	fi
}
