#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Instructions of each peer for an I/O, counted by the emulator. Runs bench.py in
a lab VM, outside of which is where the counter is (icount.c). Both sides of a
comparison sleep when they have nothing to do, so that nothing but work counts.

	make bench-count

--check compares ours with what baseline.json says, and fails if one is more than
MARGIN above it, in TRIES VMs: of a VM all runs may have a few commands less in a pass.
One that is as much below is told: --write makes it the new baseline.
And beside idle sessions, and with much guest memory, it is to be no more than
SAME_MARGIN above what it is without.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tools", "lab"))

import chroot  # noqa: E402
import report  # noqa: E402
import roots  # noqa: E402
from kernels import root_of  # noqa: E402

BUILD = os.path.join(ROOT, "build")
PLUGIN, OUT = os.path.join(BUILD, "icount.so"), os.path.join(BUILD, "icount.txt")
CLIENT_CPU, SERVER_CPU = 0, 1		# as in peers.py
BASELINE = os.path.join(HERE, "baseline.json")
OURS = "scsi,blk,nvme-trap"
MARGIN = 0.10
# What is to cost the same: idle sessions beside, memory of any size.
SAME = {"scsi-idle": "scsi", "blk-idle": "blk", "nvme-trap-idle": "nvme-trap",
        "blk-64g": "blk-1g", "blk-1024g": "blk-1g"}
SAME_MARGIN, TRIES = 0.05, 3
MEASURED = list(dict.fromkeys([*OURS.split(","), *SAME.values(), *SAME]))
GUARDED = ",".join(peer for peer in MEASURED if peer != "blk-64g")	# 1024 says it too


def build(kernel):
    """The counter, by the compiler of the kernel's root."""
    os.makedirs(BUILD, exist_ok=True)
    code = chroot.run(roots.tree(root_of(kernel)), [
        "gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
        "-fvisibility=hidden", "-o", "/mnt/build/icount.so", "/mnt/bench/icount.c"],
        binds=[(HERE, "/mnt/bench"), (BUILD, "/mnt/build")])
    if code:
        sys.exit("count: the counter does not build")


def lab(kernel, cpus, *command):
    """What it says in a VM whose instructions are counted."""
    words = [os.path.join(ROOT, "tools", "lab", "lab"), "run", "--timeout", "3600",
             "--tries", "2", "--kernel", kernel, "--cpus", cpus,
             "--plugin", f"{PLUGIN},out={OUT}", "--", *command]
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\ncount: the lab ended with {done.returncode}")
    return done.stdout


def run(args, peers):
    """[(peer, depth, ios)] of the runs, in their order."""
    said = lab(args.kernel, 2, "python3", "tools/bench/bench.py",
               "--idle-us", args.idle_us, "--ios", args.ios, "--rounds", args.rounds,
               "--figures", "", "--also", peers, "--depths", args.depths, "--runs",
               *(["--calls"] if args.calls else []))
    return [(peer, int(depth), int(ios)) for peer, depth, ios in
            re.findall(r"^run (\S+) (\d+) (\d+)$", said, re.M)]


def counts():
    """[{cpu: (user, kernel)}] of the runs."""
    with open(OUT) as f:
        lines = [[int(word) for word in line.split()] for line in f]
    return [{cpu: tuple(line[2 * cpu:2 * cpu + 2]) for cpu in range(len(line) // 2)}
            for line in lines]


def measure(args, peers):
    """{(QD, peer): [(server's CPU, client's kernel) of each run]}, for an I/O."""
    runs, counted = run(args, peers), counts()
    if len(runs) != len(counted):
        sys.exit(f"count: {len(runs)} runs, {len(counted)} counts")
    rows = {}
    for (peer, depth, ios), cpus in zip(runs, counted):
        rows.setdefault((depth, peer), []).append(
            (cpus[SERVER_CPU][1] / ios, cpus[CLIENT_CPU][1] / ios))
    return rows


def least(values):
    return min(server for server, _ in values)


def same(rows):
    """[(QD, peer, other, is it the same?)]. How often a poller sleeps in between is a
    matter of chance: of either the run with the fewest counts."""
    return [(depth, peer, SAME[peer], least(values) <=
             (1 + SAME_MARGIN) * least(rows[depth, SAME[peer]]))
            for (depth, peer), values in sorted(rows.items())
            if (depth, SAME.get(peer)) in rows]


def medians(rows):
    """{"peer QD": instructions} of the server's CPU"""
    return {f"{peer} {depth}": round(statistics.median(server for server, _ in values))
            for (depth, peer), values in sorted(rows.items())}


def too_many(found, wanted):
    return [name for name in sorted(set(found) & set(wanted))
            if found[name] > (1 + MARGIN) * wanted[name]]


def measure_again(args, rows, found, wanted):
    """Those that seem to differ, together with what they differ from, and those that
    take more than they did."""
    for _ in range(TRIES - 1):
        peers = {name for _, *names, good in same(rows) if not good for name in names}
        peers |= {name.split()[0] for name in too_many(found, wanted)}
        if not peers:
            return
        print(f"once more: {', '.join(sorted(peers))}", flush=True)
        more = measure(args, ",".join(sorted(peers)))
        for key, values in more.items():
            rows[key] += values
        for name, count in medians(more).items():
            found[name] = min(found[name], count)


def baseline_of(kernel):
    with open(BASELINE) as f:
        return json.load(f)[kernel]


def judge(wanted, found, rows):
    """{"peer QD": instructions} against the baseline, and against each other. The exit
    code."""
    over = too_many(found, wanted)
    verdicts = []
    for name in sorted(set(found) & set(wanted)):
        lower = " (lower it)" if found[name] < (1 - MARGIN) * wanted[name] else ""
        verdicts.append((name not in over,
                         f"{name}: {found[name]} instructions for an I/O, baseline "
                         f"{wanted[name]}{lower}, margin {MARGIN:.0%}"))
    verdicts += [(good, f"{peer} {depth}: at least {least(rows[depth, peer]):.0f}, {other}: "
                  f"{least(rows[depth, other]):.0f}, margin {SAME_MARGIN:.0%}")
                 for depth, peer, other, good in same(rows)]
    bad = sum(not good for good, _ in verdicts)
    print(f"KTAP version 1\n1..{len(verdicts)}")
    for number, (good, text) in enumerate(verdicts, 1):
        print(f"{'ok' if good else 'not ok'} {number} {text}")
    print(f"{len(verdicts) - bad} passed, {bad} failed")
    return 1 if bad else 0


def write_baseline(kernel, found):
    baseline = {}
    if os.path.exists(BASELINE):
        with open(BASELINE) as f:
            baseline = json.load(f)
    baseline[kernel] = {name: count for name, count in found.items()
                        if name.split()[0] in OURS.split(",")}
    with open(BASELINE, "w") as f:
        json.dump(baseline, f, indent=1, sort_keys=True)
        f.write("\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kernel", default="6.12")
    p.add_argument("--check", action="store_true")
    p.add_argument("--write", action="store_true")
    p.add_argument("--peers", help="default: all, or ours with --check and --write")
    p.add_argument("--depths", help="default: 1,32, or 32 with --check and --write")
    p.add_argument("--ios", type=int, default=10000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--idle-us", type=int, default=0)
    p.add_argument("--calls", action="store_true", help="the client sleeps")
    p.add_argument("--json", metavar="FILE", help="for report.py")
    args = p.parse_args()
    guard = args.check or args.write
    args.depths = args.depths or ("32" if guard else "1,32")
    args.peers = args.peers or (GUARDED if guard else ",".join([*MEASURED, "lio", "lio-direct"]))
    build(args.kernel)
    rows = measure(args, args.peers)
    print(f"instructions for an I/O (4k randread, 1 queue), medians of {args.rounds} runs "
          f"of {args.ios}; idle_us={args.idle_us}\n"
          "  QD            peer   server's CPU  +-     client's kernel")
    found = medians(rows)
    for (depth, peer), values in sorted(rows.items()):
        server, client = ([v[i] for v in values] for i in (0, 1))
        middle = statistics.median(server)
        print(f"{depth:4}  {peer:>14}   {middle:12.0f}  {(max(server) - min(server)) / middle:4.0%}"
              f"   {statistics.median(client):12.0f}")
    if args.json:
        report.save(args.json, title="Instructions of the host's kernel for an I/O",
                    notes=[f"4k randread, 1 queue, no guest; {args.rounds} runs of {args.ios}; "
                           f"idle_us={args.idle_us}: what is counted is work."],
                    lines=[], charts=["server's CPU"], rows=[
                        {"group": f"QD {depth}", "name": peer, "figures": {
                            "server's CPU": [v[0] for v in values],
                            "client's kernel": [v[1] for v in values]}}
                        for (depth, peer), values in sorted(rows.items())])
    if args.write:
        write_baseline(args.kernel, found)
    if not guard:
        return 0
    wanted = baseline_of(args.kernel)
    measure_again(args, rows, found, wanted)
    return judge(wanted, found, rows)


if __name__ == "__main__":
    sys.exit(main())
