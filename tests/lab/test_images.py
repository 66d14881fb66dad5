"""Bricks and drives on real hosts: uploaded, used, copied, deleted; and steps failing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.driver.connection.jobs import job_connection
from core.driver.storage.volumes import (
    NewVolume,
    VolumeExists,
    copy_volume,
    create_volume,
    delete_volume,
    require_volume,
)
from core.errors import Cancelled, DriverError, UsageError
from core.hosts import HostState
from core.operations.storage.image_file import ImageRefused
from core.operations.storage.images import create_drive, upload_brick
from core.operations.storage.policy import VolumeInUse, VolumeUseUnknown
from core.operations.storage.pool_report import PoolRole
from core.operations.storage.usage import INCOMPLETE, look_at_images
from core.operations.storage.users import UseKind
from core.operations.tasks.task import Progress
from tests.driver.worlds import LONG

from .parts.guests import Boot
from .parts.storage import MIB, REALM, Work
from .parts.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path


def test_a_brick_arrives_as_it_is_and_is_seen_by_all_hosts(work: Work, tmp_path: Path) -> None:
    """Byte by byte, holes included, also where it ends with one."""
    image = tmp_path / "holes.raw"
    with image.open("wb") as file:
        file.write(os.urandom(3 * MIB + 5))
        file.seek(20 * MIB)
        file.write(b"x" * 700)
        file.truncate(40 * MIB)
    volume = work.do(lambda control: upload_brick(control, REALM, work.hosts, image, name="holes"))
    assert (volume.format, volume.capacity) == ("raw", 40 * MIB)
    assert volume.allocation < 6 * MIB
    digest = work.lab.hosts[2].run("sha256sum", f"{work.lab.shared}/bricks/holes").split()[0]
    assert digest == hashlib.sha256(image.read_bytes()).hexdigest()
    report = work.do(lambda control: look_at_images(control, REALM, work.hosts, PoolRole.BRICKS, LONG))
    assert report.image("holes").hosts == ("h1", "h2", "h3")
    assert report.image("holes").complete
    upload = next(step for step in work.tasks.views()[0].steps if step.what.startswith("upload"))
    assert (upload.done, upload.total, upload.unit) == (40 * MIB, 40 * MIB, "bytes")


def test_a_qcow2_keeps_its_size_and_one_of_the_same_name_is_refused(work: Work, qcow2: Path) -> None:
    """What is there stays untouched."""
    volume = work.do(lambda control: upload_brick(control, REALM, work.hosts, qcow2, name="b"))
    assert (volume.format, volume.capacity) == ("qcow2", 8 * MIB)
    with pytest.raises(VolumeExists, match=r"\bb\b.*ticrypt-bricks"):
        work.do(lambda control: upload_brick(control, REALM, work.hosts[1:], qcow2, name="b"))
    assert work.files(f"{work.lab.shared}/bricks/b") == [f"{work.lab.shared}/bricks/b"]


def test_a_cancelled_upload_leaves_nothing(work: Work, tmp_path: Path) -> None:
    """Neither the volume nor its mark; both were there."""
    image = tmp_path / "big.raw"
    image.write_bytes(os.urandom(1 * MIB) * 400)
    task = work.tasks.run("t", "", lambda control: upload_brick(control, REALM, work.hosts, image, name="big"))
    eventually(lambda: any(step.done > MIB for step in task.view.steps), "some progress", every=0.01)
    assert len(work.files(f"{work.lab.shared}/bricks")) == 4
    task.cancel()
    with pytest.raises(Cancelled):
        task.outcome.result(LONG)
    assert len(work.files(f"{work.lab.shared}/bricks")) == 2
    assert task.view.progress is Progress.CANCELLED
    assert task.view.warnings == ()


def test_an_upload_through_a_host_that_crashes_is_cleaned_up_when_it_is_back(work: Work, tmp_path: Path) -> None:
    """Until then it is shown as incomplete, and can be deleted."""
    image = tmp_path / "big.raw"
    image.write_bytes(os.urandom(1 * MIB) * 400)
    host = work.lab.hosts[0]
    task = work.tasks.run("t", "", lambda control: upload_brick(control, REALM, work.hosts, image, name="big"))
    eventually(lambda: any(step.done > MIB for step in task.view.steps), "some progress", every=0.01)
    host.crash_libvirtd()
    with pytest.raises(DriverError):
        task.outcome.result(LONG)
    host.start_libvirtd()
    eventually(lambda: "ticrypt" in host.virsh("pool-list", check=False), "libvirtd")
    assert any("left behind" in warning for warning in task.view.warnings)
    report = work.do(lambda control: look_at_images(control, REALM, work.hosts, PoolRole.BRICKS, LONG))
    assert not report.image("big").complete
    work.delete(PoolRole.BRICKS, "big")
    assert len(work.files(f"{work.lab.shared}/bricks")) == 2


def test_an_upload_to_full_storage_fails_and_leaves_nothing(work: Work, tmp_path: Path) -> None:
    """And says that there is no space."""
    image = tmp_path / "big.raw"
    image.write_bytes(os.urandom(1 * MIB) * 60)
    work.lab.hosts[0].fill_storage(leave=20 * MIB)
    with pytest.raises(DriverError, match=r"(?i)no space"):
        work.do(lambda control: upload_brick(control, REALM, work.hosts, image, name="big"))
    assert len(work.files(f"{work.lab.shared}/bricks")) == 2


def test_an_overlay_is_no_brick(work: Work, tmp_path: Path, qcow2: Path) -> None:
    """QEMU would open whatever file it names."""
    overlay = tmp_path / "overlay.qcow2"
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/shadow", str(overlay)], check=True
    )
    with pytest.raises(ImageRefused, match="/etc/shadow"):
        work.do(lambda control: upload_brick(control, REALM, work.hosts, overlay, name="b"))


def test_a_brick_with_overlays_stays_and_they_are_named(work: Work, qcow2: Path) -> None:
    """With the VM that runs on one; without them it can go."""
    work.do(lambda control: upload_brick(control, REALM, work.hosts, qcow2, name="base"))
    with job_connection(work.hosts[1]) as connection:
        base = require_volume(connection, REALM.bricks_pool, "base")
        create_volume(connection, REALM.volumes_pool, NewVolume(name="idle", capacity=8 * MIB, backing=base))
    guest = work.lab.hosts[0].define_guest("vm-on-brick", boot=Boot.BRICK, network=None)
    assert guest
    with pytest.raises(VolumeInUse, match="overlay ticrypt-vm/idle") as caught:
        work.delete(PoolRole.BRICKS, "base", force=True)
    assert [use.kind for use in caught.value.found[0].users] == [UseKind.OVERLAY]
    with pytest.raises(VolumeInUse, match=r"overlay ticrypt-vm/vm-on-brick.qcow2 \(VM h1/vm-on-brick, off\)"):
        work.delete(PoolRole.BRICKS, "lab-guest.qcow2")
    with job_connection(work.hosts[2]) as connection:
        delete_volume(connection, REALM.volumes_pool, "idle")
    work.delete(PoolRole.BRICKS, "base")
    for host in work.lab.hosts:
        assert "base" not in host.virsh("vol-list", REALM.bricks_pool)


@pytest.mark.parametrize(("lazy", "least"), [(True, 0), (False, 16 * MIB)])
def test_a_drive_takes_its_space_when_the_realm_says(work: Work, lazy: bool, least: int) -> None:
    """Lazily, or in full at creation; qcow2 in both cases."""
    realm = replace(REALM, drives=replace(REALM.drives, lazy_allocation=lazy))
    drive = work.do(lambda control: create_drive(control, realm, work.hosts, "d", size=16 * MIB))
    assert (drive.format, drive.capacity) == ("qcow2", 16 * MIB)
    assert least <= drive.allocation < (17 * MIB if least else MIB)


def test_a_drive_that_does_not_fit_leaves_nothing(work: Work) -> None:
    """Allocated in full on storage that is nearly full; QEMU's own tool leaves a file then."""
    realm = replace(REALM, drives=replace(REALM.drives, lazy_allocation=False))
    work.lab.hosts[0].fill_storage(leave=20 * MIB)
    with pytest.raises(DriverError, match=r"(?i)no space"):
        work.do(lambda control: create_drive(control, realm, work.hosts, "d", size=100 * MIB))
    assert work.files(f"{work.lab.shared}/drives") == [f"{work.lab.shared}/drives"]


def test_only_one_of_many_makes_a_drive_of_a_name(work: Work) -> None:
    """Through different hosts at the same moment: the others are refused, and it is whole."""
    jobs = [
        work.tasks.run(
            "t", "", lambda control, number=number: create_drive(
                control, REALM, [work.hosts[number % 3]], "contested", size=(number + 1) * MIB
            ),
        )
        for number in range(6)
    ]  # fmt: skip
    made = []
    for job in jobs:
        with contextlib.suppress(VolumeExists):
            made.append(job.outcome.result(LONG))
    assert len(made) == 1
    report = work.do(lambda control: look_at_images(control, REALM, work.hosts, PoolRole.DRIVES, LONG))
    assert [(image.name, image.complete, image.capacity) for image in report.images] == [
        ("contested", True, made[0].capacity)
    ]


@pytest.mark.parametrize("running", [True, False])
def test_a_drive_that_a_vm_has_stays_whatever_is_forced(work: Work, running: bool) -> None:
    """Running or off, on whatever host."""
    drive = work.do(lambda control: create_drive(control, REALM, work.hosts, "d", size=MIB))
    host = work.lab.hosts[2]
    host.define_guest("owner", boot=Boot.NOTHING, network=None)
    host.virsh("attach-disk", "owner", drive.path, "vdz", "--subdriver", "qcow2", "--config")
    if running:
        host.start_guest("owner", paused=True)
    state = "running" if running else "off"
    with pytest.raises(VolumeInUse, match=rf"VM h3/owner \({state}\)"):
        work.delete(PoolRole.DRIVES, "d", force=True)
    assert work.files(drive.path) == [drive.path]


@pytest.mark.parametrize("how", ["hung", "disabled"])
def test_nothing_is_deleted_while_a_host_cannot_be_asked_unless_forced(work: Work, how: str) -> None:
    """It might use it; the refusal names the host."""
    work.do(lambda control: create_drive(control, REALM, work.hosts, "d", size=MIB))
    hosts = list(work.hosts)
    if how == "hung":
        work.lab.hosts[1].hang()
    else:
        hosts[1] = replace(hosts[1], state=HostState.DISABLED)

    with pytest.raises(VolumeUseUnknown, match=r"not asked: h2: ") as caught:
        work.delete(PoolRole.DRIVES, "d", hosts=hosts, deadline=3.0)
    assert "--force" in caught.value.hint
    work.delete(PoolRole.DRIVES, "d", hosts=hosts, force=True, deadline=3.0)
    assert work.files(f"{work.lab.shared}/drives") == [f"{work.lab.shared}/drives"]


def test_a_full_copy_stands_alone(work: Work, qcow2: Path) -> None:
    """It has no backing file; a copy that can't be made leaves nothing."""
    work.do(lambda control: upload_brick(control, REALM, work.hosts, qcow2, name="b"))
    with job_connection(work.hosts[1]) as connection:
        brick = require_volume(connection, REALM.bricks_pool, "b")
        copy = copy_volume(connection, brick, REALM.volumes_pool, "copy")
        assert (copy.backing_path, copy.capacity, copy.format) == ("", 8 * MIB, "qcow2")
        with pytest.raises(VolumeExists):
            copy_volume(connection, brick, REALM.volumes_pool, "copy")
        delete_volume(connection, REALM.volumes_pool, "copy")


def test_names_and_sizes_are_judged_before_anything_is_asked(work: Work) -> None:
    """And a mark that someone left is no drive."""
    for name, size in (("../x", MIB), ("a" + INCOMPLETE, MIB), ("d", 1), ("d", 2048 * MIB), ("d", MIB + 1), ("", MIB)):
        with pytest.raises(UsageError):
            work.do(lambda control, name=name, size=size: create_drive(control, REALM, work.hosts, name, size=size))
    assert work.files(f"{work.lab.shared}/drives") == [f"{work.lab.shared}/drives"]
