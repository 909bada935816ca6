# SPDX-License-Identifier: GPL-2.0
"""The devices a stock QEMU can give its guest, each on a disk of its own."""

import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "demo"))

import peers  # noqa: E402
from demo import RUN_US, SERVER, VCPU  # noqa: E402
import vt  # noqa: E402


class Side:
    """One device. Its disk in the guest is the one with @attr = @value."""

    attr = "vd*/serial"
    what = ""			# for tables
    ours = True			# with our modules, or without
    shared_mem = False		# of the guest
    limit = False		# no device: what none can be faster than

    def __init__(self, name, options=""):
        self.name = self.value = name
        self.options = options

    def up(self, disk):
        """QEMU's words for it."""
        raise NotImplementedError

    def down(self):
        pass

    def find(self, guest):
        """(disk, pattern of its queues' interrupts) once it is there."""
        def look():
            _, text = guest.run(
                f"cd /sys/block; for f in {self.attr}; do [ -e $f ] && "
                f"[ \"$(echo $(cat $f))\" = {self.value} ] && d=${{f%%/*}} && "
                "echo $d $(readlink -f $d/device); done; true")
            return text.split()

        disk, path = vt.wait_for(f"the disk of {self.name}", look)
        driver = re.search(r"virtio\d+|nvme\d+", path)[0]
        return f"/dev/{disk}", rf"^{driver}(-req|q[1-9])"


class GuestNull(Side):
    """A null_blk in the guest, which ends a request as it gets it: what the guest itself
    spends for an I/O, and no exit or interrupt."""

    what = "no device, the guest's own null_blk"
    limit = True

    def up(self, disk):
        return []

    def find(self, guest):
        guest.check("modprobe null_blk nr_devices=1 submit_queues=1 irqmode=0 gb=8")
        return "/dev/nullb0", "no interrupts"


class OurBlk(Side):
    what = "our vhost_blk, vhost-vdpa-device-pci"

    def __init__(self, name, queues=1):
        super().__init__(name)
        self.queues = queues

    def up(self, disk):
        self.target = vt.Target(self.name, "--dev", disk, "--queues", self.queues, "--vdpa",
                                "--serial", self.name)
        return ["-device", self.target.qemu_arg]

    def down(self):
        self.target.delete()


class OurScsi(OurBlk):
    attr = "sd*/device/model"
    what = "our vhost_scsi, vhost-scsi-pci"

    def up(self, disk):
        self.target = vt.Target(self.name, "--dev", disk, "--queues", 1,
                                "--product", self.name, kind="scsi")
        return ["-device", f"vhost-scsi-pci,wwpn={self.target.made['wwpn']}"]


class OurNvme(OurBlk):
    attr = "nvme*/device/serial"
    what = "our vhost_nvme, vfio-pci"

    def up(self, disk):
        self.target = vt.Target(self.name, "--dev", disk, "--queues", self.queues, "--vfio",
                                kind="nvme")
        return ["-device", self.target.qemu_arg]


class Lio(Side):
    attr = "sd*/device/vendor"
    what = "upstream vhost_scsi + LIO, vhost-scsi-pci"
    ours = False

    def __init__(self, name):
        super().__init__(name)
        self.value = "LIO-ORG"

    def up(self, disk):
        self.peer = peers.Lio(disk)
        self.peer.up()
        return ["-device", f"vhost-scsi-pci,wwpn={self.peer.target},num_queues=1"]

    def down(self):
        self.peer.down()


class VhostUserBlk(Side):
    """qemu-storage-daemon, which has to see the guest's memory."""

    what = "qemu-storage-daemon, vhost-user-blk-pci"
    shared_mem = True

    def __init__(self, name):
        super().__init__(name)
        self.value = "vhost_user_blk"	# the daemon's, for all it exports

    def up(self, disk):
        self.peer = peers.Qsd(disk)
        self.peer.up()
        return ["-chardev", f"socket,id=char-{self.name},path={self.peer.target}", "-device",
                f"vhost-user-blk-pci,chardev=char-{self.name},num-queues=1,queue-size=256"]

    def down(self):
        self.peer.down()


class Emulated(Side):
    """A device of QEMU's own on a block node named as the side."""

    aio = "io_uring"

    def node(self, disk):
        return ["-blockdev", f"driver=host_device,node-name={self.name},aio={self.aio},"
                f"filename={disk},cache.direct=on"]

    def iothread(self, number=0):
        return ["-object", f"iothread,id=io{number}-{self.name}"]

    def device(self, driver):
        return ["-device", f"{driver}drive={self.name},serial={self.name}{self.options}"]


class QemuBlk(Emulated):
    what = "QEMU's virtio-blk, an iothread"

    def __init__(self, name, aio="io_uring", queues=1):
        super().__init__(name)
        self.aio, self.queues = aio, queues

    def up(self, disk):
        return [*self.node(disk), *self.iothread(), *self.device(
            f"virtio-blk-pci,num-queues={self.queues},iothread=io0-{self.name},")]


class QemuBlkMapped(QemuBlk):
    """A queue and an iothread for each vCPU: QEMU 9 or later."""

    what = "QEMU's virtio-blk, iothread-vq-mapping"

    def up(self, disk):
        return [*self.node(disk), *self.iothread(0), *self.iothread(1), "-device",
                json.dumps({"driver": "virtio-blk-pci", "drive": self.name,
                            "serial": self.name, "num-queues": self.queues,
                            "iothread-vq-mapping": [
                                {"iothread": f"io{i}-{self.name}"} for i in range(2)]})]


class QemuScsi(Emulated):
    attr = "sd*/device/model"
    what = "QEMU's virtio-scsi, an iothread"

    def up(self, disk):
        bus = f"hba-{self.name}"
        return [*self.node(disk), *self.iothread(), "-device",
                f"virtio-scsi-pci,id={bus},num_queues=1,iothread=io0-{self.name}",
                *self.device(f"scsi-hd,bus={bus}.0,product={self.name},")]


class QemuNvme(Emulated):
    attr = "nvme*/device/serial"
    what = "QEMU's nvme"

    def __init__(self, name, options="", queues=1):
        super().__init__(name, options)
        self.queues = queues

    def up(self, disk):
        return [*self.node(disk), *self.device(f"nvme,max_ioqpairs={self.queues},")]


def load_ours(pollers=SERVER, idle_us=RUN_US):
    vt.load(idle_us=idle_us, pollers=pollers)
    vt.load_nvme()


def pin_threads(guest):
    """vCPUs on one CPU; all that serves their devices on the poller's."""
    vt.run("taskset", "-apc", SERVER, guest.pid)
    for vcpu in guest.qmp("query-cpus-fast"):
        vt.run("taskset", "-pc", VCPU, vcpu["thread-id"])


def fio(disk, depth, seconds, jobs=1, **options):
    """4k random reads, as all guests here do them."""
    return vt.fio(disk, "randread", iodepth=depth, numjobs=jobs, thread=1, runtime=seconds,
                  time_based=1, norandommap=1, group_reporting=1, **options)


def fio_result(text):
    """As vt's, of a text that goes on after it; with latencies in us."""
    doc = text[text.index("{"):text.rindex("}") + 1]
    found = vt.fio_result(doc)
    percentile = json.loads(doc)["jobs"][0]["read"]["clat_ns"].get("percentile", {})
    for name, key in (("p50", "50.000000"), ("p99", "99.000000")):
        found[f"{name} us"] = percentile.get(key, 0) / 1e3
    return found
