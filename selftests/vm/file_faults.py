# SPDX-License-Identifier: GPL-2.0
"""File systems that are frozen, or do not do what was asked at once, below a disk."""

import os
import subprocess

import vt
from bed import HostJob, expect, expect_equal, refused, run_fio, test, wait_moving
from devices import HOST, no_errors


def freeze(top):
    """It waits until nobody writes."""
    job = subprocess.Popen(["fsfreeze", "-f", top])
    vt.wait_for("the freeze", lambda: job.poll() is not None)
    expect_equal(job.returncode, 0, "exit code of fsfreeze")


def thaw(top):
    vt.run("fsfreeze", "-u", top)


@test(HOST)
def frozen_after_writes(bed):
    """Writes that have ended do not count as writers of the file system any more."""
    # So slow that they end later.
    path = bed.file(irqmode=2, completion_nsec=1000000)
    top = os.path.dirname(path)
    target, disk = bed.disk("disk", "--file", path)
    run_fio(vt.fio_verify(disk, size="4M"))
    freeze(top)
    thaw(top)
    run_fio(vt.fio_verify(disk, size="1M"))
    no_errors(target)


@test(HOST)
def frozen_under_writes(bed):
    """They wait for the thaw; who shares their poller does not notice."""
    path = bed.file()
    top = os.path.dirname(path)
    target, disk = bed.disk("disk", "--file", path)
    other, other_disk = bed.disk("other", "--dev", bed.memory_disk("other").path)
    expect_equal(len(vt.pollers()), 1, "pollers")
    # Its blocks are there: a write has nothing else to wait for.
    run_fio(vt.fio(disk, "write", bs="64k", size="1M"))
    freeze(top)
    try:
        job = HostJob(bed, vt.fio_verify(disk, rw="write", size="1M"))
        # How many there are depends on what the host puts together.
        vt.wait_for("writes", lambda: target.stat()["inflight"])
        run_fio(vt.fio_verify(other_disk, size="4M"))
        expect(target.stat()["inflight"], "they did not wait")
        expect_equal(job.process.poll(), None, "fio")
    finally:
        thaw(top)
    code, text = job.wait()
    expect_equal(code, 0, f"exit code of fio ({text[-500:]})")
    for each in (target, other):
        no_errors(each)
    bed.fault("file system frozen below an image", "writes wait for the thaw; its "
              "neighbour on the poller: nothing")


@test(HOST)
def slow_disk_below(bed):
    """It has two requests at a time: whoever submits waits, which is not the poller."""
    path = bed.file(size=64 << 20, room=128, irqmode=2, completion_nsec=50000000,
                    hw_queue_depth=2)
    target, disk = bed.disk("disk", "--file", path)
    other, other_disk = bed.disk("other", "--dev", bed.memory_disk("other").path)
    expect_equal(len(vt.pollers()), 1, "pollers")
    run_fio(vt.fio(disk, "write", bs="64k", size="1M"))
    job = HostJob(bed, vt.fio(disk, "randread", size="1M", iodepth=64, thread=1, runtime=600,
                              time_based=1))
    vt.wait_for("reads", lambda: target.stat()["inflight"] > 32)
    neighbour = HostJob(bed, vt.fio(other_disk, "randread", iodepth=1, size="1M", runtime=600,
                                    time_based=1))
    # To start, and to end, takes fio longer than all its reads where the host is slow.
    wait_moving(other)
    with vt.StatDelta(target) as slow, vt.StatDelta(other) as fast:
        wait_moving(other, ops=256)
    bed.note(f"{fast.ops} requests, beside {slow.ops} of the slow disk")
    # A poller that waits takes as many of the slow one as it can before it looks again.
    expect(slow.ops < 4 * fast.ops, "the neighbour waited for the slow disk")
    for each in (neighbour, job):
        each.finish_fio()
    for each in (target, other):
        no_errors(each)


@test(HOST)
def journalled_later(bed):
    """Where data goes to the journal, ext4 has no direct I/O, and none without waiting."""
    # With delayed allocation it does not journal data.
    path = bed.file(mount=("-o", "nodelalloc"))
    target, disk = bed.disk("disk", "--file", path)
    run_fio(vt.fio_verify(disk, size="1M"))
    vt.run("chattr", "+j", path)
    run_fio(vt.fio_verify(disk, size="1M"))
    no_errors(target)
    target.unbind()
    target.delete()
    refused(1, "create", "blk", "second", "--file", path)


@test(HOST)
def shared_blocks(bed):
    """A write to blocks that the file shares with its copy allocates others."""
    path = bed.file(make=("mkfs.xfs", "-q", "-f"), size=16 << 20)
    run_fio(vt.fio(path, "write", bs="64k", size="16M", buffer_pattern="0x5a"))
    target, disk = bed.disk("disk", "--file", path, "--block-size", "4096")
    for _ in range(2):
        vt.run("cp", "--reflink=always", path, f"{path}.copy")
        before = vt.run("md5sum", f"{path}.copy")
        run_fio(vt.fio_verify(disk, bs="8k", offset="4k", size="8M"))
        run_fio(vt.fio_verify(disk, bs="4k", size="4M"))
        expect_equal(vt.run("md5sum", f"{path}.copy"), before, "the copy")
    no_errors(target)
