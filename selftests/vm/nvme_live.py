# SPDX-License-Identifier: GPL-2.0
"""A running guest's NVMe controller: namespaces come, grow and go; nvme-cli and
passthrough; protection information on scsi_debug. One guest does it all."""

import json
import os

import vt
from bed import Repeated, expect, expect_equal, guest_fio, test
from devices import NVME, no_errors
from scsi_pi import SECTOR, debug_disk, set_integrity, write_at

PROTECTED, PLAIN, GROWS = (f"/dev/nvme0n{nsid}" for nsid in (1, 2, 3))


def present(guest, disk):
    return guest.run(f"test -b {disk}")[0] == 0


def limits(guest, lower):
    """What the backend says of I/O that pays, and of a block that is written whole."""
    for name in ("physical_block_size", "minimum_io_size", "optimal_io_size"):
        want = vt.read(f"/sys/block/{os.path.basename(lower)}/queue/{name}")
        seen = guest.check(f"cat /sys/block/nvme0n1/queue/{name}").strip()
        expect_equal((name, seen), (name, want), "in the guest")
    expect_equal(guest.check("cat /sys/block/nvme0n1/queue/physical_block_size").strip(),
                 "4096", "physical block")


def protection(guest, lower):
    """The guest's own tuples reach the medium, and what is there is checked."""
    expect_equal(guest.check("cat /sys/block/nvme0n1/integrity/format").strip(),
                 "T10-DIF-TYPE1-CRC", "format")
    ns = json.loads(guest.check(f"nvme id-ns {PROTECTED} -o json"))
    expect_equal((ns["dps"], ns["mc"], ns["lbafs"][0]["ms"]), (1, 2, 8), "id-ns")
    set_integrity(lower, "write_generate", 0)
    guest_fio(guest, vt.fio_verify(PROTECTED, size="2M"))
    guest.check(f"dd if=/dev/zero of={PROTECTED} bs=4k count=100 oflag=direct")
    read = f"dd if={PROTECTED} of=/dev/null bs=512 skip=100 count=1 iflag=direct"
    guest.check(read)
    write_at(lower, 100, b"\xa5" * SECTOR)
    code, text = guest.run(read)
    expect(code != 0, f"a wrong guard was not found: {text}")
    entry = json.loads(guest.check("nvme error-log /dev/nvme0 -e 1 -o json"))["errors"][0]
    expect_equal((entry["lba"], entry["status_field"] & 0x7ff), (100, 0x282), "error log")
    # With no tuples of the guest's: PRACT, and the host makes them.
    set_integrity(lower, "write_generate", 1)
    guest.check("cd /sys/block/nvme0n1/integrity; echo 0 >read_verify; echo 0 >write_generate; "
                f"dd if=/dev/zero of={PROTECTED} bs=4k count=100 oflag=direct")
    guest_fio(guest, vt.fio_verify(PROTECTED, size="1M"))


def sectors(guest, disk):
    return int(guest.check(f"cat /sys/block/{disk.split('/')[-1]}/size"))


def namespaces(bed, guest, target):
    """Added, resized and removed under I/O on another, seen without a rescan."""
    vt.ctl("ns", "add", target.name, 2, "--dev", bed.memory_disk().path)
    vt.wait_for("namespace 2 in the guest", lambda: present(guest, PLAIN), 60)
    job = Repeated(guest, vt.fio_verify(PLAIN, size="1M"))
    for size in (64, 32):
        vt.ctl("ns", "add", target.name, 3, "--null", f"{size}M")
        vt.wait_for("namespace 3 in the guest", lambda: present(guest, GROWS), 60)
        expect_equal(sectors(guest, GROWS), size << 11, "size")
        vt.ctl("ns", "resize", target.name, 3, "--size", "128M")
        vt.wait_for("its new size", lambda: sectors(guest, GROWS) == 128 << 11, 60)
        vt.ctl("ns", "remove", target.name, 3)
        vt.wait_for("its end", lambda: not present(guest, GROWS), 60)
    job.end()
    bed.fault("device grown, and the target told (vhostctl resize)",
              "nvme: the new size; its other namespace: nothing")


CLI = r"""
set -e
ctrl=/dev/nvme0 ns=%s
fails() { if "$@"; then echo "did not fail: $*"; return 1; fi; }
step() { echo "== $*"; "$@" >/tmp/out 2>&1 || { echo "exit code $?"; cat /tmp/out; return 1; }; }
cd /tmp
dd if=/dev/urandom of=data bs=4k count=1 2>/dev/null
dd if=/dev/zero of=zero bs=4k count=1 2>/dev/null
at() { echo $ns -s $1 -c 7 -z 4096 -d; }
step nvme list
step nvme id-ctrl $ctrl
step nvme id-ns $ns
step nvme ns-descs $ns
step nvme list-ns $ctrl
step nvme smart-log $ctrl
step nvme error-log $ctrl
step nvme fw-log $ctrl
step nvme effects-log $ctrl --csi=0
step nvme changed-ns-list-log $ctrl
step nvme get-feature $ctrl -f 7 -H
step nvme set-feature $ctrl -f 4 --value=0x165
step nvme get-feature $ctrl -f 4
grep -q 165 /tmp/out || { cat /tmp/out; exit 1; }
step nvme write $(at 8) data
step nvme compare $(at 8) data
step fails nvme compare $(at 8) zero
step nvme write-zeroes $ns -s 8 -c 7
step nvme compare $(at 8) zero
step nvme write $(at 16) data
step nvme verify $ns -s 16 -c 7
step nvme copy $ns --sdlba=200 --slbs=16 --blocks=7
step nvme compare $(at 200) data
step nvme dsm $ns -d -s 16 -b 8
step nvme flush $ns
step nvme resv-register $ns --nrkey=0x11 --rrega=0
step nvme resv-acquire $ns --crkey=0x11 --rtype=1 --racqa=0
step nvme resv-report $ns --eds
step nvme resv-release $ns --crkey=0x11 --rtype=1 --rrela=0
step nvme resv-register $ns --crkey=0x11 --rrega=1
step nvme ns-rescan $ctrl
step nvme reset $ctrl
step nvme compare $(at 200) data
step fails nvme subsystem-reset $ctrl
step fails nvme format $ns -f
step fails nvme sanitize $ctrl -a 2
step fails nvme delete-ns $ctrl -n 2
step nvme compare $(at 200) data
"""


@test("vfio")
def one_guest(bed):
    vt.run("modprobe", "sd_mod")
    lower = debug_disk(bed, physblk_exp=3)
    target = NVME.target(bed, "--dev", lower)
    guest = bed.guest(target)
    vt.wait_for("the guest's disk", lambda: present(guest, PROTECTED), 60)
    limits(guest, lower)
    protection(guest, lower)
    namespaces(bed, guest, target)
    code, text = guest.run(CLI % PLAIN, timeout=300)
    expect(code == 0, f"nvme-cli: exit code {code}\n{text[-3000:]}")
    guest_fio(guest, vt.fio_verify("/dev/ng0n2", size="1M", direct=0,
                                   ioengine="io_uring_cmd", cmd_type="nvme"))
    stat = target.stat()
    expect(not stat["ring_errors"], f"counters: {stat}")


# More files than there is memory for, each @one from another place on.
SWAP = """
mkswap {disk} && swapon {disk} && mkdir -p /big && mount -t tmpfs -o size=1g big /big
dd if=/dev/urandom of=/one bs=1M count=4 2>/dev/null
available() {{ sed -n 's/^MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo; }}
# The less there is, the less has to be written.
echo $((($(available) - 40960) / 2048)) >/proc/sys/vm/nr_hugepages
kib=$(available)
files=$((kib / 4096 + 4))
turned() {{ tail -c +$(($1 * 640 + 1)) /one; head -c $(($1 * 640)) /one; }}
for n in $(seq $files); do turned $n >/big/$n || exit 1; done
for n in $(seq $files); do turned $n | cmp - /big/$n || exit 1; done
grep -E '^pswp(in|out) ' /proc/vmstat
umount /big && swapoff {disk}
"""


@test("vfio", turn=0)
def swap(bed):
    """Memory that does not fit goes to the SSD, and comes back as it was."""
    target, guest, disk = NVME.in_guest(bed, "--dev", bed.memory_disk().path, mem=192)
    counts = guest.check(SWAP.format(disk=disk), timeout=900)
    moved = {name: int(pages) for name, pages in
             (line.split() for line in counts.splitlines() if line.startswith("pswp"))}
    bed.note(f"{moved} pages")
    expect(moved["pswpin"] and moved["pswpout"], f"nothing was swapped: {moved}")
    no_errors(target)
