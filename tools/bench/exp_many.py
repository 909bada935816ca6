# SPDX-License-Identifier: GPL-2.0
"""VMs that share drives, or processes in place of VMs: what do all of them together have of
the drives, and each of them?"""

import contextlib
import json
import statistics
import subprocess
import threading

import peers
import show
import sides
import vt
from guest import Guest, GuestError

WANTED_TOTAL, WANTED_SHARE, WANTED_SPREAD = 0.85, 0.8, 1.5
DEPTH, MOST_DEPTH = 32, 85	# of a VM; of vhost-bench
TRIES = 4
SLOW_DEPTH = 8		# requests that a slow drive does at a time
RAMP = 3		# seconds of fio's that do not count
GUEST_SLACK = 120	# seconds more: a guest of the emulator's may be stuck for ever


class Many:
    """@options.vms of them on @options.drives."""

    what = None

    def __init__(self, options):
        self.options = options
        self.targets = []
        self.undo = contextlib.ExitStack()

    @classmethod
    def add_options(cls, add):
        add("--vms", type=int, default=cls.VMS)
        add("--drives", type=int, default=cls.DRIVES)
        add("--backend", default="nvme", choices=("nvme", "null", "slow"),
            help="slow: a null_blk of --mbps, which it has by doing few requests at a time")
        add("--mbps", type=int, default=cls.MBPS)
        add("--bs", type=int, default=4096)
        add("--idle-us", type=int, default=50)

    @classmethod
    def run(cls, options):
        many = cls(options)
        with many.undo:
            return many.measure_all()

    def make_drives(self):
        if self.options.backend == "nvme":
            return [f"/dev/nvme{i}n1" for i in range(self.options.drives)]
        kind = {"irqmode": 1}
        if self.options.backend == "slow":
            # Its own mbps is for no test: a queue that it stops may stay so for ever.
            kind = {"irqmode": 2, "hw_queue_depth": SLOW_DEPTH, "completion_nsec":
                    1000 * SLOW_DEPTH * self.options.bs // self.options.mbps}
        drives = [vt.NullBlk(f"drive{i}", **kind) for i in range(self.options.drives)]
        for drive in drives:
            self.undo.callback(drive.remove)
        return [drive.path for drive in drives]

    def make_targets(self, drives):
        for i in range(self.options.vms):
            target = vt.Target(f"vm{i}", "--dev", drives[i % len(drives)], "--queues", 1,
                               "--shared-backend", *self.door)
            self.undo.callback(target.delete)
            self.targets.append(target)

    def raw(self, drives):
        """IOPS that as many processes as there are drives get from them, on both CPUs."""
        depth = min(DEPTH * self.options.vms // len(drives), MOST_DEPTH)
        runs = [self.client(i, "uring", drive, "--depth", depth, "--bs",
                            self.options.bs, "--seconds", self.options.seconds)
                for i, drive in enumerate(drives)]
        return sum(json.loads(run.communicate()[0])["iops"] for run in runs)

    def client(self, number, *words):
        """One of several, on every other CPU."""
        words = [peers.CLIENT, *words, "--cpu", number % 2]
        run = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                               text=True)
        self.undo.callback(run.kill)
        return run

    def measure_all(self):
        options = self.options
        progress = show.Progress(2 * options.rounds + 1)
        drives = self.make_drives()
        sides.load_ours(pollers="0-1", idle_us=options.idle_us)
        self.undo.callback(vt.unload)
        self.make_targets(drives)
        self.up()
        progress.step(f"{options.vms} {self.noun} on {options.drives} drives are up")
        rounds = []
        for number in range(1, options.rounds + 1):
            raw = self.raw(drives)
            progress.step(f"round {number}: the drives alone {raw:.0f} IOPS")
            found = self.round_again(raw, progress)
            each = " ".join(f"{iops:.0f}" for iops in found["iops"])
            progress.step(f"round {number}: {found['total']:.0f} IOPS: {each}; p99 "
                          f"{min(found['p99']):.0f} to {max(found['p99']):.0f} us")
            rounds.append(found)
        return self.result(rounds)

    def round_again(self, raw, progress):
        """The emulator ends a guest now and then, whatever its devices."""
        for _ in range(TRIES - 1):
            try:
                return self.round(raw)
            except GuestError as err:
                progress.say(f"once more: {str(err).splitlines()[0][:200]}")
                self.again()
        return self.round(raw)

    def round(self, raw):
        """Who is first or last has less company for a moment: short, beside the run."""
        found = self.run_all()
        iops, p99 = [one["iops"] for one in found], [one["p99"] for one in found]
        return {"raw": raw, "total": sum(iops), "iops": iops, "p99": p99,
                "of raw": sum(iops) / raw, "share": min(iops) / (sum(iops) / len(iops)),
                "spread": max(p99) / min(p99)}

    def result(self, rounds):
        options = self.options
        notes = [f"{options.vms} {self.noun} on {options.drives} drives ({options.backend}"
                 + (f", {options.mbps} MB/s each" if options.backend == "slow" else "")
                 + f"), 2 pollers, idle_us={options.idle_us}; randread, {options.bs} bytes, "
                 f"QD {DEPTH} each; {options.rounds} rounds of {options.seconds:g} s. The drives "
                 "alone: an io_uring client for each.", self.what]
        print("\n" + "\n".join(notes))
        names = [f"vm{i}" for i in range(options.vms)]
        show.table([["", "IOPS", "of a fair share", "p99 us"]] + [
            [name, f"{statistics.median(r['iops'][i] for r in rounds):.0f}",
             "{:.2f}".format(statistics.median(
                 r["iops"][i] * len(names) / r["total"] for r in rounds)),
             f"{statistics.median(r['p99'][i] for r in rounds):.0f}"]
            for i, name in enumerate(names)])
        return {"title": f"{options.vms} {self.noun} with {options.drives} drives "
                f"({options.backend})", "notes": notes, "lines": self.lines(rounds),
                "charts": ["IOPS", "p99 us"],
                "rows": [{"group": "together", "name": key, "figures": {
                    "IOPS": [r[key] for r in rounds]}} for key in ("raw", "total")]
                + [{"group": "each", "name": name, "figures": {
                    "IOPS": [r["iops"][i] for r in rounds],
                    "p99 us": [r["p99"][i] for r in rounds]}}
                   for i, name in enumerate(names)]}

    @staticmethod
    def lines(rounds):
        def line(what, key, wanted, least):
            value = statistics.median(r[key] for r in rounds)
            good = value >= wanted if least else value < wanted
            limit = f"at least {wanted:g}" if least else f"less than {wanted:g}"
            return f"{what}: {value:.2f}, {'' if good else 'NOT '}{limit}"

        return [line("all of them/the drives alone, IOPS", "of raw", WANTED_TOTAL, True),
                line("the one with least/a fair share, IOPS", "share", WANTED_SHARE, True),
                line("p99 of the slowest/of the fastest", "spread", WANTED_SPREAD, False)]


class Vms(Many):
    ROUNDS, SECONDS, VMS, DRIVES, MBPS = 3, 8, 8, 4, 1
    MEM = 192		# MiB, of a guest
    noun, door = "VMs", ("--vdpa",)
    what = ("vCPUs run on the two CPUs that the pollers have, and a guest's own code takes "
            "more of them for an I/O than anything else: that, not the drives, is the limit, "
            "unless the drives are slow ones.")

    def again(self):
        for guest in self.guests:
            guest.close()
        self.up()

    def up(self):
        self.guests = []
        for i, target in enumerate(self.targets):
            guest = Guest(["-device", target.qemu_arg], mem=self.MEM, name=f"vm{i}")
            guest.start(wait=False)
            self.undo.callback(guest.close)
            self.guests.append(guest)
        for guest in self.guests:
            guest.wait_shell(600)
        self.disks = [vt.wait_for("the disk", lambda guest=guest: list(
            vt.guest_disks(guest).values()))[0] for guest in self.guests]

    def run_all(self):
        """fio in all of them, at once."""
        found = [{} for _ in self.guests]
        threads = [threading.Thread(target=self.fio, args=words)
                   for words in zip(self.guests, self.disks, found)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in found:
            if "error" in one:
                raise one["error"]
        return found

    def fio(self, guest, disk, found):
        try:
            words = sides.fio(disk, DEPTH, self.options.seconds, ramp_time=RAMP, size="512m",
                              bs=self.options.bs)
            result = sides.fio_result(guest.check(
                words, timeout=RAMP + self.options.seconds + GUEST_SLACK))
            found.update(iops=result["iops"], p99=result["p99 us"])
        except (GuestError, OSError, ValueError) as err:
            found["error"] = err


class Clients(Many):
    ROUNDS, SECONDS, VMS, DRIVES, MBPS = 5, 5, 8, 4, 8
    noun, door = "clients", ()
    what = ("A client is a process that drives a queue by the ioctl door and sleeps until it "
            "is interrupted: no guest, and hardly a cost but the core's and its own.")

    def up(self):
        pass

    def run_all(self):
        runs = [self.client(i, "blk", target.name, "--calls", "--depth", DEPTH, "--bs",
                            self.options.bs, "--seconds", self.options.seconds)
                for i, target in enumerate(self.targets)]
        found = [json.loads(run.communicate()[0]) for run in runs]
        return [{"iops": one["iops"], "p99": one["lat_ns"]["p99"] / 1e3} for one in found]
