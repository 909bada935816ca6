# SPDX-License-Identifier: GPL-2.0
"""Persistent reservations between two scsi targets on one backend: two hosts in
one, by virtio_vdpa and sg_persist."""

import concurrent.futures
import os
import subprocess
import time

import vt
from bed import HostJob, expect, expect_equal, fails, test
from devices import HOST, SCSI
from scsi_pi import debug_disk

STATE = "/tmp/vt-state"
MIB = 1 << 20
A, B = "0xa", "0xb"
WRITE_EX, EX_ACCESS, WRITE_EX_REG = 1, 3, 5
FIGHTS = 30


def make(bed, name, path):
    target, _ = SCSI.on_host(bed, "--dev", path, "--shared-backend", name=name)
    return target


def two(bed, path):
    """The same disk twice, as two hosts see it."""
    return [make(bed, name, path).lun() for name in ("a", "b")]


def out(disk, action, key=None, sark=None, kind=None, more=()):
    words = [f"--{action}"]
    words += [f"--param-rk={key}"] if key else []
    words += [f"--param-sark={sark}"] if sark else []
    words += [f"--prout-type={kind}"] if kind else []
    return vt.run("sg_persist", "--out", *words, *more, disk, timeout=120)


def register(disk, key, *more):
    out(disk, "register-ignore", sark=key, more=more)


def write(disk, byte=b"\x5a"):
    """One block; False: it was refused."""
    with open("/tmp/block", "wb") as f:
        f.write(byte * 4096)
    return not subprocess.run(["dd", "if=/tmp/block", f"of={disk}", "bs=4k", "count=1",
                               "oflag=direct"], capture_output=True, timeout=120).returncode


def contents(disk):
    return vt.run("sh", "-c", f"dd if={disk} bs=1M count=4 iflag=direct status=none | md5sum")


@test(HOST)
def fences(bed):
    """A cluster's way: all register, one reserves, one preempts another."""
    a, b = two(bed, bed.memory_disk().path)
    register(a, A)
    register(b, B)
    out(a, "reserve", A, kind=WRITE_EX_REG)
    expect(write(a) and write(b), "a registrant cannot write")
    out(b, "preempt-abort", B, sark=A, kind=WRITE_EX_REG)
    expect(not write(a), "the fenced host writes")
    contents(a)
    expect(write(b), "the other host cannot write")
    fails("sg_persist", "--out", "--reserve", f"--param-rk={A}", "--prout-type=5", a)
    register(a, A)
    expect(write(a), "the host that came back cannot write")
    out(a, "clear", A)
    expect("Reservations preempted" in fails("sg_persist", "-k", b), "B was not told")
    text = vt.run("sg_persist", "-k", b)
    expect(A not in text and B not in text, f"keys after CLEAR: {text}")


@test(HOST)
def exclusive_access(bed):
    a, b = two(bed, bed.memory_disk().path)
    register(a, A)
    out(a, "reserve", A, kind=EX_ACCESS)
    expect(write(a), "the holder cannot write")
    expect(not write(b), "another host writes")
    fails("dd", f"if={b}", "of=/dev/null", "bs=4k", "count=1", "iflag=direct")
    out(a, "release", A, kind=EX_ACCESS)
    expect(write(b), "after the release")


@test(HOST)
def in_flight(bed):
    """When PREEMPT is answered, what the fenced host had begun has ended."""
    disk = bed.memory_disk()
    sectors = 64 * MIB // 512
    slow = bed.dm("slow", f"0 {sectors} delay {disk.path} 0 0 {disk.path} 0 300")
    fenced, other = (make(bed, name, slow) for name in ("a", "b"))
    a, b = fenced.lun(), other.lun()
    register(a, A)
    register(b, B)
    out(a, "reserve", A, kind=WRITE_EX_REG)
    for round in range(3):
        fio = HostJob(bed, vt.fio(a, "randwrite", bs="4k", iodepth=32, size="4M",
                                  time_based=1, runtime=600, refill_buffers=1,
                                  continue_on_error="none"))
        vt.wait_for("writes in flight", lambda: fenced.stat()["inflight"] > 16)
        out(b, "preempt", B, sark=A, kind=WRITE_EX_REG)
        before = contents(b)
        # What was in flight would have come by now: a write takes 0.3 s.
        time.sleep(1)
        expect_equal(contents(b), before, f"the disk a second after PREEMPT {round}")
        expect(fio.wait(120)[0], "fio was not fenced")
        register(a, A)


@test(HOST)
def each_other(bed):
    """Both preempt at once, again and again, with writes in flight: one wins."""
    disks = two(bed, bed.memory_disk().path)
    keys = (A, B)

    def fight(me):
        wins = 0
        for _ in range(FIGHTS):
            try:
                register(disks[me], keys[me])
                out(disks[me], "preempt-abort", keys[me], sark=keys[1 - me],
                    kind=WRITE_EX_REG)
                wins += 1
            except vt.CommandError:
                pass
            write(disks[me])
        return wins

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wins = list(pool.map(fight, (0, 1)))
    bed.note(f"preempted {wins[0]} and {wins[1]} times")
    expect(sum(wins), "nobody ever won")


@test(HOST, state_dir=STATE)
def power_loss(bed):
    """With APTPL a reservation outlives the modules, without it does not."""
    os.makedirs(STATE, exist_ok=True)
    path = bed.memory_disk().path
    for aptpl in (True, False):
        targets = {name: make(bed, name, path) for name in ("a", "b")}
        a = targets["a"].lun()
        register(a, A, *(["--param-aptpl"] if aptpl else []))
        out(a, "reserve", A, kind=WRITE_EX)
        for t in targets.values():
            t.unbind()
            t.delete()
        vt.unload()
        vt.load(bed.driver, **bed.params)
        targets = {name: make(bed, name, path) for name in ("a", "b")}
        a, b = (targets[name].lun() for name in ("a", "b"))
        expect_equal(A in vt.run("sg_persist", "-r", b), aptpl, "reserved after the reload")
        expect_equal(write(b), not aptpl, "the other host writes")
        expect(write(a), "the holder cannot write")
        if aptpl:
            out(a, "clear", A)
        for t in targets.values():
            t.unbind()
            t.delete()


@test(HOST, state_dir=STATE)
def no_place(bed):
    """What cannot be saved is refused and changes nothing."""
    os.makedirs(STATE, exist_ok=True)
    vt.run("mount", "-t", "tmpfs", "-o", "size=4k", "none", STATE)
    bed.callback(vt.run, "umount", STATE)
    a, b = two(bed, bed.memory_disk().path)
    fails("sg_persist", "--out", "--register", f"--param-sark={A}", "--param-aptpl", a)
    register(b, B)
    text = vt.run("sg_persist", "-k", a)
    expect(A not in text and B in text, f"keys: {text}")


@test(HOST, state_dir=STATE)
def volumes_of_one_disk(bed):
    """Each has reservations of its own, whatever the disk says that it is."""
    os.makedirs(STATE, exist_ok=True)
    disk = debug_disk(bed, dif=0, dix=0)
    half = 32768
    paths = [bed.dm(name, f"0 {half} linear {disk} {start}")
             for name, start in (("one", 0), ("two", half))]
    a = make(bed, "a", paths[0]).lun()
    register(a, A, "--param-aptpl")
    out(a, "reserve", A, kind=WRITE_EX)
    b = make(bed, "b", paths[1]).lun()
    expect(A not in vt.run("sg_persist", "-k", b), "a key of the other volume's")
    expect(write(b), "the other volume cannot be written")
    out(a, "clear", A)


SLOT = 16384


def flipped(data, *offsets):
    """A bit of each of these bytes is another."""
    data = bytearray(data)
    for offset in offsets:
        data[offset] ^= 0x10
    return bytes(data)


@test(HOST, state_dir=STATE)
def damaged_state(bed):
    """A damaged file keeps its disk from being used, and no other disk."""
    os.makedirs(STATE, exist_ok=True)
    for name in os.listdir(STATE):
        os.unlink(f"{STATE}/{name}")
    path, other = bed.memory_disk().path, bed.memory_disk("mem1").path
    t = make(bed, "a", path)
    for key in (A, B):
        register(t.lun(), key, "--param-aptpl")
    t.unbind()
    t.delete()
    (name,) = os.listdir(STATE)
    with open(f"{STATE}/{name}", "rb") as f:
        whole = f.read()

    def put(data):
        with open(f"{STATE}/{name}", "wb") as f:
            f.write(data)

    for what, data in (("a bit in each slot", flipped(whole, 40, SLOT + 40)),
                       ("noise", os.urandom(len(whole))), ("ones", b"\xff" * len(whole))):
        put(data)
        text = fails(vt.CTL, "create", "scsi", "a", "--dev", path, "--shared-backend")
        expect("Bad message" in text or "EBADMSG" in text, f"{what}: {text}")
        expect(name in vt.run("dmesg"), f"{what}: the kernel log does not name it")
        expect_equal(len(vt.ctl_json("list") or []), 0, f"{what}: targets left behind")
    t = make(bed, "b", other)
    expect(write(t.lun()), "another disk cannot be written")
    # The last write was cut short: the state before it counts.
    for slot in (0, SLOT):
        put(flipped(whole, slot + 40))
        t = make(bed, "a", path)
        keys = vt.run("sg_persist", "-k", t.lun())
        expect_equal((A in keys) + (B in keys), 1, f"keys with a good slot: {keys}")
        t.unbind()
        t.delete()
    os.unlink(f"{STATE}/{name}")
    t = make(bed, "a", path)
    keys = vt.run("sg_persist", "-k", t.lun())
    expect(A not in keys and B not in keys, f"keys without a file: {keys}")
    expect(write(t.lun()), "the disk cannot be written")
