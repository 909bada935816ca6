# SPDX-License-Identifier: GPL-2.0
"""lab selftest: does the lab itself tell the truth? KTAP on stdout."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import build
import initramfs
import qmp
import splats
from errors import EXIT_LAB, EXIT_SPLAT, EXIT_TIMEOUT
from guest import emulator_fault, says_nothing

LAB = os.path.join(initramfs.HERE, "lab")
LIMIT = 900


def lab(kernel, *words, command="true"):
    """(exit code, stdout, stderr) of one lab run."""
    done = subprocess.run([LAB, "run", "--kernel", kernel, "--mem", "3072", *words,
                           "--", command], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=LIMIT)
    return done.returncode, done.stdout, done.stderr


def expect(got, want, text=""):
    if got != want:
        raise AssertionError(f"{got!r} instead of {want!r} {text}")


def leftovers(mark):
    """Processes whose command line has @mark."""
    return subprocess.run(["pgrep", "-f", "-a", mark], text=True,
                          capture_output=True).stdout


def exit_code(kernel):
    code, out, err = lab(kernel, command="echo out; echo err >&2; exit 42")
    expect((code, out), (42, "out\nerr\n"), err)


def environment(kernel):
    code, out, err = lab(kernel, "--env", "A=b c", command='pwd; echo "$A"; cat')
    expect((code, out), (0, "/src\nb c\n"), err)


def output_is_whole(kernel):
    code, out, err = lab(kernel, command="seq 1 200000; printf 'a\\036b'")
    expect((code, len(out), out[-3:]), (0, 1288898, "a\x1eb"), err)


def timeout(kernel):
    start = time.monotonic()
    code, _, err = lab(kernel, "--timeout", "3", command="sleep 10000")
    expect(code, EXIT_TIMEOUT, err)
    if time.monotonic() - start > 300:
        raise AssertionError("the time limit did not hold")


def splat(kernel):
    plant = "echo 'WARNING: planted' >/dev/kmsg; exit 3"
    code, _, err = lab(kernel, command=plant)
    expect(code, EXIT_SPLAT, err)
    expect("WARNING: planted" in err, True)
    expect(lab(kernel, "--allow-splats", command=plant)[0], 3)


def emulators_fault(_):
    """Known by the clock: a real splat's time is that of the lines before it. Or by an
    interrupt or a breakpoint where there is none."""
    log = "[   90.5] a line\n[{}] BUG: planted\n[   91.0] another\n"
    expect(splats.by_emulator(log.format("   60.2")), True)
    expect(splats.by_emulator(log.format("   90.6")), False)
    expect(splats.by_emulator("[   90.5] a line\n[   60.2] another\n"), False)
    trace = log.format("   90.6") + "[   91.0]  asm_sysvec_reschedule_ipi+0x1a/0x20\n" \
        "[   91.0] RIP: 0010:{}+0x9c/0x240 [kvm_amd]\n"
    expect(splats.by_emulator(trace.format("__svm_vcpu_run")), True)
    expect(splats.by_emulator(trace.format("svm_vcpu_run")), False)
    log = "[   90.5] a line\n[   90.6] Oops: {}: 0000 [#1] SMP NOPTI\n" \
        "[   90.6] RIP: 0010:some_function+0xad/0x7f0\n[   90.6] Code: 74 86 {} <1f> 44 00\n"
    expect(splats.by_emulator(log.format("int3", "0f")), True)
    expect(splats.by_emulator(log.format("int3", "cc")), False)
    expect(splats.by_emulator(log.format("invalid opcode", "0f")), False)
    zeros = "\n".join(f"[   90.6] {' '.join(f'{r}: {0:016}' for r in regs.split())}" for regs in
                      ("RBP R08 R09", "R10 R11 R12", "R13 R14 R15"))
    log = "[   90.5] a line\n[   90.6] BUG: TASK stack guard page was hit at 00000000\n" \
        "[   90.6] CPU: 0 UID: 0 PID: 239 Comm: {}\n[   90.6] RIP: 0010:error_entry+0x10/0x170\n{}\n"
    expect(splats.by_emulator(log.format("qemu-system-x86", zeros)), True)
    expect(splats.by_emulator(log.format("vhost-poll/0", zeros)), False)
    field = zeros.replace("R13: 0000000000000000", "R13: 00000000000003d0")
    expect(splats.by_emulator(log.format("qemu-system-x86", field)), True)
    others = zeros.replace("R08: 0", "R08: 1")
    expect(splats.by_emulator(log.format("qemu-system-x86", f"{others}\n{zeros}")), False)
    expect(splats.by_emulator(log.format("qemu-system-x86", zeros.replace("R13: 0", "R13: 1"))),
           False)
    log = "[   90.6] Oops: 0000 [#1]\n[   90.6]  asm_common_interrupt+0x26/0x40\n" \
        "[   90.6] RIP: 0010:asm_common_interrupt+0x7/0x40\n[   90.6] Code: ca <fc> e8\n" \
        "[   90.6] RSP: 0000:fffffe0000002fd0 EFLAGS: {}\n[   90.6] Kernel panic - not syncing\n"
    for flags, fault in ("00010002", True), ("00010202", False):
        log_now = log.format(flags)
        expect(splats.by_emulator(log_now), fault)
        expect(bool(emulator_fault("", log_now)), fault)
    expect(says_nothing("no answer in time", "VM status: running", ""), True)
    expect(says_nothing("no answer in time", "VM status: paused", ""), False)
    expect(says_nothing("the guest restarted", "VM status: running", ""), True)
    expect(says_nothing("the guest restarted", "VM status: running", log), False)
    # A fault's flags are no interrupt's.
    expect(splats.by_emulator(log.format("00010002").replace("common_interrupt", "exc_page_fault")),
           False)


def panic(kernel):
    code, _, err = lab(kernel, command="echo c >/proc/sysrq-trigger; sleep 100")
    expect(code, EXIT_LAB, err)
    expect("sysrq triggered crash" in err.lower(), True, err)
    gist = err[err.index("in short:"):]
    expect("sysrq_handle_crash+" in gist, True, gist)


def drives(kernel):
    code, out, err = lab(
        kernel, "--nvme", "size=64M,lba=4096,poll=1,serial=one", "--nvme", "size=1G",
        command="for d in /sys/block/nvme*n1; do echo $(cat $d/device/serial $d/size "
                "$d/queue/logical_block_size); done")
    # Which is found first is the kernel's affair.
    expect((code, sorted(out.splitlines())),
           (0, ["lab1 2097152 512", "one 131072 4096"]), err)


def unplug(kernel):
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "qmp")
        vm = subprocess.Popen(
            [LAB, "run", "--kernel", kernel, "--mem", "3072", "--nvme", "size=64M",
             "--monitor", path, "--", "echo up; until [ ! -e /dev/nvme0n1 ]; "
             "do sleep 0.2; done; echo gone"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        expect(vm.stdout.readline(), "up\n")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path)
            qmp.Qmp(sock).execute("device_del", id="nvme0")
            expect(vm.communicate(timeout=LIMIT)[0], "gone\n")
        expect((vm.returncode, os.listdir(tmp)), (0, []))


def guest(kernel):
    code, out, err = lab(
        kernel, "--nvme", "size=64M",
        command="python3 tools/lab/guest run --qemu-arg '-drive if=none,id=d,"
                "file=/dev/nvme0n1,format=raw -device virtio-blk-pci,drive=d' "
                "-- 'cat /sys/block/vda/size; fio --version; exit 5'; "
                "echo \"code $?\"; pgrep qemu")
    lines = out.split()
    expect((code, lines[:1], lines[2:]), (1, ["131072"], ["code", "5"]), out + err)


def killed(kernel, number, tmp):
    """Kill a lab by signal @number when its command runs; wait for its QEMU."""
    mark = f"lab-selftest-{os.getpid()}-{number}"
    vm = subprocess.Popen([LAB, "run", "--kernel", kernel, "--mem", "3072",
                           "--append", mark, "--", "echo up; sleep 10000"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          env=dict(os.environ, TMPDIR=tmp))
    expect(vm.stdout.readline(), b"up\n")
    vm.send_signal(number)
    vm.wait(60)
    vm.stdout.close()
    deadline = time.monotonic() + 30
    while leftovers(mark) and time.monotonic() < deadline:
        time.sleep(0.2)
    expect(leftovers(mark), "")


def no_leftovers(kernel):
    """Killed in every way, the lab leaves no process and no file."""
    with tempfile.TemporaryDirectory() as tmp:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            killed(kernel, number, tmp)
            expect(os.listdir(tmp), [])


TESTS = [exit_code, environment, output_is_whole, timeout, splat, emulators_fault, panic,
         drives,
         unplug, guest, no_leftovers]


def main(kernels):
    cases = [(test, kernel) for kernel in kernels for test in TESTS]
    print(f"KTAP version 1\n1..{len(cases)}", flush=True)
    failed = 0
    for number, (test, kernel) in enumerate(cases, 1):
        build.sync(kernel)
        name = f"{number} {test.__name__} ({kernel})"
        start = time.monotonic()
        try:
            test(kernel)
            print(f"ok {name} # {time.monotonic() - start:.1f} s", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as err:
            failed += 1
            print("\n".join(f"# {line}" for line in str(err).splitlines()))
            print(f"not ok {name}", flush=True)
    sys.stdout.flush()
    return 1 if failed else 0
