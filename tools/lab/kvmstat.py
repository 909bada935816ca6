# SPDX-License-Identifier: GPL-2.0
"""KVM's counters in L1: exits, interrupts and the like, of all guests or of one.

	with KvmStat(guest.pid) as stat:
		guest.run(...)
	print(stat["exits"], stat.delta)
"""

import os
import time

TOP = "/sys/kernel/debug/kvm"


def _read_dir(path):
    values = {}
    for name in os.listdir(path):
        full = os.path.join(path, name)
        if not os.path.isfile(full):
            continue
        try:
            with open(full) as f:
                values[name] = int(f.read())
        except (OSError, ValueError):
            continue
    return values


def _directory(pid):
    """KVM's directory of the guest whose QEMU is @pid: PID-FD."""
    for name in os.listdir(TOP):
        if name.startswith(f"{pid}-"):
            return os.path.join(TOP, name)
    raise ProcessLookupError(f"KVM has no guest of process {pid}")


def read(pid=None):
    """All counters now; the totals of all guests when @pid is None."""
    return _read_dir(_directory(pid) if pid else TOP)


class KvmStat:
    """Differences over a with block: .delta (non-zero ones), .seconds, [name]."""

    def __init__(self, pid=None):
        self.pid = pid
        self.delta = {}
        self.seconds = 0.0

    def __enter__(self):
        self._before = read(self.pid)
        self._start = time.monotonic()
        return self

    def __exit__(self, failed, *_):
        if failed:
            return	# the guest may be gone: what it died of says more
        self.seconds = time.monotonic() - self._start
        after = read(self.pid)
        self.delta = {k: after[k] - self._before.get(k, 0) for k in sorted(after)
                      if after[k] != self._before.get(k, 0)}

    def __getitem__(self, name):
        return self.delta.get(name, 0)
