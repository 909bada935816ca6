# SPDX-License-Identifier: GPL-2.0
"""The module of svm/, which mends what the emulated SVM does wrong, for one kernel."""

import hashlib
import os
import shutil
import subprocess
import tempfile

import chroot
from errors import LabError

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "svm")
NAME = "lab_svm"


def _build(tree, kdir, binds, out):
    with tempfile.TemporaryDirectory() as tmp:
        for name in os.listdir(HERE):
            shutil.copy(os.path.join(HERE, name), tmp)
        with open(os.path.join(tmp, "log"), "w") as log:
            code = chroot.run(tree, ["make", "-C", kdir, "M=/mnt/svm", "modules"],
                              binds=[(tmp, "/mnt/svm"), *binds], stdout=log,
                              stderr=subprocess.STDOUT)
        if code:
            with open(os.path.join(tmp, "log")) as log:
                raise LabError(f"{NAME} does not build:\n{log.read()[-3000:]}")
        shutil.move(os.path.join(tmp, f"{NAME}.ko"), out)


def ensure(store, tree, kdir, binds):
    """Path of the module, kept in the cache entry @store; made when missing."""
    key = hashlib.sha256()
    for name in sorted(os.listdir(HERE)):
        with open(os.path.join(HERE, name), "rb") as f:
            key.update(f.read())
    path = os.path.join(store, f"{NAME}-{key.hexdigest()[:12]}.ko")
    if not os.path.exists(path):
        tmp = f"{path}.{os.getpid()}.tmp"
        _build(tree, kdir, binds, tmp)
        os.rename(tmp, path)
    return path
