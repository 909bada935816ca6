#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# First process of L1: drivers, the root tree under a memory overlay, all mounts.
# Done here since busybox in memory is several times faster than the tree's programs.

/bin/busybox mkdir -p /proc /sys /dev /ro /rw /new
/bin/busybox --install -s /bin
export PATH=/bin

fail() {
	echo "lab: L1 init: $*" >/dev/console
	poweroff -f
}

# Modules in the order of the list @1; the rest are parameters of the last one.
load() {
	list=/order-$1
	shift
	last=$(tail -n 1 "$list")
	while read -r module; do
		words=
		[ "$module" != "$last" ] || words=$*
		[ -z "$module" ] || insmod "/$module" $words || fail "insmod $module"
	done <"$list"
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
. /lab/settings
load base
if grep -qw svm /proc/cpuinfo; then
	load kvm_amd
	! grep -q TCG /proc/cpuinfo || insmod /lab_svm.ko || fail lab_svm
elif grep -qw vmx /proc/cpuinfo; then
	load kvm_intel
fi
[ -z "$LAB_NVME" ] || load nvme "poll_queues=$LAB_NVME_POLL"

p9=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "$p9,ro,cache=loose" root /ro || fail "mount root"
mount -t tmpfs -o size=50% rw /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work root /new ||
	fail "mount overlay"
mkdir -p /new/src /new/lab
cp /lab/* /bin/busybox /new/lab/
mount -t 9p -o "$p9" src /new/src || fail "mount src"
if [ -n "$LAB_MODULES" ]; then
	mkdir -p "/new/lib/modules/$LAB_MODULES"
	mount -t 9p -o "$p9,ro,cache=loose" modules "/new/lib/modules/$LAB_MODULES" ||
		fail "mount modules"
fi

mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
for dir in run tmp; do
	mount -t tmpfs -o mode=1777 tmpfs /new/$dir
done
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t configfs configfs /sys/kernel/config
[ ! -d /sys/fs/bpf ] || mount -t bpf bpf /sys/fs/bpf
ln -sf /proc/self/fd /dev/fd
for n in 0:in 1:out 2:err; do
	ln -sf "/proc/self/fd/${n%:*}" "/dev/std${n#*:}"
done
ip link set lo up
hostname L1
for dir in proc sys dev; do
	mount --move /$dir /new/$dir
done
exec chroot /new /bin/sh /lab/l1-main.sh </new/dev/console >/new/dev/console 2>&1
