# SPDX-License-Identifier: GPL-2.0
"""What a host does with its CPUs while targets are in use."""

import os

import vt
from bed import HostJob, expect_equal, test, wait_moving
from devices import HOST, no_errors

CPU = "/sys/devices/system/cpu/cpu1/online"
CLIENT = os.path.join(vt.ROOT, "tools/bench/vhost-bench")


def queues():
    return [p["nr_queues"] for p in vt.pollers()]


def splintered(bed, name):
    """A disk for which whoever submits to it cuts all in pieces of 4 KiB."""
    null = bed.null_blk(f"null-{name}").path
    return bed.dm(f"stripes-{name}",
                  f"0 {1 << 21} striped 2 8 {null} 0 {null} {1 << 20}")


@test(HOST, cpus=2, turn=0, pollers="0-1")
def busy_queues_part(bed):
    """Of two queues that are too much for a poller another takes one. The poller cuts all
    in many pieces, so that it has much more to do than who asks for it."""
    one, between, other = (bed.target(name, "--dev", splintered(bed, name), vdpa=False)
                           for name in ("one", "between", "other"))
    jobs = []
    for target in (one, between, other):
        jobs.append(HostJob(bed, f"{CLIENT} blk {target.name} --rw randwrite --bs 262144 --depth 2 "
                            "--cpu 1 --seconds 600"))
        vt.wait_for("its queue", lambda: sum(queues()) == len(jobs))
    before = [p["moves"] for p in vt.pollers()]
    jobs[1].end()
    vt.wait_for("a queue for each", lambda: queues() == [1, 1])
    # Two that have one each leave it at that.
    for target in (one, other):
        wait_moving(target)
    expect_equal(queues(), [1, 1], "queues")
    moves = [p["moves"] - then for p, then in zip(vt.pollers(), before)]
    bed.note(f"moves: {moves}")
    for target in (one, other):
        no_errors(target)


@test(HOST, cpus=2, pollers="0-1")
def cpu_goes_and_comes(bed):
    """A poller whose CPU is taken away goes on elsewhere, and back when it can."""
    targets = [bed.disk(name, "--dev", bed.memory_disk(
        f"mem-{name}", submit_queues=2, poll_queues=2).path, *more)
               for name, *more in (("one",), ("two", "--polled"))]
    jobs = [HostJob(bed, vt.fio_verify(disk, size="64M", thread=1, runtime=600,
                                       time_based=1))
            for _, disk in targets]
    bed.callback(vt.write, CPU, 1)
    for _ in range(3):
        for online in (0, 1):
            vt.write(CPU, online)
            for target, _ in targets:
                wait_moving(target)
    expect_equal({p["cpu"]: os.sched_getaffinity(p["pid"]) for p in vt.pollers()},
                 {0: {0}, 1: {1}}, "CPUs that pollers may use")
    for job in jobs:
        job.finish_fio()
    for target, _ in targets:
        no_errors(target)
    bed.fault("a poller's CPU offline and online under I/O",
              "nothing; all was verified, no error counted")


@test(HOST, cpus=2, turn=1)
def processes_frozen(bed):
    """As a suspend begins: all processes stop, which those that wait for I/O can only
    when that ends."""
    target, disk = bed.disk("disk", "--dev", bed.memory_disk().path)
    job = HostJob(bed, vt.fio_verify(disk, size="64M", thread=1, runtime=600, time_based=1))
    vt.write("/sys/module/suspend/parameters/pm_test_delay", 1)
    vt.write("/sys/power/pm_test", "freezer")
    bed.callback(vt.write, "/sys/power/pm_test", "none")
    for _ in range(3):
        wait_moving(target)
        vt.write("/sys/power/state", "freeze")
    wait_moving(target)
    job.finish_fio()
    no_errors(target)
    bed.fault("the host's processes frozen for a suspend, and thawed, under I/O",
              "nothing; all was verified, no error counted")
