# SPDX-License-Identifier: GPL-2.0
"""The host's own SCSI disks on scsi targets (virtio_vdpa): sd, sg3-utils, fio."""

import errno
import fcntl
import os
import struct
import subprocess

import scsi
import vt
from bed import HostJob, expect, expect_equal, fails, run_fio, test
from devices import HOST, SCSI, no_errors, read_at, verify_all, wait_size


def target(bed, name, *args):
    made, _ = SCSI.on_host(bed, *args, name=name)
    return made


@test(HOST)
def large_io(bed):
    """Up to what the device says is its largest transfer."""
    t = target(bed, "t", "--dev", bed.memory_disk().path)
    disk = t.lun()
    top = f"/sys/block/{os.path.basename(disk)}/queue"
    largest = int(vt.read(f"{top}/max_hw_sectors_kb"))
    vt.write(f"{top}/max_sectors_kb", largest)
    run_fio(vt.fio_verify(disk, bs=f"{largest}k", iodepth=4, size=f"{4 * largest}k",
                          rw="write"))
    bed.note(f"{largest} KiB a request")
    no_errors(t)


@test(HOST)
def sg_commands(bed):
    """Each is answered, and what identifies the disk is what was asked for."""
    t = target(bed, "t", "--dev", bed.memory_disk().path, "--serial", "S/N 12345")
    disk = t.lun()
    for command in ("sg_inq", "sg_inq -p 0", "sg_vpd -p sv", "sg_vpd -p di",
                    "sg_vpd -p ei", "sg_vpd -p mpp", "sg_vpd -p sp", "sg_vpd -p bl",
                    "sg_vpd -p bdc", "sg_vpd -p lbpv", "sg_luns", "sg_readcap",
                    "sg_readcap -l", "sg_modes -a", "sg_opcodes", "sg_requests",
                    "sg_persist -k", "sg_persist -r", "sg_persist -c", "sg_persist -s",
                    "sg_sync", "sg_rtpg", "sg_get_lba_status -l 0", "sg_logs -a",
                    "sg_verify -c 8", "sg_unmap -f -l 0 -n 8",
                    "sg_write_same -x 1024 -i /dev/zero -l 0 -n 8", "sg_start -s"):
        vt.run(*command.split(), disk, timeout=60)
    expect("S/N 12345" in vt.run("sg_vpd", "-p", "sn", disk), "serial number")
    text = vt.run("sg_readcap", "-l", disk)
    expect("1048575" in text, f"last block: {text}")
    # Refused, with the sense data of a command that there is not.
    code = subprocess.run(["sg_format", "--format", "--quick", "--wait", disk],
                          capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL).returncode
    expect_equal(code, 9, "exit code of sg_format: illegal request")


@test(HOST)
def compare_and_write(bed):
    t = target(bed, "t", "--dev", bed.memory_disk().path)
    disk = t.lun()
    zeroes, ones = bytes(512), b"\x01" * 512
    for name, data in (("/tmp/good", zeroes + ones), ("/tmp/bad", zeroes + bytes(512))):
        with open(name, "wb") as f:
            f.write(data)
    words = ("sg_compare_and_write", "-l", "7", "-n", "1", "-x", "1024")
    vt.run(*words, "-i", "/tmp/good", disk)
    expect_equal(read_at(disk, 7 * 512, 512), ones, "block after it compared")
    fails(*words, "-i", "/tmp/bad", disk)
    expect_equal(read_at(disk, 7 * 512, 512), ones, "block after it did not compare")


# Zones.

BLKREPORTZONE = 0xc0101282
ZONE_ACTIONS = {"reset": 0x40101283, "open": 0x40101286, "close": 0x40101287,
                "finish": 0x40101288}
CONVENTIONAL, FULL = 1, 14


def zones(disk, most=64):
    """(start, length, type, condition, write pointer) of each, as the kernel has them."""
    buf = bytearray(struct.pack("<QII", 0, most, 0) + bytes(64 * most))
    with open(disk, "rb") as f:
        fcntl.ioctl(f, BLKREPORTZONE, buf)
    found = []
    for i in range(struct.unpack_from("<I", buf, 8)[0]):
        start, length, wp, kind, cond = struct.unpack_from("<QQQBB", buf, 16 + 64 * i)
        found.append((start, length, kind, cond, None if kind == CONVENTIONAL else wp))
    return found


def zone_action(disk, action, start, length):
    with open(disk, "r+b", buffering=0) as f:
        fcntl.ioctl(f, ZONE_ACTIONS[action], struct.pack("<QQ", start, length))


@test(HOST)
def zoned(bed):
    """The host's sd sees the zones of the disk below, and writes by their rules."""
    lower = bed.memory_disk(discard=0, size=64, zoned=1, zone_size=4, zone_nr_conv=2,
                            zone_max_open=4).path
    t = target(bed, "t", "--dev", lower)
    disk = t.lun()
    queue = f"/sys/block/{os.path.basename(disk)}/queue"
    expect_equal(vt.read(f"{queue}/zoned"), "host-managed", "zoned")
    expect_equal(vt.read(f"{queue}/nr_zones"), "16", "zones")
    expect_equal(vt.read(f"{queue}/max_open_zones"), "4", "open zones")
    run_fio(vt.fio(disk, "write", bs="64k", size="24M", offset="8M", verify="crc32c",
                   zonemode="zbd", iodepth=1))
    expect_equal(zones(disk), zones(lower), "zones after writing")
    # Zone 10: not at its write pointer, then with its actions, then there. (The
    # host's block layer would not let the first one through.)
    text = fails("sg_raw", "-s", 512, "-i", "/dev/zero", disk, "2a", "00",
                 "00", "01", "40", "08", "00", "00", "01", "00")
    expect("nalign" in text, f"a write that is not at the write pointer: {text}")
    for action in ("open", "close", "finish", "reset"):
        zone_action(disk, action, 10 << 13, 1 << 13)
        expect_equal(zones(disk), zones(lower), f"zones after {action}")
    vt.run("dd", "if=/dev/zero", f"of={disk}", "bs=4k", "seek=10240", "count=1", "oflag=direct")
    expect_equal(zones(disk), zones(lower), "zones after a write")
    expect("equential write required" in vt.run("sg_rep_zones", disk), "sg_rep_zones")
    vt.run("sg_reset_wp", "--all", disk)
    expect(not any(cond == FULL for _, _, _, cond, _ in zones(lower)),
           "zones are full after a reset of all")


@test(HOST)
def zoned_refused(bed):
    """Types that cannot show zones have no such units."""
    lower = bed.memory_disk(discard=0, size=64, zoned=1, zone_size=4).path
    fails(vt.CTL, "create", "blk", "b", "--dev", lower)
    # Zones that are usable in part are not SCSI's.
    lower = bed.memory_disk("mem1", discard=0, size=64, zoned=1, zone_size=4,
                            zone_capacity=3).path
    fails(vt.CTL, "create", "scsi", "s", "--dev", lower)


# LUNs come, go and grow without a rescan command.

@test(HOST)
def hotplug(bed):
    t = target(bed, "t", "--null", "1G")
    for lun in (1, 255, 256, 16383):
        scsi.lun_add("t", lun, capacity=(2 + lun % 2) << 30)
    for lun in (1, 255, 256, 16383):
        disk = t.lun(lun)
        wait_size(disk, (2 + lun % 2) << 30)
        run_fio(vt.fio(disk, "randread", number_ios=200))
    text = vt.run("sg_luns", t.lun())
    expect("5 lun" in text, f"sg_luns: {text}")
    for lun in (255, 0, 16383):
        scsi.lun_remove("t", lun)
        vt.wait_for(f"LUN {lun} gone", lambda: not t.present(lun), 60)
    run_fio(vt.fio(t.lun(256), "randread", number_ios=200))
    expect_equal(t.stat()["ring_errors"], 0, "ring errors")


def wait_reads(disk):
    """Until a job reads; what was read before it does not count."""
    path = f"/sys/block/{os.path.basename(disk)}/stat"
    before = int(vt.read(path).split()[0])
    vt.wait_for(f"reads of {disk}", lambda: int(vt.read(path).split()[0]) > before + 10)


@test(HOST)
def hotplug_under_load(bed):
    """A LUN goes while I/O to it and to another is in flight."""
    t = target(bed, "t", "--null", "1G")
    for _ in range(3):
        scsi.lun_add("t", 5, capacity=1 << 30)
        stays, goes = (HostJob(bed, vt.fio(t.lun(lun), "randread", time_based=1, thread=1,
                                           runtime=600)) for lun in (0, 5))
        for lun in (0, 5):
            wait_reads(t.lun(lun))
        scsi.lun_remove("t", 5)
        vt.wait_for("LUN 5 gone", lambda: not t.present(5), 60)
        # A disk that is gone fails reads, or has size 0 and they read nothing, which
        # fio takes for success: it may go on for ever.
        goes.end()
        wait_reads(t.lun(0))
        stays.finish_fio()
    run_fio(vt.fio(t.lun(0), "randread", number_ios=200))


@test(HOST)
def many_events(bed):
    """More events than there are buffers: some are missed, and it is said."""
    t = target(bed, "t", "--null", "1G")
    for lun in range(1, 60):
        scsi.lun_add("t", lun, capacity=1 << 20)
    for lun in range(1, 60):
        scsi.lun_remove("t", lun)
    scsi.lun_add("t", 60, capacity=1 << 20)
    t.lun(60)
    # What was missed is found by the scan that EVENTS_MISSED makes it do.
    vt.wait_for("LUN 59 gone", lambda: not t.present(59), 60)
    run_fio(vt.fio(t.lun(0), "randread", number_ios=200))


@test(HOST)
def resize_file(bed):
    """A LUN that is not the first."""
    path = bed.file()
    t = target(bed, "t", "--null", "1G")
    scsi.lun_add("t", 1, path)
    disk = t.lun(1)
    for size in (300 << 20, 200 << 20, 400 << 20):
        os.truncate(path, size)
        vt.ctl("resize", "t", "--unit", 1)
        wait_size(disk, size)
    verify_all(disk, ("4k",))


@test(HOST)
def refused(bed):
    target(bed, "t", "--null", "1G")
    for lun, wanted in ((0, errno.EEXIST), (16384, errno.ERANGE)):
        try:
            scsi.lun_add("t", lun, capacity=1 << 20)
        except OSError as err:
            expect_equal(err.errno, wanted, f"adding LUN {lun}")
        else:
            expect(False, f"LUN {lun} was added")
    try:
        scsi.lun_remove("t", 7)
    except OSError as err:
        expect_equal(err.errno, errno.ENOENT, "removing LUN 7")
    else:
        expect(False, "LUN 7 was removed")


# Task management.

def slow_disk(bed, seconds):
    return bed.null_blk("slow0", size=1024, irqmode=2, completion_nsec=int(seconds * 1e9))


@test(HOST)
def lun_reset(bed):
    """sg_reset with I/O in flight: it ends, and the disk works on."""
    t = target(bed, "t", "--dev", slow_disk(bed, 0.2).path)
    disk = t.lun()
    job = HostJob(bed, vt.fio(disk, "randread", time_based=1, runtime=600))
    vt.wait_for("I/O", lambda: t.stat()["inflight"] > 0, 60)
    for _ in range(3):
        vt.run("sg_reset", "-d", "-N", disk, timeout=60)
        wait_reads(disk)
    job.finish_fio()
    expect("reset occurred" in vt.run("dmesg"), "no unit attention was seen")


# Reservations.

def persist(*words):
    return vt.run("sg_persist", "-n", *words)


@test(HOST)
def fencing(bed):
    """Two targets on one disk: who has no right cannot write, keys survive a reattach."""
    lower = bed.memory_disk().path
    a, b = (target(bed, name, "--null", "1M") for name in ("a", "b"))
    for name in ("a", "b"):
        scsi.lun_add(name, 1, lower, flags=scsi.SHARED, serial="shared")
    one, two = a.lun(1), b.lun(1)
    persist("-o", "-G", "-S", "0xa", one)
    persist("-o", "-G", "-S", "0xb", two)
    keys = persist("-i", "-k", one)
    expect("0xa" in keys and "0xb" in keys, f"keys: {keys}")
    persist("-o", "-R", "-K", "0xa", "-T", "5", one)
    write = ("dd", "if=/dev/zero", "bs=4k", "count=1", "oflag=direct")
    for disk in (one, two):
        vt.run(*write, f"of={disk}")
    # b fences a: what a writes from then on is refused.
    job = HostJob(bed, vt.fio(one, "randwrite", time_based=1, runtime=600, size="64M"))
    vt.wait_for("I/O", lambda: a.stat()["inflight"] > 0, 60)
    persist("-o", "-A", "-K", "0xb", "-S", "0xa", "-T", "5", two)
    writes = a.stat()["bytes"]["write"]
    expect(job.wait(120)[0], "the fenced host's writes went on")
    fails(*write, f"of={one}")
    expect_equal(a.stat()["bytes"]["write"], writes, "bytes written after it was fenced")
    vt.run(*write, f"of={two}")
    expect("0xa" not in persist("-i", "-k", two), "the key is still there")
    # A host that lets go and comes back is still registered.
    b.unbind()
    vt.write("/sys/bus/vdpa/drivers/virtio_vdpa/bind", b.made["vdpa_name"])
    vt.run(*write, f"of={b.lun(1)}")
    persist("-o", "-C", "-K", "0xb", b.lun(1))
    vt.run(*write, f"of={one}")


@test(HOST)
def bind_again(bed):
    """LUNs come and go while no driver is there. (While an event is handled
    virtio_scsi of 6.12 must not go: it would cancel work that is being
    initialised again, and the kernel warns.)"""
    t = target(bed, "t", "--dev", bed.memory_disk().path)

    def bind():
        vt.write("/sys/bus/vdpa/drivers/virtio_vdpa/bind", t.made["vdpa_name"])

    for _ in range(3):
        run_fio(vt.fio_verify(t.lun(), size="1M"))
        t.unbind()
        expect_equal(t.show()["nr_sessions"], 0, "sessions")
        scsi.lun_add("t", 3, capacity=1 << 20)
        bind()
        t.lun(3)
        t.unbind()
        scsi.lun_remove("t", 3)
        bind()
