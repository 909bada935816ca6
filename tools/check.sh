#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# check.sh [--debug | --kcsan]
#
# All tests: style, which builds all, then what runs in lab VMs on both kernels,
# $CHECK_JOBS (3) at a time, each of $CHECK_CPUS CPUs (1: two CPUs of an emulated
# machine wait for each other more than they work). Ends with what failed, if
# anything, and "N passed, N failed, N skipped" over all steps. --debug runs those on the
# debug kernel (KASAN, lockdep, kmemleak ...), where a report of the kernel's is a failure;
# --kcsan those of the doors and of several pollers on one that finds data races of ours.
# Both see first that bugs which are planted are found.
cd "$(dirname "$0")/.." || exit 1
lab=tools/lab/lab
cpus=${CHECK_CPUS:-1}

say() {
	now=$(($(date +%s) - start))
	printf '# [%d:%02d] %s\n' $((now / 60)) $((now % 60)) "$*"
}

# result PASSED FAILED SKIPPED NAME
result() {
	printf '%6d passed %4d failed %4d skipped  %s\n' "$@" >>"$tmp/results"
}

# The last line of the form "N passed, N failed" of a step is its result; a
# step that prints none, or fails without saying so, is one failure. One that
# runs beside others has its @label before each line.
step() {
	name=$1
	log=$tmp/log.$label
	shift
	say "$name"
	{ "$@" 2>&1; echo "# exit code $?"; } | tee "$log" |
		sed -u "s/^/${label:+$label| }/"
	code=$(sed -n 's/^# exit code //p' "$log" | tail -n 1)
	line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	# shellcheck disable=SC2086
	set -- $(echo "$line" | tr -dc '0-9 ')
	p=${1:-0} f=${2:-0} s=${3:-0}
	if [ "$code" != 0 ] && [ "$f" = 0 ]; then
		echo "# $name: exit code $code"
		f=1
	elif [ -z "$line" ]; then
		echo "# $name: no result"
		f=1
	fi
	[ "$f" = 0 ] || failures "$name" "$log"
	result "$p" "$f" "$s" "$name"
	say "$name: done"
}

# failures STEP LOG: what is told again at the end
failures() {
	{
		echo "# ---- $1"
		if grep -aq '^not ok' "$2"; then
			grep -a -B 12 '^not ok' "$2"
		else
			tail -n 25 "$2"
		fi
	} >>"$tmp/failures"
}

# Something that prints no result of its own.
must() {
	say "$1"
	shift
	"$@" >"$tmp/must" 2>&1 && return 0
	tail -n 40 "$tmp/must"
	echo "# failed: $*"
	result 0 1 0 "$*"
	return 1
}

# faults: what tests brought about, and what was seen of it: build/faults.md
faults() {
	rows=$(grep -ahE '^# fault \|' "$tmp"/log.* 2>/dev/null | sort -u)
	[ -n "$rows" ] || return
	{
		printf '# What a fault does\n\nMade by the tests, of what they saw.\n\n'
		printf '| fault | what was seen |\n|---|---|\n'
		echo "$rows" | sed -e 's/^# fault //' -e 's/$/ |/'
	} >build/faults.md
	say "$(echo "$rows" | wc -l) faults and what they did: build/faults.md"
}

finish() {
	faults
	say "done"
	sort -k 7 "$tmp/results" | sed 's/^/# /'
	[ ! -e "$tmp/failures" ] || sed 's/^/# /' "$tmp/failures"
	awk '{ p += $1; f += $3; s += $5 }
	     END { printf "%d passed, %d failed, %d skipped\n", p, f, s
		   exit f != 0 }' "$tmp/results"
	exit
}

# turn KERNEL: what the kernels take turns in is on one of them; CHECK_ALL=1: on both.
turn() {
	[ -n "$CHECK_ALL" ] || case $1 in
	6.12) echo 0 ;;
	7.2) echo 1 ;;
	esac
}

# kselftests KERNEL SCRIPT [LAB-OPTION...]: what needs no guest, in one VM
kselftests() {
	kernel=$1
	script=$2
	shift 2
	# 100,000 chains on one kernel, some on the other; few of what takes long where
	# all is looked at.
	chains= remaps=
	[ -n "$CHECK_ALL" ] || [ "$kernel" != 7.2 ] || chains=20000
	if [ "$kernel" = debug ]; then
		chains=${BLK_FUZZ_ARGS:-10000} remaps=200
		set -- --kmemleak --mem 8192 "$@"
	elif [ "$kernel" = kcsan ]; then
		# A race takes two CPUs.
		cpus=2 remaps=200
		chains=${BLK_FUZZ_ARGS:-2000} SCSI_FUZZ_ARGS=${SCSI_FUZZ_ARGS:-1000}
	fi
	$lab run --tries 2 --kernel "$kernel" --cpus "$cpus" --nvme size=1G \
		--timeout 5400 --env "TURN=$(turn "$kernel")" \
		${chains:+--env "BLK_FUZZ_ARGS=$chains"} \
		${remaps:+--env "VFIO_REMAPS=$remaps"} "$@" \
		--env "SCSI_FUZZ_ARGS=${SCSI_FUZZ_ARGS:-5000}" \
		-- sh "selftests/$script.sh"
}

# The 7.2 root has no linux-source: it gets the harness of 6.12.
share_harness() {
	harness=build/selftests/kselftest
	mkdir -p "build/7.2/$harness"
	cp -a build/6.12/$harness/. "build/7.2/$harness/"
}

# Five minutes of hostile calls and queues, beside a bystander.
fuzzers() {
	$lab run --tries 2 --kernel debug --cpus 2 --mem 8192 --kmemleak --nvme size=1G \
		--timeout 5400 --env "FUZZ_SECONDS=${FUZZ_SECONDS:-150}" \
		--env "FUZZ_SEED=${FUZZ_SEED:-1}" -- sh selftests/fuzz_lab.sh
}

# guests KERNEL CPUS GROUP...: the tests of selftests/vm, in one VM
guests() {
	kernel=$1
	count=$2
	shift 2
	set -- --env "TURN=$(turn "$kernel")" -- python3 selftests/vm/run.py "$@"
	[ "$kernel" != debug ] || set -- --mem 8192 --kmemleak "$@"
	$lab run --tries 2 --kernel "$kernel" --cpus "$count" --timeout 5400 \
		--nvme size=1G,ioqpairs=4,poll=1 "$@"
}

# All that runs side by side, the longest first; what has two CPUs last, where the
# fewest run beside it.
jobs() {
	for what in doors scsi nvme blk two_cpus; do
		echo "6.12 $what"
		echo "7.2 $what"
	done
	echo "6.12 counts"
	echo "6.12 vhostctl"
	echo "6.12 unit"
	echo "6.12 coverage"
}

# job KERNEL WHAT
job() {
	label="$1 $2"
	case $2 in
	unit) step "unit tests" $lab build "$1" check-unit ;;
	coverage) step "coverage of the unit tests" $lab build "$1" check-coverage ;;
	vhostctl) step "vhostctl" $lab build "$1" check-vhostctl ;;
	doors) step "doors on $1" kselftests "$1" doors ;;
	ioctl | vdpa | vfio) step "the $2 door on $1" kselftests "$1" "$2_door" ;;
	planted) step "planted bugs on $1" tools/lab/planted.py "$1" ;;
	counts) step "instructions for an I/O on $1" tools/bench/count.py --kernel "$1" --check ;;
	fuzz) step "hostile calls and queues on $1" fuzzers ;;
	two_cpus) step "what needs two CPUs on $1" guests "$1" 2 "$2" ;;
	*) step "host and guests, $2, on $1" guests "$1" "$cpus" "$2" ;;
	esac
}

if [ "$1" = --job ]; then
	job "$2" "$3"
	exit
fi
tmp=$(mktemp -d)
start=$(date +%s)
export tmp start
trap 'rm -rf "$tmp"' EXIT

# own KERNEL JOBS WHAT...: on a kernel that the lab builds
own() {
	kernel=$1
	at_once=$2
	shift 2
	$lab setup "$kernel" || exit 1
	must "build for $kernel" $lab build "$kernel" modules tools selftests bench-client \
		planted || finish
	printf "$kernel %s\n" "$@" |
		xargs -P "${CHECK_JOBS:-$at_once}" -L 1 sh tools/check.sh --job
	finish
}

case $1 in
--debug) own debug 2 planted ioctl scsi nvme blk vdpa vfio fuzz two_cpus ;;
--kcsan) own kcsan 1 planted ioctl vdpa vfio two_cpus ;;
esac

$lab setup 6.12 7.2 || exit 1
# This builds the modules, too.
step "style" tools/check-style.sh
must "build for 6.12" $lab build 6.12 tools selftests bench-client || finish
share_harness
must "build for 7.2" $lab build 7.2 tools selftests bench-client || finish
jobs | xargs -P "${CHECK_JOBS:-3}" -L 1 sh tools/check.sh --job
finish
