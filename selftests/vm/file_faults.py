# SPDX-License-Identifier: GPL-2.0
"""File systems that are frozen, or do not do what was asked at once, below a disk."""

import os
import subprocess

import vt
from bed import expect_equal, run_fio, test
from devices import HOST, no_errors


def freeze(top):
    """It waits until nobody writes."""
    job = subprocess.Popen(["fsfreeze", "-f", top])
    vt.wait_for("the freeze", lambda: job.poll() is not None)
    expect_equal(job.returncode, 0, "exit code of fsfreeze")


def thaw(top):
    vt.run("fsfreeze", "-u", top)


@test(HOST)
def frozen_after_writes(bed):
    """Writes that have ended do not count as writers of the file system any more."""
    # So slow that they end later.
    path = bed.file(irqmode=2, completion_nsec=1000000)
    top = os.path.dirname(path)
    target, disk = bed.disk("disk", "--file", path)
    run_fio(vt.fio_verify(disk, size="4M"))
    freeze(top)
    thaw(top)
    run_fio(vt.fio_verify(disk, size="1M"))
    no_errors(target)
