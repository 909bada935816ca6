# SPDX-License-Identifier: GPL-2.0
"""The modules, vhostctl and test devices, as seen from inside L1."""

import json
import mmap
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CTL = os.path.join(ROOT, "tools", "vhostctl", "vhostctl")
sys.path.insert(0, os.path.join(ROOT, "tools", "lab"))

CORE = ("vhost_target", "vhost_target_vdpa", "vhost_blk", "vhost_scsi")
NVME = ("vhost_target", "vhost_nvme", "vhost_target_vfio")
NULLB = "/sys/kernel/config/nullb"
PINS = ("nr_foll_pin_acquired", "nr_foll_pin_released")


class CommandError(Exception):
    """A program failed: .code, .text."""

    def __init__(self, argv, code, text):
        self.code, self.text = code, text.strip()
        super().__init__(f"exit code {code}: {' '.join(argv)}\n{self.text}")


def run(*argv, timeout=900):
    """Output of a program that must succeed."""
    argv = [str(a) for a in argv]
    done = subprocess.run(argv, text=True, errors="replace", timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise CommandError(argv, done.returncode, done.stdout)
    return done.stdout


def ctl(*args):
    """vhostctl's text."""
    return run(CTL, *args)


def ctl_json(*args):
    text = ctl(*args, "--json")
    return json.loads(text) if text.strip() else None


def all_counters():
    """Of every target and poller, for whoever has to find out what went wrong."""
    try:
        return "\n".join([ctl("poller", "list"), ctl("list"), *(
            ctl("stat", target["name"]) for target in ctl_json("list") or [])])
    except (CommandError, OSError) as err:
        return str(err)


def read(path):
    with open(path) as f:
        return f.read().strip()


def write(path, value):
    with open(path, "w") as f:
        f.write(f"{value}\n")


def wait_for(what, ready, timeout=120):
    """Until ready() gives something; that."""
    end = time.monotonic() + timeout
    while True:
        value = ready()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(0.05)


# Modules

_state = []		# driver and parameters of the last load(), pollers it made


def loaded(module):
    return os.path.isdir(f"/sys/module/{module}")


def load(driver="vhost_vdpa", **params):
    """Load all; @driver takes the vDPA devices, or "vfio": NVMe targets."""
    _load(driver, params)
    _state[:] = [driver, params, [p["pid"] for p in pollers()]]


def _load(driver, params):
    if driver == "vfio":
        run("modprobe", "vfio_iommu_type1")
        _insert(NVME, params)
        return
    other = "virtio_vdpa" if driver == "vhost_vdpa" else "vhost_vdpa"
    # insmod loads nothing that is needed beside.
    run("modprobe", "-a", "vdpa", "vhost_iotlb", driver, "virtio_blk",
        "virtio_scsi", "sd_mod", "sg")
    if loaded(other):
        run("modprobe", "-r", other)
    _insert(CORE, params)


def load_nvme():
    """NVMe targets and the VFIO door, beside what load() loaded."""
    run("modprobe", "vfio_iommu_type1")
    _insert(NVME[1:], {})


def _insert(modules, params):
    words = [f"{key}={value}" for key, value in params.items()]
    for module in modules:
        run("insmod", os.path.join(ROOT, f"{module}.ko"),
            *(words if module == "vhost_target" else ()))


def loaded_as(driver, params):
    """Is all as load() with these left it?"""
    return _state[:2] == [driver, params] and not ctl_json("list") and \
        _state[2] == [p["pid"] for p in pollers()]


def in_use():
    """Somebody holds one of our modules, beside those that build on it."""
    return any(int(read(f"/sys/module/{module}/refcnt")) > len(
        os.listdir(f"/sys/module/{module}/holders"))
        for module in {*CORE, *NVME} if loaded(module))


def unload():
    _state.clear()
    for module in (*reversed(NVME[1:]), *reversed(CORE)):
        if loaded(module):
            # Some closes are deferred: a reference may live a little longer.
            wait_for(f"rmmod {module}", lambda: _rmmod(module), 30)


def _rmmod(module):
    try:
        run("rmmod", module)
    except CommandError:
        return False
    return True


def pins():
    """(acquired, released): pages of long-term pins since the boot."""
    # The kernel sums up what the CPUs counted only now and then.
    write("/proc/sys/vm/stat_refresh", 1)
    with open("/proc/vmstat") as f:
        values = dict(line.split() for line in f)
    return tuple(int(values[name]) for name in PINS)


# Targets

class Target:
    """A target made by vhostctl; @args as given to vhostctl create."""

    suffix = ""		# what else QEMU is told of it

    def __init__(self, name, *args, kind="blk"):
        self.name = name
        self.made = ctl_json("create", kind, name, *args)
        self.node = self.made["vdpa_node"]
        self.path = self.made["vfio_path"]

    @property
    def qemu_arg(self):
        if self.path:
            return f"vfio-pci,sysfsdev={self.path}"
        if self.made["wwpn"]:
            return f"vhost-scsi-pci,wwpn={self.made['wwpn']}"
        return f"vhost-vdpa-device-pci,vhostdev={self.node}"

    def disk(self):
        """The host's disk (virtio_vdpa)."""
        top = f"/sys/bus/vdpa/devices/{self.made['vdpa_name']}"
        virtio = [d for d in os.listdir(top) if re.fullmatch(r"virtio\d+", d)]
        return "/dev/" + os.listdir(f"{top}/{virtio[0]}/block")[0]

    def unbind(self):
        """Take the host's driver off it."""
        driver = f"/sys/bus/vdpa/devices/{self.made['vdpa_name']}/driver"
        if self.made["vdpa_name"] and os.path.exists(driver):
            write(f"{driver}/unbind", self.made["vdpa_name"])

    def show(self):
        return ctl_json("show", self.name)

    def attached(self):
        """A test may have deleted it."""
        return any(t["name"] == self.name and t["nr_sessions"]
                   for t in ctl_json("list") or [])

    def stat(self, queue=None):
        more = () if queue is None else ("--queue", queue)
        return ctl_json("stat", self.name, *more)

    def delete(self):
        ctl("delete", self.name)


def pollers():
    return ctl_json("poller", "list")


def asleep():
    """The first poller looks at no queue and does not run."""
    poller = pollers()[0]
    state = read(f"/proc/{poller['pid']}/stat").rpartition(")")[2].split()[0]
    return not poller["nr_active"] and state in "SID"


def wait_asleep():
    wait_for("the poller asleep", asleep, 60)


class StatDelta:
    """What a target's counters grew over a with block."""

    def __init__(self, target):
        self.target = target

    def __enter__(self):
        self._before = self.target.stat()
        return self

    def __exit__(self, *exc):
        after = self.target.stat()
        self.ops = sum(after["ops"].values()) - sum(self._before["ops"].values())
        self.delta = {k: after[k] - v for k, v in self._before.items()
                      if isinstance(v, int)}

    def __getitem__(self, name):
        return self.delta[name]


# Devices

class NullBlk:
    """A null_blk device /dev/NAME; attributes as in configfs."""

    def __init__(self, name, **attrs):
        run("modprobe", "null_blk", "nr_devices=0")
        self.name, self.path = name, f"/dev/{name}"
        self.dir = f"{NULLB}/{name}"
        os.mkdir(self.dir)
        for key, value in {"size": 4096, **attrs}.items():
            write(f"{self.dir}/{key}", value)
        self.power(1)

    def power(self, on):
        write(f"{self.dir}/power", on)

    def remove(self):
        os.rmdir(self.dir)


def dm_create(name, table):
    run("dmsetup", "create", name, "--table", table)
    minor = run("dmsetup", "info", "-c", "--noheadings", "-o", "minor", name)
    return f"/dev/dm-{minor.strip()}"


def dm_reload(name, table):
    """Another table under what is in flight."""
    run("dmsetup", "suspend", "--noflush", "--nolockfs", name)
    run("dmsetup", "load", name, "--table", table)
    run("dmsetup", "resume", name)


def dm_remove(name):
    """If it is still there."""
    def works(word):
        return not subprocess.run(["dmsetup", word, name], capture_output=True).returncode

    # Whoever had it open may close a little later.
    wait_for(f"dmsetup remove {name}", lambda: not works("info") or works("remove"), 30)


# fio

FIO = "fio --output-format=json "


def fio(disk, rw, bs="4k", iodepth=32, **options):
    """The command line of one job; its JSON is for fio_result()."""
    words = {"name": "job", "filename": disk, "direct": 1, "rw": rw, "bs": bs,
             "ioengine": "libaio", "iodepth": iodepth, "randrepeat": 0,
             "verify_state_save": 0, **options}
    return FIO + " ".join(f"--{key}={value}" for key, value in words.items())


def fio_in_turn(*commands):
    """One fio that does the jobs of several, each when the one before has ended."""
    return FIO + " ".join(f"{cmd.removeprefix(FIO)} --stonewall" for cmd in commands)


def fio_verify(disk, bs="4k", iodepth=32, size="8M", rw="randrw", **options):
    """Write, read back, compare checksums; also what was mixed in between."""
    return fio(disk, rw, bs, iodepth, size=size, verify="crc32c", verify_fatal=1,
               do_verify=1, **options)


def fio_result(text):
    """Sums over the jobs: iops, ios (finished requests), error."""
    doc = json.loads(text[text.index("{"):])
    parts = [job[kind] for job in doc["jobs"] for kind in ("read", "write")]
    return {"iops": sum(p["iops"] for p in parts),
            "ios": sum(p["total_ios"] for p in parts),
            "error": max(job["error"] for job in doc["jobs"])}


def guest_disks(guest):
    """Names of the guest's virtio disks by their serial: {serial: /dev/vdX}."""
    text = guest.check("for d in /sys/block/vd*; do [ -e \"$d\" ] && "
                       "echo $(cat $d/serial) ${d##*/}; done; true")
    # A disk that is just being made has no serial yet.
    pairs = [line.rsplit(None, 1) for line in text.splitlines()]
    return {pair[0]: f"/dev/{pair[1]}" for pair in pairs if len(pair) == 2}


def guest_nvme(guest):
    """Names of the guest's NVMe disks by their controllers' serial."""
    text = guest.check("for d in /sys/block/nvme*; do [ -e \"$d\" ] && "
                       "echo $(cat $d/device/serial) ${d##*/}; done; true")
    pairs = [line.rsplit(None, 1) for line in text.splitlines()]
    return {pair[0]: f"/dev/{pair[1]}" for pair in pairs if len(pair) == 2}


def unaligned_io(fd, offset, size):
    """Write, read back through a buffer @offset bytes into a page; are they equal?"""
    with mmap.mmap(-1, offset + size) as area, mmap.mmap(-1, offset + size) as back:
        data = os.urandom(size)
        area[offset:] = data
        for call, memory in ((os.pwritev, area), (os.preadv, back)):
            with memoryview(memory) as view, view[offset:] as part:
                if call(fd, [part], 0) != size:
                    return False
        return back[offset:] == data
