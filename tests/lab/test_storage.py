"""Pools, bricks and drives on real hosts: set up, proven to be shared, uploaded, used, deleted; and steps failing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from core.clock import SystemClock
from core.driver.jobs import job_connection
from core.driver.pool_setup import Permissions, PoolType
from core.driver.volumes import NewVolume, VolumeExists, copy_volume, create_volume, delete_volume, require_volume
from core.errors import Cancelled, DriverError, HostTimeout, UsageError
from core.fleet import PoolState
from core.hosts import HostState
from core.operations.image_file import ImageRefused
from core.operations.images import ImageInUse, create_drive, delete_image, upload_brick
from core.operations.pools import PoolRequest, PoolsNotSetUp, look_at_pools, set_up_pools
from core.operations.realm_pools import PoolRole
from core.operations.storage_use import INCOMPLETE, UseKind, look_at_images
from core.operations.tasks import Progress, Tasks
from core.realms import DriveSettings, Realm
from tests.driver.worlds import LONG

from .guests import Boot
from .realm import hosts_of
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.operations.tasks import Control, TaskView

    from .lab import Lab

MIB = 2**20
REALM = Realm(id="lab", name="Lab", drives=DriveSettings(min_size=MIB, max_size=1024 * MIB))
"""The lab's own pools."""

OTHER = replace(REALM, volumes_pool="other vm", drives_pool="other-drives", bricks_pool="other-bricks",
                snapshots_pool="other-snapshots")  # fmt: skip
"""Pools that no host has."""


@dataclass
class Work:
    """Jobs on a lab, as tasks."""

    lab: Lab
    tasks: Tasks = field(default_factory=lambda: Tasks(SystemClock()))

    @property
    def hosts(self) -> Any:
        """The hosts as they are registered."""
        return hosts_of(self.lab)

    def do(self, job: Callable[[Control], Any]) -> Any:
        """Carry a job out as a task, and give what came of it."""
        return self.tasks.run("test", "", job).outcome.result(LONG * 3)

    @property
    def last(self) -> TaskView:
        """The newest task."""
        return self.tasks.views()[-1]

    def set_up(self, base: str, *, hosts: Any = None, proof: bool = True, **request: Any) -> Any:
        """Set the pools of OTHER up."""
        wanted = PoolRequest(base=base, **request)
        return self.do(lambda control: set_up_pools(control, OTHER, hosts or self.hosts, wanted, proof=proof))

    def pools(self, number: int) -> set[str]:
        """Names of a host's pools, without those of the lab itself."""
        names = {name.strip() for name in self.lab.hosts[number].virsh("pool-list", "--all", "--name").splitlines()}
        return names - set(REALM.pools) - {""}

    def files(self, folder: Path | str) -> list[str]:
        """Everything below a folder of the first host, with the folder."""
        return sorted(self.lab.hosts[0].run("find", str(folder), check=False).split("\n")[:-1])


@pytest.fixture
def work(lab: Lab) -> Iterator[Work]:
    """Give a lab to work on; pools, drives and bricks that a test made go after it."""
    work = Work(lab)
    yield work
    for number, host in enumerate(lab.hosts):
        host.wake()
        for name in work.pools(number):
            host.virsh("pool-destroy", name, check=False)
            host.virsh("pool-undefine", name)
    lab.hosts[0].run(
        "sh", "-c", f"cd {lab.shared}; rm -rf base drives/* vm/*; find bricks -type f ! -name lab-guest.qcow2 -delete"
    )
    for host in lab.hosts:
        host.run("rm", "-rf", "/var/lib/libvirt/private")


@pytest.fixture
def qcow2(tmp_path: Path) -> Path:
    """Make an empty qcow2 image of 8 MiB."""
    path = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "8M"], check=True)
    return path


# Pools


def test_pools_are_set_up_on_all_hosts_at_once_and_proven_to_be_shared(work: Work) -> None:
    """Defined, built, started, with autostart; a second run finds nothing to do."""
    base = f"{work.lab.shared}/base"
    report = work.set_up(base, permissions=Permissions(mode=0o750))
    assert [(host.host.name, len(host.pools)) for host in report.hosts] == [("h1", 4), ("h2", 4), ("h3", 4)]
    for host in report.hosts:
        for pool in host.pools:
            facts = pool.facts
            assert (facts.state, facts.autostart, facts.path) == (PoolState.ACTIVE, True, f"{base}/{facts.name}")
            assert facts.permissions.mode == 0o750
    assert [sharing.shared for sharing in report.sharing] == [True] * 4
    assert {sharing.by for sharing in report.sharing} == {"proof"}
    assert work.files(base) == sorted([base, *(f"{base}/{name}" for name in OTHER.pools)])
    again = work.set_up(base, permissions=Permissions(mode=0o750))
    assert {pool.changes for host in again.hosts for pool in host.pools} == {()}


def test_what_is_missing_is_mended_and_nothing_else_touched(work: Work) -> None:
    """A pool that is stopped, one without autostart, one whose folder is gone."""
    base = f"{work.lab.shared}/base"
    work.set_up(base, proof=False)
    one, two = work.lab.hosts[:2]
    one.virsh("pool-destroy", "other-drives")
    two.virsh("pool-autostart", "--disable", "other-bricks")
    for host in work.lab.hosts:
        host.virsh("pool-destroy", "other-snapshots")
    one.run("rmdir", f"{base}/other-snapshots")
    report = work.set_up(base, proof=False)
    changes = {(host.host.name, pool.role): pool.changes for host in report.hosts for pool in host.pools}
    assert changes["h1", PoolRole.DRIVES] == ("started",)
    assert changes["h2", PoolRole.BRICKS] == ("autostart on",)
    made = [name for (name, role), done in changes.items() if role is PoolRole.SNAPSHOTS and "made" in done[0]]
    assert made
    assert changes["h3", PoolRole.VOLUMES] == ()


def test_a_pool_at_another_place_is_refused_with_both_places(work: Work) -> None:
    """On that host nothing is changed; the others keep what they got."""
    base = f"{work.lab.shared}/base"
    work.lab.hosts[1].virsh("pool-define-as", "other-snapshots", "dir", "--target", "/elsewhere")
    with pytest.raises(PoolsNotSetUp, match="1 of 3 hosts") as caught:
        work.set_up(base)
    by_name = {host.host.name: host for host in caught.value.report.hosts}
    assert "dir at /elsewhere; asked for: dir at " + f"{base}/other-snapshots" in str(by_name["h2"].error)
    assert work.pools(1) == {"other-snapshots"}
    assert work.pools(0) == work.pools(2) == set(OTHER.pools)
    assert caught.value.report.sharing[0].groups == (("h1", "h3"),)


def test_a_file_in_the_way_undoes_what_was_done_before(work: Work) -> None:
    """The pools set up before it, and the folders that were made for them, with those above."""
    base = f"{work.lab.shared}/base"
    work.lab.hosts[0].run("sh", "-c", f"mkdir {base}; echo mine > {base}/file")
    with pytest.raises(PoolsNotSetUp, match="3 of 3 hosts") as caught:
        work.set_up(f"{base}/deep/er", paths={PoolRole.SNAPSHOTS: f"{base}/file"})
    assert "it is no folder" in str(caught.value.report.hosts[0].error)
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.files(base) == [base, f"{base}/file"]
    assert work.last.progress is Progress.FAILED


def test_a_folder_that_another_pool_has_is_refused(work: Work) -> None:
    """Two pools in one folder would delete each other's volumes."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up(f"{work.lab.shared}/base", paths={PoolRole.DRIVES: f"{work.lab.shared}/vm"})
    assert "ticrypt-vm" in str(caught.value.report.hosts[0].error)
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.files(f"{work.lab.shared}/base") == []


def test_a_read_only_place_is_told_and_leaves_nothing(work: Work) -> None:
    """Building fails after the pool was defined."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up("/proc/realms", hosts=work.hosts[:1])
    assert "build pool other vm" in str(caught.value.report.hosts[0].error)
    assert work.pools(0) == set()


def test_permissions_of_a_folder_that_was_there_are_given_back(work: Work) -> None:
    """Building changes them; a failure later undoes that."""
    base = f"{work.lab.shared}/base"
    host = work.lab.hosts[0]
    host.run("sh", "-c", f"mkdir -p -m 0755 '{base}/other vm'; chmod 0755 '{base}/other vm'; echo > {base}/file")
    with pytest.raises(PoolsNotSetUp):
        work.set_up(base, hosts=work.hosts[:1], permissions=Permissions(mode=0o700),
                    paths={PoolRole.SNAPSHOTS: f"{base}/file"})  # fmt: skip
    assert host.run("stat", "--format", "%a", f"{base}/other vm").strip() == "755"
    assert any(step.what.startswith("undo: give") for step in work.last.steps)


def test_storage_that_is_not_shared_is_found_out(work: Work) -> None:
    """Every host has a folder of its own there; the pools stand, and the proof leaves nothing in them."""
    with pytest.raises(PoolsNotSetUp, match="not shared: other vm, other-drives") as caught:
        work.set_up("/var/lib/libvirt/private")
    assert [sharing.groups for sharing in caught.value.report.sharing] == [(("h1",), ("h2",), ("h3",))] * 4
    assert work.pools(1) == set(OTHER.pools)
    assert "realms-proof" not in work.lab.hosts[1].run("find", "/var/lib/libvirt/private")


def test_a_host_that_forgot_to_mount_the_storage_is_the_odd_one_out(work: Work) -> None:
    """The others share it, and it is named."""
    work.lab.hosts[2].lose_storage()
    report = work.do(lambda control: look_at_pools(control, REALM, work.hosts, prove_sharing=True))
    assert {sharing.groups for sharing in report.sharing} == {(("h1", "h2"), ("h3",))}
    assert not report.ok
    assert (report.sharing[0].shared_by("h1"), report.sharing[0].shared_by("h3")) == (True, False)


def test_a_proof_on_full_storage_says_so(work: Work) -> None:
    """Unknown, with the reason, and not unshared; nothing is left behind."""
    work.lab.hosts[0].fill_storage()
    report = work.do(lambda control: look_at_pools(control, REALM, work.hosts, prove_sharing=True))
    assert all(sharing.shared is not False for sharing in report.sharing)
    assert "realms-proof" not in work.lab.hosts[0].run("find", str(work.lab.shared))


def test_a_cancelled_set_up_is_undone_on_every_host(work: Work) -> None:
    """Also on those that were done already."""
    base = f"{work.lab.shared}/base"
    done = threading.Event()

    def job(control: Control) -> Any:
        def watched(what: str, host: str = "") -> Any:
            if what.startswith("prove"):
                control._task.cancel()
            return original(what, host)

        original, control.step = control.step, watched  # type: ignore[method-assign] -- of this one object
        done.set()
        return set_up_pools(control, OTHER, work.hosts, PoolRequest(base=base))

    with pytest.raises(Cancelled):
        work.do(job)
    assert [work.pools(number) for number in range(3)] == [set()] * 3
    assert work.files(base) == []
    assert not [warning for warning in work.last.warnings if "left behind" in warning]


def test_a_hung_host_fails_alone_and_in_time(work: Work) -> None:
    """The others are set up."""
    work.lab.hosts[1].hang()
    request = PoolRequest(base=f"{work.lab.shared}/base")
    with pytest.raises(PoolsNotSetUp, match="1 of 3") as caught:
        work.do(lambda control: set_up_pools(control, OTHER, work.hosts, request, deadline=3.0))
    errors = [host.error for host in caught.value.report.hosts]
    assert isinstance(errors[1], HostTimeout)
    assert errors[0] is errors[2] is None


@pytest.mark.parametrize("permissions", [Permissions(), Permissions(mode=0o711, owner=0, group=0)])
def test_the_virsh_commands_shown_do_the_same(work: Work, permissions: Permissions) -> None:
    """Typed into a shell of the host, with names and paths that need quotes."""
    host = work.lab.hosts[0]
    wanted = PoolRequest(base=f'{work.lab.shared}/base/it\'s "here" & $HOME', permissions=permissions)
    for plan in wanted.plans(OTHER).values():
        for command in plan.virsh_commands("qemu:///system"):
            host.run("sh", "-e", "-c", command)
    report = work.do(lambda control: set_up_pools(control, OTHER, work.hosts[:1], wanted))
    assert [pool.changes for pool in report.hosts[0].pools] == [()] * 4


def test_a_netfs_pool_is_understood_by_libvirt(work: Work) -> None:
    """Defined with its source; mounting fails here, as no server answers, and is undone."""
    with pytest.raises(PoolsNotSetUp) as caught:
        work.set_up(f"{work.lab.shared}/base", hosts=work.hosts[:1], type=PoolType.NETFS,
                    source="127.0.0.1:/export", format="nfs")  # fmt: skip
    assert "start pool other vm" in str(caught.value.report.hosts[0].error)
    assert work.pools(0) == set()
    assert work.files(f"{work.lab.shared}/base") == []


# Bricks and drives


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
    with pytest.raises(VolumeExists, match="there is b in pool"):
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
    work.do(lambda control: delete_image(control, REALM, work.hosts, PoolRole.BRICKS, name="big"))
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
    with pytest.raises(ImageInUse, match="overlay ticrypt-vm/idle") as caught:
        work.do(lambda control: delete_image(control, REALM, work.hosts, PoolRole.BRICKS, name="base", force=True))
    assert [use.kind for use in caught.value.image.uses] == [UseKind.OVERLAY]
    with pytest.raises(ImageInUse, match=r"overlay ticrypt-vm/vm-on-brick.qcow2 \(VM h1/vm-on-brick, off\)"):
        work.do(lambda control: delete_image(control, REALM, work.hosts, PoolRole.BRICKS, name="lab-guest.qcow2"))
    with job_connection(work.hosts[2]) as connection:
        delete_volume(connection, REALM.volumes_pool, "idle")
    work.do(lambda control: delete_image(control, REALM, work.hosts, PoolRole.BRICKS, name="base"))
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
    with pytest.raises(ImageInUse, match=f"VM h3/owner, {state}"):
        work.do(lambda control: delete_image(control, REALM, work.hosts, PoolRole.DRIVES, name="d", force=True))
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

    def delete(*, force: bool) -> Any:
        return work.do(
            lambda control: delete_image(
                control, REALM, hosts, PoolRole.DRIVES, name="d", force=force, deadline=3.0
            )
        )  # fmt: skip

    with pytest.raises(ImageInUse, match=r"not asked: h2: ") as caught:
        delete(force=False)
    assert "--force" in caught.value.hint
    delete(force=True)
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
