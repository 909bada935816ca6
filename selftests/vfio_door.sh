#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the tests of the VFIO door.
. selftests/door_lib.sh
modprobe -a vfio vfio_iommu_type1 || exit 1
# Not in Debian's kernels. The two ways to attach are no variants of each other that
# kernels could take turns in.
modprobe -q iommufd
unset TURN
for m in vhost_target vhost_blk vhost_nvme vhost_target_vfio; do
	insmod ./$m.ko || exit 1
done
[ $# -gt 0 ] || set -- vfio/vfio_door vfio/vfio_attach vfio/vfio_irqs \
	vfio/vfio_dma vfio/vfio_iommufd
run "$@"

# What else must hold: everything was given back.
rmmod vhost_target_vfio vhost_nvme vhost_blk vhost_target || rc=1
given_back
