#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Memory of the kernel's that a target, a session, a queue and a GiB of guest memory
take: many are made, and what the kernel then uses more is divided. Runs in a lab VM.

	make bench-scale
"""

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import time

import peers
import report
import vt

KINDS = {kind.kind: kind for kind in (peers.Blk, peers.Scsi, peers.Nvme)}
KEYS = ("SUnreclaim", "VmallocUsed", "Percpu", "KernelStack")
TARGETS, SESSIONS, QUEUES, EVENTFDS = 64, 16, 9, 4096
CHUNKS = 512			# of a GiB
GUEST = {"huge pages": (64, []), "small pages": (4, ["--small-pages"])}
FIGURE = "KiB"


def used():
    """KiB, when what was let go before has been freed."""
    for _ in range(2):
        vt.write("/proc/sys/vm/drop_caches", 3)
        time.sleep(0.5)
    with open("/proc/meminfo") as f:
        values = dict(line.split()[:2] for line in f)
    return sum(int(values[key + ":"]) for key in KEYS)


@contextlib.contextmanager
def target(kind, name, *args):
    made = vt.Target(name, "--null", "1G", *args, kind=kind)
    try:
        yield made
    finally:
        made.delete()


def of_target(kind):
    before = used()
    with contextlib.ExitStack() as undo:
        for i in range(TARGETS):
            undo.enter_context(target(kind, f"t{i}"))
        return (used() - before) / TARGETS


def held(kind, queues, size):
    with target(kind, "shared", "--shared", "--queues", queues):
        before = used()
        with peers.held(kind, "shared", "--sessions", SESSIONS, "--queues", queues,
                        "--queue-size", size):
            return (used() - before) / SESSIONS


def of_sessions(kind, sizes=(64, 256)):
    """{what: KiB}; what queues take is what they take more."""
    rows = {}
    for size in sizes:
        one, many = (held(kind, n, size) for n in (1, QUEUES))
        queue = (many - one) / (QUEUES - 1)
        rows[f"a queue of {size} entries"] = queue
        rows.setdefault("a session beside its queues", one - queue)
    return rows


def of_eventfd():
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * EVENTFDS, 2 * EVENTFDS))
    before = used()
    fds = [os.eventfd(0) for _ in range(EVENTFDS)]
    more = used() - before
    for fd in fds:
        os.close(fd)
    return more / EVENTFDS


def loaded(gib, places, words):
    """What is used while buffers are in so many chunks of guest memory."""
    argv = [str(word) for word in (
        peers.CLIENT, "blk", "guest", "--calls", "--depth", 8, "--seconds", 3600,
        "--memory", gib, "--places", places, *words)]
    with target("blk", "guest") as made, subprocess.Popen(argv) as process:
        try:
            vt.wait_for("all of the memory in use",
                        lambda: sum(made.stat()["ops"].values()) > places + 100, 600)
            return used()
        finally:
            process.kill()
            process.wait()


def of_memory():
    rows = {}
    with contextlib.ExitStack() as undo:
        peers.huge_pages(undo)
        for what, (gib, words) in GUEST.items():
            few, all_of_it = (loaded(gib, places, words) for places in (1, gib * CHUNKS))
            rows[what] = (all_of_it - few) / gib
    return rows


def measure(kinds):
    """(group, name, KiB) of each figure."""
    for what, value in of_memory().items():
        yield "a GiB of guest memory in use", what, value
    yield "an eventfd: the VMM's, three for a virtqueue", "", of_eventfd()
    for kind in filter(None, kinds):
        yield "a target with a unit", kind, of_target(kind)
        for what, value in of_sessions(kind).items():
            yield what, kind, value


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--kinds", default=",".join(KINDS), help="whose targets and sessions")
    p.add_argument("--json", metavar="FILE", help="for report.py")
    args = p.parse_args()
    found = {}
    with contextlib.ExitStack() as undo:
        peers.insert("vhost_target")
        undo.callback(peers.unload_core)
        for kind in KINDS.values():
            peers.insert(kind.module)
            undo.callback(peers.remove, kind.module)
        for _ in range(args.rounds):
            for group, name, value in measure(args.kinds.split(",")):
                found.setdefault((group, name), []).append(value)
                print(f"{group}, {name}: {value:.2f} {FIGURE}", flush=True)
    for (group, name), values in found.items():
        print(f"{group:50} {name:12} {statistics.median(values):9.2f} {FIGURE} "
              f"({min(values):.2f} to {max(values):.2f})")
    if args.json:
        report.save(args.json, title="Memory of the kernel's",
                    notes=[f"Medians of {args.rounds} rounds, on {os.cpu_count()} CPUs; "
                           f"{', '.join(KEYS)} of /proc/meminfo."],
                    lines=[], charts=[],
                    rows=[{"group": group, "name": name, "figures": {FIGURE: values}}
                          for (group, name), values in found.items()])


if __name__ == "__main__":
    try:
        main()
    except (vt.CommandError, OSError, KeyError, ValueError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"memory: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
