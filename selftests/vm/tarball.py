# SPDX-License-Identifier: GPL-2.0
"""Files for a guest, on a drive that is a tar of them."""

import io
import os
import tarfile

import vt
from modules import Modules


def modules_with(names):
    """{file: data}: modules of the guest's kernel and what they need, by their names in
    the order in which they have to be loaded."""
    modules = Modules(f"/lib/modules/{os.environ['LAB_GUEST_RELEASE']}")
    return {f"{number:02}-{modules.name_of(path)}.ko": modules.read(path)
            for number, path in enumerate(modules.closure(names))}


def put(bed, guest, top, files):
    """@files, as above, into the directory @top of the guest."""
    path = f"/tmp/{guest.name}.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    bed.callback(os.unlink, path)
    guest.monitor(f"drive_add 0 if=none,id=tar,format=raw,readonly=on,file={path}")
    guest.monitor("device_add virtio-blk-pci,drive=tar,serial=tar,id=plug-tar")
    disk = vt.wait_for("the drive", lambda: vt.guest_disks(guest).get("tar"))
    guest.check(f"mkdir -p {top} && tar xf {disk} -C {top}")
