# SPDX-License-Identifier: GPL-2.0-only
# What people type. `make help` lists it.

KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell printf '%s\n' /usr/src/linux-headers-*-amd64 | sort -rV))
RELEASE := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
BUILD ?= $(CURDIR)/build
MODDIR := $(BUILD)/$(RELEASE)
prefix ?= /usr/local
PREFIX ?= $(prefix)
UNITDIR ?= /usr/lib/systemd/system
units := $(notdir $(wildcard userspace/vmd/systemd/*))
# W=1 C=2 for warnings and sparse
KFLAGS ?=

.DEFAULT_GOAL := all
.PHONY: all module userspace selftests unit fuzz demo check check-debug peercheck qemucheck bench bench-check lint \
	install install-module install-programs uninstall deb clean help

all: module userspace ## build the module and the userspace

# kbuild leaves its objects beside the sources, so it works on a copy: one for each
# kernel, and the source tree stays clean.
module: ## build joist.ko into build/<release>/ (KDIR=kernel build directory)
	@test -n "$(RELEASE)" || \
		{ echo "no kernel headers found: run scripts/setup, or give KDIR="; exit 1; }
	@mkdir -p $(MODDIR)
	@rsync -a --delete --include=/Kbuild --include=/kmod/*** --include=/uapi/*** \
		--filter='P *.o' --filter='P *.ko' --filter='P *.mod*' --filter='P .*.cmd' \
		--filter='P .*.d' --filter='P modules.order' --filter='P Module.symvers' \
		--exclude='/*' $(CURDIR)/ $(MODDIR)/
	+$(MAKE) --no-print-directory -C $(KDIR) M=$(MODDIR) $(KFLAGS) modules

userspace: ## build the programs into build/userspace/
	+$(MAKE) --no-print-directory -C userspace BUILD=$(BUILD)/userspace

selftests: ## build the kselftests into build/selftests/
	+$(MAKE) --no-print-directory -C selftests BUILD=$(BUILD)/selftests

unit: ## run the unit tests of pure code
	+$(MAKE) --no-print-directory -C selftests/unit check

fuzz: ## build the fuzzers of devices and parsers into build/fuzz/; scripts/fuzz runs them
	+$(MAKE) --no-print-directory -C selftests/fuzz O=$(BUILD)/fuzz all seeds

demo: ## boot a Debian guest with vmctl run
	scripts/demo

check: ## unit tests, then the suite in both benches; scripts/check STAGE for one
	scripts/check

check-debug: ## the suite on a KASAN + lockdep kernel
	scripts/check-debug

peercheck: ## KVM's own selftests on kvm and on joist, side by side (an hour)
	scripts/setup peer
	$(MAKE) --no-print-directory module KDIR="$$(scripts/headers 6.1)"
	scripts/peercheck

qemucheck: ## Debian's QEMU on joist: machines, irqchips, vCPUs, saved guests
	scripts/setup qemu
	$(MAKE) --no-print-directory module KDIR="$$(scripts/headers 6.1)"
	scripts/qemucheck

bench: ## measure exits, memory, boots on KVM and joist; record it in Documentation/
	scripts/bench --record

bench-check: ## joist's exits in the SVM bench are no worse than recorded
	scripts/setup
	scripts/bench --check svm

lint: ## checkpatch, sparse, W=1, cppcheck, layers, headers, shellcheck
	scripts/lint

install: install-module install-programs ## install the module, the programs, their manual pages, units, udev rule

install-module: module
	install -D -m 644 $(MODDIR)/joist.ko \
		$(DESTDIR)/lib/modules/$(RELEASE)/updates/joist.ko
	test -n "$(DESTDIR)" || depmod $(RELEASE)

install-programs: userspace
	+$(MAKE) --no-print-directory -C userspace BUILD=$(BUILD)/userspace install
	for u in $(units); do \
		mkdir -p $(DESTDIR)$(UNITDIR) && \
		sed 's,/usr/local/,$(PREFIX)/,' userspace/vmd/systemd/$$u \
			>$(DESTDIR)$(UNITDIR)/$$u || exit; \
	done
	install -D -m 644 scripts/60-joist.rules \
		$(DESTDIR)/usr/lib/udev/rules.d/60-joist.rules
	install -D -m 644 scripts/joist.modprobe.conf \
		$(DESTDIR)/usr/lib/modprobe.d/joist.conf

uninstall: ## remove what install put there
	+$(MAKE) --no-print-directory -C userspace BUILD=$(BUILD)/userspace uninstall
	rm -f $(DESTDIR)/lib/modules/$(RELEASE)/updates/joist.ko \
		$(addprefix $(DESTDIR)$(UNITDIR)/,$(units)) \
		$(DESTDIR)/usr/lib/udev/rules.d/60-joist.rules \
		$(DESTDIR)/usr/lib/modprobe.d/joist.conf
	test -n "$(DESTDIR)" || depmod $(RELEASE)

deb: ## build the Debian packages joist and joist-dkms into build/deb/
	scripts/deb

clean: ## remove build/ (the cache of kernels stays in .cache/)
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18
