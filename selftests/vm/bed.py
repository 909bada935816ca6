# SPDX-License-Identifier: GPL-2.0
"""What a test stands on: loaded modules, targets, disks, guests. At its end all
of it goes, nobody uses the modules, no page stays pinned, the log is clean. The
modules stay for the next test if that wants the same and nothing is left of this
one; when they go they must unload."""

import contextlib
import os
import signal
import subprocess

import vt
from guest import Guest, GuestError
import splats

NVME = "/dev/nvme0n1"
TESTS = []
Guest.witness = vt.all_counters


class Skip(Exception):
    """This test cannot run here, and why."""


class Fail(Exception):
    """What was seen instead of what should be."""


def test(driver="vhost_vdpa", cpus=1, turn=None, **params):
    """Register a test that needs so many CPUs, and has this turn of the two or is
    in both; @params are those of vhost_target.ko."""
    def register(function):
        function.driver, function.params = driver, params
        function.cpus, function.turn = cpus, turn
        TESTS.append(function)
        return function
    return register


def expect(good, text):
    if not good:
        raise Fail(text)


def expect_equal(seen, wanted, what):
    expect(seen == wanted, f"{what}: {seen!r}, not {wanted!r}")


def refused(code, *args):
    """vhostctl must fail with @code; its message."""
    try:
        vt.ctl(*args)
    except vt.CommandError as err:
        expect_equal(err.code, code, f"exit code of {args} ({err.text})")
        return err.text
    raise Fail(f"vhostctl {' '.join(args)} succeeded")


def fails(*argv):
    """A program that must fail; its output."""
    try:
        vt.run(*argv)
    except vt.CommandError as err:
        return err.text
    raise Fail(f"{' '.join(map(str, argv))} succeeded")


def _log():
    return vt.run("dmesg", "-t").splitlines()


class Bed(contextlib.ExitStack):
    def __init__(self, driver, params):
        super().__init__()
        self.driver, self.params = driver, params
        self.notes = []

    def __enter__(self):
        self._log_before = len(_log())
        self._pins_before = vt.pins()
        self.callback(self._check_log)
        self.callback(self._check_pins)
        self.push(self._leave_modules)
        try:
            if not vt.loaded_as(self.driver, self.params):
                vt.unload()
                vt.load(self.driver, **self.params)
        except BaseException:
            self.close()
            raise
        return self

    def note(self, text):
        self.notes.append(str(text))

    def fault(self, what, seen):
        """A row of the table of faults, which tools/check.sh makes of these lines."""
        self.note(f"fault | {what} | {seen}")

    def _leave_modules(self, failed, *_):
        # Some closes are deferred: a reference may live a little longer.
        vt.wait_for("modules not in use", lambda: not vt.in_use(), 30)
        if failed or not vt.loaded_as(self.driver, self.params):
            vt.unload()

    def _check_pins(self):
        acquired, released = (now - then for now, then in
                              zip(vt.pins(), self._pins_before))
        expect_equal(released, acquired, "pages unpinned")

    def _check_log(self):
        new = "\n".join(_log()[self._log_before:])
        found = splats.report(new)
        expect(not found, f"kernel log:\n{found}")

    # Devices

    def nvme(self):
        if not os.path.exists(NVME):
            raise Skip("no NVMe drive: lab run --nvme size=1G")
        return NVME

    def null_blk(self, name="nb0", **attrs):
        device = vt.NullBlk(name, **attrs)
        self.callback(device.remove)
        return device

    def memory_disk(self, name="mem0", **attrs):
        """A null_blk that keeps its data."""
        return self.null_blk(name, **{"memory_backed": 1, "size": 512,
                                      "discard": 1, **attrs})

    def dm(self, name, table):
        self.callback(vt.dm_remove, name)
        return vt.dm_create(name, table)

    def loop(self, path, *options):
        vt.run("modprobe", "loop")
        device = vt.run("losetup", "-f", "--show", *(options or ("--direct-io=on",)),
                        path).strip()
        self.callback(vt.run, "losetup", "-d", device)
        return device

    def file(self, name="image", size=256 << 20, room=1024, make=("mkfs.ext4", "-q", "-F"),
             mount=(), **attrs):
        """A file on ext4, or what @make makes, on a disk of memory of @room MiB."""
        disk = self.memory_disk(f"fs-{name}", size=room, **attrs)
        top = f"/tmp/fs-{name}"
        os.makedirs(top, exist_ok=True)
        vt.run(*make, disk.path)
        vt.run("mount", *mount, disk.path, top)
        self.callback(vt.run, "umount", top)
        with open(f"{top}/{name}", "wb") as f:
            f.truncate(size)
        return f.name

    # Targets and their users

    def keep(self, target):
        """Delete it at the end, if it is still there."""
        self.callback(self._delete, target)
        return target

    def _delete(self, target):
        if target.name in {t["name"] for t in vt.ctl_json("list") or []}:
            target.unbind()
            target.delete()

    def target(self, name, *args, vdpa=True, queues=1):
        """A blk target; --vdpa and one queue unless said otherwise."""
        more = ["--queues", queues] + (["--vdpa"] if vdpa else [])
        return self.keep(vt.Target(name, *args, *more))

    def disk(self, name, *args, **kwargs):
        """(target, its disk in the host)"""
        target = self.target(name, *args, **kwargs)
        return target, target.disk()

    def guest(self, *targets, fresh=False, **kwargs):
        """A running guest with @targets as disks.

        It is @fresh when it has to be, or was asked to be; else the one that
        goes from test to test, to which devices are plugged."""
        if not fresh and not kwargs:
            return self._shared_guest(targets)
        words = [word for target in targets for word in ("-device", device(target))]
        return self.enter_context(Guest(words, **kwargs))

    def _shared_guest(self, targets):
        if not (_shared and _shared[0].alive):
            _shared[:] = [Guest().start()]
        guest = _shared[0]
        self.push(lambda failed, *_: _give_back(guest, targets, failed))
        for target in targets:
            plug(guest, target)
        return guest


def _id(target):
    return f"plug-{target.name}"


def device(target):
    """QEMU's words for it."""
    return f"{target.qemu_arg}{target.suffix},id={_id(target)}"


def plug(guest, target):
    text = guest.monitor(f"device_add {device(target)}")
    # There may be warnings.
    expect("Error" not in text, text)


def unplug(guest, target):
    """Until nobody is attached to the target."""
    guest.qmp("device_del", id=_id(target))
    wait_unplugged(guest, target)
    wait_detached(target)


def wait_unplugged(guest, target):
    _wait_deleted(guest, _id(target))


def _wait_deleted(guest, name):
    while guest.wait_event("DEVICE_DELETED")["data"].get("device") != name:
        pass


def wait_detached(target):
    vt.wait_for(f"the end of {target.name}'s session", lambda: not target.attached(), 60)


_shared = []


def _give_back(guest, targets, failed):
    """Unplug what a test had plugged; after a failure the guest goes, too."""
    if failed or not guest.alive:
        guest.close()
        return
    for device in guest.qmp("qom-list", path="/machine/peripheral"):
        name = device["name"]
        if device["type"].startswith("child<") and not name.startswith("lab-"):
            guest.qmp("device_del", id=name)
            _wait_deleted(guest, name)
    for target in targets:
        wait_detached(target)


def end():
    """After the last test."""
    for guest in _shared:
        guest.close()
    vt.unload()


def no_merges(guest, disk):
    """Two reads that happen to be neighbours stay two: for tests that count."""
    guest.check(f"echo 2 >/sys/block/{os.path.basename(disk)}/queue/nomerges")


def run_fio(cmd, timeout=900):
    """fio in the host; its sums."""
    done = subprocess.run(["sh", "-c", cmd], cwd="/tmp", text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    expect(done.returncode == 0, f"{cmd}\n{done.stdout[-2000:]}")
    return vt.fio_result(done.stdout)


def guest_fio(guest, cmd, timeout=900):
    code, text = guest.run(cmd, timeout=timeout)
    expect(code == 0, f"{cmd}: exit code {code}\n{text[-2000:]}")
    return vt.fio_result(text)


class Background:
    """A script that goes on in the guest while others run."""

    count = 0

    def __init__(self, guest, script):
        Background.count += 1
        self.guest, self.base = guest, f"/tmp/bg{Background.count}"
        guest.check(f"cat >{self.base}.sh <<'END'\n{script}\nEND\n"
                    f"setsid sh -c 'bash {self.base}.sh >{self.base}.out 2>&1; "
                    f"echo $? >{self.base}.rc' >/dev/null 2>&1 </dev/null &")

    def result(self, timeout=900):
        """Its (exit code, output) once it ends."""
        code = vt.wait_for("a script in the guest", lambda: self.guest.run(
            f"sleep 0.3; cat {self.base}.rc 2>/dev/null")[1].strip(), timeout)
        return int(code), self.guest.check(f"cat {self.base}.out")

    def good(self, timeout=900):
        code, text = self.result(timeout)
        expect(code == 0, f"in the background: exit code {code}\n{text[-2000:]}")


class Repeated(Background):
    """A command that is done again and again until end()."""

    def __init__(self, guest, cmd):
        self.stop = f"/tmp/stop{Background.count + 1}"
        super().__init__(guest, f"while [ ! -e {self.stop} ]; do {cmd} || exit 1; done")

    def end(self):
        self.guest.check(f"touch {self.stop}")
        self.good()


class HostJob:
    """A command that goes on in the host beside the test."""

    def __init__(self, bed, cmd):
        self.process = subprocess.Popen(["sh", "-c", f"exec {cmd}"], cwd="/tmp", text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        bed.callback(self.end)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if not self.process.stdout.closed:
            self.process.communicate()

    def wait(self, timeout=300):
        """(exit code, output)"""
        text, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, text

    def finish_fio(self):
        """Have it end now; it must have seen no error."""
        self.process.terminate()
        _, text = self.wait()
        expect_equal(vt.fio_result(text)["error"], 0, f"fio's error ({text[-500:]})")


def wait_moving(target, timeout=300, ops=1):
    """Until the target has finished @ops requests more."""
    end = sum(target.stat()["ops"].values()) + ops
    vt.wait_for(f"I/O on {target.name}", lambda: sum(
        target.stat()["ops"].values()) >= end, timeout)


FAILURES = (Fail, vt.CommandError, GuestError, OSError, TimeoutError, KeyError,
            IndexError, ValueError, TypeError, AttributeError,
            subprocess.SubprocessError)
