# SPDX-License-Identifier: GPL-2.0
"""L1's initramfs: a part cached with its kernel, and a small part for each run."""

import hashlib
import os
import shlex

from cpio import Archive
from modules import Modules

# What is loaded together, under the name of its list.
L1_MODULES = {
    "base": ["virtio_pci", "virtio_console", "9p", "9pnet_virtio", "overlay",
             "configfs"],
    "kvm_amd": ["kvm_amd"],
    "kvm_intel": ["kvm_intel"],
    "nvme": ["nvme"],
}
HERE = os.path.dirname(os.path.abspath(__file__))


def read(name):
    with open(os.path.join(HERE, name), "rb") as f:
        return f.read()


def _write_base(out, tree, module_dir, svmfix):
    archive = Archive(out)
    archive.dir("dev")
    archive.node("dev/console", 5, 1)
    archive.file("bin/busybox", os.path.join(tree, "usr/bin/busybox"))
    archive.data("init", read("l1-init.sh"), 0o755)
    modules = Modules(module_dir)
    for name, members in L1_MODULES.items():
        modules.pack(archive, members, f"order-{name}")
    archive.file("lab_svm.ko", svmfix)
    archive.end()


def base(store, tree, module_dir, svmfix):
    """Path of the cached part, kept in the cache entry @store."""
    key = hashlib.sha256(read("l1-init.sh") + repr((L1_MODULES, svmfix)).encode())
    path = os.path.join(store, f"l1-{key.hexdigest()[:12]}.cpio")
    if not os.path.exists(path):
        tmp = f"{path}.{os.getpid()}.tmp"
        with open(tmp, "wb") as out:
            _write_base(out, tree, module_dir, svmfix)
        os.rename(tmp, path)
    return path


def _command(argv, env):
    """A script: one word that needs a shell is one, several are an argv."""
    lines = [f"export {shlex.quote(k)}={shlex.quote(v)}" for k, v in env.items()]
    text = argv[0] if len(argv) == 1 else "exec " + shlex.join(argv)
    return "\n".join(lines + [text]) + "\n"


def for_run(path, base_path, settings, argv, env):
    """Write the initramfs of one run to @path."""
    text = "".join(f"{k}={shlex.quote(str(v))}\n" for k, v in settings.items())
    with open(path, "wb") as out, open(base_path, "rb") as cached:
        out.write(cached.read())
        archive = Archive(out)
        archive.data("lab/settings", text.encode())
        archive.data("lab/command", _command(argv, env).encode())
        archive.data("lab/l1-main.sh", read("l1-main.sh"))
        archive.end()
