# SPDX-License-Identifier: GPL-2.0
"""What goes wrong below a disk of each type, and what a guest sees of it."""

import os

import vt
from bed import Repeated, Skip, expect, expect_equal, guest_fio, wait_moving
from devices import (KINDS, counted, dd_read, dd_write, errors, no_errors, said,
                     test_each)
from scsi_pi import debug_disk

SECTORS = 524288


class Layer:
    """A guest's disk on a device whose table is exchanged."""

    def __init__(self, bed, kind):
        self.bed, self.kind = bed, kind
        self.lower = bed.memory_disk().path
        self.good = f"0 {SECTORS} linear {self.lower} 0"
        self.target, self.guest, self.disk = kind.in_guest(
            bed, "--dev", bed.dm("layer", self.good))

    def becomes(self, table):
        vt.dm_reload("layer", table)

    def fails(self, command, key):
        """What the guest says of a @command that must fail."""
        before = self.target.stat()["errors"][key]
        code, text = self.guest.run(" ".join(command))
        expect(code, f"{command} did not fail")
        expect(self.target.stat()["errors"][key] > before, f"no {key} error counted")
        return said(text)

    def works(self, command):
        self.guest.check(" ".join(command))

    def repair(self, table=None):
        """All is well again."""
        self.becomes(table or self.good)
        before = errors(self.target)
        guest_fio(self.guest, vt.fio_verify(self.disk, size="1M"))
        no_errors(self.target, before)

    def fault(self, what, seen):
        self.bed.fault(f"{what} below a guest's disk",
                       f"{self.kind.name}: {seen}; {counted(self.target)}")


@test_each(*KINDS)
def all_fails(bed, kind):
    layer = Layer(bed, kind)
    layer.becomes(f"0 {SECTORS} error")
    seen = {layer.fails(dd_read(layer.disk), "read"),
            layer.fails(dd_write(layer.disk), "write")}
    layer.repair()
    layer.fault("device that fails all (dm-error)", ", ".join(sorted(seen)))


@test_each(*KINDS)
def writes_fail(bed, kind):
    vt.run("modprobe", "dm_flakey")
    layer = Layer(bed, kind)
    layer.becomes(f"0 {SECTORS} flakey {layer.lower} 0 0 3600 1 error_writes")
    seen = layer.fails(dd_write(layer.disk), "write")
    layer.works(dd_read(layer.disk))
    layer.repair()
    layer.fault("device that fails writes (dm-flakey)", f"{seen}, reads go on")


@test_each(*KINDS)
def now_and_then(bed, kind):
    """Every other second all fails."""
    vt.run("modprobe", "dm_flakey")
    layer = Layer(bed, kind)
    layer.becomes(f"0 {SECTORS} flakey {layer.lower} 0 1 1")
    seen = []

    def changed():
        code, text = layer.guest.run(" ".join(dd_read(layer.disk)))
        words = said(text) if code else "nothing"
        if seen[-1:] != [words]:
            seen.append(words)
        return len(seen) > 4

    vt.wait_for("errors that come and go", changed, 300)
    layer.repair()
    layer.fault("device that fails every other second (dm-flakey)",
                " and ".join(sorted(set(seen))) + " by turns")


@test_each(*KINDS)
def bad_blocks(bed, kind):
    """Until they are written to."""
    try:
        vt.run("modprobe", "dm_dust")
    except vt.CommandError:
        raise Skip("this kernel has no dm_dust (null_blk's: backend_faults)") from None
    layer = Layer(bed, kind)
    layer.becomes(f"0 {SECTORS} dust {layer.lower} 0 4096")
    for words in ("addbadblock 100", "addbadblock 103", "enable"):
        vt.run("dmsetup", "message", "layer", 0, *words.split())
    seen = layer.fails(dd_read(layer.disk, 100), "read")
    layer.works(dd_read(layer.disk, 104))
    layer.fails(dd_read(layer.disk, 101), "read")
    layer.works(dd_write(layer.disk, 100))
    layer.works(dd_read(layer.disk, 100))
    layer.repair()
    layer.fault("bad blocks (dm-dust)", f"{seen} until they were written to")


@test_each(*KINDS)
def thin_pool_full(bed, kind):
    vt.run("modprobe", "dm_thin_pool")
    meta, data = (bed.memory_disk(name, size=size).path
                  for name, size in (("meta", 8), ("data", 16)))
    pool = bed.dm("pool", f"0 {16 << 11} thin-pool {meta} {data} 128 0 1 error_if_no_space")
    vt.run("dmsetup", "message", "pool", 0, "create_thin 0")
    layer = Layer(bed, kind)
    thin = f"0 {SECTORS} thin {pool} 0"
    layer.repair(thin)
    seen = layer.fails(("dd", "if=/dev/zero", f"of={layer.disk}", "bs=1M", "count=32",
                        "oflag=direct"), "write")
    # virtio-blk has no word for it.
    expect_equal(seen, "Input/output error" if kind.name == "blk" else
                 "No space left on device", "what dd said")
    layer.works(dd_read(layer.disk))
    # It may take what is written to again.
    layer.works(dd_write(layer.disk))
    layer.repair()
    layer.fault("thin pool full (dm-thin)", f"{seen} where it has no blocks yet")


def of_scsi(disk, name):
    return f"/sys/block/{os.path.basename(disk)}/device/{name}"


def faulty_disk(bed):
    """scsi_debug's: (its node, a function that sets what goes wrong)."""
    disk = debug_disk(bed, dif=0, dix=0)
    vt.write(of_scsi(disk, "timeout"), 1)

    def wrong(opts, every_nth):
        top = "/sys/bus/pseudo/drivers/scsi_debug"
        vt.write(f"{top}/every_nth", 0)
        vt.write(f"{top}/opts", opts)
        vt.write(f"{top}/every_nth", every_nth)

    bed.callback(wrong, 0, 0)
    return disk, wrong


@test_each(*KINDS)
def commands_lost(bed, kind):
    """The host's SCSI layer aborts, after a time, what is not answered, and repeats it."""
    lower, wrong = faulty_disk(bed)
    target, guest, disk = kind.in_guest(bed, "--dev", lower)
    job = Repeated(guest, vt.fio_verify(disk, size="512k"))
    wait_moving(target)
    # SDEBUG_OPT_TIMEOUT
    wrong(4, 40)
    vt.wait_for("commands that are lost", lambda: int(vt.read(
        of_scsi(lower, "iotmo_cnt")), 0) > 2, 300)
    wait_moving(target)
    job.end()
    wrong(0, 0)
    no_errors(target)
    bed.fault("commands that a SCSI disk loses (scsi_debug) below a guest's disk",
              f"{kind.name}: a pause; all was verified, {counted(target)}")


@test_each(*KINDS)
def medium_errors(bed, kind):
    lower, wrong = faulty_disk(bed)
    target, guest, disk = kind.in_guest(bed, "--dev", lower)
    # SDEBUG_OPT_MEDIUM_ERR: ten sectors from 0x1234 on.
    wrong(2, 0)
    code, text = guest.run(" ".join(dd_read(disk, 0x1234 // 8)))
    expect(code, "a bad sector was read")
    expect(target.stat()["errors"]["read"], "no error counted")
    guest.check(" ".join(dd_read(disk, 0x1234 // 8 + 2)))
    wrong(0, 0)
    guest.check(" ".join(dd_read(disk, 0x1234 // 8)))
    bed.fault("medium errors of a SCSI disk (scsi_debug) below a guest's disk",
              f"{kind.name}: {said(text)}; {counted(target)}")
