# SPDX-License-Identifier: GPL-2.0
"""The QEMU that runs L1: that of the newest root tree, not of this machine.

Before 10.2 an interrupt was lost when it came just as the emulated SVM left its
guest: two threads changed the same word of pending interrupts, and one change
undid the other. Hosts slept for ever."""

import os

import roots
from kernels import EMULATOR, PLUGINS, ROOTS

LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Emulator:
    """@plugin: one that takes the plugins of tools/bench: their API is that of older
    ones. It is for what runs no guests."""

    def __init__(self, plugin=False):
        self.other = os.environ.get("LAB_QEMU")		# for comparison
        self.tree = roots.tree(ROOTS[PLUGINS if plugin else EMULATOR])

    def _in(self, path):
        return os.path.join(self.tree, path)

    def argv(self):
        """By the tree's own loader: its C library may be newer than this machine's."""
        if self.other:
            return [self.other]
        return [self._in("usr/lib64/ld-linux-x86-64.so.2"),
                "--argv0", "qemu-system-x86_64", "--library-path", self._in(LIBRARIES),
                self._in("usr/bin/qemu-system-x86_64"), "-name", "L1,process=qemu-L1",
                "-L", self._in("usr/share/qemu"), "-L", self._in("usr/share/seabios")]

    def environment(self):
        if self.other:
            return None
        return dict(os.environ, QEMU_MODULE_DIR=self._in(f"{LIBRARIES}/qemu"))
