# SPDX-License-Identifier: GPL-2.0
"""The command line of the lab."""

import argparse
import concurrent.futures
import os
import shutil
import signal
import sys

import build
import cache
import debugkernel
import host
import roots
import run
from drives import Drive
from errors import EXIT_LAB, LabError
from kernels import EMULATOR, KERNELS, OWN, ROOTS


def _setup(opts):
    host.setup()
    kernels = opts.kernels or ["6.12"]
    trees = sorted({EMULATOR, *(KERNELS[kernel] for kernel in kernels)})
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for path in pool.map(lambda tree: roots.ensure(ROOTS[tree]), trees):
            print(path)
    for kernel in OWN:
        if kernel in kernels:
            print(debugkernel.ensure(kernel))
    return 0


def _build(opts):
    return build.make(opts.kernel, opts.args)


def _run(opts):
    if not opts.command:
        raise LabError("no command: lab run [options] -- CMD...")
    opts.nvme = [Drive(text, n) for n, text in enumerate(opts.nvme)]
    opts.env = dict(word.partition("=")[::2] for word in opts.env)
    if opts.kmemleak and opts.kernel != "debug":
        raise LabError("--kmemleak needs --kernel debug")
    return run.run(opts.kernel, opts, opts.command)


def _shell(opts):
    opts.command = ["exec bash -l"]
    opts.tty = True
    opts.allow_splats = True
    if not sys.stdin.isatty():
        raise LabError("lab shell needs a terminal")
    return run.run_on_terminal(lambda: _run(opts))


def _clean(opts):
    shutil.rmtree(os.path.join(build.REPO, "build"), ignore_errors=True)
    if opts.cache:
        for entry in os.listdir(cache.top()):
            path = os.path.join(cache.top(), entry)
            if os.path.isdir(path) and not cache.drop(path):
                cache.say(f"{entry} is in use, left alone")
    return 0


def _selftest(opts):
    import selftest
    return selftest.main(opts.kernels or ["6.12"])


def _vm_options(parser):
    add = parser.add_argument
    add("--kernel", choices=KERNELS, default="6.12")
    add("--mem", type=int, default=6144, metavar="MB")
    add("--cpus", type=int, default=2)
    add("--nvme", action="append", default=[],
        metavar="size=1G,ioqpairs=4,poll=0,lba=512,serial=labN")
    add("--tries", type=int, default=1, metavar="N")
    add("--timeout", type=float, default=1800, metavar="SECONDS")
    add("--append", default="", metavar="WORDS", help="kernel words of L1")
    add("--monitor", metavar="PATH", help="QMP socket of L1")
    add("--plugin", metavar="SO[,K=V]", help="of L1's emulator")
    add("--env", action="append", default=[], metavar="K=V")
    add("--cwd", default="/src", help="directory in L1; /src is build/KERNEL")
    add("--allow-splats", action="store_true")
    add("--kmemleak", action="store_true", help="debug only: scan at the end")


def parser():
    top = argparse.ArgumentParser(prog="lab")
    subs = top.add_subparsers(required=True, metavar="COMMAND")

    def sub(name, func, text):
        made = subs.add_parser(name, help=text)
        made.set_defaults(func=func, tty=False)
        return made

    made = sub("setup", _setup, "install what is needed, make root trees and kernels")
    made.add_argument("kernels", nargs="*", metavar="KERNEL", choices=[[], *KERNELS])
    made = sub("build", _build, "run make for a kernel in build/KERNEL")
    made.add_argument("kernel", choices=KERNELS)
    made.add_argument("args", nargs=argparse.REMAINDER, metavar="MAKE-ARG")
    made = sub("run", _run, "boot L1 and run a command in it")
    _vm_options(made)
    made.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD")
    made = sub("shell", _shell, "boot L1 with a shell on this terminal")
    _vm_options(made)
    made = sub("clean", _clean, "remove build/")
    made.add_argument("--cache", action="store_true", help="the root trees too")
    made = sub("selftest", _selftest, "test the lab itself")
    made.add_argument("kernels", nargs="*", metavar="KERNEL")
    return top


def main(argv):
    opts = parser().parse_args(argv)
    if getattr(opts, "command", None) and opts.command[0] == "--":
        opts.command = opts.command[1:]
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda num, frame: sys.exit(128 + num))
    try:
        return opts.func(opts)
    except LabError as err:
        print(f"lab: {err}", file=sys.stderr, flush=True)
        return EXIT_LAB
