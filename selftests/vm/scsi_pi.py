# SPDX-License-Identifier: GPL-2.0
"""T10 protection information from the host's sd to scsi_debug and back.

Damage is made by writes to the backend with no tuples, which leave the old ones
on the medium; by two LBAs that are one block of the medium, for the reference
tag; and by a program that changes its buffer while it is written.
"""

import errno
import glob
import mmap
import os
import re
import threading

import sgio
import vt
from bed import expect, expect_equal, guest_fio, run_fio, test
from devices import HOST, SCSI, no_errors, verify_all

SECTOR = 512


def debug_disk(bed, **params):
    words = {"dif": 1, "dix": 1, "dev_size_mb": 32, "delay": 0, **params}
    vt.run("modprobe", "scsi_debug", *(f"{k}={v}" for k, v in words.items()))
    bed.callback(lambda: vt.wait_for("rmmod scsi_debug", lambda: vt._rmmod("scsi_debug"), 30))
    found = vt.wait_for("scsi_debug's disk", lambda: glob.glob(
        "/sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*"), 60)
    disk = "/dev/" + os.path.basename(found[0])
    vt.wait_for(disk, lambda: os.path.exists(disk), 30)
    return disk


def integrity(disk, name):
    return vt.read(f"/sys/block/{os.path.basename(disk)}/integrity/{name}")


def set_integrity(disk, name, value):
    vt.write(f"/sys/block/{os.path.basename(disk)}/integrity/{name}", value)


def disk_on(bed, lower, *args):
    """(target, its disk in the host)"""
    return SCSI.on_host(bed, "--dev", lower, *args)


def write_at(disk, lba, data):
    with mmap.mmap(-1, len(data)) as area:
        area[:] = data
        fd = os.open(disk, os.O_WRONLY | os.O_DIRECT)
        try:
            expect_equal(os.pwritev(fd, [area], lba * SECTOR), len(data), "bytes written")
        finally:
            os.close(fd)


def read_at(disk, lba, size):
    with mmap.mmap(-1, size) as area:
        fd = os.open(disk, os.O_RDONLY | os.O_DIRECT)
        try:
            expect_equal(os.preadv(fd, [area], lba * SECTOR), size, "bytes read")
        finally:
            os.close(fd)
        return area[:]


def io_error(call, *args):
    """The errno it must fail with."""
    try:
        call(*args)
    except OSError as err:
        return errno.errorcode[err.errno]
    return "no error"


def sense_in_log(disk, before):
    """The additional sense that sd has printed of a disk since then."""
    name = f"[{os.path.basename(disk)}]"
    return [line.split("Add. Sense: ")[1] for line in log()[before:]
            if name in line and "Add. Sense: " in line]


def log():
    return vt.run("dmesg", "-t").splitlines()


def raw_read(disk, protect, lba):
    """READ(10) of a block with RDPROTECT, and no room for tuples."""
    with sgio.Disk(disk) as d:
        return d.command([0x28, protect << 5, *lba.to_bytes(4, "big"), 0, 0, 1, 0], SECTOR)


def information(result):
    """The INFORMATION field of fixed format sense data, or None."""
    if not result.sense or not result.sense[0] & 0x80:
        return None
    return int.from_bytes(result.sense[3:7], "big")


def looks(disk, name, p_type, spt):
    expect_equal(integrity(disk, "format"), name, "format")
    expect_equal(integrity(disk, "device_is_integrity_capable"), "1", "device capable")
    text = vt.run("sg_readcap", "-l", disk)
    expect(f"prot_en=1, p_type={p_type}" in text, f"sg_readcap: {text}")
    text = vt.run("sg_vpd", "-p", "ei", disk)
    expect(f"SPT={spt}" in text and "GRD_CHK=1" in text, f"sg_vpd: {text}")
    expect("PROTECT=1" in vt.run("sg_inq", disk).replace("Protect=1", "PROTECT=1"), "sg_inq")


@test(HOST)
def type1(bed):
    lower = debug_disk(bed)
    t, disk = disk_on(bed, lower)
    looks(disk, "T10-DIF-TYPE1-CRC", 0, 0)
    # Nobody below makes tuples or looks at them: it is the initiator's that are there.
    set_integrity(lower, "write_generate", 0)
    set_integrity(lower, "read_verify", 0)
    verify_all(disk)
    set_integrity(lower, "read_verify", 1)
    run_fio(vt.fio(lower, "read", bs="64k", size="8M"))
    no_errors(t)


@test(HOST)
def type3(bed):
    lower = debug_disk(bed, dif=3)
    t, disk = disk_on(bed, lower)
    looks(disk, "T10-DIF-TYPE3-CRC", 2, 4)
    set_integrity(lower, "write_generate", 0)
    verify_all(disk)
    no_errors(t)


@test(HOST)
def blocks_4096(bed):
    lower = debug_disk(bed, sector_size=4096)
    t, disk = disk_on(bed, lower)
    looks(disk, "T10-DIF-TYPE1-CRC", 0, 0)
    set_integrity(lower, "write_generate", 0)
    verify_all(disk)
    no_errors(t)


@test(HOST)
def moved(bed):
    """On a part of a disk, whose reference tags are not those of the disk."""
    lower = debug_disk(bed)
    part = bed.dm("part", f"0 32768 linear {lower} 2048")
    t, disk = disk_on(bed, part)
    looks(disk, "T10-DIF-TYPE1-CRC", 0, 0)
    set_integrity(lower, "write_generate", 0)
    verify_all(disk)
    no_errors(t)


@test(HOST)
def largest(bed):
    lower = debug_disk(bed)
    t, disk = disk_on(bed, lower)
    top = f"/sys/block/{os.path.basename(disk)}/queue"
    size = int(vt.read(f"{top}/max_hw_sectors_kb"))
    text = vt.run("sg_vpd", "-p", "bl", disk)
    expect(re.search(r"Maximum transfer length: (0x800|2048)\b", text), f"sg_vpd: {text}")
    size = min(size, 1024)
    vt.write(f"{top}/max_sectors_kb", size)
    run_fio(vt.fio_verify(disk, bs=f"{size}k", iodepth=4, size=f"{8 * size}k", rw="write"))
    no_errors(t)


@test(HOST)
def stripped(bed):
    """An initiator that makes no tuples and looks at none."""
    lower = debug_disk(bed)
    t, disk = disk_on(bed, lower)
    set_integrity(disk, "write_generate", 0)
    verify_all(disk)
    set_integrity(disk, "read_verify", 0)
    verify_all(disk)
    no_errors(t)


@test(HOST)
def none(bed):
    """Without dix the backend has none to offer; nor has a disk without dif."""
    lower = debug_disk(bed, dix=0)
    _, disk = disk_on(bed, lower)
    text = vt.run("sg_readcap", "-l", disk)
    expect("prot_en=0" in text, f"sg_readcap: {text}")
    expect_equal(str(raw_read(disk, 1, 0)), "5/24/00", "RDPROTECT 1")


def only_read_errors(t):
    """Of one read; Linux 7.2 tries it again."""
    errors = {k for k, v in t.stat()["errors"].items() if v}
    expect_equal(errors, {"read"}, "kinds of errors")


def damaged(bed):
    """A disk whose block 100 has another block's data."""
    lower = debug_disk(bed)
    t, disk = disk_on(bed, lower)
    write_at(disk, 96, b"\x5a" * 16 * SECTOR)
    set_integrity(lower, "write_generate", 0)
    write_at(lower, 100, b"\xa5" * SECTOR)
    set_integrity(lower, "write_generate", 1)
    return t, disk, lower


@test(HOST)
def bad_guard(bed):
    t, disk, lower = damaged(bed)
    before = len(log())
    expect_equal(io_error(read_at, disk, 96, 16 * SECTOR), "EILSEQ", "a read of it")
    expect_equal(sense_in_log(disk, before), ["Logical block guard check failed"], "sense")
    for lba in (96, 104):
        expect_equal(read_at(disk, lba, 4 * SECTOR), b"\x5a" * 4 * SECTOR, "beside it")
    expect_equal(t.stat()["ring_errors"], 0, "ring errors")
    write_at(disk, 100, b"\x5a" * SECTOR)
    expect_equal(read_at(disk, 96, 16 * SECTOR), b"\x5a" * 16 * SECTOR, "repaired")


@test(HOST)
def values(bed):
    """Of RDPROTECT: which of them find a wrong guard."""
    _, disk, lower = damaged(bed)
    for protect, finds in ((0, True), (1, True), (2, False), (3, False), (4, True), (5, True)):
        result = raw_read(disk, protect, 100)
        expect_equal(str(result), "b/10/01" if finds else "good", f"RDPROTECT {protect}")
        if not finds:
            expect_equal(result.data, b"\xa5" * SECTOR, f"RDPROTECT {protect}: data")
        expect_equal(str(raw_read(disk, protect, 99)), "good", f"RDPROTECT {protect}, good block")
    expect_equal(information(raw_read(disk, 4, 100)), 100, "INFORMATION")
    for protect in (6, 7):
        result = raw_read(disk, protect, 99)
        expect_equal((str(result), result.field), ("5/24/00", (True, 1, 7)),
                     f"RDPROTECT {protect}")


@test(HOST)
def bad_reference(bed):
    """Two LBAs of a virtual disk are one block: each has the other's tag."""
    lower = debug_disk(bed, virtual_gb=1, dev_size_mb=8)
    _, disk = disk_on(bed, lower)
    store = 8 << 20
    write_at(disk, store // SECTOR + 5, b"\x11" * SECTOR)
    before = len(log())
    expect_equal(io_error(read_at, disk, 5, SECTOR), "EILSEQ", "a read by the other LBA")
    expect_equal(sense_in_log(disk, before), ["Logical block reference tag check failed"],
                 "sense")
    result = raw_read(disk, 2, 5)
    expect_equal((str(result), information(result)), ("b/10/03", 5), "RDPROTECT 2")
    expect_equal(str(raw_read(disk, 4, 5)), "good", "RDPROTECT 4")
    expect_equal(read_at(disk, store // SECTOR + 5, SECTOR), b"\x11" * SECTOR, "by its own")


class Flipper(threading.Thread):
    """Changes the last byte of a buffer, again and again."""

    def __init__(self, area):
        super().__init__(daemon=True)
        self.area, self.end = area, False

    def run(self):
        value = 0
        while not self.end:
            value ^= 0xff
            self.area[len(self.area) - 1] = value


@test(HOST, cpus=2)
def changed_in_flight(bed):
    """A write whose data is not what its tuples are of does not reach the medium unseen."""
    lower = debug_disk(bed)
    _, disk = disk_on(bed, lower)
    before, seen, size = len(log()), "no error", 256 << 10
    with mmap.mmap(-1, size) as area:
        flipper = Flipper(area)
        flipper.start()
        fd = os.open(disk, os.O_WRONLY | os.O_DIRECT)
        try:
            for tries in range(300):
                seen = io_error(os.pwritev, fd, [area], 0)
                if seen != "no error":
                    break
        finally:
            flipper.end = True
            flipper.join()
            os.close(fd)
    bed.note(f"seen in write {tries + 1}")
    expect_equal(seen, "EILSEQ", "a write that changed")
    # Of each request the write was cut into.
    expect_equal(set(sense_in_log(disk, before)), {"Logical block guard check failed"}, "sense")


WWPN = "naa.5001405abcdef0a1"


def qemu(bed, on):
    """(target, guest, its disk, backend on scsi_debug)"""
    lower = debug_disk(bed)
    return *SCSI.in_guest(bed, "--dev", lower, "--wwpn", WWPN, suffix=f",t10_pi={on}"), lower


@test()
def guest_on(bed):
    """Stock QEMU's vhost-scsi-pci with t10_pi: the guest's own tuples."""
    t, guest, disk, lower = qemu(bed, "on")
    block = f"/sys/block/{os.path.basename(disk)}"
    guest.check("dmesg -c >/dev/null")
    expect_equal(guest.check(f"cat {block}/integrity/format").strip(),
                 "T10-DIF-TYPE1-CRC", "format")
    set_integrity(lower, "write_generate", 0)
    guest_fio(guest, vt.fio_verify(disk, size="4M"))
    guest.check(f"dd if=/dev/zero of={disk} bs=4k count=100 oflag=direct")
    write_at(lower, 100, b"\xa5" * SECTOR)
    code, text = guest.run(f"dd if={disk} of=/dev/null bs=512 skip=100 count=1 iflag=direct")
    expect(code != 0, f"a wrong guard was not found: {text}")
    text = guest.check("dmesg")
    expect("Logical block guard check failed" in text, f"sense: {text[-1500:]}")
    only_read_errors(t)


@test()
def guest_off(bed):
    """Without t10_pi the host makes and verifies them."""
    t, guest, disk, lower = qemu(bed, "off")
    block = f"/sys/block/{os.path.basename(disk)}"
    text = guest.check(f"cat {block}/integrity/format; sg_readcap -l {disk}")
    expect("none" in text and "prot_en=0" in text, f"a guest that knows nothing of it: {text}")
    guest_fio(guest, vt.fio_verify(disk, size="4M"))
    run_fio(vt.fio(lower, "read", bs="64k", size="4M"))
    guest.check(f"dd if=/dev/zero of={disk} bs=4k count=100 oflag=direct")
    set_integrity(lower, "write_generate", 0)
    write_at(lower, 100, b"\xa5" * SECTOR)
    code, text = guest.run(f"dd if={disk} of=/dev/null bs=512 skip=100 count=1 iflag=direct")
    expect(code != 0, f"a wrong guard was not found: {text}")
    only_read_errors(t)
