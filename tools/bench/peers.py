# SPDX-License-Identifier: GPL-2.0
"""What can be measured: each peer serves the same null_blk in its own way.

A peer is put up, driven for one or more runs, and taken down again: two of them
are modules of the same name, and each wants the disk for itself."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "selftests", "vm"))

import vt  # noqa: E402

CLIENT = os.path.join(HERE, "vhost-bench")
CLIENT_CPU, SERVER_CPU = 0, 1	# of the client; of poller, worker, fio
LIO = "/sys/kernel/config/target"


class Peer:
    """One way from a queue to @disk."""

    kind = None			# vhost-bench's device
    name = None
    what = ""			# for the table

    def __init__(self, disk):
        self.disk = disk
        self.target = self.name

    def up(self):
        raise NotImplementedError

    def down(self):
        raise NotImplementedError

    def argv(self, load):
        return [CLIENT, self.kind, self.target, "--cpu", CLIENT_CPU,
                "--worker-cpu", SERVER_CPU, *load]

    def run(self, load):
        """One run's figures: see vhost-bench."""
        return json.loads(vt.run(*self.argv(load)))

    def counters(self):
        return {}


def insert(module, **params):
    if not vt.loaded(module):
        vt.run("insmod", os.path.join(vt.ROOT, f"{module}.ko"),
               *(f"{key}={value}" for key, value in params.items()))


class Ours(Peer):
    """A target of ours, by its ioctl door."""

    module = None

    def up(self):
        insert("vhost_target", pollers=SERVER_CPU)
        insert(self.module)
        self.made = vt.Target(self.name, "--dev", self.disk, "--queues", 1,
                              kind=self.kind)

    def down(self):
        self.made.delete()
        vt.wait_for(f"rmmod {self.module}", lambda: vt._rmmod(self.module), 30)

    def counters(self):
        stat = self.made.stat()
        poller = vt.pollers()[0]
        return {"target calls": stat["calls"], "target sleeps": stat["sleeps"],
                "target polls": stat["polls"],
                "poller busy": poller["busy_ns"] / 1e9}


class Scsi(Ours):
    kind = name = "scsi"
    module = "vhost_scsi"
    what = "our vhost_scsi"


class Blk(Ours):
    kind = name = "blk"
    module = "vhost_blk"
    what = "our vhost_blk"


class Nvme(Ours):
    kind = name = "nvme"
    module = "vhost_nvme"
    what = "our vhost_nvme, shadow doorbells"


class NvmeTrap(Nvme):
    """A page that is mapped is polled for a millisecond at least: here it is not."""

    name = "nvme-trap"
    what = "the same, its real doorbells by calls"

    def argv(self, load):
        return super().argv(load) + ["--trap"]


class Lio(Peer):
    """The kernel's own vhost-scsi with LIO's iblock backend, as it comes."""

    kind, name = "scsi", "lio"
    what = "upstream vhost-scsi + LIO"
    submit_type = None

    def __init__(self, disk):
        super().__init__(disk)
        self.target = "naa.6001405000000080"
        self.core = f"{LIO}/core/iblock_0/{self.name}"
        # vhost-scsi takes the target's number in a LUN for that of the TPG.
        self.tpg = f"{LIO}/vhost/{self.target}/tpgt_0"

    def up(self):
        vt.run("modprobe", "-a", "target_core_mod", "target_core_iblock",
               "vhost_scsi")
        os.makedirs(self.core)
        vt.write(f"{self.core}/control", f"udev_path={self.disk}")
        vt.write(f"{self.core}/enable", 1)
        if self.submit_type is not None:
            vt.write(f"{self.core}/attrib/submit_type", self.submit_type)
        os.makedirs(f"{self.tpg}/lun/lun_0")
        vt.write(f"{self.tpg}/nexus", "naa.6001405000000081")
        os.symlink(self.core, f"{self.tpg}/lun/lun_0/port")

    def down(self):
        os.unlink(f"{self.tpg}/lun/lun_0/port")
        vt.write(f"{self.tpg}/nexus", "NULL")
        for path in (f"{self.tpg}/lun/lun_0", self.tpg, os.path.dirname(self.tpg),
                     f"{LIO}/vhost", self.core, os.path.dirname(self.core)):
            os.rmdir(path)
        vt.wait_for("rmmod vhost_scsi", lambda: vt._rmmod("vhost_scsi"), 30)


class LioDirect(Lio):
    """The same, told to submit from vhost's worker, without a work item between."""

    name = "lio-direct"
    what = "the same, submit_type=1"
    submit_type = 1


class Raw(Peer):
    """fio on the disk itself, by io_uring: what is there to be had."""

    name = "raw"
    what = "the disk itself, fio, io_uring"

    def up(self):
        pass

    def down(self):
        pass

    def run(self, load):
        words = dict(zip(load[::2], load[1::2]))
        text = vt.run("taskset", "-c", SERVER_CPU, *vt.fio(
            self.disk, words.get("--rw", "randread"), words.get("--bs", 4096),
            words["--depth"], ioengine="io_uring", runtime=words["--seconds"],
            time_based=1, norandommap=1, thread=1, ramp_time=1).split())
        job = json.loads(text[text.index("{"):])["jobs"][0]
        side = "write" if "write" in words.get("--rw", "") else "read"
        percentile = job[side]["clat_ns"]["percentile"]
        return {"iops": job[side]["iops"], "ios": job[side]["total_ios"],
                "lat_ns": {"p50": percentile["50.000000"],
                           "p99": percentile["99.000000"],
                           "p999": percentile["99.900000"]}}


PEERS = {peer.name: peer for peer in (Scsi, Lio, LioDirect, Blk, Nvme, NvmeTrap, Raw)}

