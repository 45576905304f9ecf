# SPDX-License-Identifier: GPL-2.0-only
# The AMD bench: QEMU's TCG with SVM. testbed.rst says what it can and cannot.
# shellcheck shell=bash

# tsc_khz: of the emulated TSC, which is this machine's
tsc_khz()
{
	local tool=$CACHE/tsc-khz source=$BENCH_D/tsc-khz.c
	if [ ! "$tool" -nt "$source" ]; then
		mkdir -p "$CACHE"
		cc -O2 -o "$tool.$$" "$source" && mv "$tool.$$" "$tool" || return
	fi
	"$tool"
}

# The timer check counts ticks in real time: on a busy machine they come late. So does what tells
# the kernel how fast its TSC is: its seconds were a fifteenth of ours, and time limits, too.
svm_cmdline()
{
	local khz
	echo -n "tsc=reliable no_timer_check"
	[ "$ICOUNT" = yes ] || ! khz=$(tsc_khz) || echo -n " tsc_early_khz=$khz"
	case $IOMMU in intel | snoop) echo -n " intel_iommu=on" ;; esac
}

# svm_start: runs QEMU in the background; sets EMU_PID.
svm_start()
{
	local machine=pc args=()
	need qemu-system-x86_64 qemu-system-x86
	case $IOMMU in
	intel) args+=(-device "intel-iommu,intremap=on,caching-mode=on") ;;
	snoop) args+=(-device "intel-iommu,intremap=on,caching-mode=on,snoop-control=on") ;;
	amd) args+=(-device "amd-iommu,intremap=on") ;;
	esac
	[ "$IOMMU" = no ] || machine=q35,kernel-irqchip=split
	[ "$ICOUNT" = yes ] && args+=(-icount "shift=0,sleep=off")
	local d
	[ -z "$MONITOR" ] || args+=(-monitor "unix:$MONITOR,server,nowait")
	[ -z "$PLUGIN" ] || args+=(-plugin "$PLUGIN")
	for d in "${DRIVES[@]}"; do
		case ${d#*:} in
		null) args+=(-drive "id=${d%%:*},driver=null-co,size=64M,read-zeroes=on,if=none") ;;
		*) args+=(-drive "id=${d%%:*},file=${d#*:},format=raw,if=none") ;;
		esac
	done
	for d in "${NETDEVS[@]}"; do args+=(-netdev "$d"); done
	for d in "${DEVICES[@]}"; do args+=(-device "$d"); done
	for d in "${DISKS[@]}"; do args+=(-drive "file=${d/%,ro/,readonly=on},format=raw,if=virtio"); done
	[ -z "$ROOT_IMAGE" ] || args+=(-drive "file=$ROOT_IMAGE,format=raw,if=virtio,readonly=on")
	if [ "$SHELL_MODE" = yes ]; then
		args+=(-serial "file:$RUN/console" -serial mon:stdio)
	else
		args+=(-serial "file:$RUN/console" -serial "file:$RUN/output")
	fi
	set -- qemu-system-x86_64 -M "$machine" -accel "tcg,thread=single" \
		-cpu "${CPU:-max}" -smp "$SMP" -m "$MEMORY" -nodefaults -no-reboot \
		-display none -kernel "$KERNEL_ELF" -initrd "$RUN/initrd" \
		-append "$CMDLINE" "${args[@]}"
	if [ "$SHELL_MODE" = yes ]; then
		"$@"
	else
		"$@" </dev/null >"$RUN/emulator" 2>&1 &
		EMU_PID=$!
	fi
}
