#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The points of scale.py's curves, measured inside the lab VM: a line for each run."""

import argparse
import contextlib
import subprocess
import sys

import backends
import peers
import vt

KINDS = {kind.name: kind for kind in (peers.Scsi, peers.Blk, peers.NvmeTrap)}
POLLERS = {1: "1", 2: "1-2"}	# their CPUs
DEPTH = 32


class Curve:
    """@attrs: what a peer is like at each of @xs."""

    def __init__(self, what, xs, attrs):
        self.what, self.xs, self.attrs = what, xs, attrs


CURVES = {
    "queues": Curve("queues of a session, all busy", (1, 2, 4, 8),
                    lambda n: {"queues": n}),
    "pollers": Curve("pollers, for a session of 4 busy queues", (1, 2),
                     lambda n: {"queues": 4, "pollers": POLLERS[n]}),
    "sessions": Curve("sessions, all busy", (1, 2, 4, 8), lambda n: {"sessions": n}),
    "idle": Curve(f"idle sessions of {peers.IDLE_QUEUES} queues beside a busy one",
                  (0, 4, 16, 64), lambda n: {"idle": n}),
    "memory": Curve("GiB of guest memory, buffers all over it", (1, 16, 64, 256, 1024),
                    lambda n: {"memory": n}),
}


def per_pass(before, after):
    """Requests that a look at a queue took, of looks that found any."""
    looks = [stat["polls"] - stat["empty_polls"] for stat in (before, after)]
    ops = [sum(stat["ops"].values()) for stat in (before, after)]
    return (ops[1] - ops[0]) / (looks[1] - looks[0])


def measure(args, curve, kind, x, disk):
    peer = peers.variant(KINDS[kind], curve, "", **CURVES[curve].attrs(x))(disk)
    try:
        peer.up()
        for poller in vt.pollers():
            vt.ctl("poller", "set", poller["id"], "--idle-us", 0)
        for _ in range(args.rounds):
            before = peer.made.stat()
            row = peer.run(["--depth", DEPTH, "--ios", args.ios])
            print(f"point {curve} {kind} {x} {row['ios']} "
                  f"{per_pass(before, peer.made.stat()):.2f}", flush=True)
    finally:
        peer.down()
        # It has its pollers from when it is loaded.
        peers.unload_core()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kinds", default=",".join(KINDS))
    p.add_argument("--curves", default=",".join(CURVES))
    p.add_argument("--ios", type=int, default=10000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--irqmode", type=int, default=1, help="of null_blk")
    args = p.parse_args()
    with contextlib.ExitStack() as undo:
        disk = backends.null_blk(undo, args)
        for curve in args.curves.split(","):
            for kind in args.kinds.split(","):
                for x in CURVES[curve].xs:
                    measure(args, curve, kind, x, disk)


if __name__ == "__main__":
    try:
        main()
    except (vt.CommandError, OSError, KeyError, ValueError, TimeoutError,
            subprocess.SubprocessError) as err:
        print(f"curves: {type(err).__name__}: {err}", file=sys.stderr)
        sys.exit(1)
