# SPDX-License-Identifier: GPL-2.0
"""Stock QEMU's vfio-pci on an NVMe target: the guest's own NVMe driver."""

import os

import vt
from bed import expect, expect_equal, guest_fio, plug, test, wait_detached, wait_unplugged
from devices import KINDS, NVME, busy_guest, no_errors, verify
from kvmstat import KvmStat
from life import sleep_and_wake

# Long: a guest that is not scheduled for a while must not look like an idle one.
STEADY_US = 500000
IOS = 4000
BLK_VDPA_MEM = os.path.join(vt.ROOT, "build/selftests/blk/blk_vdpa_mem")


@test("vfio")
def no_dbbuf(bed):
    """Doorbells go through the mapped page only."""
    target, guest, disk = NVME.in_guest(bed, "--dev", bed.nvme(), "--no-dbbuf")
    verify(guest, disk)
    no_errors(target)


@test("vfio")
def taken_back(bed):
    """Unbinding the driver asks QEMU, which unplugs the device."""
    target, guest, disk = NVME.in_guest(bed, "--dev", bed.memory_disk().path)
    verify(guest, disk, depths=(32,), size="1M")
    vt.write("/sys/bus/vhost-nvme/drivers/vhost_target_vfio/unbind", "disk")
    expect_equal(target.show()["nr_sessions"], 0, "sessions")
    wait_unplugged(guest, target)
    expect(not NVME.find(guest, target), "the disk is still there")
    vt.write("/sys/bus/vhost-nvme/drivers/vhost_target_vfio/bind", "disk")
    plug(guest, target)
    verify(guest, NVME.disk(guest, target), depths=(32,), size="1M")


@test("vfio")
def pin_interrupts(bed):
    """No MSI-X: the pin, masked and unmasked at every interrupt."""
    target, guest, disk = NVME.in_guest(bed, "--dev", bed.memory_disk().path,
                                        append="pci=nomsi")
    text = guest.check("grep nvme /proc/interrupts")
    expect("IO-APIC" in text or "XT-PIC" in text, text)
    verify(guest, disk, size="1M")
    no_errors(target)


@test("vfio", idle_us=200)
def page_wakes(bed):
    """A doorbell that goes through the mapped page wakes the poller."""
    sleep_and_wake(bed, NVME, "--null", "1G", "--no-dbbuf")


@test("vfio", cpus=2, idle_us=STEADY_US)
def doorbells_page(bed):
    """A busy guest without shadow doorbells; with them: counts.for_an_io[nvme]."""
    null = bed.null_blk(irqmode=1)
    target, guest, cmd = busy_guest(bed, NVME, IOS, "--dev", null.path, "--no-dbbuf")
    with KvmStat(guest.pid) as kvm, vt.StatDelta(target) as stat:
        guest_fio(guest, cmd)
    expect(stat.ops >= IOS, f"{stat.ops} I/Os")
    bed.note(f"{stat.ops} I/Os: {stat['kicks']} doorbells trapped, "
             f"{kvm['mmio_exits']} MMIO exits, {kvm['pf_mmio_spte_created']} MMIO faults, "
             f"{kvm['exits']} exits, {stat['calls']} interrupts, {stat['sleeps']} sleeps")
    most = 0.01 * stat.ops
    expect(stat["kicks"] <= most, f"{stat['kicks']} doorbells trapped")
    expect(kvm["mmio_exits"] <= most, f"{kvm['mmio_exits']} MMIO exits")
    no_errors(target)


@test()
def beside_the_others(bed):
    """A guest with a disk of each type, whose memory three providers have pinned; and a
    user of vDPA who has each piece of memory mapped by itself, as QEMU does not."""
    vt.load_nvme()
    bed.callback(vt.unload)
    disks = [(kind, kind.target(bed, "--dev", bed.memory_disk(f"mem-{kind.name}").path,
                                name=kind.name)) for kind in KINDS]
    vt.run(BLK_VDPA_MEM, "-r", "vdpa.split_pa.mapped_without_batches")
    guest = bed.guest(*(target for _, target in disks), fresh=True)
    for kind, target in disks:
        verify(guest, kind.disk(guest, target), depths=(32,), size="1M")
    # QEMU is killed: it has unmapped nothing.
    guest.close()
    for _, target in disks:
        wait_detached(target)
        no_errors(target)
