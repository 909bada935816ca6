# SPDX-License-Identifier: GPL-2.0
"""lab run: boot L1, run a command in it, judge its kernel log."""

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

import build
import debugkernel
import guestinit
import initramfs
import roots
import splats
import svmfix
import vm
import vmlinux
from drives import poll_queues
from emulator import Emulator
from errors import EXIT_EMULATOR, EXIT_SPLAT, EXIT_TIMEOUT, EmulatorFault, LabError
from kernels import OWN, root_of
from stream import Stream

BOOT_TIMEOUT = 300
BOOT_TRIES = 3
LOGS_KEPT = 20		# console and dmesg files in build/KERNEL/log
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In the child: SIGKILL when the lab goes, whatever the way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Config:
    """What one L1 is made of; vm.py turns it into a command line."""

    def __init__(self, kernel, opts):
        root = root_of(kernel)
        self.tree = roots.tree(root)
        self.build = build.directory(kernel)
        self.mem, self.cpus, self.tty = opts.mem, opts.cpus, opts.tty
        self.monitor = opts.monitor and os.path.abspath(opts.monitor)
        self.plugin = opts.plugin
        self.emulator = Emulator(bool(opts.plugin))
        self.modules = None
        self.module_release = ""
        release = roots.release(root)
        self.guest_release = release
        self.guest_kernel = vmlinux.ensure(self.tree, release)
        self.guest_initrd = guestinit.ensure(self.tree, release)
        store = roots.path(root)
        if kernel in OWN:
            debugkernel.hold(kernel)
            store = debugkernel.path(kernel)
            self.kernel = os.path.join(store, "bzImage")
            self.modules = module_dir = debugkernel.module_dir(kernel)
            self.module_release = os.path.basename(module_dir)
        else:
            self.kernel = self.tree + self.guest_kernel
            module_dir = os.path.join(self.tree, "lib/modules", release)
        fix = svmfix.ensure(store, self.tree, *build.kdir(kernel, root))
        self.base = initramfs.base(store, self.tree, module_dir, fix)
        kmemleak = "kmemleak=on" if opts.kmemleak else ""
        self.append = " ".join(filter(None, [kmemleak, opts.append]))
        self.drives = []


class Run:
    """One L1 from its start to its end."""

    def __init__(self, kernel, opts, argv):
        self.opts = opts
        self.argv = argv
        self.token = secrets.token_hex(8)
        self.conf = Config(kernel, opts)
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
        log = os.path.join(self.conf.build, "log")
        self._expire(log)
        self.dmesg = os.path.join(log, f"dmesg-{stamp}.txt")
        self.leaks = os.path.join(log, f"kmemleak-{stamp}.txt")
        self.conf.console = os.path.join(log, f"console-{stamp}.txt")
        self.tmp = tempfile.mkdtemp(prefix="vhost-lab-")
        self.vm = None
        self.stream = None

    @staticmethod
    def _expire(log):
        for kind in ("dmesg", "kmemleak", "console"):
            old = sorted(n for n in os.listdir(log) if n.startswith(kind + "-"))
            for name in old[:-LOGS_KEPT]:
                with contextlib.suppress(FileNotFoundError):	# another run's
                    os.unlink(os.path.join(log, name))

    def _settings(self):
        return {
            "LAB_TOKEN": self.token,
            "LAB_CWD": self.opts.cwd,
            "LAB_MODULES": self.conf.module_release,
            "LAB_GUEST_RELEASE": self.conf.guest_release,
            "LAB_GUEST_KERNEL": self.conf.guest_kernel,
            "LAB_GUEST_INITRD": self.conf.guest_initrd,
            "LAB_NVME": len(self.opts.nvme) or "",
            "LAB_NVME_POLL": poll_queues(self.opts.nvme),
            "LAB_TTY": "1" if self.opts.tty else "",
            "LAB_DMESG": os.path.basename(self.dmesg),
            "LAB_KMEMLEAK": os.path.basename(self.leaks) if self.opts.kmemleak else "",
        }

    def start(self):
        conf = self.conf
        conf.initrd = os.path.join(self.tmp, "initrd")
        initramfs.for_run(conf.initrd, conf.base, self._settings(), self.argv,
                          self.opts.env)
        conf.drives = [(d, d.create(self.tmp)) for d in self.opts.nvme]
        ours, theirs = socket.socketpair()
        conf.out_fd = theirs.fileno()
        with theirs:
            self.errors = tempfile.TemporaryFile()
            stdio = {} if conf.tty else {"stdin": subprocess.DEVNULL,
                                         "stdout": self.errors}
            self.vm = subprocess.Popen(vm.command(conf), pass_fds=[conf.out_fd],
                                       stderr=self.errors, preexec_fn=die_with_parent,
                                       env=conf.emulator.environment(),
                                       start_new_session=not conf.tty, **stdio)
        self.stream = Stream(ours, self.token)

    def stop(self):
        if self.vm:
            self.vm.kill()
            self.vm.wait()
        if self.stream:
            self.stream.close()
        shutil.rmtree(self.tmp, ignore_errors=True)
        if self.conf.monitor and os.path.exists(self.conf.monitor):
            os.unlink(self.conf.monitor)

    def _qemu_said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    def _died(self, when, kind=LabError):
        text = console_tail(self.conf.console)
        if splats.by_emulator(_text(self.conf.console)):
            kind = EmulatorFault
        raise kind("\n".join(filter(None, [
            f"L1 {when}", self._qemu_said(), text, f"(console: {self.conf.console})",
            splats.gist(_text(self.conf.console))])))

    def wait_boot(self):
        mark = self.stream.next_mark(time.monotonic() + BOOT_TIMEOUT)
        if mark is None:
            self._died("did not come up in time")
        if mark != "booted":
            self._died("died at start", EmulatorFault)
        # QEMU has everything open: what is gone now can not be left behind.
        shutil.rmtree(self.tmp, ignore_errors=True)

    def wait_command(self):
        """The exit code of the command."""
        mark = self.stream.next_mark(time.monotonic() + self.opts.timeout)
        if mark is None:
            self.stream.send(b"stuck?\n")
            self.stream.next_mark(time.monotonic() + 20)
            return EXIT_TIMEOUT
        if not mark.startswith("exit "):
            self._died("died")
        return int(mark.split()[1])


def console_tail(path, lines=60):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except FileNotFoundError:
        return ""


def _text(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def judge(run, code):
    """The exit code after a look at the kernel log."""
    log = _text(run.dmesg) or _text(run.conf.console)
    if code == EXIT_TIMEOUT:
        print(f"lab: no end after {run.opts.timeout} s\n{log[-6000:]}", file=sys.stderr)
    leaks = _text(run.leaks).strip()[:6000]
    found = "\n".join(filter(None, [splats.report(log), leaks]))
    if not found or run.opts.allow_splats:
        return code
    kinds = splats.kinds(log) | ({"kmemleak"} if leaks else set())
    print(f"lab: the kernel log has a splat (all of it: {run.dmesg})\n"
          f"lab: reports: {', '.join(sorted(kinds))}\n{found}",
          file=sys.stderr, flush=True)
    if splats.by_emulator(log):
        return EXIT_EMULATOR
    return code if code == EXIT_TIMEOUT else EXIT_SPLAT


def run_on_terminal(call):
    """Keys go to L1 as they are; the terminal is put back afterwards."""
    saved = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        return call()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, saved)


def boot(kernel, opts, argv):
    """A running L1. Nothing of ours is loaded yet: if it dies, it is tried again."""
    for left in reversed(range(BOOT_TRIES)):
        one = Run(kernel, opts, argv)
        try:
            one.start()
            one.wait_boot()
            return one
        except EmulatorFault as err:
            one.stop()
            if not left:
                raise LabError(str(err)) from err
            print(f"lab: {err}\nlab: once more", file=sys.stderr, flush=True)
        except BaseException:
            one.stop()
            raise
    return None


def run_once(kernel, opts, argv):
    one = boot(kernel, opts, argv)
    try:
        code = one.wait_command()
    except EmulatorFault as err:
        print(f"lab: {err}", file=sys.stderr, flush=True)
        return EXIT_EMULATOR
    finally:
        one.stop()
    return judge(one, code)


def run(kernel, opts, argv):
    """The exit code; again while it is the emulator's fault, --tries in all."""
    for left in reversed(range(opts.tries)):
        code = run_once(kernel, opts, argv)
        if code != EXIT_EMULATOR or not left:
            break
        print("lab: the emulator's fault, once more", file=sys.stderr, flush=True)
    return code
