"""Disks of real guests put back to a snapshot, byte by byte; cancelled, without room, by programs that are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.errors import Cancelled, DriverError
from core.operations.recovery import recover, survey
from core.operations.storage.volume_copy import CopyGoesOn
from core.operations.vms.cleanup import CleanupAction
from core.operations.vms.lookup import VMRefused
from core.operations.vms.restore import restore_snapshot

from .parts.administrator import (
    PATIENCE,
    Admin,
    content_of,
    copying_held,
    disks_of,
    left_in,
    make_drive,
    make_slow_guest,
)
from .parts.guests import Boot
from .parts.waiting import eventually

if TYPE_CHECKING:
    from .parts.host import LabHost
    from .parts.lab import Lab

KILLER = Path(__file__).parent / "parts" / "killed_restore.py"


def test_an_overlay_of_a_brick_is_restored_as_a_whole(admin: Admin, lab: Lab) -> None:
    """It has the same content, needs its brick no more, and starts."""
    host = lab.hosts[0]
    host.define_guest("web", memory_mib=128, boot=Boot.BRICK)
    before = disks_of(host, "web")["vda"]
    content = content_of(host, before)
    admin.snapshot("web", "first")
    host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x55 40M 1M", before)
    assert content_of(host, before) != content
    restored = admin.restore("web", "first", start=True)
    assert restored.started
    host.stop_guest("web")
    after = disks_of(host, "web", "--inactive")["vda"]
    assert "backing" not in host.run("qemu-img", "info", "-U", after)
    assert left_in(lab, "vm") == [after.rpartition("/")[2]]
    assert admin.session.registry is not None
    assert [each for each in admin.session.registry.reservations() if each.owner] == []
    admin.restore("web", "first")
    assert content_of(host, disks_of(host, "web", "--inactive")["vda"]) == content


def test_a_raw_drive_stays_raw_and_every_byte_comes_back(admin: Admin, lab: Lab) -> None:
    """Disks that are not asked for stay as they are."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    make_drive(host, "data.raw", "raw", "8M")
    make_drive(host, "other")
    paths = [admin.attach("web", name).path for name in ("data.raw", "other")]
    host.run("sh", "-c", f"yes before | head -c 8M > {paths[0]}")
    content = host.run("sha256sum", paths[0])
    admin.snapshot("web", "first")
    for path in paths:
        host.run("qemu-io", "-f", "raw" if path is paths[0] else "qcow2", "-c", "write -P 7 1M 1M", path)
    changed = content_of(host, paths[1])
    admin.restore("web", "first", targets=["vda"])
    assert host.run("sha256sum", paths[0]) == content
    assert content_of(host, paths[1]) == changed
    assert left_in(lab, "drives") == ["data.raw", "other"]
    admin.detach("web", "other")
    with pytest.raises(VMRefused, match="web no longer has drive other"):
        admin.restore("web", "first")


def test_a_restore_that_fails_leaves_the_present_disks(admin: Admin, lab: Lab) -> None:
    """Whether it is cancelled, or the storage runs full."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=False)
    admin.snapshot("web", "first")
    path = disks_of(host, "web")["vda"]
    host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x22 0 1M", path)
    content = content_of(host, path)
    for spoil, error in ((lambda task: task.cancel(), Cancelled), (lambda _: host.fill_storage(), DriverError)):
        at_hand = admin.vm("web")
        with copying_held(host) as wait_until_held:
            task = admin.begin(
                lambda control, at_hand=at_hand: restore_snapshot(admin.session, control, at_hand, "first")
            )
            wait_until_held()
            spoil(task)
        with pytest.raises(error):
            task.outcome.result(PATIENCE)
        host.empty_storage()
        eventually(lambda: left_in(lab, "drives") == ["data"], "the end of a copy that can't be interrupted", PATIENCE)
        eventually(lambda: survey(admin.session) == (), "nothing left", PATIENCE)
        assert disks_of(host, "web") == {"vda": path}
        assert content_of(host, path) == content
    assert admin.session.registry is not None
    assert admin.session.registry.reservations() == ()


def test_a_killed_restore_is_cleaned_up_by_the_next_one(admin: Admin, lab: Lab, tmp_path: Path) -> None:
    """Which waits until the host is done with the copy; until then the VM has the disks that it had."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=False)
    admin.snapshot("web", "first")
    path = disks_of(host, "web")["vda"]
    kill_at(admin, tmp_path, "midway:restore vda")
    assert disks_of(host, "web") == {"vda": path}
    assert len(left_in(lab, "drives")) == 2
    admin.restore("web", "first")
    assert left_in(lab, "drives") == ["data"]
    assert survey(admin.session) == ()


def kill_at(admin: Admin, folder: Path, point: str) -> None:
    """Have another program restore the first snapshot, and be killed there; what it had reserved runs out at once."""
    done = subprocess.run(
        [sys.executable, str(KILLER), str(folder / "ticrypt-vm.conf"), str(folder / "registry.json"), "web", "first",
         point],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    registry = admin.session.require_writable()
    for reservation in registry.reservations():
        registry.release(reservation.uuid)


@dataclass(frozen=True, slots=True)
class Guest:
    """A VM with a boot volume and a drive, both changed since its first snapshot; checksums by target."""

    host: LabHost
    former: dict[str, str]
    kept: dict[str, str]

    def contents(self) -> dict[str, str]:
        """Return the checksums of the disks that it has now."""
        return {target: content_of(self.host, path) for target, path in disks_of(self.host, "web").items()}


@pytest.fixture
def changed(admin: Admin, lab: Lab) -> Guest:
    """Make such a VM."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.BRICK, network=None)
    make_drive(host, "data", size="64M")
    paths = (disks_of(host, "web")["vda"], admin.attach("web", "data").path)
    host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x11 0 64M", paths[1])
    before = Guest(host, {}, {}).contents()
    admin.snapshot("web", "first")
    for path in paths:
        host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x22 32M 1M", path)
    return Guest(host, Guest(host, {}, {}).contents(), before)


BEFORE = ("step:restore vda", "midway:restore vdb", "step:replace the disks")
AFTER = ("step:delete web", "journal:name-back", "midway:rename data", "step:replace vdb", "delete:.incomplete",
         "delete:.restored")  # fmt: skip


@pytest.mark.parametrize("point", [*BEFORE, *AFTER])
def test_a_restore_killed_at_any_step_is_told_and_put_in_order(
    admin: Admin, lab: Lab, changed: Guest, tmp_path: Path, point: str
) -> None:
    """The VM has whole disks at every moment: all as they were, or all as in the snapshot; and the drive its name."""
    kill_at(admin, tmp_path, point)
    expected = changed.former if point in BEFORE else changed.kept
    assert changed.contents() == expected
    (left,) = survey(admin.session)
    assert (left.record.operation, left.record.vm, left.domain) == ("restore", "web", "off")
    assert left.plan is (CleanupAction.FORGET if point == BEFORE[0] else CleanupAction.FINISH), left.message
    assert f"the VM has its {'former' if point in BEFORE else 'restored'} disks" in left.message
    admin.do(lambda control: recover(admin.session, control, left))
    assert admin.task.view.warnings == ()
    assert changed.contents() == expected
    assert [len(left_in(lab, "vm")), left_in(lab, "drives")] == [1, ["data"]]
    assert disks_of(changed.host, "web")["vdb"].endswith("/data")
    assert survey(admin.session) == ()
    assert admin.session.require_writable().reservations() == ()
    admin.restore("web", "first")


def test_what_a_vm_has_written_since_its_restore_was_killed_is_kept(
    admin: Admin, lab: Lab, changed: Guest, tmp_path: Path
) -> None:
    """It was started meanwhile: the drive gets its name back once it is off, and not its former content."""
    host = changed.host
    kill_at(admin, tmp_path, "midway:rename data")
    host.start_guest("web", paused=True)
    eventually(lambda: any(vm.active for vm in admin.session.fleet().vms()), "web running")
    (left,) = survey(admin.session)
    assert left.plan is CleanupAction.UNKNOWN
    assert "rename drive data back, once the VM is off" in left.message
    with pytest.raises(DriverError, match=r"web is running: its drive data is called data\.restored-"):
        admin.do(lambda control: recover(admin.session, control, left))
    host.stop_guest("web")
    host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x33 8M 1M", disks_of(host, "web")["vdb"])
    written = changed.contents()
    assert written["vdb"] not in (changed.former["vdb"], changed.kept["vdb"])
    eventually(lambda: not any(vm.active for vm in admin.session.fleet().vms()), "web off")
    (left,) = survey(admin.session)
    admin.do(lambda control: recover(admin.session, control, left))
    assert changed.contents() == written
    assert left_in(lab, "drives") == ["data"]
    assert survey(admin.session) == ()


def test_a_restore_cancelled_in_its_copy_ends_at_once_and_is_tidied_up_when_that_is_done(
    admin: Admin, lab: Lab, changed: Guest
) -> None:
    """Libvirt can't interrupt a copy; another program can't clean up either before it has ended."""
    at_hand = admin.vm("web")
    with copying_held(changed.host) as held:
        task = admin.begin(lambda control: restore_snapshot(admin.session, control, at_hand, "first"))
        held()
        task.cancel()
        with pytest.raises(CopyGoesOn, match="libvirt cannot interrupt a copy: h1 continues to create ticrypt-vm"):
            task.outcome.result(20)
        assert any("realms vms recover" in warning for warning in task.view.warnings)
        assert changed.contents() == changed.former
    eventually(lambda: len(left_in(lab, "vm")) == 1 and left_in(lab, "drives") == ["data"], "the end of the copies")
    eventually(lambda: survey(admin.session) == (), "nothing left")
    assert changed.contents() == changed.former
