# SPDX-License-Identifier: GPL-2.0
"""The control node through vhostctl: what must be refused, and how."""

import os

import vt
from bed import Skip, expect, expect_equal, fails, refused, test

MANY = 100	# uapi/ctl_errors has 1000


def names():
    return [t["name"] for t in vt.ctl_json("list") or []]


@test()
def create_twice(bed):
    bed.target("one", "--null", "1G", vdpa=False)
    refused(1, "create", "blk", "one", "--null", "1G")
    refused(1, "create", "blk", "one", "--null", "1G", "--vdpa")
    expect_equal(names(), ["one"], "targets")


@test()
def delete_twice(bed):
    bed.target("one", "--null", "1G").delete()
    refused(1, "delete", "one")
    refused(1, "delete", "never-made")
    expect_equal(names(), [], "targets")


@test("virtio_vdpa")
def delete_while_attached(bed):
    target, disk = bed.disk("one", "--null", "1G")
    for _ in range(3):
        refused(1, "delete", "one")
    vt.run("dd", f"if={disk}", "of=/dev/null", "bs=4k", "count=16", "iflag=direct")
    target.unbind()
    target.delete()
    expect_equal(names(), [], "targets")


@test()
def odd_names(bed):
    for name in ("", ".x", "a/b", "a b", "a\nb", "a%b", "ä", "a" * 64, "a" * 5000, ".."):
        try:
            vt.ctl("create", "blk", name, "--null", "1G")
        except vt.CommandError as err:
            expect(err.code in (1, 2), f"{name!r}: exit code {err.code}: {err.text}")
        else:
            vt.ctl("delete", name)
            expect(False, f"{name!r} was taken")
    for name in ("a" * 63, "A0._:-", "0", "a-"):
        bed.target(name, "--null", "1G", vdpa=False)
    expect_equal(len(names()), 4, "targets")


@test()
def long_vdpa_name(bed):
    target = bed.target("v" * 63, "--null", "1G")
    expect(target.node and os.path.exists(target.node), f"node: {target.made}")


@test()
def claimed_backend(bed):
    disk = bed.memory_disk()
    bed.target("one", "--dev", disk.path, vdpa=False)
    text = refused(1, "create", "blk", "two", "--dev", disk.path)
    bed.note(text)
    fails("mkfs.ext4", "-q", disk.path)
    expect_equal(names(), ["one"], "targets")
    vt.ctl("delete", "one")
    vt.run("mkfs.ext4", "-q", disk.path)
    os.makedirs("/tmp/m", exist_ok=True)
    vt.run("mount", disk.path, "/tmp/m")
    bed.callback(vt.run, "umount", "/tmp/m")
    refused(1, "create", "blk", "two", "--dev", disk.path)
    expect_equal(names(), [], "targets")


@test()
def claimed_file(bed):
    path = bed.file()
    bed.target("one", "--file", path, vdpa=False)
    refused(1, "create", "blk", "two", "--file", path)
    refused(1, "create", "blk", "two", "--file", path, "--ro")
    vt.ctl("delete", "one")
    bed.target("ro1", "--file", path, "--ro", vdpa=False)
    bed.target("ro2", "--file", path, "--ro", vdpa=False)
    refused(1, "create", "blk", "two", "--file", path)


@test()
def wrong_backends(bed):
    bed.nvme()
    for args in (("--dev", "/dev/nothing"), ("--dev", "/dev/zero"), ("--dev", "/tmp"),
                 ("--file", "/tmp"), ("--file", "/dev/null"), ("--file", "/proc/cpuinfo"),
                 ("--file", "/sys/kernel/mm/ksm/run"), ("--null", "1000"),
                 ("--null", "1G", "--block-size", "4096", "--queues", "100000")):
        try:
            vt.ctl("create", "blk", "bad", *args)
        except vt.CommandError as err:
            expect(err.code in (1, 2), f"{args}: exit code {err.code}: {err.text}")
        else:
            vt.ctl("delete", "bad")
            expect(False, f"{args} was taken")
        expect_equal(names(), [], f"targets after {args}")


def scsi_target(bed, name):
    bed.keep(vt.Target(name, "--null", "1G", kind="scsi"))


@test("virtio_vdpa")
def rmmod_in_use(bed):
    _, disk = bed.disk("one", "--null", "1G")
    scsi_target(bed, "san")
    for module in reversed(vt.CORE):
        text = fails("rmmod", module)
        expect("in use" in text, f"rmmod {module}: {text}")
    vt.run("dd", f"if={disk}", "of=/dev/null", "bs=4k", "count=16", "iflag=direct")
    bed.fault("modules unloaded while in use", "refused; nothing")


@test()
def rmmod_with_targets(bed):
    """Also targets nobody is attached to hold the modules."""
    bed.target("one", "--null", "1G")
    scsi_target(bed, "san")
    for module in reversed(vt.CORE):
        fails("rmmod", module)
    expect_equal(names(), ["one", "san"], "targets")


@test()
def many_targets(bed):
    bed.callback(_delete_all)
    for number in range(MANY):
        vt.ctl("create", "blk", f"t{number:04}", "--null", "1G", "--queues", "1")
    expect_equal(names(), [f"t{n:04}" for n in range(MANY)], "targets")
    _delete_all()
    expect_equal(names(), [], "targets")


def _delete_all():
    for name in names():
        vt.ctl("delete", name)


@test()
def many_vdpa_devices(bed):
    bed.callback(_delete_all)
    made = [vt.Target(f"v{number}", "--null", "1G", "--vdpa", "--queues", 1)
            for number in range(64)]
    expect_equal(len({t.node for t in made}), 64, "nodes of their own")
    _delete_all()
    expect(not any(os.path.exists(t.node) for t in made), "a node stayed")


@test()
def not_root(bed):
    bed.target("one", "--null", "1G", vdpa=False)
    for args in (("list",), ("delete", "one"), ("create", "blk", "x", "--null", "1G")):
        try:
            vt.run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                   vt.CTL, *args)
        except vt.CommandError as err:
            expect_equal(err.code, 3, f"exit code of {args}")
        else:
            expect(False, f"{args} as nobody")
    expect_equal(names(), ["one"], "targets")


@test("virtio_vdpa", cpus=2, pollers="0")
def pollers_come_and_go(bed):
    _, disk = bed.disk("one", "--null", "1G")
    vt.ctl("poller", "add", "--cpu", "1")
    refused(1, "poller", "add", "--cpu", "1")
    refused(1, "poller", "add", "--cpu", "9999")
    for poller in (0, 1):
        others = {p["id"] for p in vt.pollers()} - {poller}
        vt.ctl("poller", "remove", str(poller))
        expect_equal({p["id"] for p in vt.pollers()}, others, "pollers")
        vt.run("dd", f"if={disk}", "of=/dev/null", "bs=4k", "count=16", "iflag=direct")
        if poller == 0:
            vt.ctl("poller", "add", "--cpu", "0")
    left = vt.pollers()
    expect_equal(len(left), 1, "pollers left")
    refused(1, "poller", "remove", str(left[0]["id"]))


@test(cpus=2, pollers="0")
def poller_asleep(_):
    """In a driver, for as long as somebody does not read: those on others go on."""
    text = vt.run(os.path.join(vt.ROOT, "build/selftests/blk/blk_slow"), "-t", "other_poller")
    if "has no nbd" in text:
        raise Skip("this kernel has no nbd")
    expect("pass:1 " in text and "skip:0 " in text, text[-2000:])


BOOT = """\
# What a host has after it has booted: the unit of tools/conf does this.
create blk  one --dev {disk} --serial "disk one" --ro
create scsi two --null 1G --product 'a "disk"'
lun add two --file {file}        # LUN 1
create blk three --null 1G --queues 2
"""


@test()
def boot_file(bed):
    disk, file, path = bed.memory_disk().path, bed.file(), "/tmp/targets"
    for name in ("one", "two", "three"):
        bed.callback(lambda name=name: name in names() and vt.ctl("delete", name))
    with open(path, "w", encoding="utf-8") as f:
        f.write(BOOT.format(disk=disk, file=file))
    vt.ctl("batch", path)
    expect_equal(sorted(names()), ["one", "three", "two"], "targets")
    expect_equal(vt.ctl_json("show", "one")["units"][0]["serial"], "disk one", "serial")
    luns = [(u["unit"], u["path"], u["product"]) for u in vt.ctl_json("lun", "list", "two")]
    expect_equal(luns, [(0, "", 'a "disk"'), (1, file, "")], "LUNs")
    # All but one are there already.
    vt.ctl("delete", "two")
    text = refused(1, "batch", "--force", path)
    expect(f"{path}:2: create blk one: " in text and f"{path}:5: " in text, text)
    expect_equal(len(vt.ctl_json("lun", "list", "two")), 2, "LUNs")
    # A word too many: nothing is done.
    with open(path, "w", encoding="utf-8") as f:
        f.write("delete one\ndelete two three\n")
    refused(2, "batch", path)
    expect_equal(len(names()), 3, "targets")
