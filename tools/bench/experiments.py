#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""experiments.py one | many | clients | cost [options]

	one	a VM with a drive: each device by turns; IOPS, latency, CPU time, exits
	many	VMs that share drives: what all have of the drives, and each of them
	clients	the same, with processes in place of VMs
	cost	CPU time of the host for an I/O, at rates that all peers reach

Run in a lab VM (make bench-experiments); Documentation/bench.md says what that can show.

	tools/lab/lab run --nvme size=1G -- python3 tools/bench/experiments.py one
"""

import argparse
import subprocess
import sys

import exp_cost
import exp_many
import exp_one
import report
import vt
from guest import GuestError

EXPERIMENTS = {"one": exp_one, "many": exp_many.Vms, "clients": exp_many.Clients,
               "cost": exp_cost}


def parse():
    top = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    subs = top.add_subparsers(required=True, dest="name")
    for name, made in EXPERIMENTS.items():
        sub = subs.add_parser(name)
        sub.add_argument("-r", "--rounds", type=int, default=made.ROUNDS)
        sub.add_argument("-s", "--seconds", type=float, default=made.SECONDS)
        sub.add_argument("--json", metavar="FILE", help="for report.py")
        made.add_options(sub.add_argument)
    return top.parse_args()


def main():
    options = parse()
    result = EXPERIMENTS[options.name].run(options)
    print("\n" + "\n".join(result["lines"]))
    if options.json:
        report.save(options.json, **result)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (vt.CommandError, GuestError, OSError, KeyError, ValueError, TimeoutError,
            subprocess.SubprocessError) as err:
        while err:		# what failed first is the last
            print(f"experiments: {type(err).__name__}: {err}", file=sys.stderr)
            err = err.__context__
        sys.exit(1)
