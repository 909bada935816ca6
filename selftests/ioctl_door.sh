#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In a lab VM, from the build directory: the tests that need no guest.
. selftests/door_lib.sh
modprobe -q loop
for m in vhost_target vhost_blk vhost_scsi vhost_nvme; do
	insmod ./$m.ko || exit 1
done
# The other doors' tests and fuzzers have modules and scripts of their own; only a kernel
# with fault injection, the debug kernel, can do those of faults.
others='(/(blk_vdpa|vfio_)|^fuzz/)'
[ -e /proc/self/fail-nth ] || others="$others|^faults/"
[ $# -gt 0 ] || set -- $(grep -vE "$others" build/selftests/test_progs)
run "$@"

# What else must hold: everything was given back.
rmmod vhost_nvme vhost_scsi vhost_blk vhost_target || rc=1
given_back
