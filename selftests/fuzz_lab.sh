#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the fuzzers of selftests/fuzz, on all doors.
# FUZZ_SECONDS: for each of them; FUZZ_SEED.
. selftests/door_lib.sh
modprobe -a vdpa vhost_iotlb vfio vfio_iommu_type1 || exit 1
modprobe vhost_vdpa || exit 1
for m in vhost_target vhost_target_vdpa vhost_blk vhost_scsi vhost_nvme vhost_target_vfio; do
	insmod ./$m.ko || exit 1
done
[ $# -gt 0 ] || set -- $(grep '^fuzz/' build/selftests/test_progs)
run "$@"

# What else must hold: everything was given back.
rmmod vhost_target_vfio vhost_nvme vhost_scsi vhost_blk vhost_target_vdpa vhost_target &&
	modprobe -r vhost_vdpa || rc=1
given_back
