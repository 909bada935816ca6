#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the fuzzers of selftests/fuzz, on all doors.
# FUZZ_SECONDS: for each of them; FUZZ_SEED.
modprobe -a vdpa vhost_iotlb vfio vfio_iommu_type1 || exit 1
modprobe vhost_vdpa || exit 1
for m in vhost_target vhost_target_vdpa vhost_blk vhost_scsi vhost_nvme vhost_target_vfio; do
	insmod ./$m.ko || exit 1
done
log=$(mktemp)
[ $# -gt 0 ] || set -- $(grep '^fuzz/' build/selftests/test_progs)
sh selftests/run.sh -o build/selftests "$@" | tee "$log"
result=$(tail -n 1 "$log")
case $result in
*passed,\ 0\ failed*) rc=0 ;;
*) rc=1 ;;
esac

# What else must hold: everything was given back.
rmmod vhost_target_vfio vhost_nvme vhost_scsi vhost_blk vhost_target_vdpa vhost_target &&
	modprobe -r vhost_vdpa || rc=1
# The kernel sums up what the CPUs counted only now and then.
echo 1 >/proc/sys/vm/stat_refresh
grep foll_pin /proc/vmstat | sed 's/^/# /'
set -- $(sed -n 's/^nr_foll_pin_[a-z]* //p' /proc/vmstat)
[ "$1" = "$2" ] || { echo "not ok pages are still pinned"; rc=1; }
echo "$result"
exit $rc
