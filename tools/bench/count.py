#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Instructions of each peer for an I/O, counted by the emulator. Runs bench.py in
a lab VM, outside of which is where the counter is (icount.c). Both sides of a
comparison sleep when they have nothing to do, so that nothing but work counts.

	make bench-count
"""

import argparse
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build")
PLUGIN, OUT = os.path.join(BUILD, "icount.so"), os.path.join(BUILD, "icount.txt")
CLIENT_CPU, SERVER_CPU = 0, 1		# as in peers.py


def build():
    os.makedirs(BUILD, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    "-fvisibility=hidden", "-o", PLUGIN, os.path.join(HERE, "icount.c")],
                   check=True)


def run(args):
    """[(peer, depth, ios)] of the runs, in their order."""
    lab = [os.path.join(ROOT, "tools", "lab", "lab"), "run", "--timeout", "3600",
           "--plugin", f"{PLUGIN},out={OUT}", "--", "python3", "tools/bench/bench.py",
           "--idle-us", args.idle_us, "--ios", args.ios, "--rounds", args.rounds,
           "--figures", "", "--also", args.peers, "--depths", args.depths, "--runs",
           *(["--calls"] if args.calls else [])]
    done = subprocess.run([str(word) for word in lab], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\ncount: the lab ended with {done.returncode}")
    return [(peer, int(depth), int(ios)) for peer, depth, ios in
            re.findall(r"^run (\S+) (\d+) (\d+)$", done.stdout, re.M)]


def counts():
    """[{cpu: (user, kernel)}] of the runs."""
    with open(OUT) as f:
        lines = [[int(word) for word in line.split()] for line in f]
    return [{cpu: tuple(line[2 * cpu:2 * cpu + 2]) for cpu in range(len(line) // 2)}
            for line in lines]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--peers", default="scsi,lio,lio-direct,blk,nvme-trap")
    p.add_argument("--depths", default="1,32")
    p.add_argument("--ios", type=int, default=10000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--idle-us", type=int, default=0)
    p.add_argument("--calls", action="store_true", help="the client sleeps")
    args = p.parse_args()
    build()
    runs, counted = run(args), counts()
    if len(runs) != len(counted):
        sys.exit(f"count: {len(runs)} runs, {len(counted)} counts")
    rows = {}
    for (peer, depth, ios), cpus in zip(runs, counted):
        rows.setdefault((depth, peer), []).append(
            [cpus[SERVER_CPU][1] / ios, cpus[CLIENT_CPU][1] / ios])
    print(f"instructions for an I/O (4k randread, 1 queue), medians of {args.rounds} runs "
          f"of {args.ios}; idle_us={args.idle_us}\n"
          "  QD        peer   server's CPU  +-     client's kernel")
    for (depth, peer), values in sorted(rows.items()):
        server, client = ([v[i] for v in values] for i in (0, 1))
        middle = statistics.median(server)
        print(f"{depth:4}  {peer:>10}   {middle:12.0f}  {(max(server) - min(server)) / middle:4.0%}"
              f"   {statistics.median(client):12.0f}")


if __name__ == "__main__":
    main()
