"""Snapshots of real guests: their moment, compared byte by byte; and what happens where one fails."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING, Any

import libvirt_qemu
import pytest

from core.driver.storage.volumes import PoolBusy
from core.driver.vms.disk_copies import begin_copies
from core.errors import Cancelled, DriverError
from core.operations.storage.volume_copy import CopyGoesOn, NoSpace
from core.operations.vms import snapshots
from core.operations.vms.delete import delete_vm
from core.operations.vms.lookup import VMRefused
from core.operations.vms.snapshot_list import owner_of_snapshots
from core.operations.vms.snapshots import delete_snapshot, take_snapshot

from .parts.administrator import (
    PATIENCE,
    Admin,
    Serial,
    content_of,
    copying_held,
    disks_of,
    left_in,
    make_drive,
    make_slow_guest,
    program,
    snapshots_on,
)
from .parts.guests import Boot
from .parts.waiting import eventually

if TYPE_CHECKING:
    from core.driver.connection.connection import HostConnection

    from .parts.host import LabHost
    from .parts.lab import Lab


def test_a_snapshot_of_a_running_guest_brings_its_moment_back(admin: Admin, running: tuple[LabHost, Serial]) -> None:
    """What it writes while the copy is made, and afterwards, is not in it."""
    host, serial = running
    make_drive(host, "data")
    path = admin.attach("web", "data").path
    eventually(lambda: "vda" in serial.run("ls /dev"), "the disk in the guest")
    expected = serial.run("dd if=/dev/urandom of=/dev/vda bs=1M count=32 && sync; sha256sum /dev/vda")
    at_hand = admin.vm("web")
    task = admin.begin(take_snapshot, at_hand, "first", now=1_795_341_600.0)
    eventually(lambda: admin.step("copy"), "the copying", PATIENCE, every=0.01)
    serial.run("dd if=/dev/zero of=/dev/vda bs=1M count=8 && sync")
    taken = task.outcome.result(PATIENCE)
    assert (taken.state, taken.consistency, taken.complete) == ("running", "crash", True)
    assert admin.step("copy").done == 32 << 20
    serial.run("dd if=/dev/zero of=/dev/vda bs=1M count=32 && sync")
    assert content_of(host, path) not in expected
    with pytest.raises(VMRefused, match="web is running"):
        admin.restore("web", "first")
    restored = admin.restore("web", "first", force=True)
    assert restored.volumes == {"vda": ("ticrypt-vm-drives", "data")}
    assert disks_of(host, "web", "--inactive") == {"vda": path}
    assert content_of(host, path) in expected
    (found,) = snapshots_on(host)
    assert (found.name, found.vm, found.taken_at, found.disks[0].volume) == ("first", "web", 1_795_341_600.0, "data")


def test_any_host_finds_a_snapshot_and_deletes_it(admin: Admin, lab: Lab) -> None:
    """Also when its VM is gone."""
    first, second, _ = lab.hosts
    uuid = first.define_guest("web", boot=Boot.BRICK, network=None)
    taken = admin.snapshot("web", "first")
    assert (taken.state, taken.consistency) == ("off", "off")
    assert snapshots_on(second) == snapshots_on(first) == (taken,)
    first.remove_guests()
    eventually(lambda: not list(admin.session.fleet().vms()), "the end of the VM")
    owner = owner_of_snapshots(admin.session, uuid, timeout=10)
    assert owner.name == "web"
    admin.do(delete_snapshot, owner, "first")
    assert left_in(lab, "snapshots") == []


def test_a_vm_that_is_deleted_with_its_volumes_takes_its_snapshots_along(admin: Admin, lab: Lab) -> None:
    """Those of its drives too, while the drives stay; another VM's snapshots stay."""
    host = lab.hosts[0]
    for name in ("web", "other"):
        host.define_guest(name, boot=Boot.BRICK, network=None)
        admin.vm(name)
    make_drive(host, "data")
    admin.attach("web", "data")
    for vm, name in (("web", "first"), ("web", "second"), ("other", "first")):
        admin.snapshot(vm, name)
    target = admin.vm("web").target
    deleted = admin.do(lambda control: delete_vm(admin.session, control, target, volumes=True))
    assert deleted.snapshots == ("first", "second")
    assert (deleted.volumes, deleted.stays) == (("ticrypt-vm/web.qcow2",), ("ticrypt-vm-drives/data",))
    assert {snapshot.vm for snapshot in snapshots_on(lab.hosts[2])} == {"other"}
    assert [len(left_in(lab, "snapshots")), left_in(lab, "vm"), left_in(lab, "drives")] == [
        2,
        ["other.qcow2"],
        ["data"],
    ]


def test_a_raw_drive_that_looks_like_an_overlay_is_not_followed(admin: Admin, lab: Lab) -> None:
    """Libvirt would copy the file that a guest named there, which is the host's."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    make_drive(host, "data.raw", "raw", "8M")
    path = admin.attach("web", "data.raw").path
    host.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", "/run/evil")
    host.run("dd", "if=/run/evil", f"of={path}", "conv=notrunc", "status=none")
    with pytest.raises(VMRefused, match="disk vda is raw, but has the header of qcow2"):
        admin.snapshot("web", "first")
    assert left_in(lab, "snapshots") == []
    content = host.run("sha256sum", path)
    host.start_guest("web", paused=True)
    admin.snapshot("web", "first")
    host.run("dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=8", "conv=notrunc", "status=none")
    admin.restore("web", "first", force=True)
    assert host.run("sha256sum", path) == content


AGENT = r"""sed '/case "$line" in/a *fsfreeze*) echo "$line" >> /frozen; reply 1 ;;' /bin/agent > /bin/freezer"""


def test_a_guest_agent_holds_the_file_systems_still(admin: Admin, running: tuple[LabHost, Serial]) -> None:
    """For the moment that is kept, and not longer; unless nobody wants that."""
    host, serial = running
    make_drive(host, "data")
    admin.attach("web", "data")
    assert admin.snapshot("web", "without").consistency == "crash"
    serial.run(f"{AGENT} && chmod +x /bin/freezer && killall agent && (freezer /dev/vport*p1 &)")
    eventually(lambda: "state='connected'" in host.virsh("dumpxml", "web"), "the guest's agent", PATIENCE)
    assert admin.snapshot("web", "unasked", freeze=False).consistency == "crash"
    assert admin.snapshot("web", "held").consistency == "filesystem"
    calls = re.findall("guest-fsfreeze-[a-z]+", serial.run("cat /frozen"))
    assert calls[-2:] == ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"]


@pytest.fixture
def slow_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have QEMU copy a mebibyte a second, however fast the storage is."""

    def begin(connection: HostConnection, uuid: str, *of: Any) -> None:
        begin_copies(connection, uuid, *of)
        domain = connection.handle.lookupByUUIDString(uuid)

        def ask(command: str, **arguments: object) -> Any:
            words = json.dumps({"execute": command, "arguments": arguments})
            return json.loads(libvirt_qemu.qemuMonitorCommand(domain, words, 0))["return"]

        for job in ask("query-block-jobs"):
            ask("block-job-set-speed", device=job["device"], speed=1 << 20)

    monkeypatch.setattr(snapshots, "begin_copies", begin)


@pytest.mark.usefixtures("slow_copies")
def test_a_cancelled_snapshot_of_a_running_guest_leaves_nothing(
    admin: Admin, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copying ends at once."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=True)
    task = admin.begin(take_snapshot, admin.vm("web"), "first", now=0.0)
    eventually(lambda: (step := admin.step("copy")) and step.done > 0, "some progress", PATIENCE, every=0.01)
    task.cancel()
    with pytest.raises(Cancelled):
        task.outcome.result(PATIENCE)
    assert left_in(lab, "snapshots") == []
    assert task.view.warnings == ()
    assert "None" in host.virsh("domjobinfo", "web", check=False)
    monkeypatch.undo()
    admin.snapshot("web", "second")


def test_a_cancelled_snapshot_of_a_guest_that_is_off_ends_at_once(admin: Admin, lab: Lab) -> None:
    """Libvirt can't interrupt the copy: it is listed as incomplete until that has ended, and then it is gone."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.BRICK, network=None)
    at_hand = admin.vm("web")
    with copying_held(host) as held:
        task = admin.begin(take_snapshot, at_hand, "first", now=0.0)
        held()
        task.cancel()
        with pytest.raises(CopyGoesOn, match="libvirt cannot interrupt a copy: h1 continues to create"):
            task.outcome.result(20)
        (warning,) = task.view.warnings
        assert "first is listed as incomplete" in warning
        (found,) = snapshots_on(host)
        assert not found.complete
        owner = owner_of_snapshots(admin.session, "web", timeout=10)
        with pytest.raises(PoolBusy, match="is still being created or copied"):
            admin.do(delete_snapshot, owner, "first")
    eventually(lambda: left_in(lab, "snapshots") == [], "the end of the copy")
    admin.snapshot("web", "second")


def test_a_snapshot_without_room_is_refused_before_anything_is_written(admin: Admin, lab: Lab) -> None:
    """With both numbers."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=True)
    host.fill_storage(leave=20 << 20)
    with pytest.raises(NoSpace, match=r"pool ticrypt-vm-snapshots has .* free, but 25\d.* MiB is needed"):
        admin.snapshot("web", "first")
    host.empty_storage()
    assert left_in(lab, "snapshots") == []


def test_storage_that_runs_full_fails_the_snapshot_and_not_the_guest(admin: Admin, lab: Lab) -> None:
    """What was copied so far goes, and the guest goes on."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=True)
    host.virsh("resume", "web")
    task = admin.begin(take_snapshot, admin.vm("web"), "first", now=0.0)
    eventually(lambda: admin.step("copy"), "the copying", PATIENCE, every=0.01)
    host.fill_storage()
    with pytest.raises(DriverError, match="could not be copied"):
        task.outcome.result(PATIENCE)
    host.empty_storage()
    assert left_in(lab, "snapshots") == []
    assert host.guest_state("web") == "running"


def test_a_guest_that_ends_meanwhile_fails_its_snapshot(admin: Admin, lab: Lab) -> None:
    """Half of a disk is no snapshot."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=True)
    task = admin.begin(take_snapshot, admin.vm("web"), "first", now=0.0)
    eventually(lambda: admin.step("copy"), "the copying", PATIENCE, every=0.01)
    host.stop_guest("web")
    with pytest.raises(DriverError, match="the VM has stopped while its disks were copied"):
        task.outcome.result(PATIENCE)
    assert left_in(lab, "snapshots") == []


def test_a_killed_program_leaves_a_snapshot_that_is_known_to_be_incomplete(
    admin: Admin, lab: Lab, places: dict[str, str]
) -> None:
    """It can't be restored, and can be deleted when the copying has ended."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=True)
    with program(places, "vms", "snapshot", "web", "first", "--foreign") as killed:
        eventually(lambda: "BACKUP" in host.virsh("domjobinfo", "web", "--anystats", check=False).upper() or
                   len(left_in(lab, "snapshots")) == 1, "the copying", PATIENCE, every=0.05)  # fmt: skip
        killed.send_signal(signal.SIGKILL)
    (found,) = snapshots_on(host)
    assert (found.complete, found.problem) == (False, "it is in progress or was never finished")
    with pytest.raises(VMRefused, match="is incomplete"):
        admin.restore("web", "first", force=True)
    host.stop_guest("web")
    admin.do(delete_snapshot, owner_of_snapshots(admin.session, "web", timeout=10), "first")
    assert left_in(lab, "snapshots") == []
