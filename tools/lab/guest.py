# SPDX-License-Identifier: GPL-2.0
"""Guests (L2): stock QEMU with KVM, started and driven from inside L1.

	with Guest(["-drive", "if=none,id=d,file=/dev/nvme0n1,format=raw",
	            "-device", "virtio-blk-pci,drive=d"]) as guest:
		code, output = guest.run("fio --name=t --filename=/dev/vda ...")

Many commands may be given to one guest; each is a shell script.
"""

import atexit
import contextlib
import ctypes
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref

import splats
from agent import Agent, GuestError
from qmp import Qmp, QmpError

__all__ = ["Guest", "GuestError", "QmpError"]

BOOT_TIMEOUT = 180
WORDS = ("console=hvc0 quiet panic=-1 nokaslr mitigations=off nowatchdog "
         "no_timer_check tsc=reliable random.trust_cpu=on cryptomgr.notests "
         "rodata=off audit=0 ipv6.disable=1 apparmor=0 rdinit=/init")
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
# Starts a kernel, nothing else: a guest boots in three quarters of the time.
QBOOT = "/usr/share/qemu/qboot.rom"
PR_SET_PDEATHSIG = 1
# Of lab_svm: UEFI writes to CR8, which the emulated SVM cannot do.
INTERCEPT_CR8 = "/sys/module/lab_svm/parameters/cr8"
# The emulated SVM's, not the guest's or the host's: Documentation/lab.md.
EMULATOR_FAULT = "KVM internal error. Suberror: 3"
# An interrupt at the first instruction of a system call, where none can come: IF is 0,
# and the stack is still the program's.
ENTRY_FAULT = re.compile(r"double fault.*?RIP: 0010:entry_SYSCALL_64\+0x0/", re.S)

_running = weakref.WeakSet()


def emulator_fault(stderr, console):
    """What of the emulator's ended a guest, by its QEMU's words and its own; or ""."""
    if EMULATOR_FAULT in stderr:
        return EMULATOR_FAULT
    if ENTRY_FAULT.search(console):
        return "an interrupt at a system call's first instruction"
    # Its kernel may take interrupts so for no harm; what counts is that it broke.
    if "Kernel panic" in console and splats.masked_interrupt(console):
        return "an interrupt was taken with interrupts off"
    return ""


def says_nothing(err, state, console):
    """It runs, but gives no answer; or it began anew, and its kernel did not say why."""
    return ("in time" in err and "status: running" in state) or \
        ("restarted" in err and not console.strip())


@atexit.register
def _kill_all():
    for guest in list(_running):
        guest.close()


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """One QEMU.

    @kernel: None is the lab's own, False is none: the firmware boots a disk.
    @firmware: None is SeaBIOS for a disk and qboot for a kernel, "ovmf" is
    UEFI, else a file for -bios.
    @shared_mem: others may map its memory; a path: that file is its memory.
    @early: kernel messages on the serial port from the very start.
    """

    emulator_faults = []	# one word on each guest that ended by one
    silent = 0			# guests that says_nothing() is true of
    witness = None		# what else to tell when one fails: gives a text

    def __init__(self, qemu_args=(), mem=512, cpus=1, kernel=None, append="",
                 firmware=None, shared_mem=False, qemu="qemu-system-x86_64",
                 name="g0", early=False, machine="pc"):
        self.qemu_args = list(qemu_args)
        self.mem, self.cpus, self.name = mem, cpus, name
        self.kernel, self.append, self.early = kernel, append, early
        self.firmware, self.shared_mem = firmware, shared_mem
        self.qemu, self.machine = qemu, machine
        self.process = None
        self.tmp = None
        self._qmp = None
        self._agent = None

    @classmethod
    def boot_from_disk(cls, qemu_args, **kwargs):
        """A guest whose firmware boots a disk; see serial_text()."""
        return cls(qemu_args, kernel=False, **kwargs)

    # The command line

    def _kernel_args(self):
        if self.kernel is False:
            return []
        kernel = self.kernel or os.environ["LAB_GUEST_KERNEL"]
        serial = "earlyprintk=serial,ttyS0,115200" if self.early else "8250.nr_uarts=0"
        return ["-kernel", kernel, "-initrd", os.environ["LAB_GUEST_INITRD"],
                "-append", f"{WORDS} {serial} {self.append}".strip()]

    def _firmware_args(self):
        if self.firmware == "ovmf":
            return ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}"]
        firmware = self.firmware
        if not firmware and self.kernel is not False and os.path.exists(QBOOT):
            firmware = QBOOT
        return ["-bios", firmware] if firmware else []

    def _machine_args(self):
        machine, memory = self.machine, []
        if self.shared_mem:
            machine += ",memory-backend=ram"
            where = "memfd" if self.shared_mem is True else f"file,mem-path={self.shared_mem}"
            memory = ["-object", f"memory-backend-{where},id=ram,size={self.mem}M,share=on"]
        return ["-name", self.name, *memory, "-M", machine, "-accel", "kvm",
                "-cpu", "host", "-m", str(self.mem), "-smp", str(self.cpus)]

    def _path(self, name):
        return os.path.join(self.tmp, name)

    def command(self, agent_fd, qmp_fd):
        return [self.qemu, "-nodefaults", "-no-user-config", "-display", "none",
                *self._machine_args(), *self._kernel_args(), *self._firmware_args(),
                "-chardev", f"socket,id=lab-qmp,fd={qmp_fd}",
                "-mon", "chardev=lab-qmp,mode=control",
                "-chardev", f"file,id=lab-con,path={self._path('console')}",
                "-chardev", f"socket,id=lab-agent,fd={agent_fd}",
                # Legacy: notified by an I/O port, which costs KVM less than MMIO.
                "-device", "virtio-serial-pci,id=lab-serial,disable-modern=on,"
                "disable-legacy=off",
                "-device", "virtconsole,bus=lab-serial.0,nr=0,chardev=lab-con",
                "-device", "virtserialport,bus=lab-serial.0,nr=1,chardev=lab-agent,"
                "name=lab.agent",
                "-serial", f"file:{self._path('serial')}",
                "-chardev", f"file,id=lab-fw,path={self._path('firmware')}",
                "-device", "isa-debugcon,iobase=0x402,chardev=lab-fw",
                *self.qemu_args]

    # Life

    def start(self, wait=True, timeout=BOOT_TIMEOUT):
        """Start QEMU; with @wait also wait for the guest's shell."""
        self.tmp = tempfile.mkdtemp(prefix=f"guest-{self.name}-")
        if self.firmware == "ovmf" and os.path.exists(INTERCEPT_CR8):
            with open(INTERCEPT_CR8, "w") as f:
                f.write("1")
        agent, agent_fd = socket.socketpair()
        control, qmp_fd = socket.socketpair()
        # The signal follows the thread that forked, not the process.
        main = threading.current_thread() is threading.main_thread()
        with agent_fd, qmp_fd, open(self._path("stderr"), "wb") as err:
            self.process = subprocess.Popen(
                self.command(agent_fd.fileno(), qmp_fd.fileno()),
                pass_fds=[agent_fd.fileno(), qmp_fd.fileno()],
                stdin=subprocess.DEVNULL, stdout=err, stderr=err,
                start_new_session=True,
                preexec_fn=_die_with_parent if main else None)
        _running.add(self)
        self._agent = Agent(agent, self._why_silent)
        try:
            self._qmp = Qmp(control, timeout)
            if wait and self.kernel is not False:
                self._agent.wait_ready(timeout)
        except (GuestError, OSError) as err:
            raise self._failure(err) from None
        return self

    def _why_silent(self):
        """QEMU does not end when KVM gives up: the guest stops."""
        if self._qmp and self.qmp("query-status")["status"] == "internal-error":
            return EMULATOR_FAULT if EMULATOR_FAULT in self.stderr_text() else "KVM gave up"
        return None

    def _state(self):
        """Does it run, and where are its CPUs? What QEMU still says of it."""
        if not (self.alive and self._qmp):
            return ""
        with contextlib.suppress(OSError, GuestError, QmpError):
            return self.monitor("info status") + "".join(
                re.findall(r".*(?:CPU#|RIP=|HLT=).*\n?", self.monitor("info registers -a")))
        return "no answer"

    def _stacks(self):
        """Where QEMU's threads are in the host's kernel."""
        text = ""
        for task in glob.glob(f"/proc/{self.pid}/task/*") if self.alive else ():
            with contextlib.suppress(OSError):
                for name in ("comm", "stack"):
                    with open(os.path.join(task, name)) as f:
                        text += f.read()
        return text

    def _failure(self, err):
        """@err with all that was said; the guest is gone afterwards."""
        stacks, state = self._stacks(), self._state()
        Guest.silent += says_nothing(str(err), state, self.console_text())
        host = Guest.witness and Guest.witness()
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(BOOT_TIMEOUT)
        texts = [f"{self.name}: {err}"] + [
            f"--- {kind}\n{text}" for kind, text in (
                ("state", state), ("threads", stacks), ("host", host), ("QEMU", self.stderr_text()),
                ("console", self.console_text()[-4000:]),
                ("serial", self.serial_text()[-4000:]),
                ("firmware", self.firmware_text()[-4000:])) if text]
        return GuestError("\n".join(texts))

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, sig=signal.SIGKILL):
        if self.alive:
            self.process.send_signal(sig)

    def wait(self, timeout=BOOT_TIMEOUT):
        """QEMU's exit code."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self._failure("QEMU did not end in time") from None

    def close(self):
        """Kill what runs and remove the files; safe to call again."""
        if self.process:
            self.kill()
            self.process.wait()
        if self.tmp:
            fault = emulator_fault(self.stderr_text(), self.console_text())
            Guest.emulator_faults += [fault] if fault else []
            shutil.rmtree(self.tmp, ignore_errors=True)
        for part in (self._agent, self._qmp):
            if part:
                part.sock.close()
        _running.discard(self)

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *exc):
        self.close()

    def reboot(self, timeout=BOOT_TIMEOUT):
        """Reset by QEMU, and wait for the shell."""
        self.qmp("system_reset")
        self._agent.wait_ready(timeout)

    def wait_shell(self, timeout=BOOT_TIMEOUT):
        """Of a guest that was started without waiting, or booted from a disk."""
        try:
            self._agent.wait_ready(timeout)
        except (GuestError, OSError) as err:
            raise self._failure(err) from None

    def wait_serial(self, text, timeout):
        """Until @text has come over the serial port."""
        end = time.monotonic() + timeout
        while text not in self.serial_text():
            why = "no text in time" if time.monotonic() > end else \
                None if self.alive else "QEMU has gone"
            if why:
                raise self._failure(f"{text}: {why}")
            time.sleep(0.1)

    def poweroff(self, timeout=BOOT_TIMEOUT):
        """Power off from inside; QEMU's exit code."""
        self._agent.send("poweroff -f")
        return self.wait(timeout)

    # Use

    def run(self, cmd, timeout=120, stream=None):
        """Run a shell script; (exit code, output), 137 when it took too long.

        @stream is called with each piece of output (bytes) as it comes.
        """
        try:
            return self._agent.run(cmd, timeout, stream)
        except (GuestError, OSError) as err:
            raise self._failure(err) from None

    def check(self, cmd, timeout=120):
        """The output of a script that must succeed."""
        code, output = self.run(cmd, timeout)
        if code:
            raise GuestError(f"{self.name}: exit code {code}: {cmd}\n{output}")
        return output

    def qmp(self, cmd, **args):
        """A QMP command; underscores in argument names stand for dashes."""
        return self._qmp.execute(cmd, **args)

    def wait_event(self, name, timeout=BOOT_TIMEOUT):
        return self._qmp.wait_event(name, timeout)

    def monitor(self, hmp):
        """A command of QEMU's human monitor; its text."""
        return self.qmp("human-monitor-command", command_line=hmp)

    def _text(self, name):
        try:
            with open(self._path(name), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def console_text(self):
        return self._text("console")

    def serial_text(self):
        return self._text("serial")

    def firmware_text(self):
        return self._text("firmware")

    def stderr_text(self):
        return self._text("stderr")
