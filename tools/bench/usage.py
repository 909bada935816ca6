# SPDX-License-Identifier: GPL-2.0
"""What CPUs did, and why guests left them, over a with block."""

import os
import re
import time

import vt

TICK = os.sysconf("SC_CLK_TCK")
EXITS, BY_REASON = "/sys/kernel/tracing/events/kvm/kvm_exit", "hist:keys=exit_reason,isa"
# (isa, reason): isa 1 is VMX, 2 SVM; others are "other".
REASONS = {
    (2, 0x60): "host interrupt", (1, 1): "host interrupt",
    (2, 0x64): "interrupt window", (1, 7): "interrupt window",
    (2, 0x78): "halt", (1, 12): "halt",
    (2, 0x7b): "I/O port", (1, 30): "I/O port",
    (2, 0x7c): "MSR", (1, 31): "MSR", (1, 32): "MSR", (1, 52): "MSR",
    (2, 0x400): "memory, MMIO", (1, 48): "memory, MMIO", (1, 49): "memory, MMIO",
    (2, 0x77): "pause", (1, 40): "pause",
}


class ExitReasons:
    """.count: {reason: exits} of all guests."""

    def __enter__(self):
        vt.write(f"{EXITS}/trigger", BY_REASON)
        return self

    def __exit__(self, *exc):
        text = vt.read(f"{EXITS}/hist")
        vt.write(f"{EXITS}/trigger", f"!{BY_REASON}")
        self.count = {}
        for reason, isa, hits in re.findall(
                r"exit_reason:\s*(\d+), isa:\s*(\d+) \} hitcount:\s*(\d+)", text):
            name = REASONS.get((int(isa), int(reason)), "other")
            self.count[name] = self.count.get(name, 0) + int(hits)


def cpu_times(text):
    """{"cpu" or "cpuN": {user, system, guest, idle}} seconds, of /proc/stat."""
    found = {}
    for line in text.splitlines():
        if not re.match(r"cpu\d* ", line):
            continue
        name, *words = line.split()
        user, nice, system, idle, iowait, irq, softirq, _, guest, _ = (
            int(word) / TICK for word in words[:10])
        found[name] = {"user": user + nice - guest, "system": system + irq + softirq,
                       "guest": guest, "idle": idle + iowait}
    return found


def since(before, after):
    return {cpu: {key: after[cpu][key] - value for key, value in times.items()}
            for cpu, times in before.items()}


class CpuTimes:
    """[cpu][user, system, guest, idle]: seconds; .seconds."""

    def __enter__(self):
        self.start, self.before = time.monotonic(), cpu_times(vt.read("/proc/stat"))
        return self

    def __exit__(self, *exc):
        after = cpu_times(vt.read("/proc/stat"))
        self.seconds = time.monotonic() - self.start
        self.used = since(self.before, after)

    def __getitem__(self, cpu):
        return self.used[cpu]

    def busy(self, cpu):
        """What is not idle: idle time is measured, the rest counted by ticks."""
        return max(0.0, self.seconds - self.used[cpu]["idle"])
