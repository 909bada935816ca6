# SPDX-License-Identifier: GPL-2.0
#
# make [KDIR=DIR]	the modules and vhostctl, here, for one kernel
# make demo		everything in a lab VM: stock QEMU on a real NVMe drive
# make bench		all that is measured, in lab VMs: build/bench/report.html; or
# make bench-path	the data paths beside each other, without a guest
# make bench-workloads	the same over workloads and disks
# make bench-guests	devices beside each other in a guest
# make bench-experiments	VMs with drives, what each device costs the host
# make bench-count	the paths, in instructions instead of time
# make bench-pass	a poller's part of a request, on this machine's own processor
# make bench-scale	more queues, sessions, memory, in the same; memory of the kernel's
# make soak		sessions come and go, for half an hour
# make fuzz-lab		hostile calls and queues on the debug kernel: SECONDS=3600
# make check		all tests, in lab VMs
# make check-debug	on a kernel with KASAN, lockdep ...
# make check-kcsan	on one that finds data races
# README.md says more.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
export KDIR

all: modules tools

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

tools:
	$(MAKE) -C tools/vhostctl

BENCH_OUT := build/6.12/bench

bench-client:
	$(MAKE) -C tools/bench

# The directory is for reservations that shall survive a loss of power.
install: modules_install
	$(MAKE) -C tools/vhostctl install PREFIX=$(PREFIX)
	install -d -m 0700 $(DESTDIR)/var/lib/vhost-target
	install -D -m 0644 -t $(DESTDIR)/usr/lib/modprobe.d tools/conf/vhost-target.conf
	install -D -m 0644 -t $(DESTDIR)/usr/lib/udev/rules.d tools/conf/90-vhost-target.rules

selftests:
	$(MAKE) -C selftests

# Bugs for debug kernels to find: tools/lab/planted.py.
planted:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/selftests/planted modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools/vhostctl clean
	$(MAKE) -C tools/bench clean
	$(MAKE) -C selftests clean

check-unit:
	$(MAKE) -sC selftests/unit check

# In the lab's root, for its compiler; on two CPUs of this machine.
bench-pass:
	tools/lab/lab setup 6.12
	tools/lab/lab build 6.12 unit-pass

unit-pass:
	$(MAKE) -sC selftests/unit pass PASS_ARGS="$(PASS_ARGS)"

check-coverage:
	$(MAKE) -sC selftests/unit coverage

check-vhostctl:
	$(MAKE) -C tools/vhostctl test

check-sparse:
	$(MAKE) -C $(KDIR) M=$(CURDIR) W=1 C=1 KCFLAGS=-Werror \
		CF="-D__CHECK_ENDIAN__ -Wsparse-error" modules

# checkpatch.pl and its word lists, out of the linux-source package.
checkpatch-script: build/checkpatch/checkpatch.pl

build/checkpatch/checkpatch.pl:
	mkdir -p $(@D)
	tar -xJf $(lastword $(sort $(wildcard /usr/src/linux-source-*.tar.xz))) \
		-C $(@D) --strip-components=2 --wildcards \
		'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch'

demo:
	tools/lab/lab setup 6.12
	@mkdir -p build
	tools/lab/lab build 6.12 modules tools >build/demo.log 2>&1 || \
		{ tail -n 40 build/demo.log; false; }
	tools/lab/lab run --tries 3 --nvme size=1G,ioqpairs=4 \
		--nvme size=1G,ioqpairs=4 --nvme size=1G,ioqpairs=4 --timeout 1200 -- \
		python3 tools/demo/demo.py

bench:
	$(MAKE) bench-path bench-workloads
	$(MAKE) bench-guests GUESTS_ARGS="all $(GUESTS_ARGS)"
	$(MAKE) bench-experiments bench-count bench-scale
	tools/bench/report.py build/bench $(BENCH_OUT)/path.json \
		$(BENCH_OUT)/work-*.json \
		$(BENCH_OUT)/guest-*.json $(BENCH_OUT)/exp-*.json $(BENCH_OUT)/count.json \
		$(BENCH_OUT)/scale.json $(BENCH_OUT)/memory.json

# All of that once and briefly: whether it runs. Its ratios tell nothing.
bench-quick:
	$(MAKE) bench BENCH_ARGS="--rounds 2 --seconds 0.3" \
		WORK_ARGS="--rounds 2 --seconds 0.1" GUESTS_ARGS="-r 1 -s 1" \
		COUNT_ARGS="--rounds 1 --ios 2000" SCALE_ARGS="--rounds 1 --ios 2000" \
		MEMORY_ARGS="--rounds 1" \
		$(foreach what,ONE MANY CLIENTS COST,$(what)_ARGS="-r 1 -s 1")

bench-built:
	tools/lab/lab setup 6.12
	@mkdir -p build
	tools/lab/lab build 6.12 modules tools bench-client >build/bench.log 2>&1 || \
		{ tail -n 40 build/bench.log; false; }

bench-path: bench-built
	tools/lab/lab run --tries 2 --timeout 3600 --nvme size=1G,ioqpairs=4,poll=2 -- \
		python3 tools/bench/bench.py --json bench/path.json $(BENCH_ARGS)

bench-workloads: bench-built
	tools/lab/lab run --tries 2 --timeout 7200 --nvme size=1G,ioqpairs=4,poll=2 -- \
		python3 tools/bench/workloads.py --json bench/work $(WORK_ARGS)

bench-guests: bench-built
	tools/lab/lab run --tries 2 --timeout 7200 -- python3 tools/bench/guests.py \
		--json bench/guest $(GUESTS_ARGS)

# Drives, words, file.
EXPERIMENT = tools/lab/lab run --tries 4 --timeout 7200 $(foreach i,$(1),--nvme size=1G) -- \
	python3 tools/bench/experiments.py $(2) --json bench/exp-$(3).json

# If one fails (eight VMs at once are more than the emulator bears at times), the
# others are done all the same.
EXPERIMENTS := one many many-slow clients clients-slow cost cost-500

bench-experiments: bench-built
	$(MAKE) -k $(EXPERIMENTS:%=experiment-%)

experiment-one:
	$(call EXPERIMENT,1,one,1-one) $(ONE_ARGS)
experiment-many:
	$(call EXPERIMENT,1 2 3 4,many,2-many) $(MANY_ARGS)
experiment-many-slow:
	$(call EXPERIMENT,,many --backend slow --bs 16384 -s 20,3-many-slow) $(MANY_ARGS)
experiment-clients:
	$(call EXPERIMENT,1 2 3 4,clients,4-clients) $(CLIENTS_ARGS)
experiment-clients-slow:
	$(call EXPERIMENT,,clients --backend slow,5-clients-slow) $(CLIENTS_ARGS)
experiment-cost:
	$(call EXPERIMENT,,cost,6-cost) $(COST_ARGS)
experiment-cost-500:
	$(call EXPERIMENT,,cost --idle-us 500,7-cost-500) $(COST_ARGS)

# Sessions that come and go: 1,000 of them, then half an hour of load.
soak: bench-built
	tools/lab/lab run --tries 2 --timeout 7200 --env SOAK_ROUNDS=1000 --env SOAK_SECONDS=1800 \
		-- python3 selftests/vm/run.py soak

# Half of the time for calls, half for queues.
SECONDS ?= 3600
FUZZ_SEED ?= 1

fuzz-lab:
	tools/lab/lab setup debug
	@mkdir -p build
	tools/lab/lab build debug modules tools selftests >build/fuzz.log 2>&1 || \
		{ tail -n 40 build/fuzz.log; false; }
	tools/lab/lab run --kernel debug --cpus 2 --mem 8192 --kmemleak --nvme size=1G \
		--timeout $$(($(SECONDS) + 3600)) --env FUZZ_SECONDS=$$(($(SECONDS) / 2)) \
		--env FUZZ_SEED=$(FUZZ_SEED) -- sh selftests/fuzz_lab.sh

# So many random chains and commands of hostile drivers, beside bystanders, on the kernel
# that is fastest here; two VMs at once, and four kinds of rings one after the other.
CHAINS ?= 10000000

fuzz-chains:
	tools/lab/lab setup 6.12
	@mkdir -p build
	tools/lab/lab build 6.12 modules tools selftests >build/fuzz.log 2>&1 || \
		{ tail -n 40 build/fuzz.log; false; }
	printf '%s\n' "BLK blk 7" "SCSI scsi 3" | xargs -P 2 -L 1 sh -c \
		'tools/lab/lab run --tries 2 --cpus 1 --timeout 86400 \
			--env $$0_FUZZ_ARGS=$$(($(CHAINS) / 40 * $$2)) \
			-- sh selftests/ioctl_door.sh $$1/$$1_fuzz'

bench-count: bench-built
	tools/bench/count.py --json $(BENCH_OUT)/count.json $(COUNT_ARGS)

bench-scale: bench-built
	tools/bench/scale.py --json $(BENCH_OUT)/scale.json $(SCALE_ARGS)
	tools/lab/lab run --tries 2 -- python3 tools/bench/memory.py --json bench/memory.json \
		$(MEMORY_ARGS)

check:
	tools/check.sh

check-style:
	tools/check-style.sh

check-debug:
	tools/check.sh --debug

check-kcsan:
	tools/check.sh --kcsan

.PHONY: all modules modules_install tools bench-client bench bench-count install selftests clean
.PHONY: bench-pass unit-pass check-unit check-coverage check-vhostctl check-sparse checkpatch-script demo check check-style check-debug
.PHONY: check-kcsan planted
.PHONY: $(EXPERIMENTS:%=experiment-%)
.PHONY: bench-built bench-quick bench-path bench-workloads bench-guests soak fuzz-lab fuzz-chains bench-experiments bench-scale
