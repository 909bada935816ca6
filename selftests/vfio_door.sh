#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the tests of the VFIO door.
modprobe -a vfio vfio_iommu_type1 || exit 1
# Not in Debian's kernels. The two ways to attach are no variants of each other that
# kernels could take turns in.
modprobe -q iommufd
unset TURN
for m in vhost_target vhost_blk vhost_nvme vhost_target_vfio; do
	insmod ./$m.ko || exit 1
done
log=$(mktemp)
[ $# -gt 0 ] || set -- vfio/vfio_door vfio/vfio_attach vfio/vfio_irqs \
	vfio/vfio_dma vfio/vfio_iommufd
sh selftests/run.sh -o build/selftests "$@" | tee "$log"
result=$(tail -n 1 "$log")
case $result in
*passed,\ 0\ failed*) rc=0 ;;
*) rc=1 ;;
esac

# What else must hold: everything was given back.
rmmod vhost_target_vfio vhost_nvme vhost_blk vhost_target || rc=1
# The kernel sums up what the CPUs counted only now and then.
echo 1 >/proc/sys/vm/stat_refresh
grep foll_pin /proc/vmstat | sed 's/^/# /'
set -- $(sed -n 's/^nr_foll_pin_[a-z]* //p' /proc/vmstat)
[ "$1" = "$2" ] || { echo "not ok pages are still pinned"; rc=1; }
echo "$result"
exit $rc
