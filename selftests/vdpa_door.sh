#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the tests of the vDPA door.
. selftests/door_lib.sh
modprobe -a vdpa vhost_iotlb || exit 1
modprobe vhost_vdpa || exit 1
for m in vhost_target vhost_target_vdpa vhost_blk vhost_scsi; do
	insmod ./$m.ko || exit 1
done
[ $# -gt 0 ] || set -- blk/blk_vdpa blk/blk_vdpa_mem
run "$@"

# What else must hold: everything was given back.
# (While a device is open, removing vhost_vdpa would wait for ever.)
rmmod vhost_scsi vhost_blk vhost_target_vdpa vhost_target && modprobe -r vhost_vdpa || rc=1
given_back
