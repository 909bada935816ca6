# SPDX-License-Identifier: GPL-2.0
"""CPU time and context switches of a process or kernel thread, by pid or name.

	with CpuStat(pid) as stat:
		...
	print(stat.cpu_seconds, stat.share, stat.voluntary, stat.involuntary)
"""

import os
import time

TICK = os.sysconf("SC_CLK_TCK")


def pids_of(name):
    """Processes and kernel threads whose name (comm) starts with @name."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/comm") as f:
                if f.read().strip().startswith(name):
                    found.append(int(entry))
        except OSError:
            continue
    return sorted(found)


def _times(pid):
    """(user, system) seconds, of all threads of @pid."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def _switches(pid):
    """(voluntary, involuntary), summed over the threads."""
    total = [0, 0]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as f:
            for line in f:
                if line.startswith("voluntary_ctxt_switches"):
                    total[0] += int(line.split()[1])
                elif line.startswith("nonvoluntary_ctxt_switches"):
                    total[1] += int(line.split()[1])
    return tuple(total)


class CpuStat:
    """Differences over a with block."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self._start = time.monotonic()
        self._before = _times(self.pid) + _switches(self.pid)
        return self

    def __exit__(self, *exc):
        after = _times(self.pid) + _switches(self.pid)
        self.seconds = time.monotonic() - self._start
        self.user, self.system, self.voluntary, self.involuntary = (
            b - a for a, b in zip(self._before, after))

    @property
    def cpu_seconds(self):
        return self.user + self.system

    @property
    def share(self):
        """CPU time per second: 1.0 is one CPU all the time."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0
