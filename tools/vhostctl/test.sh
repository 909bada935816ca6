#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Tests of vhostctl that need no kernel module: the control node is
# fake_ctl.c, preloaded. The whole suite runs twice: on the plain program and
# on one built with the address and undefined-behaviour sanitizers.
# Output: KTAP. Exit: 0 when nothing failed. KEEP=1 keeps the scratch files.

here=$(cd "$(dirname "$0")" && pwd) || exit 1
CC=${CC:-cc}
tmp=$(mktemp -d) || exit 1
[ -n "$KEEP" ] || trap 'rm -rf "$tmp"' EXIT
results=$tmp/results
nr=0
bad=0
unset VHOST_TARGET_DEVICE POSIXLY_CORRECT
export LC_ALL=C

ok() {
	nr=$((nr + 1))
	echo "ok $nr - $variant: $1" >> "$results"
}

not_ok() {
	nr=$((nr + 1))
	bad=$((bad + 1))
	echo "not ok $nr - $variant: $1" >> "$results"
	printf '%s\n' "$2" | sed 's/^/# /' >> "$results"
}

skip() {
	nr=$((nr + 1))
	echo "ok $nr - $variant: $1 # SKIP $2" >> "$results"
}

# is DESC WANT GOT
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "want: $2
got:  $3"
	fi
}

# Runs vhostctl on the fake node (FAKE=0: on none); sets rc, out, err.
run() {
	if [ "$FAKE" = 0 ]; then
		"$prog" "$@" > "$tmp/out" 2> "$tmp/err"
	else
		LD_PRELOAD=$tmp/fake.so VHOST_TARGET_DEVICE=/dev/null \
		FAKE_CTL_STATE=$tmp/state FAKE_CTL_LOG=$tmp/log \
		FAKE_CTL_SYSFS=$tmp/sysfs \
			"$prog" "$@" > "$tmp/out" 2> "$tmp/err"
	fi
	rc=$?
	out=$(cat "$tmp/out")
	err=$(cat "$tmp/err")
}

# t DESC RC STDOUT STDERR ARGS...: all three must match exactly
t() {
	desc=$1 want="rc=$2
out=$3
err=$4"
	shift 4
	run "$@"
	is "$desc" "$want" "rc=$rc
out=$out
err=$err"
}

# usage DESC MESSAGE ARGS...: exit 2, nothing printed, no call made
usage() {
	desc=$1 msg=$2
	shift 2
	t "$desc" 2 "" "vhostctl: $msg" "$@"
}

# calls DESC LINES: the changing calls made since the last look
calls() {
	[ -e "$tmp/log" ] || : > "$tmp/log"
	is "$1" "$2" "$(cat "$tmp/log")"
	: > "$tmp/log"
}

# json DESC PYTHON: an expression on d, the last output, must hold
json() {
	if [ -z "$python" ]; then
		skip "$1" "no python3"
		return
	fi
	if ! $python -m json.tool < "$tmp/out" > /dev/null 2> "$tmp/json"; then
		not_ok "$1" "$(cat "$tmp/json" "$tmp/out")"
		return
	fi
	got=$($python -c 'import json, sys
def pct(hist, permille):
    rank = -(-sum(hist) * permille // 1000)
    for i, n in enumerate(hist):
        if rank <= n:
            return 2**i + 2**i * rank // n
        rank -= n
d = json.load(open(sys.argv[1], encoding="utf-8"))
print(eval(sys.argv[2]))' "$tmp/out" "$2" 2>&1)
	is "$1" True "$got"
}

fresh() {
	rm -rf "$tmp/state" "$tmp/log" "$tmp/sysfs"
}

test_harness() {
	keep_nr=$nr keep_bad=$bad keep_results=$results
	results=$tmp/selftest
	t "a wrong expectation" 0 "no such output" "" --version
	caught=$((bad - keep_bad))
	nr=$keep_nr bad=$keep_bad results=$keep_results
	is "the harness notices a wrong result" 1 "$caught"
}

test_help() {
	t "--version" 0 "vhostctl 0.1.0" "" --version
	run --help
	is "--help: exit code" 0 "$rc"
	is "--help: every command" "create delete list show resize lun list lun add lun remove lun resize ns list ns add ns remove ns resize stat top poller list poller add poller remove poller set batch" \
		"$(sed -n '/^commands:/,/^$/s/^  \(.\{15\}\).*/\1/p' "$tmp/out" | xargs)"
	for c in create delete list show resize stat top "lun list" "lun add" \
		 "lun remove" "lun resize" "poller list" "poller add" \
		 "poller remove" "poller set" batch; do
		# shellcheck disable=SC2086
		run $c --help
		is "$c --help: exit code, usage, example" \
			"0 usage: vhostctl $c example:  vhostctl $c" \
			"$rc $(sed -n "1s/^\(usage: vhostctl $c\)[] ].*/\1/p" "$tmp/out") $(sed -n "/^example:/{N;s/\n//;s/\(  vhostctl $c\).*/\1/p}" "$tmp/out")"
	done
	run poller --help
	is "poller --help: the four" "0 4" "$rc $(grep -c '^  vhostctl poller ' "$tmp/out")"
	run lun --help
	is "lun --help: the four" "0 4" "$rc $(grep -c '^  vhostctl lun ' "$tmp/out")"
	run ns --help
	is "ns --help: the four" "0 4" "$rc $(grep -c '^  vhostctl ns ' "$tmp/out")"
	t "delete --help: whole text" 0 "usage: vhostctl delete NAME [options]

Destroy a target and close its disks.

options:
  --device PATH          control node
  --help                 this text

example:
  vhostctl delete disk0" "" delete --help
}

test_words() {
	usage "no command" "no command; see vhostctl --help"
	usage "unknown command" "unknown command 'frob'; see vhostctl --help" frob
	usage "part of a command" "unknown command 'creat'; see vhostctl --help" creat
	usage "group alone" "'poller' alone is no command; see vhostctl --help" poller
	usage "unknown in group" "unknown command 'poller x'; see vhostctl --help" poller x
	usage "unknown global option" "unknown option '--bogus'; see vhostctl --help" --bogus list
	usage "--device without argument" "--device needs an argument; see vhostctl --help" --device
	usage "unknown option" "list: unknown or misused option '--bogus'; see vhostctl list --help" list --bogus
	usage "unknown letter" "list: unknown or misused option '-x'; see vhostctl list --help" list -x
	usage "argument to a flag" "list: unknown or misused option '--json=1'; see vhostctl list --help" list --json=1
	usage "option without argument" "resize: --size needs an argument; see vhostctl resize --help" resize d --size
	usage "missing operand" "show: missing: NAME; see vhostctl show --help" show
	usage "operand too many" "show: one word too many: 'b'; see vhostctl show --help" show a b
	usage "operand after --" "list: one word too many: 'y'; see vhostctl list --help" list -- blk y
	usage "no --json where nothing is printed" "delete: unknown or misused option '--json'; see vhostctl delete --help" delete d --json
	usage "control characters stay on one line" "unknown command 'a\\x0ab\\x1b\\xff'; see vhostctl --help" "$(printf 'a\nb\033\377')"
}

test_values() {
	see="see vhostctl create --help"
	p="create blk d"
	usage "type not known" "create x d: unknown type 'x', known types: blk, scsi, nvme; $see" create x d --null 1G
	usage "list of a type not known" "list x: unknown type 'x', known types: blk, scsi, nvme; see vhostctl list --help" list x
	usage "no backend" "$p: give one of --dev, --file and --null; $see" create blk d
	usage "two backends" "$p: give one of --dev, --file and --null; $see" create blk d --null 1G --dev /fake/bdev
	usage "empty path" "$p: the path is empty; $see" create blk d --file ""
	for size in 0 x 1X 1KB K -1 1.5G 18446744073709551616 18446744073709551619 16777216T " 1" ""; do
		usage "size '$size'" "create: --null: '$size' is not a size (digits, then K, M, G or T) of at least 1; $see" create blk d --null "$size"
	done
	for n in 0 257 -1 a ""; do
		usage "queues '$n'" "create: --queues: '$n' is not a number within 1..256; $see" create blk d --null 1G --queues "$n"
	done
	usage "queue size too large" "create: --queue-size: '2048' is not a number within 2..1024; $see" create blk d --null 1G --queue-size 2048
	usage "queue size no power of two" "$p: --queue-size: 100 is no power of two; $see" create blk d --null 1G --queue-size 100
	usage "block size" "$p: --block-size: 1024 is not 512 or 4096; $see" create blk d --null 1G --block-size 1024
	usage "serial too long" "$p: --serial: more than 31 characters; $see" create blk d --null 1G --serial 12345678901234567890123456789012
	usage "serial with a tab" "$p: --serial: only printable ASCII characters; $see" create blk d --null 1G --serial "$(printf 'a\tb')"
	for o in wwpn vendor product revision naa; do
		usage "$o for blk" "$p: --$o is for scsi targets only; $see" create blk d --null 1G --$o x
	done
	p="create scsi d"
	usage "disk options without a disk" "$p: give one of --dev, --file and --null; $see" create scsi d --serial x
	for w in "" x naa. 5001405000000001 naa.500140500000001 naa.50014050000000011 naa.500140500000000g; do
		usage "wwpn '$w'" "$p: --wwpn: '$w' is not naa. and 16 hexadecimal digits; $see" create scsi d --wwpn "$w"
	done
	for w in "" x naa. 300000000000001 30000000000000010 0x30000000000000; do
		usage "naa '$w'" "$p: --naa: '$w' is not 16 hexadecimal digits; $see" create scsi d --null 1M --naa "$w"
	done
	usage "naa of 16 bytes" "$p: --naa: '6000000000000001' does not start with 2, 3 or 5; $see" create scsi d --null 1M --naa 6000000000000001
	usage "vendor too long" "$p: --vendor: more than 8 characters; $see" create scsi d --null 1M --vendor 123456789
	usage "product too long" "$p: --product: more than 16 characters; $see" create scsi d --null 1M --product 12345678901234567
	usage "revision too long" "$p: --revision: more than 4 characters; $see" create scsi d --null 1M --revision 12345
	usage "vendor with a newline" "$p: --vendor: only printable ASCII characters; $see" create scsi d --null 1M --vendor "$(printf 'a\nb')"
	for l in x 16384 4294967296 1x; do
		usage "LUN '$l'" "lun remove d $l: '$l' is not a LUN within 0..16383; see vhostctl lun remove --help" lun remove d "$l"
		usage "LUN '$l' to be added" "lun add d $l: '$l' is not a LUN within 0..16383; see vhostctl lun add --help" lun add d "$l" --null 1M
	done
	for n in x 0 1025; do
		usage "NSID '$n'" "ns remove d $n: '$n' is not a namespace within 1..1024; see vhostctl ns remove --help" ns remove d "$n"
	done
	usage "lun add without disk" "lun add d: give one of --dev, --file and --null; see vhostctl lun add --help" lun add d
	p="create blk d"
	usage "vfio with vdpa" "$p: --vfio and --vdpa exclude each other; $see" create blk d --null 1G --vdpa --vfio
	usage "vfio of another type" "$p: --vfio is for type nvme; $see" create blk d --null 1G --vfio
	usage "no-dbbuf of another type" "$p: --no-dbbuf is for type nvme; $see" create blk d --null 1G --no-dbbuf
	usage "use-va without vdpa" "$p: --use-va needs --vdpa; $see" create blk d --null 1G --use-va
	usage "a null backend shares nothing" "$p: --shared-backend: --null shares nothing; $see" create blk d --null 1G --shared-backend
	usage "what is polled is a device" "$p: --polled needs --dev; $see" create blk d --file /fake/file --polled
	for l in "" , 0, 0,,1 a 4294967296 0-3 00000000000000000; do
		bad_one=$l
		case $l in ,|0,|0,,1) bad_one= ;; esac
		usage "pollers '$l'" "$p: --pollers: '$bad_one' is not a poller's number; give a list like 0,1; $see" create blk d --null 1G --pollers "$l"
	done
	usage "pollers twice" "$p: --pollers: 1 is there twice; $see" create blk d --null 1G --pollers 0,1,1
	usage "no such user" "$p: --owner: no user 'no-such-user'; $see" create blk d --null 1G --owner no-such-user
	usage "no such group" "$p: --owner: no group 'no-such-group'; $see" create blk d --null 1G --owner root:no-such-group
	usage "owner of all ones" "$p: --owner: no user '4294967295'; $see" create blk d --null 1G --owner 4294967295
	usage "name too long" "delete $l64: a name has 1 to 63 characters; see vhostctl delete --help" delete "$l64"
	for n in -- .a a/b "a b"; do
		[ "$n" = -- ] && set -- -- -a || set -- "$n"
		eval "last=\${$#}"
		usage "name '$last'" "delete $last: a name has only letters, digits and ._:- and does not start with - or .; see vhostctl delete --help" delete "$@"
	done
	usage "poller's number" "poller remove x: 'x' is not a poller's number; see vhostctl poller remove --help" poller remove x
	usage "poller add without CPU" "poller add: --cpu is missing; see vhostctl poller add --help" poller add
	usage "poller set without time" "poller set 0: --idle-us is missing; see vhostctl poller set --help" poller set 0
	usage "idle time too long" "poller set: --idle-us: '1000001' is not a number within 0..1000000; see vhostctl poller set --help" poller set 0 --idle-us 1000001
	usage "queue and per-queue" "stat d: give one of --queue and --per-queue; see vhostctl stat --help" stat d --queue 0 --per-queue
	usage "count without interval" "stat d: --count needs --interval; see vhostctl stat --help" stat d --count 1
	usage "endless JSON" "stat d: --json with --interval needs --count; see vhostctl stat --help" stat d --json --interval 1
	usage "endless JSON of top" "top: --json needs --count; see vhostctl top --help" top --json
	for s in 0 0.0001 1e3 1.2.3 inf nan "" -1 90000; do
		usage "interval '$s'" "stat: --interval: '$s' is not a number of seconds within 0.001..86400; see vhostctl stat --help" stat d --interval "$s"
	done
	calls "a usage error makes no call" ""
}

test_backends() {
	: > "$tmp/img"
	usage "a file for --dev" "create blk d: $tmp/img is a regular file; use --file instead of --dev" create blk d --dev "$tmp/img"
	usage "a device for --file" "create blk d: /fake/bdev is a block device; use --dev instead of --file" create blk d --file /fake/bdev
	usage "a directory" "create blk d: $tmp is neither a block device (--dev) nor a regular file (--file); give one" create blk d --file "$tmp"
	usage "a character device" "create blk d: /dev/zero is neither a block device (--dev) nor a regular file (--file); give one" create blk d --dev /dev/zero
	t "nothing there" 1 "" "vhostctl: create blk d: $tmp/nope: No such file or directory; check the path" create blk d --file "$tmp/nope"
	calls "a bad backend makes no call" ""
}

test_node() {
	FAKE=0
	t "no node: exit 3" 3 "" "vhostctl: list: $tmp/no-node is not there; load the modules: modprobe vhost_blk" --device "$tmp/no-node" list
	t "--device after the command" 3 "" "vhostctl: list: $tmp/no-node is not there; load the modules: modprobe vhost_blk" list --device "$tmp/no-node"
	t "--device=PATH" 3 "" "vhostctl: list: $tmp/no-node is not there; load the modules: modprobe vhost_blk" --device="$tmp/no-node" list
	export VHOST_TARGET_DEVICE="$tmp/no-env"
	t "node from the environment" 3 "" "vhostctl: poller list: $tmp/no-env is not there; load the modules: modprobe vhost_blk" poller list
	t "--device beats the environment" 3 "" "vhostctl: delete d: $tmp/no-node is not there; load the modules: modprobe vhost_blk" delete d --device "$tmp/no-node"
	unset VHOST_TARGET_DEVICE
	t "node is a file" 3 "" "vhostctl: top: $tmp/img is not the control node; check --device, or load the modules: modprobe vhost_blk" --device "$tmp/img" top --json --count 1
	t "node is another device" 3 "" "vhostctl: list: the node does not know this call; check --device and the modules' version" --device /dev/null list --json
	t "node is a directory" 3 "" "vhostctl: list: cannot open $tmp: Is a directory; check --device" --device "$tmp" list
	t "usage errors come first" 2 "" "vhostctl: create blk d: give one of --dev, --file and --null; see vhostctl create --help" --device "$tmp/no-node" create blk d
	FAKE=1
}

test_create() {
	fresh
	t "empty list" 0 "NAME  TYPE  UNITS  QUEUES  RUNNING  SESSIONS  OWNER  VDPA" "" list
	t "empty list in JSON" 0 "[]" "" list --json
	t "create with defaults" 0 "disk0: open /dev/vhost-blk and attach to disk0 (VHOST_TARGET_ATTACH)" "" create blk disk0 --null 1G
	calls "calls of the defaults" "CREATE name=disk0 flags=0 type=1 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=disk0 flags=0 unit=0 backend=3 path=- capacity=1073741824 block_size=0 serial="
	run poller add --cpu 2
	: > "$tmp/log"
	t "create with everything" 0 "a.b:c_d-1: vDPA device vdpa-a.b:c_d-1 is not bound; for QEMU: modprobe vhost_vdpa" "" \
		create --queues 4 blk --dev /fake/bdev a.b:c_d-1 --ro --queue-size 512 --serial 'S "1"' --block-size 4096 --pollers 1,0 --owner 1234:5678 --shared --vdpa --use-va --writethrough --no-discard --shared-backend --polled
	calls "calls with everything" "CREATE name=a.b:c_d-1 flags=0x7 type=1 num_queues=4 queue_size=512 uid=1234 gid=5678 pollers=1,0
UNIT_ADD name=a.b:c_d-1 flags=0x1f unit=0 backend=1 path=/fake/bdev capacity=0 block_size=4096 serial=S \"1\""
	cd "$tmp" || exit 1
	run create blk rel --file ./img --owner root:root
	run create blk rel2 --file img
	cd "$here" || exit 1
	calls "relative paths and names of owners" "CREATE name=rel flags=0 type=1 num_queues=0 queue_size=0 uid=0 gid=0 pollers=
UNIT_ADD name=rel flags=0 unit=0 backend=2 path=$tmp/img capacity=0 block_size=0 serial=
CREATE name=rel2 flags=0 type=1 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=rel2 flags=0 unit=0 backend=2 path=$tmp/img capacity=0 block_size=0 serial="
	t "name taken" 1 "" "vhostctl: create blk disk0: the name or wwpn is taken; choose another or see vhostctl list" create blk disk0 --null 1G
	t "no such poller" 1 "" "vhostctl: create blk x: no such poller; see vhostctl poller list" create blk x --null 1G --pollers 0,5
	for s in 1:1 1k:1024 3K:3072 2M:2097152 4g:4294967296 1T:1099511627776 16777215T:18446742974197923840; do
		: > "$tmp/log"
		run create blk "size" --null "${s%:*}"
		is "size ${s%:*}" "capacity=${s#*:}" "$(sed -n 's/^UNIT_ADD.*\(capacity=[0-9]*\).*/\1/p' "$tmp/log")"
		run delete size
	done
	: > "$tmp/log"
}

test_rollback() {
	fresh
	t "unit refused" 1 "" "vhostctl: create blk d: the size or --block-size does not fit; use the device's own, or a multiple" create blk d --null 1000
	calls "unit refused: the target goes" "CREATE name=d flags=0 type=1 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=d flags=0 unit=0 backend=3 path=- capacity=1000 block_size=0 serial=
DESTROY name=d"
	t "nothing is left" 0 "[]" "" list --json
	for e in "16:someone else uses it; unmount it or stop its user" "30:is read-only; add --ro" \
		 "15:is no block device; use --file for a regular file" "13:may not be opened; check its permissions" \
		 "95:cannot do what was asked: a file needs direct asynchronous I/O (ext4, xfs), --polled a device with queues for polling" \
		 "5:VHOST_TARGET_UNIT_ADD failed: Input/output error; the kernel log may say more"; do
		export FAKE_CTL_FAIL="3:${e%%:*}"
		t "unit refused with errno ${e%%:*}" 1 "" "vhostctl: create blk d: /fake/bdev: ${e#*:}" create blk d --dev /fake/bdev --json
	done
	t "still nothing is left" 0 "[]" "" list --json
	export FAKE_CTL_FAIL=3:16,1:16
	t "rollback refused too" 1 "" "vhostctl: create blk d: its disk was refused (Device or resource busy) and the empty target could not be removed (Device or resource busy); run vhostctl delete d" create blk d --null 1G
	export FAKE_CTL_FAIL=0:19
	t "module not loaded" 1 "" "vhostctl: create blk e: module vhost_blk is not loaded; modprobe vhost_blk" create blk e --null 1G
	export FAKE_CTL_FAIL=0:95
	t "no vDPA door" 1 "" "vhostctl: create blk e: the module of this door is not loaded; load it or leave out --vdpa and --vfio" create blk e --null 1G --vdpa
	export FAKE_CTL_FAIL=0:1
	t "no permission" 3 "" "vhostctl: create blk e: no permission; run it as root" create blk e --null 1G
	export FAKE_CTL_FAIL=2:5
	t "made, but not to be looked at" 0 "e: its vDPA device is not known yet; run vhostctl show e" "" create blk e --null 1G --vdpa
	unset FAKE_CTL_FAIL
}

test_vdpa() {
	fresh
	dev=$tmp/sysfs/devices/vdpa-v
	run create blk v --null 1M --vdpa --queues 2
	mkdir -p "$dev/vhost-vdpa-12" "$dev/power" "$tmp/sysfs/drivers/vhost_vdpa"
	ln -s ../../../drivers/vhost_vdpa "$dev/driver"
	run show v --json
	json "show --json: node and driver" '(d["vdpa_name"], d["vdpa_node"], d["vdpa_driver"]) == ("vdpa-v", "/dev/vhost-vdpa-12", "vhost_vdpa")'
	run delete v
	t "create: QEMU's option" 0 "v: start QEMU with -device vhost-vdpa-device-pci,vhostdev=/dev/vhost-vdpa-12" "" create blk v --null 1M --vdpa
	run delete v
	run create blk v --null 1M --vdpa --json
	json "create --json" 'd == {"name": "v", "vdpa_name": "vdpa-v", "vdpa_node": "/dev/vhost-vdpa-12", "vdpa_driver": "vhost_vdpa", "wwpn": None, "vfio_path": None, "next_step": "start QEMU with -device vhost-vdpa-device-pci,vhostdev=/dev/vhost-vdpa-12"}'
	run delete v
	param=$tmp/sysfs/drivers/vhost_vdpa/module/parameters/max_iotlb_entries
	mkdir -p "${param%/*}"
	echo 2048 >"$param"
	t "create: few pieces of memory" 0 "v: start QEMU with -device vhost-vdpa-device-pci,vhostdev=/dev/vhost-vdpa-12" "vhostctl: note: vhost_vdpa takes guest memory in at most 2048 pieces, too few for much memory without huge pages (QEMU: vhost vdpa map fail); load it with max_iotlb_entries=4194304" create blk v --null 1M --vdpa
	run delete v
	t "create: not by vDPA" 0 "v: open /dev/vhost-blk and attach to v (VHOST_TARGET_ATTACH)" "" create blk v --null 1M
	run delete v
	echo 4194304 >"$param"
	t "create: enough of them" 0 "v: start QEMU with -device vhost-vdpa-device-pci,vhostdev=/dev/vhost-vdpa-12" "" create blk v --null 1M --vdpa
	rm -r "$dev/driver" "$dev/vhost-vdpa-12"
	run delete v
	t "create: not bound" 0 "v: vDPA device vdpa-v is not bound; for QEMU: echo vdpa-v > /sys/bus/vdpa/drivers/vhost_vdpa/bind" "" create blk v --null 1M --vdpa
	ln -s ../../../drivers/virtio_vdpa "$dev/driver"
	run delete v
	t "create: bound to virtio_vdpa" 0 "v: vDPA device vdpa-v is bound to virtio_vdpa; for QEMU: echo vdpa-v > /sys/bus/vdpa/drivers/virtio_vdpa/unbind && echo vdpa-v > /sys/bus/vdpa/drivers/vhost_vdpa/bind" "" create blk v --null 1M --vdpa
}

test_ns() {
	fresh
	run create nvme n --null 1M
	t "ns add" 0 "n: namespace 2 added" "" ns add n --null 2M
	t "ns add with its number" 0 "n: namespace 1024 added" "" ns add n 1024 --null 1M --serial X
	t "ns list" 0 "NSID  BACKEND     SIZE  BLOCK  SERIAL  ID  FLAGS   PATH
   1  null     1.0 MiB    512          -   polled  -
   2  null     2.0 MiB    512          -   polled  -
1024  null     1.0 MiB    512  X       -   polled  -" "" ns list n
	t "ns of a blk target" 1 "" "vhostctl: ns list v: no such target; see vhostctl list" ns list v
	: > "$tmp/log"
	t "ns resize" 0 "n: namespace 2 now has 4.0 MiB (4194304 bytes)" "" ns resize n 2 --size 4M
	t "ns remove" 0 "" "" ns remove n 2
	calls "ns: calls" "UNIT_RESIZE name=n unit=1 capacity=4194304
UNIT_REMOVE name=n unit=1"
}

test_vfio() {
	fresh
	t "create: QEMU's option" 0 "n: start QEMU with -device vfio-pci,sysfsdev=/sys/devices/vhost-nvme/n" "" create nvme n --null 1M --vfio --no-dbbuf
	calls "calls" "CREATE name=n flags=0x18 type=3 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=n flags=0 unit=0 backend=3 path=- capacity=1048576 block_size=0 serial="
	run show n --json
	json "show --json" 'd["vfio_path"] == "/sys/devices/vhost-nvme/n" and d["type_name"] == "nvme"'
	run show n
	is "show" "vfio       start QEMU with -device vfio-pci,sysfsdev=/sys/devices/vhost-nvme/n" "$(grep ^vfio "$tmp/out")"
	is "flags" "flags      vfio no-dbbuf" "$(grep ^flags "$tmp/out")"
	run create nvme m --null 1M --vfio --json
	json "create --json" 'd == {"name": "m", "vdpa_name": "", "vdpa_node": None, "vdpa_driver": None, "wwpn": None, "vfio_path": "/sys/devices/vhost-nvme/m", "next_step": "start QEMU with -device vfio-pci,sysfsdev=/sys/devices/vhost-nvme/m"}'
}

test_show() {
	fresh
	# then an overlong form, a surrogate and a cut character
	odd=$tmp/$(printf 'q"\\\n\303\251\377\302\233\001\300\257\355\240\200\342\202')
	: > "$odd"
	run create blk b --file "$odd" --owner 4321:8765 --ro
	run create blk a --null 1536M --queues 3 --serial X1 --shared
	: > "$tmp/log"
	t "list is sorted" 0 "NAME  TYPE  UNITS  QUEUES  RUNNING  SESSIONS  OWNER  VDPA
a     blk       1       3        1         1  root   -
b     blk       1       1        1         1  4321   -" "" list blk
	run list --json
	json "list --json" '[(t["name"], t["type"], t["num_queues"], t["uid"], t["gid"]) for t in d] == [("a", 1, 3, 0, 4294967295), ("b", 1, 1, 4321, 8765)]'
	json "list --json: field names" 'list(d[0]) == "name type type_name target_flags num_queues queue_size uid gid nr_units nr_sessions nr_running_queues vdpa_name vdpa_node vdpa_driver wwpn vfio_path over_limit".split()'
	t "show a null disk" 0 "name       a
type       blk
owner      root, group none
flags      shared
sessions   1
queues     3 of up to 256 entries, 1 running
unit 0     null
  size     1.5 GiB (1610612736 bytes), blocks of 512, physical 4096
  serial   X1
  flags    polled" "" show a
	t "show an odd path: safe on a terminal" 0 "name       b
type       blk
owner      4321, group 8765
flags      none
sessions   1
queues     1 of up to 256 entries, 1 running
unit 0     file $tmp/q\"\\\\x0a$(printf '\303\251')\\xff\\xc2\\x9b\\x01\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82
  size     0 B (0 bytes), blocks of 512, physical 4096
  serial   -
  flags    ro" "" show b
	export FAKE_CTL_OVER_LIMIT=1
	run show a
	unset FAKE_CTL_OVER_LIMIT
	is "show who was refused" "refused    2 times, to users with as many sessions or queues as they may have" "$(grep ^refused "$tmp/out")"
	run show b --json
	json "show --json: an odd path is escaped" 'd["units"][0]["path"].endswith("/q\"\\\n\u00e9\ufffd\u009b\u0001" + 7 * "\ufffd")'
	json "show --json: a unit" '{k: v for k, v in d["units"][0].items() if k != "path"} == dict(unit=0, backend=2, backend_name="file", unit_flags=1, state=0, capacity=0, block_size=512, physical_block_size=4096, serial="", vendor="", product="", revision="", naa=None)'
	is "show --json: bytes of the escaped path" 1 "$(grep -cF "/q\\\"\\\\\\u000a$(printf '\303\251')\\ufffd$(printf '\302\233')\\u0001\\ufffd" "$tmp/out")"
	t "show: no such target" 1 "" "vhostctl: show x: no such target; see vhostctl list" show x
	export FAKE_CTL_FAIL=6:5
	t "show: no half output" 1 "" "vhostctl: show a: VHOST_TARGET_UNIT_GET failed: Input/output error; the kernel log may say more" show a
	t "show: no half JSON" 1 "" "vhostctl: show a: VHOST_TARGET_UNIT_GET failed: Input/output error; the kernel log may say more" show a --json
	unset FAKE_CTL_FAIL
	export FAKE_CTL_STUCK=1
	t "list: a list without end" 1 "" "vhostctl: list: the kernel's list does not advance; use modules and vhostctl of one version" list
	unset FAKE_CTL_STUCK
	calls "looking changes nothing" ""
	LD_PRELOAD=$tmp/fake.so VHOST_TARGET_DEVICE=/dev/null FAKE_CTL_STATE=$tmp/state \
		"$prog" list > /dev/full 2> "$tmp/err"
	is "output to a full device" "1 vhostctl: list: cannot write the output: No space left on device" "$? $(cat "$tmp/err")"
}

test_change() {
	fresh
	run create blk a --null 1M
	run create blk f --file "$tmp/img"
	: > "$tmp/log"
	t "resize" 0 "a: unit 0 now has 2.0 MiB (2097152 bytes)" "" resize a --size 2M
	t "resize to the backend's size, in JSON" 0 '{
  "name": "a",
  "unit": 0,
  "capacity": 2097152
}' "" resize a --unit 0 --json
	t "resize: size of a file" 1 "" "vhostctl: resize f: only a null backend takes --size; resize the backend, then leave it out" resize f --size 1G
	t "resize: no such unit" 1 "" "vhostctl: resize a: no such target or unit; see vhostctl show" resize a --unit 3
	t "resize: odd size" 1 "" "vhostctl: resize a: the size must be a multiple of the block size; give another" resize a --size 1000
	calls "resize: calls" "UNIT_RESIZE name=a unit=0 capacity=2097152
UNIT_RESIZE name=a unit=0 capacity=0
UNIT_RESIZE name=f unit=0 capacity=1073741824
UNIT_RESIZE name=a unit=3 capacity=0
UNIT_RESIZE name=a unit=0 capacity=1000"
	export FAKE_CTL_FAIL=1:16
	t "delete: attached" 1 "" "vhostctl: delete a: a VM is attached; shut it down first" delete a
	unset FAKE_CTL_FAIL
	t "delete" 0 "" "" delete a
	t "delete again" 1 "" "vhostctl: delete a: no such target; see vhostctl list" delete a
	calls "delete: calls" "DESTROY name=a
DESTROY name=a"
}

test_lun() {
	fresh
	t "create scsi without a disk" 0 "s: start QEMU with -device vhost-scsi-pci,wwpn=naa.3000000000000001" "" create scsi s
	t "create scsi with its wwpn" 0 "p: start QEMU with -device vhost-scsi-pci,wwpn=naa.500140500000abcD" "" create scsi p --wwpn naa.500140500000abcD
	t "create scsi with LUN 0" 0 "v: start QEMU with -device vhost-scsi-pci,wwpn=naa.3000000000000001; or vDPA device vdpa-v is not bound; for QEMU: modprobe vhost_vdpa" "" create scsi v --null 1M --vendor ACME --product "big disk" --revision 2.0 --naa naa.5001405000000001 --vdpa
	calls "create scsi: calls" "CREATE name=s flags=0 type=2 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
CREATE name=p flags=0 type=2 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers= wwpn=naa.500140500000abcD
CREATE name=v flags=0x2 type=2 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=v flags=0 unit=0 backend=3 path=- capacity=1048576 block_size=0 serial=
  vendor=ACME product=big disk revision=2.0 naa=5001405000000001"
	run create scsi j --json
	json "create scsi --json" '(d["wwpn"], d["next_step"]) == ("naa.3000000000000001", "start QEMU with -device vhost-scsi-pci,wwpn=naa.3000000000000001")'
	t "lun list: none" 0 "LUN  BACKEND  SIZE  BLOCK  SERIAL  ID  FLAGS  PATH" "" lun list s
	t "lun add" 0 "s: LUN 0 added" "" lun add s --null 1M
	t "lun add with its number" 0 "s: LUN 16383 added" "" lun add s 16383 --file "$tmp/img" --ro --serial X
	t "lun add: the first that is free" 0 '{
  "name": "s",
  "unit": 1
}' "" lun add s --null 2M --block-size 4096 --naa 3000000000000007 --json
	t "lun add: in use" 1 "" "vhostctl: lun add s 1: the target has this unit already; see vhostctl show" lun add s 1 --null 1M
	t "lun list" 0 "  LUN  BACKEND     SIZE  BLOCK  SERIAL  ID                    FLAGS   PATH
    0  null     1.0 MiB    512          -                     polled  -
    1  null     2.0 MiB   4096          naa.3000000000000007  polled  -
16383  file         0 B    512  X       -                     ro      $tmp/img" "" lun list s
	run lun list s --json
	json "lun list --json" '[(u["unit"], u["backend_name"], u["naa"]) for u in d] == [(0, "null", None), (1, "null", "naa.3000000000000007"), (16383, "file", None)]'
	run show s --json
	json "show --json: each unit once" '[u["unit"] for u in d["units"]] == [0, 1, 16383] and d["wwpn"] == "naa.3000000000000001" and d["nr_units"] == 3'
	: > "$tmp/log"
	t "lun resize" 0 "s: LUN 1 now has 4.0 MiB (4194304 bytes)" "" lun resize s 1 --size 4M
	t "lun resize: not there" 1 "" "vhostctl: lun resize s 2: no such target or unit; see vhostctl show" lun resize s 2
	t "lun remove" 0 "" "" lun remove s 1
	t "lun remove: not there" 1 "" "vhostctl: lun remove s 1: no such target or unit; see vhostctl show" lun remove s 1
	calls "lun: calls" "UNIT_RESIZE name=s unit=1 capacity=4194304
UNIT_RESIZE name=s unit=2 capacity=0
UNIT_REMOVE name=s unit=1
UNIT_REMOVE name=s unit=1"
	t "show a scsi target" 0 "name       v
type       scsi
owner      root, group none
flags      vdpa
sessions   1
queues     1 of up to 256 entries, 1 running
wwpn       naa.3000000000000001
vdpa       vdpa-v: vDPA device vdpa-v is not bound; for QEMU: modprobe vhost_vdpa
unit 0     null
  size     1.0 MiB (1048576 bytes), blocks of 512, physical 4096
  serial   -
  id       naa.5001405000000001
  vendor   ACME
  product  big disk
  revision 2.0
  flags    polled" "" show v
	run create blk b --null 1M
	: > "$tmp/log"
	for c in "list b" "remove b 0" "resize b 0" "add b --null 1M"; do
		# shellcheck disable=SC2086
		run lun $c
		is "lun $c: a blk target" "1 it is a blk target, not a scsi one; see vhostctl list" "$rc ${err##*: }"
	done
	t "lun list: no such target" 1 "" "vhostctl: lun list x: no such target; see vhostctl list" lun list x
	calls "lun: the wrong type makes no call" ""
	export FAKE_CTL_FAIL=6:5
	t "lun list: no half output" 1 "" "vhostctl: lun list s: VHOST_TARGET_UNIT_GET failed: Input/output error; the kernel log may say more" lun list s --json
	t "lun add: cannot look for a free one" 1 "" "vhostctl: lun add s: VHOST_TARGET_UNIT_GET failed: Input/output error; the kernel log may say more" lun add s --null 1M
	unset FAKE_CTL_FAIL
}

test_poller() {
	fresh
	t "poller list" 0 "ID  CPU  IDLE_US  QUEUES  ACTIVE  PID         LOOPS  SLEEPS   BUSY    IDLE
 0    0       50       4       2  100  123456789012      17  2.5 s  1.5 us" "" poller list
	t "poller add" 0 "poller 1 serves on CPU 5" "" poller add --cpu 5
	t "poller add, in JSON" 0 '{
  "id": 2,
  "cpu": 7,
  "idle_us": 0
}' "" poller add --cpu 7 --idle-us 0 --json
	t "poller add: taken" 1 "" "vhostctl: poller add: this CPU has a poller; see vhostctl poller list" poller add --cpu 5
	t "poller add: no CPU" 1 "" "vhostctl: poller add: no such CPU is online; choose another" poller add --cpu 64
	t "poller set" 0 "" "" poller set 2 --idle-us 1000000
	t "poller remove" 0 "" "" poller remove 1
	t "poller remove: not there" 1 "" "vhostctl: poller remove 1: no such poller; see vhostctl poller list" poller remove 1
	t "poller remove: last" 1 "" "vhostctl: poller remove 0: a target names it or it is the last one; delete that target or add a poller first" poller remove 0
	calls "poller: calls" "POLLER_ADD cpu=5 idle_us=50
POLLER_ADD cpu=7 idle_us=0
POLLER_ADD cpu=5 idle_us=50
POLLER_ADD cpu=64 idle_us=50
POLLER_SET id=2 idle_us=1000000
POLLER_REMOVE id=1
POLLER_REMOVE id=1
POLLER_REMOVE id=0"
	run poller list --json
	json "poller list --json" 'd[1] == dict(id=2, cpu=7, idle_us=1000000, nr_queues=4, nr_active=2, pid=102, loops=123456789012, sleeps=17, busy_ns=2500000000, idle_ns=1500, moves=3) and len(d) == 2'
}

test_stat() {
	fresh
	run create blk a --null 1M --queues 2
	t "stat" 0 "class    ops     bytes  errors
read   20000  81920000       0
write  10000  81920000     200
flush      0         0       0
other      0         0       0

counter      value  meaning
invalid          0  requests refused before the backend
ring_errors      0  rings stopped: the driver broke their rules
mem_faults       0  waits for guest memory
parked           0  waits for memory or a tag
kicks         5000  notifications from the driver
calls         4000  interrupts sent
polls        60000  looks at the queue
empty_polls  40000  looks that found nothing
sleeps           0  times armed and left alone
rearms           0  work came while being armed
bounced          0  requests copied for alignment
inflight         7  requests with the backend now
absent           0  commands for targets or LUNs that are not there" "" stat a
	run stat a --hist
	is "stat --hist" "read latency, 20000 requests: p50 16.4 us p99 98.3 us p99.9 127.8 us
     8.2 us ..   16.4 us         10000   50.0%  ########################################
    16.4 us ..   32.8 us          9600   48.0%  ######################################
    32.8 us ..   65.5 us             0    0.0%
    65.5 us ..  131.1 us           400    2.0%  #

write latency, 10000 requests: p50 24.6 us p99 32.6 us p99.9 32.8 us
    16.4 us ..   32.8 us         10000  100.0%  ########################################" "$(sed -n '/^read latency/,$p' "$tmp/out")"
	t "stat --per-queue" 0 "QUEUE  READS  WRITES  FLUSHES  OTHER  READ_BYTES  WRITE_BYTES  ERRORS  KICKS  CALLS  INFLIGHT
    0  10000    5000        0      0    40960000     40960000     100   2500   2000         7
    1  10000    5000        0      0    40960000     40960000     100   2500   2000         7" "" stat a --per-queue
	run stat a --queue 1 --json --hist
	json "stat --json" 'd["name"] == "a" and d["queue"] == 1 and d["ops"] == dict(read=10000, write=5000, flush=0, other=0) and d["bytes"]["read"] == 40960000 and d["errors"]["write"] == 100 and d["inflight"] == 7'
	json "stat --json --hist" '[len(d["hist"][c]) for c in ("read", "write", "flush", "other")] == [40] * 4 and d["hist"]["read"][13] == 5000 and d["percentiles_ns"]["read"] == {"p50": 16384, "p99": 98304, "p99.9": 127795} and d["percentiles_ns"]["flush"]["p50"] == 0'
	run stat a --per-queue --json
	json "stat --per-queue --json" '[q["queue"] for q in d] == [0, 1] and "hist" not in d[0] and "iops" not in d[0]'
	t "stat: no such queue" 1 "" "vhostctl: stat a: no such queue; vhostctl show says how many there are" stat a --queue 2
	t "stat: no such target" 1 "" "vhostctl: stat b: no such target; see vhostctl list" stat b
	t "stat --interval" 0 "    QUEUE     READ/S    WRITE/S  READ_MB/S  WRITE_MB/S        P50        P99      ERR/S     KICK/S     CALL/S   INFLIGHT
      all       2000       1000        8.2         8.2    20.6 us    81.9 us         20        500        400          7
      all       2000       1000        8.2         8.2    20.6 us    81.9 us         20        500        400          7" "" stat a --interval 0.5 --count 2
	run stat a --interval 2 --count 2 --per-queue --json
	json "stat --interval --json" '[(s["elapsed_ns"], [(q["queue"], q["ops"]["read"], q["iops"], q["bytes_per_s"]) for q in s["queues"]]) for s in d] == [(2000000000, [(0, 2000, 1500, 8192000), (1, 2000, 1500, 8192000)])] * 2'
	# few requests: the ranks are no whole numbers
	run stat a --queue 0 --interval 0.033 --count 1 --hist --json
	json "percentiles: the rank is rounded up" '(lambda q: sum(q["hist"]["read"]) == 32 and q["percentiles_ns"]["read"] == dict(zip(("p50", "p99", "p99.9"), (pct(q["hist"]["read"], p) for p in (500, 990, 999)))))(d[0]["queues"][0])'
	run create blk b --null 1M
	t "top" 0 "NAME          READ/S    WRITE/S  READ_MB/S  WRITE_MB/S        P50        P99      ERR/S   INFLIGHT
a               2000       1000        8.2         8.2    20.6 us    81.9 us         20          7
b               1000        500        4.1         4.1    20.6 us    81.9 us         10          7" "" top --count 1
	run top --count 2 --interval 3 --json
	json "top --json" '[(s["elapsed_ns"], [(q["name"], q["iops"]) for q in s["targets"]]) for s in d] == [(3000000000, [("a", 3000), ("b", 1500)])] * 2'
	export FAKE_CTL_FAIL=7:5
	t "stat: no half output" 1 "" "vhostctl: stat a: VHOST_TARGET_STATS failed: Input/output error; the kernel log may say more" stat a --json --interval 1 --count 1
	t "top: no half output" 1 "" "vhostctl: top: a: VHOST_TARGET_STATS failed: Input/output error; the kernel log may say more" top --json --count 1
	unset FAKE_CTL_FAIL
}

# b DESC RC STDOUT STDERR LINES ARGS...: of a file with these lines, $tmp/b
b() {
	desc=$1 rc_want=$2 out_want=$3 err_want=$4
	printf "$5" > "$tmp/b"
	shift 5
	t "$desc" "$rc_want" "$out_want" "$(printf '%s' "$err_want" | sed "s|^|vhostctl: $tmp/b:|")" batch "$tmp/b" "$@"
}

test_batch() {
	fresh
	b "batch: nothing in it" 0 "" "" '\n  # nothing\n\t\r\n'
	b "batch" 0 "poller 1 serves on CPU 5
d: open /dev/vhost-blk and attach to d (VHOST_TARGET_ATTACH)
s: start QEMU with -device vhost-scsi-pci,wwpn=naa.3000000000000001
s: LUN 0 added
e: open /dev/vhost-blk and attach to e (VHOST_TARGET_ATTACH)" "" '# a host
poller add --cpu 5
create blk d --null 1M --ro --pollers 0,1 --owner 7:8 --serial "S \\"1\\" \\x" # one
  create\tscsi s\r
lun add s --null 2M --product '\'' a\\ "b#'\'' --vendor A\\ \\#\\'\''""
create blk e --null 1M --serial ""'
	calls "batch: calls; nothing of a line is left to the next" "POLLER_ADD cpu=5 idle_us=50
CREATE name=d flags=0 type=1 num_queues=0 queue_size=0 uid=7 gid=8 pollers=0,1
UNIT_ADD name=d flags=0x1 unit=0 backend=3 path=- capacity=1048576 block_size=0 serial=S \"1\" \\x
CREATE name=s flags=0 type=2 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=s flags=0 unit=0 backend=3 path=- capacity=2097152 block_size=0 serial=
  vendor=A #' product= a\ \"b# revision= naa=0000000000000000
CREATE name=e flags=0 type=1 num_queues=0 queue_size=0 uid=0 gid=4294967295 pollers=
UNIT_ADD name=e flags=0 unit=0 backend=3 path=- capacity=1048576 block_size=0 serial="
	b "batch: an unknown command, before anything is done" 2 "" "2: unknown command 'frob'; see vhostctl --help" 'delete d\nfrob\ndelete'
	b "batch: an option" 2 "" "2: list: unknown or misused option '--x'; see vhostctl list --help" 'delete d\nlist --x'
	b "batch: a quotation" 2 "" "1: a quotation has no end" 'delete "d\n'
	b "batch: a NUL byte" 2 "" "1: there is a NUL byte" 'delete d\0\n'
	b "batch: in a batch" 2 "" "1: not in a file of commands; see vhostctl batch --help" 'batch -'
	b "batch: a group" 2 "" "1: 'lun' alone is no command; see vhostctl --help" 'lun'
	calls "batch: a usage error makes no call" ""
	b "batch: what only the command knows" 2 "" "1: create blk x: give one of --dev, --file and --null; see vhostctl create --help" 'create blk x\ndelete d'
	b "batch: the same, but something was done" 1 "" "2: create blk x: give one of --dev, --file and --null; see vhostctl create --help" 'delete e\ncreate blk x\ndelete d'
	b "batch: the first that fails is the last" 1 "" "1: delete e: no such target; see vhostctl list" 'delete e\ndelete d'
	calls "batch: what was done until then" "DESTROY name=e
DESTROY name=e"
	b "batch --force" 1 "x: open /dev/vhost-blk and attach to x (VHOST_TARGET_ATTACH)" "2: unknown command 'frob'; see vhostctl --help
1: delete e: no such target; see vhostctl list
3: create blk y: no such poller; see vhostctl poller list" 'delete e\nfrob\ncreate blk y --null 1M --pollers 9\ncreate blk x --null 1M' --force
	b "batch --force: nothing but usage errors" 2 "" "1: unknown command 'a'; see vhostctl --help
2: create blk x: give one of --dev, --file and --null; see vhostctl create --help" 'a\ncreate blk x' --force
	: > "$tmp/log"
	b "batch: a document of each" 0 "[]
[]" "" 'delete x\ndelete d\ndelete s\nlist --json\nlist blk --json'
	t "batch: no such file" 1 "" "vhostctl: batch $tmp/nope: $tmp/nope: No such file or directory; check the path" batch "$tmp/nope"
	t "batch: a directory" 1 "" "vhostctl: batch $tmp: $tmp: Is a directory" batch "$tmp"
	run batch - <<-END
		create blk i --null 1M
	END
	is "batch: standard input" "0 i: open /dev/vhost-blk and attach to i (VHOST_TARGET_ATTACH)" "$rc $out"
	FAKE=0
	printf 'list\nlist\n' > "$tmp/b"
	t "batch --force: no node is told once" 3 "" "vhostctl: $tmp/b:1: list: $tmp/no-node is not there; load the modules: modprobe vhost_blk" --device "$tmp/no-node" batch --force "$tmp/b"
	FAKE=1
}

# The unit finds what was installed, and systemd nothing wrong with it.
test_install() {
	if ! make -s -C "$here" install CC="$CC" O="$tmp/$variant" CFLAGS="$flags" DESTDIR="$tmp/inst" \
			PREFIX=/opt/v > "$tmp/make" 2>&1; then
		not_ok "install" "$(cat "$tmp/make")"
		return
	fi
	unit=$tmp/inst/opt/v/lib/systemd/system/vhost-target.service
	is "install: what the unit starts" "/opt/v/sbin/vhostctl batch --force /etc/vhost-target/targets" \
		"$(sed -n 's/^ExecStart=//p' "$unit")"
	for f in $(sed -n 's/^Documentation=file:/ /p; s/^ExecStart=\([^ ]*\).*/\1/p' "$unit"); do
		[ -e "$tmp/inst$f" ] && ok "install: $f" || not_ok "install: $f" "$(find "$tmp/inst")"
	done
	if ! systemd-analyze --version > /dev/null 2>&1; then
		skip "install: the unit" "no systemd-analyze"
		return
	fi
	sed -i "s|/opt/v/|$tmp/inst&|" "$unit"
	is "install: the unit" "0 " "$(systemd-analyze verify "$unit" > "$tmp/unit" 2>&1; echo $?) $(grep vhost-target "$tmp/unit")"
}

suite() {
	FAKE=1
	fresh
	test_harness
	test_help
	test_words
	test_values
	test_backends
	test_node
	test_create
	test_rollback
	test_vdpa
	test_vfio
	test_ns
	test_show
	test_change
	test_lun
	test_poller
	test_stat
	test_batch
	test_install
}

finish() {
	echo "KTAP version 1"
	echo "1..$nr"
	[ -e "$results" ] && cat "$results"
	skipped=$(grep -c '^ok .*# SKIP' "$results")
	echo "$((nr - bad - skipped)) passed, $bad failed, $skipped skipped"
	exit $((bad != 0))
}

build() {
	make -s -C "$here" CC="$CC" O="$tmp/$1" CFLAGS="$2" > "$tmp/build" 2>&1
}

l64=$(printf '%064d' 0)
python=
python3 -c 'import json' 2> /dev/null && python=python3

variant=plain
flags="-O2 -g"
prog=$tmp/plain/vhostctl
if ! build plain "$flags" ||
   ! $CC -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -fPIC -shared \
	-I"$here/../../include/uapi" -o "$tmp/fake.so" "$here/fake_ctl.c" \
	-ldl >> "$tmp/build" 2>&1; then
	not_ok "builds" "$(cat "$tmp/build")"
	finish
fi
ok "builds"
suite

variant=sanitized
prog=$tmp/sanitized/vhostctl
# fake.so is preloaded before the sanitizer's library, as it must be
export ASAN_OPTIONS=verify_asan_link_order=0
flags="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
echo 'int main(void) { return 0; }' > "$tmp/probe.c"
# shellcheck disable=SC2086
if ! $CC $flags -o "$tmp/probe" "$tmp/probe.c" 2> /dev/null ||
   ! "$tmp/probe"; then
	skip "suite" "no sanitizers"
elif ! build sanitized "$flags"; then
	not_ok "builds" "$(cat "$tmp/build")"
else
	ok "builds"
	suite
fi
finish
