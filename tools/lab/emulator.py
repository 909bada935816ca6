# SPDX-License-Identifier: GPL-2.0
"""The QEMU that runs L1: that of the newest root tree, not of this machine.

Before 10.2 an interrupt was lost when it came just as the emulated SVM left its
guest: two threads changed the same word of pending interrupts, and one change
undid the other. Hosts slept for ever, their guests' kernels deadlocked."""

import os

import roots
from kernels import EMULATOR, ROOTS

LIBRARIES = "usr/lib/x86_64-linux-gnu"


def argv():
    """By the tree's own loader: its C library may be newer than this machine's.
    LAB_QEMU is another one, for comparison."""
    if os.environ.get("LAB_QEMU"):
        return [os.environ["LAB_QEMU"]]
    tree = roots.tree(ROOTS[EMULATOR])
    return [os.path.join(tree, "usr/lib64/ld-linux-x86-64.so.2"),
            "--argv0", "qemu-system-x86_64",
            "--library-path", os.path.join(tree, LIBRARIES),
            os.path.join(tree, "usr/bin/qemu-system-x86_64"),
            "-name", "L1,process=qemu-L1",
            "-L", os.path.join(tree, "usr/share/qemu"),
            "-L", os.path.join(tree, "usr/share/seabios")]


def environment():
    if os.environ.get("LAB_QEMU"):
        return None
    tree = roots.tree(ROOTS[EMULATOR])
    return dict(os.environ, QEMU_MODULE_DIR=os.path.join(tree, LIBRARIES, "qemu"))
