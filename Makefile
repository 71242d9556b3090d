# SPDX-License-Identifier: GPL-2.0
#
# Palisade's targets for people; `make help` lists them. How kbuild makes the module is in Kbuild. What the
# targets do is in the scripts that they call; each of these can be called by itself as well.

SHELL := /bin/bash
.SUFFIXES:
MAKEFLAGS += --no-print-directory

export KERNEL ?= stock
export CALLER_DIRECTORY := $(PWD)
export RUN VM_CPUS VM_MEM VM_TIMEOUT VM_APPEND V UPDATE

# A script ends when make does, even when make is killed; what it began ends with it.
call := @setpriv --pdeathsig TERM

.PHONY: all prepare module cli man install deb vm demo test test-install test-dkms test-headers test-kernels test-metrics test-bans test-crossed test-packetdrill fuzz fuzz-host races miri mutants bench bench-recent bench-synproxy bench-mixed bench-content bench-native \
	bench-quick bench-check bench-plot clippy rustfmt-check clean clean-cache help

all: module

prepare:
	$(call) tests/vm/setup true

module:
ifdef KDIR
	@tests/vm/build-module-for '$(KDIR)'
else
	$(call) tests/vm/build-module
endif

cli:
	$(call) tests/vm/build-cli

man:
	$(call) tests/vm/build-documents

# What make and make cli have built, as it is: this may be root's, who builds nothing.
install: export DESTDIR := $(DESTDIR)
install: export PREFIX := $(PREFIX)
install:
	@userspace-tool/system/install

deb:
	$(call) tests/vm/build-deb

# The shell splits ARGS into words.
vm:
	$(call) tests/vm/run "$$RUN" $(ARGS)

demo:
	$(call) tests/vm/run tests/demo/run.sh $(ARGS)
	@mkdir -p build/demo && cp build/vm/out/demo/flood.* build/demo/
	@echo 'The plot of the flood is build/demo/flood.svg.'

test:
	$(call) tests/run $(TESTS)

# On a Debian server that is booted for it, with the packages of make deb.
test-install: deb
	$(call) tests/install/run

# On another, where DKMS builds the module for kernels that apt installs; these are booted, too.
test-dkms: deb
	$(call) tests/install/dkms

# With headers as those of distributions whose kernels leave their metadata of Rust there.
test-headers:
	$(call) tests/install/headers

# Each kernel that the archive has, or those that ARGS names. It fills in the table of Documentation/kernels.md.
test-kernels:
	$(call) tests/kernels/run $(ARGS)

# Debian's Prometheus, which is downloaded, asks for the counters in the VM.
test-metrics:
	$(call) tests/metrics/run

# Debian's fail2ban, CrowdSec and sshguard, which are downloaded, ban hosts in the VM: all, or those that ARGS names.
test-bans:
	$(call) tests/bans/run $(ARGS)

# The whole cross product, or the parts, networks and rows of it that ARGS names.
test-crossed: export VM_TIMEOUT := $(or $(VM_TIMEOUT),3600)
# Its clock counts instructions, so that waiting takes no time.
test-crossed: export VM_CPUS := 1
test-crossed: export VM_ICOUNT := 0
test-crossed:
	$(call) tests/vm/run tests/selftests/synproxy/crossed.py --all $(ARGS)

# The kernel's scripts of packetdrill, or those below SCRIPTS, or those of them that ARGS names.
test-packetdrill: export PACKETDRILL := $(PACKETDRILL)
test-packetdrill: export SCRIPTS := $(SCRIPTS)
test-packetdrill:
	$(call) tests/packetdrill/run $(ARGS)

# A fuzzer's time is a number, in seconds; the VM gets some more for starting and for its last round.
fuzz: SECONDS ?= 600
fuzz: export KERNEL := debug
fuzz: export VM_TIMEOUT = $(shell expr $(SECONDS) + 900)
fuzz:
	$(call) tests/vm/run tests/fuzz/run $(SECONDS) $(ARGS)

# The same source as a program of this machine: each target for so many seconds.
fuzz-host: SECONDS ?= 60
fuzz-host: export KERNEL := stock
fuzz-host: export SECONDS_EACH = $(SECONDS)
fuzz-host:
	$(call) tests/host/run fuzz

# What several CPUs do at once, in so many orders of their accesses each.
races: export KERNEL := stock
races: export RACES_ORDERS := $(or $(ORDERS),3000)
races:
	$(call) tests/host/run races $(ARGS)

# The unit tests in an interpreter that finds undefined behaviour: the quicker ones, or those that ARGS names.
miri: export KERNEL := stock
miri:
	$(call) tests/host/run miri $(ARGS)

# Faults that tests have to notice, all of them or those whose numbers ARGS names.
mutants: export KERNEL := stock
mutants:
	$(call) tests/host/run mutants $(ARGS)

bench:
	$(call) tests/bench/all

bench-recent:
	$(call) tests/bench/recent

bench-synproxy:
	$(call) tests/bench/synproxy

bench-mixed:
	$(call) tests/bench/mixed

# With HAProxy and nginx's module for it, which are downloaded.
bench-content:
	$(call) tests/bench/content

bench-native:
	$(call) tests/bench/native

bench-quick:
	$(call) tests/bench/quick

bench-check:
	$(call) tests/bench/check

bench-plot:
	$(call) tests/bench/plot

clippy:
	$(call) tests/vm/build-module lint
	$(call) tests/vm/build-cli lint

rustfmt-check:
	$(call) tests/vm/check-format

clean:
	rm -rf build

clean-cache:
	$(call) tests/vm/clean-cache

help:
	@sed 1d tests/vm/help
