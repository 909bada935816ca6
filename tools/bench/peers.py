# SPDX-License-Identifier: GPL-2.0
"""What can be measured: each peer serves the same disk in its own way.

A peer is put up, driven for one or more runs, and taken down again: two of them
are modules of the same name, and each wants the disk for itself."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "selftests", "vm"))

import vt  # noqa: E402

CLIENT = os.path.join(HERE, "vhost-bench")
CLIENT_CPU, SERVER_CPU = 0, 1	# of the client; of poller, worker, daemon, fio
LIO = "/sys/kernel/config/target"
VDPA = "/sys/bus/vdpa/devices"
PATIENCE = 60		# seconds for anything that has to happen
IDLE, IDLE_QUEUES = 64, 16	# sessions that are idle, queues of each


def remove(module):
    vt.wait_for(f"rmmod {module}", lambda: vt._rmmod(module), PATIENCE)


def unload(module):
    """With what it needed, if nothing else does; gone already is well."""
    def works():
        return not vt.loaded(module) or not subprocess.run(
            ["modprobe", "-r", module], capture_output=True).returncode

    vt.wait_for(f"modprobe -r {module}", works, PATIENCE)


def unload_core():
    if vt.loaded("vhost_target"):
        remove("vhost_target")


def insert(module, **params):
    if not vt.loaded(module):
        vt.run("insmod", os.path.join(vt.ROOT, f"{module}.ko"),
               *(f"{key}={value}" for key, value in params.items()))


@contextlib.contextmanager
def held(kind, target, *words):
    """Sessions that are there, and idle, while it is entered."""
    argv = [str(word) for word in (CLIENT, "hold", kind, target, "--depth", 1,
                                   "--queue-size", 64, *words)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        line = process.stdout.readline()
        if line:
            yield json.loads(line)
        process.stdin.close()
        if process.wait(PATIENCE) or not line:
            raise vt.CommandError(argv, process.returncode, line)


def huge_pages(undo):
    """As many as wide guest memory is made of."""
    path = "/proc/sys/vm/nr_hugepages"
    before = vt.read(path)
    vt.write(path, 32)
    undo.callback(vt.write, path, before)


class Peer:
    """One way from a queue to @disk."""

    kind = None			# vhost-bench's device
    name = None
    target = None
    what = ""			# for the table
    queues = 1			# that are served

    def __init__(self, disk):
        self.disk = disk
        self.target = self.target or self.name
        self.undo = contextlib.ExitStack()

    def up(self):
        """Each step says how it is undone: the next one may fail."""
        raise NotImplementedError

    def down(self):
        self.undo.close()

    def argv(self, load):
        return [CLIENT, self.kind, self.target, "--cpu", CLIENT_CPU,
                "--worker-cpu", SERVER_CPU, *load]

    def run(self, load):
        """One run's figures: see vhost-bench."""
        return json.loads(vt.run(*self.argv(load)))

    def counters(self):
        return {}

    def own(self, module):
        """Load a module of ours."""
        insert(module)
        self.undo.callback(remove, module)

    def stock(self, *modules):
        """Load modules of the kernel's; those that were there stay."""
        for module in modules:
            if not vt.loaded(module):
                vt.run("modprobe", module)
                self.undo.callback(unload, module)

    def mkdir(self, path):
        os.mkdir(path)
        self.undo.callback(os.rmdir, path)


class Ours(Peer):
    """A target of ours, by its ioctl door."""

    device = None		# vhostctl's kind, if it is not the client's
    module = None
    args = ()
    client = ()			# more words for the client
    pollers = str(SERVER_CPU)	# their CPUs
    sessions = 1
    memory = 0			# GiB of guest memory with buffers all over it
    idle = 0			# sessions attached beside, of IDLE_QUEUES queues each

    def up(self):
        insert("vhost_target", pollers=self.pollers)
        self.own(self.module)
        backend = "--file" if os.path.isfile(self.disk) else "--dev"
        shared = ["--shared"] if self.sessions > 1 else []
        self.made = vt.Target(self.name, backend, self.disk, "--queues", self.queues,
                              *shared, *self.args, kind=self.device or self.kind)
        self.undo.callback(self.made.delete)
        if self.memory:
            huge_pages(self.undo)
        if self.idle:
            self.hold()

    def argv(self, load):
        words = list(self.client)
        for name, usual in (("queues", 1), ("sessions", 1), ("memory", 0)):
            if getattr(self, name) != usual:
                words += [f"--{name}", getattr(self, name)]
        return super().argv([*words, *load])

    def hold(self):
        """Sessions of another target, on the same pollers, without I/O."""
        made = vt.Target("idle", "--null", "1G", "--queues", IDLE_QUEUES, "--shared",
                         kind=self.device or self.kind)
        self.undo.callback(made.delete)
        self.undo.enter_context(held(self.kind, "idle", "--sessions", self.idle,
                                     "--queues", IDLE_QUEUES, *self.client))
        vt.wait_for("idle sessions asleep",
                    lambda: not any(p["nr_active"] for p in vt.pollers()), PATIENCE)

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
    client = ("--trap",)


class Lio(Peer):
    """The kernel's own vhost-scsi with LIO's iblock backend, as it comes."""

    kind, name = "scsi", "lio"
    what = "upstream vhost-scsi + LIO"
    target = "naa.6001405000000080"
    submit_type = None

    def device(self):
        """The disk; Debian's kernel lacks LIO's fileio: of a file, a loop device."""
        if not os.path.isfile(self.disk):
            return self.disk
        vt.run("modprobe", "loop")
        loop = vt.run("losetup", "-f", "--show", "--direct-io=on", self.disk).strip()
        self.undo.callback(vt.run, "losetup", "-d", loop)
        return loop

    def up(self):
        device = self.device()
        vt.run("modprobe", "-a", "target_core_mod", "target_core_iblock", "vhost_scsi")
        self.undo.callback(remove, "vhost_scsi")
        core = f"{LIO}/core/iblock_0/{self.name}"
        # vhost-scsi takes the target's number in a LUN for that of the TPG.
        tpg = f"{LIO}/vhost/{self.target}/tpgt_0"
        self.mkdir(os.path.dirname(core))
        self.mkdir(core)
        vt.write(f"{core}/control", f"udev_path={device}")
        vt.write(f"{core}/enable", 1)
        if self.submit_type is not None:
            vt.write(f"{core}/attrib/submit_type", self.submit_type)
        for path in (f"{LIO}/vhost", os.path.dirname(tpg), tpg, f"{tpg}/lun/lun_0"):
            self.mkdir(path)
        vt.write(f"{tpg}/nexus", "naa.6001405000000081")
        self.undo.callback(vt.write, f"{tpg}/nexus", "NULL")
        os.symlink(core, f"{tpg}/lun/lun_0/port")
        self.undo.callback(os.unlink, f"{tpg}/lun/lun_0/port")


class LioDirect(Lio):
    """The same, told to submit from vhost's worker, without a work item between."""

    name = "lio-direct"
    what = "the same, submit_type=1"
    submit_type = 1


# vDPA: one driver takes all devices of the bus

def use_vdpa(peer, driver):
    other = "virtio_vdpa" if driver == "vhost_vdpa" else "vhost_vdpa"
    if vt.loaded(other):
        vt.run("modprobe", "-r", other)
    peer.stock("vdpa", "vhost_iotlb", driver)


def vdpa_node(device):
    """/dev/vhost-vdpa-N, once it is there."""
    def look():
        return [f"/dev/{name}" for name in os.listdir(f"{VDPA}/{device}")
                if name.startswith("vhost-vdpa-") and os.path.exists(f"/dev/{name}")]

    return vt.wait_for(f"the node of {device}", look, PATIENCE)[0]


class Vdpa(Blk):
    """As stock QEMU attaches it."""

    kind, name, device = "vdpa", "vdpa", "blk"
    what = "our vhost_blk, by /dev/vhost-vdpa-N"
    args = ("--vdpa",)
    driver = "vhost_vdpa"

    def up(self):
        use_vdpa(self, self.driver)
        insert("vhost_target", pollers=SERVER_CPU)
        self.own("vhost_target_vdpa")
        super().up()
        self.attach()

    def attach(self):
        self.target = vdpa_node(self.made.made["vdpa_name"])


class Polled(Vdpa):
    name = "polled"
    what = "the same, the disk's completions polled for (--polled)"
    args = (*Vdpa.args, "--polled")


def fio(disk, load, cpu):
    """One run of fio's, as a run of vhost-bench; latencies from the call on."""
    words = dict(zip(load[::2], load[1::2]))
    rw = words.get("--rw", "randread")
    if "--ios" in words:
        length = {"number_ios": words["--ios"]}
    else:
        length = {"runtime": f"{words['--seconds'] * 1000:.0f}ms", "time_based": 1,
                  "ramp_time": 1}
    text = vt.run("taskset", "-c", cpu, *vt.fio(
        disk, rw, words.get("--bs", 4096), words["--depth"], ioengine="io_uring",
        norandommap=1, thread=1, clat_percentiles=0, lat_percentiles=1,
        numjobs=words.get("--queues", 1), group_reporting=1, rwmixread=70,
        unified_rw_reporting=1,
        **length).split())
    side = json.loads(text[text.index("{"):])["jobs"][0]["mixed"]
    percentile = side["lat_ns"]["percentile"]
    return {"iops": side["iops"], "ios": side["total_ios"],
            "lat_ns": {"p50": percentile["50.000000"], "p99": percentile["99.000000"],
                       "p999": percentile["99.900000"]}}


class HostVdpa(Vdpa):
    """A disk of the host's: fio where else the client is."""

    name = "host-vdpa"
    what = "our vhost_blk as the host's /dev/vdX (virtio_vdpa), fio, io_uring"
    driver = "virtio_vdpa"

    def up(self):
        self.stock("virtio_blk")
        super().up()

    def attach(self):
        self.undo.callback(self.made.unbind)
        self.target = vt.wait_for("the host's disk", self.find_disk, PATIENCE)

    def find_disk(self):
        try:
            path = self.made.disk()
        except (OSError, IndexError):
            return None
        return path if os.path.exists(path) else None

    def run(self, load):
        return fio(self.target, load, CLIENT_CPU)


class Raw(Peer):
    """fio on the disk itself, by io_uring: what is there to be had."""

    name = "raw"
    what = "the disk itself, fio, io_uring"

    def up(self):
        pass

    def run(self, load):
        return fio(self.disk, load, SERVER_CPU)


class Uring(Peer):
    """The same by our client: what its loop takes is in all figures but fio's."""

    kind = name = "uring"
    what = "the disk itself, the client of the others, io_uring"

    def __init__(self, disk):
        super().__init__(disk)
        self.target = disk

    def up(self):
        pass


class Daemon(Peer):
    """An export of qemu-storage-daemon's, with an iothread of its own."""

    def up(self):
        self.dir = tempfile.mkdtemp(prefix="bench-")
        self.undo.callback(shutil.rmtree, self.dir)

    def start(self, export, *options):
        """Until the export is there, which is when the file with its id is written."""
        log, pid = (os.path.join(self.dir, name) for name in ("log", "pid"))
        driver = "file" if os.path.isfile(self.disk) else "host_device"
        words = [
            "taskset", "-c", str(SERVER_CPU), "qemu-storage-daemon", "--pidfile", pid,
            "--object", "iothread,id=io", "--blockdev",
            f"driver={driver},node-name=disk,filename={self.disk},aio=io_uring,"
            "cache.direct=on", "--export", ",".join([
                f"type={export},id=export,node-name=disk,writable=on,iothread=io,"
                f"num-queues={self.queues}", *options])]
        with open(log, "w") as f:
            # vduse-blk keeps a file there, for the daemon that comes after it.
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=f,
                                            stderr=subprocess.STDOUT,
                                            env=dict(os.environ, TMPDIR=self.dir))
        self.undo.callback(self.stop)

        def ready():
            if self.process.poll() is not None:
                raise vt.CommandError(words, self.process.returncode, vt.read(log))
            return os.path.exists(pid)

        vt.wait_for(f"the {export} export", ready, PATIENCE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Qsd(Daemon):
    kind, name = "vhost-user", "qsd"
    what = "qemu-storage-daemon's vhost-user-blk, an iothread, io_uring"

    def up(self):
        super().up()
        self.target = f"{self.dir}/socket"
        self.start("vhost-user-blk", "addr.type=unix", f"addr.path={self.target}")


class Vduse(Daemon):
    """The same daemon as a vDPA device, by the kernel's vduse."""

    kind, name = "vdpa", "vduse"
    what = "qemu-storage-daemon's vduse-blk by /dev/vhost-vdpa-N, an iothread, io_uring"
    made = "bench-vduse"		# the device's name
    destroy = 0x41008103		# VDUSE_DESTROY_DEV

    def up(self):
        super().up()
        use_vdpa(self, "vhost_vdpa")
        self.stock("vduse")
        self.pin_interrupts()
        self.undo.callback(self.forget)
        self.start("vduse-blk", f"name={self.made}")
        vt.run("vdpa", "dev", "add", "name", self.made, "mgmtdev", "vduse")
        self.undo.callback(vt.run, "vdpa", "dev", "del", self.made)
        self.target = vdpa_node(self.made)

    @staticmethod
    def pin_interrupts():
        mask = "/sys/devices/virtual/workqueue/vduse-irq/cpumask"
        if os.path.exists(mask):
            vt.write(mask, f"{1 << SERVER_CPU:x}")

    def forget(self):
        """A daemon that was killed leaves its device behind."""
        if os.path.exists(f"/dev/vduse/{self.made}"):
            with open("/dev/vduse/control", "r+b", buffering=0) as control:
                fcntl.ioctl(control, self.destroy, self.made.encode().ljust(256, b"\0"))


class Socket(Peer):
    """Whatever listens there; it was started, and is pinned, by somebody else."""

    kind = "vhost-user"

    def up(self):
        pass


def variant(base, suffix, what, **attrs):
    """A peer that differs from another of ours in these."""
    return type(base.__name__, (base,), {
        "name": f"{base.name}-{suffix}", "what": f"{base.what}; {what}", **attrs})


VARIANTS = [*(variant(base, "idle", f"{IDLE} idle sessions of {IDLE_QUEUES} queues beside",
                      idle=IDLE) for base in (Scsi, Blk, NvmeTrap)),
            *(variant(Blk, f"{size}g", f"{size} GiB of guest memory, buffers all over it",
                      memory=size) for size in (1, 64, 1024))]
PEERS = {peer.name: peer for peer in (Scsi, Lio, LioDirect, Blk, Nvme, NvmeTrap, Vdpa, Polled,
                                      Qsd, Vduse, HostVdpa, Raw, Uring, *VARIANTS)}


def add(text):
    """NAME=vhost-user:PATH becomes one more peer; its name."""
    name, _, where = text.partition("=")
    kind, _, path = where.partition(":")
    if not name or name in PEERS or kind != Socket.kind or not path:
        raise ValueError(f"--peer {text}: NAME=vhost-user:PATH, a name of its own")
    PEERS[name] = type(name, (Socket,), {"name": name, "target": path,
                                         "what": f"who listens at {path} (vhost-user)"})
    return name
