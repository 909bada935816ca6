# SPDX-License-Identifier: GPL-2.0
"""lab build: the working tree, copied to build/KERNEL and built there in the root."""

import fcntl
import os
import subprocess
import sys

import chroot
import debugkernel
import initramfs
import roots
from errors import LabError
from kernels import OWN, root_of

REPO = os.path.dirname(os.path.dirname(initramfs.HERE))
COPIED = ["drivers", "include", "tools", "selftests", "Documentation", "Kbuild",
          "Makefile", "README.md", "dkms.conf", ".clang-format"]


def directory(kernel):
    """build/KERNEL with its log/ directory."""
    path = os.path.join(REPO, "build", kernel)
    os.makedirs(os.path.join(path, "log"), exist_ok=True)
    with open(os.path.join(REPO, "build", ".gitignore"), "w") as f:
        f.write("*\n")
    return path


def sync(kernel):
    """Bring build/KERNEL up to date: git's files and new ones, times kept.

    Files deleted in the working tree go; what was built stays.
    """
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={REPO}", "-C", REPO, "ls-files", "-z", "--cached",
         "--others", "--exclude-standard", "--", *COPIED],
        check=True, stdout=subprocess.PIPE).stdout
    names = [n for n in listing.split(b"\0")
             if n and os.path.lexists(os.path.join(os.fsencode(REPO), n))]
    target = directory(kernel)
    subprocess.run(["rsync", "-a", "--from0", "--files-from=-", REPO + "/", target + "/"],
                   input=b"\0".join(names), check=True)
    _forget_deleted(target, set(names))


def _forget_deleted(target, names):
    """Remove what an earlier sync copied and this one did not."""
    listing = os.path.join(target, ".synced")
    old = set()
    if os.path.exists(listing):
        with open(listing, "rb") as f:
            old = set(f.read().split(b"\0"))
    for name in old - names - {b""}:
        try:
            os.unlink(os.path.join(os.fsencode(target), name))
        except FileNotFoundError:
            pass
    with open(listing, "wb") as f:
        f.write(b"\0".join(sorted(names)))


def kdir(kernel, root):
    """KDIR inside the chroot, and the bind mounts it needs."""
    if kernel not in OWN:
        return f"/lib/modules/{roots.release(root)}/build", []
    return "/mnt/linux", [(os.path.join(debugkernel.path(kernel), "tree"), "/mnt/linux")]


def make(kernel, args):
    """Sync, then run make; returns its exit code."""
    root = root_of(kernel)
    tree = roots.tree(root)
    if kernel in OWN:
        debugkernel.hold(kernel)
        args = [*debugkernel.MODULES[kernel], *args]
    lock = open(os.path.join(directory(kernel), ".lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time; held to the end
    sync(kernel)
    linux, binds = kdir(kernel, root)
    if not os.path.exists(os.path.join(directory(kernel), "Makefile")):
        raise LabError("there is no Makefile to run")
    sys.stdout.flush()
    return chroot.run(tree, ["make", f"-j{os.cpu_count()}", f"KDIR={linux}", *args],
                      cwd="/mnt/src", binds=[(directory(kernel), "/mnt/src"), *binds])
