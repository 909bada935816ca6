#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the tests that need no guest.
modprobe -q loop
for m in vhost_target vhost_blk vhost_scsi vhost_nvme; do
	insmod ./$m.ko || exit 1
done
log=$(mktemp)
# The other doors' tests and fuzzers have modules and scripts of their own; only a kernel
# with fault injection, the debug kernel, can do those of faults.
others='(/(blk_vdpa|vfio_)|^fuzz/)'
[ -e /proc/self/fail-nth ] || others="$others|^faults/"
[ $# -gt 0 ] || set -- $(grep -vE "$others" build/selftests/test_progs)
sh selftests/run.sh -o build/selftests "$@" | tee "$log"
result=$(tail -n 1 "$log")
case $result in
*passed,\ 0\ failed*) rc=0 ;;
*) rc=1 ;;
esac

# What else must hold: everything was given back.
rmmod vhost_nvme vhost_scsi vhost_blk vhost_target || rc=1
# The kernel sums up what the CPUs counted only now and then.
echo 1 >/proc/sys/vm/stat_refresh
grep foll_pin /proc/vmstat | sed 's/^/# /'
set -- $(sed -n 's/^nr_foll_pin_[a-z]* //p' /proc/vmstat)
[ "$1" = "$2" ] || { echo "not ok pages are still pinned"; rc=1; }
echo "$result"
exit $rc
