# SPDX-License-Identifier: GPL-2.0
"""Sessions of all types that come and go, then eight at once under load: in the end
all is as it was. SOAK_ROUNDS and SOAK_SECONDS say how long: "make soak" is 1,000
sessions and half an hour."""

import itertools
import os
import random
import subprocess
import time

import vt
from bed import expect, expect_equal, test
from devices import no_errors

CLIENT = os.path.join(vt.ROOT, "tools/bench/vhost-bench")
ROUNDS = int(os.environ.get("SOAK_ROUNDS", 24))
SECONDS = int(os.environ.get("SOAK_SECONDS", 10))
SESSIONS = 8
VIRTIO = ((), ("--packed",), ("--indirect",), ("--no-event-idx",),
          ("--packed", "--indirect"))
SHAPES = {"blk": VIRTIO, "scsi": VIRTIO, "nvme": ((), ("--trap",))}
LOADS = (("--rw", "randread"), ("--rw", "randwrite"), ("--rw", "read", "--bs", "131072"),
         ("--rw", "write", "--bs", "65536"))
MEMORY = ("SUnreclaim", "VmallocUsed", "Percpu", "KernelStack", "PageTables")
GROWTH = 4096		# KiB that caches of the kernel's own may take
QUARANTINE = "kasan_quarantine_reduce"


def growth():
    """KiB more that kernel memory may be. KASAN keeps what was freed for a while, up to
    a part of all memory; what is leaked there is kmemleak's to find."""
    with open("/proc/kallsyms") as f:
        kasan = QUARANTINE in f.read()
    with open("/proc/meminfo") as f:
        return GROWTH + kasan * int(f.readline().split()[1]) // 32


def client(kind, target, *words):
    return [CLIENT, kind, target.made["wwpn"] or target.name, "--calls", *words]


def resources(targets):
    """What must be as before, and kernel memory in KiB."""
    vt.wait_for("no session", lambda: not any(t.show()["nr_sessions"] for t in targets), 60)
    vt.write("/proc/sys/vm/drop_caches", 3)
    acquired, released = vt.pins()
    refs = {m: vt.read(f"/sys/module/{m}/refcnt") for m in {*vt.CORE, *vt.NVME} if vt.loaded(m)}
    files = int(vt.read("/proc/sys/fs/file-nr").split()[0])
    threads = [name for name in vt.run("ps", "-eo", "comm").split()
               if name.startswith("vhost")]
    with open("/proc/meminfo") as f:
        memory = sum(int(line.split()[1]) for line in f if line.split(":")[0] in MEMORY)
    return {"pinned pages": acquired - released, "references": refs, "threads": sorted(threads),
            "in flight": [t.stat()["inflight"] for t in targets]}, files, memory


def come_and_go(targets, number):
    """One session after the other."""
    choose = random.Random(1)
    for (kind, target), _ in zip(itertools.cycle(targets), range(number)):
        vt.run(*client(kind, target, "--ios", 64, "--depth", 8,
                       "--queues", choose.randint(1, 4), *choose.choice(SHAPES[kind]),
                       *choose.choice(LOADS)))


def start(choose, kind, target):
    argv = client(kind, target, "--seconds", choose.choice((0.1, 1, 3)),
                  "--depth", choose.choice((1, 8, 32)),
                  *choose.choice(SHAPES[kind]), *choose.choice(LOADS))
    return subprocess.Popen([str(word) for word in argv], text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def all_at_once(targets, seconds):
    """As many sessions as targets, each followed by another."""
    choose = random.Random(2)
    end, running, done = time.monotonic() + seconds, {}, 0
    try:
        while running or time.monotonic() < end:
            for process in [p for p in running.values() if p.poll() is not None]:
                text, _ = process.communicate()
                expect_equal(process.returncode, 0, f"exit code of {process.args}: {text}")
                done += 1
            running = {target: p for target, p in running.items() if p.returncode is None}
            for kind, target in targets:
                if target not in running and time.monotonic() < end:
                    running[target] = start(choose, kind, target)
            time.sleep(0.05)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    return done


@test(turn=1)
def sessions(bed):
    vt.load_nvme()
    bed.callback(vt.unload)
    targets = []
    for number, kind in zip(range(SESSIONS), itertools.cycle(SHAPES)):
        disk = bed.memory_disk(f"mem{number}", size=64)
        targets.append((kind, bed.keep(vt.Target(f"t{number}", "--dev", disk.path,
                                                 "--queues", 4, kind=kind))))
    plain = [target for _, target in targets]
    come_and_go(targets, 2 * SESSIONS)
    before, files, memory = resources(plain)
    come_and_go(targets, ROUNDS)
    number = all_at_once(targets, SECONDS)
    after, files_after, memory_after = resources(plain)
    bed.note(f"{ROUNDS} sessions, {number} under load in {SECONDS} s, "
             f"{sum(sum(t.stat()['ops'].values()) for t in plain)} requests; kernel memory "
             f"{memory} KiB, then {memory_after}; files {files}, then {files_after}")
    expect(number >= SESSIONS, f"{number} sessions under load")
    expect_equal(after, before, "what is held")
    expect(memory_after - memory < growth(), f"{memory_after - memory} KiB of memory more")
    expect(files_after - files < SESSIONS, f"{files_after - files} files more")
    for target in plain:
        no_errors(target)
