"""Drives of real guests, attached and detached while they run and while they are off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from core.driver.connection.connection import open_connection
from core.driver.xml.metadata import RealmMark
from core.hosts import HostState
from core.operations.storage.policy import VolumeInUse, VolumeUseUnknown
from core.operations.vms.drives import DriveRefused, GuestHolds
from core.operations.vms.lookup import vm_at_hand
from core.operations.vms.target import ForeignVM

from .parts.administrator import Admin, Serial, disks_of, make_drive
from .parts.guests import Boot
from .parts.waiting import eventually

if TYPE_CHECKING:
    from .parts.host import LabHost
    from .parts.lab import Lab


def test_a_running_guest_gets_a_drive_and_lets_go_of_it(admin: Admin, running: tuple[LabHost, Serial]) -> None:
    """It can write to it; both definitions change, with the realm's cache mode."""
    host, serial = running
    make_drive(host, "data")
    attached = admin.attach("web", "data")
    assert (attached.target, attached.format, attached.running, attached.stored) == ("vda", "qcow2", True, True)
    eventually(lambda: "vda" in serial.run("ls /dev"), "the disk in the guest")
    serial.run("echo hello > /dev/vda; sync")
    for options in ((), ("--inactive",)):
        assert "cache='none'" in host.virsh("dumpxml", "web", *options)
    with pytest.raises(DriveRefused, match="web already has drive data as vda"):
        admin.attach("web", "data")
    detached = admin.detach("web", "data")
    assert (detached.target, detached.running, detached.stored) == ("vda", True, True)
    assert "vda" not in serial.run("ls /dev")
    assert disks_of(host, "web") == disks_of(host, "web", "--inactive") == {}


def test_a_guest_that_is_off_has_the_drive_at_its_next_start(admin: Admin, lab: Lab) -> None:
    """A raw one is told from a qcow2 one, and targets are given in turn, or as asked for."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.BRICK, network=None)
    make_drive(host, "data.raw", "raw")
    make_drive(host, "more")
    assert (admin.attach("web", "data.raw").target, admin.attach("web", "more", target="vdf").format) == (
        "vdb",
        "qcow2",
    )
    assert "type='raw' cache='none'" in host.virsh("dumpxml", "web")
    with pytest.raises(DriveRefused, match="is not in the drives pool"):
        admin.detach("web", "vda")
    assert not admin.detach("web", "vdf").running
    host.start_guest("web", paused=True)
    assert sorted(disks_of(host, "web")) == ["vda", "vdb"]


def test_a_drive_of_another_running_vm_is_refused_even_by_force(admin: Admin, lab: Lab) -> None:
    """Of one that is off it is given, with a warning."""
    first, second, _ = lab.hosts
    make_drive(first, "data")
    for host in (first, second):
        host.define_guest(f"on-{host.name}", boot=Boot.NOTHING, network=None)
    admin.attach("on-h1", "data")
    admin.attach("on-h2", "data")
    assert "drive data also belongs to VM h1/on-h1 (off)" in admin.task.view.warnings
    admin.detach("on-h2", "data")
    first.start_guest("on-h1", paused=True)
    with pytest.raises(VolumeInUse, match=re.escape("drive data is in use by VM h1/on-h1 (running)")):
        admin.attach("on-h2", "data", force=True)
    assert disks_of(second, "on-h2", "--inactive") == {}


def test_where_a_host_cannot_be_asked_a_drive_is_refused_unless_forced(admin: Admin, lab: Lab) -> None:
    """A disabled host too: its VMs go on running unwatched."""
    host = lab.hosts[0]
    make_drive(host, "data")
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    at_hand = admin.vm("web").host.name
    assert at_hand == "h1"
    admin.session.set_state("h3", HostState.DISABLED)
    with pytest.raises(VolumeUseUnknown, match="can't verify that drive data is not in use; not asked: h3: "):
        admin.attach("web", "data")
    assert admin.attach("web", "data", force=True).stored
    assert any(warning.startswith("not asked: h3: ") for warning in admin.task.view.warnings)


def test_a_guest_that_does_not_let_go_keeps_its_drive(admin: Admin, lab: Lab) -> None:
    """That is said; the stored definition keeps it too, until the guest is off."""
    host = lab.hosts[0]
    make_drive(host, "data")
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    admin.attach("web", "data")
    host.start_guest("web", paused=True)
    with pytest.raises(GuestHolds, match="web has not released vda within 1 s"):
        admin.detach("web", "data", patience=1)
    with pytest.raises(GuestHolds):  # asked again before it has answered
        admin.detach("web", "vda", patience=0)
    assert disks_of(host, "web", "--inactive") == disks_of(host, "web") != {}
    host.stop_guest("web")
    assert admin.detach("web", "data").stored
    assert disks_of(host, "web", "--inactive") == {}


def test_a_drive_that_looks_like_an_overlay_is_refused(admin: Admin, lab: Lab) -> None:
    """A guest may have written that: its bytes are given as they are, or not at all."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    host.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", f"{lab.shared}/drives/evil")
    with pytest.raises(DriveRefused, match="overlay of another file"):
        admin.attach("web", "evil")
    assert admin.attach("web", "evil", format="raw").format == "raw"


def test_foreign_guests_are_told_from_the_realms_own(admin: Admin, lab: Lab) -> None:
    """By the mark."""
    host = lab.hosts[0]
    uuid = host.define_guest("web", boot=Boot.NOTHING, network=None)
    admin.vm("web")
    with pytest.raises(ForeignVM):
        vm_at_hand(admin.session, "web", timeout=10, foreign=False)
    connection = open_connection("h1", host.local_uri)
    connection.mark(uuid, RealmMark(realm="lab"))
    connection.close()

    def is_managed() -> bool:
        return any(vm.managed for vm in admin.session.fleet().vms())

    eventually(is_managed, "the mark to be seen")
    assert vm_at_hand(admin.session, "web", timeout=10, foreign=False).vm.uuid == uuid
