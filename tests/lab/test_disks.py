"""Drives and snapshots of real guests, compared byte by byte; and a console in a real terminal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import libvirt
import pytest

from core.driver.connection import open_connection
from core.driver.metadata import Mark
from core.driver.snapshots import list_snapshots
from core.errors import Cancelled, DriverError
from core.hosts import HostState
from core.operations.copying import NoSpace
from core.operations.drive_claims import DriveInUse
from core.operations.drives_attached import DriveRefused, GuestHolds, attach_drive, detach_drive
from core.operations.restore import restore_snapshot
from core.operations.snapshot_lists import owner_of_snapshots
from core.operations.snapshots import delete_snapshot, take_snapshot
from core.operations.vm_at_hand import VMRefused, vm_at_hand
from core.operations.vm_targets import ForeignVM
from core.operations.workplace import open_workplace
from tests.terminal import REALMS, terminal

from .guests import Boot
from .realm import write_configuration, write_registry
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from core.operations.tasks import Task
    from core.operations.workplace import Workplace

    from .host import LabHost
    from .lab import Lab

PATIENCE = 60.0
POOL = "ticrypt-vm-snapshots"


@pytest.fixture
def places(lab: Lab, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Describe the lab as a realm whose drives are cached by nobody; its pools are empty again afterwards."""
    configuration, registry = write_configuration(tmp_path), tmp_path / "registry.json"
    realm = tmp_path / "realms/lab.conf"
    realm.write_text(realm.read_text().replace("lazy-allocation = on", "lazy-allocation = on, cache = none"))
    write_registry(lab, configuration, registry)
    yield {"REALMS_CONFIG": str(configuration), "REALMS_REGISTRY": str(registry)}
    lab.mend()
    lab.hosts[0].run("sh", "-c", f"rm -rf {lab.shared}/drives/* {lab.shared}/snapshots/* {lab.shared}/vm/*")
    for host in lab.hosts:
        for pool in ("ticrypt-vm", "ticrypt-vm-drives", POOL):
            host.virsh("pool-refresh", pool)


@pytest.fixture
def workplace(places: dict[str, str], tmp_path: Path) -> Iterator[Workplace]:
    """Open the lab as an administrator would."""
    workplace = open_workplace(
        config=tmp_path / "ticrypt-vm.conf", registry=tmp_path / "registry.json", fleet=None, read_only=False
    )
    yield workplace
    workplace.close()


class Admin:
    """What an administrator does, by name; each call is a task of its own, whose last one stays to be looked at."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.task: Task[Any]

    def begin(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Task[Any]:
        """Begin an operation."""
        self.task = self.workplace.tasks.run("test", "test", lambda control: operation(control, *arguments, **options))
        return self.task

    def do(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Do an operation, and give what came of it."""
        return self.begin(operation, *arguments, **options).outcome.result(PATIENCE * 2)

    def vm(self, name: str) -> Any:
        """Find a VM."""
        eventually(lambda: any(vm.name in name for vm in self.workplace.settled_fleet(10).vms()), name)
        return vm_at_hand(self.workplace, name, timeout=10)

    def attach(self, vm: str, drive: str, **options: Any) -> Any:
        """Attach a drive."""
        at_hand = self.vm(vm)
        return self.do(lambda control: attach_drive(self.workplace, control, at_hand, drive, **options))

    def detach(self, vm: str, drive: str, **options: Any) -> Any:
        """Detach a drive."""
        at_hand = self.vm(vm)
        return self.do(lambda control: detach_drive(self.workplace, control, at_hand, drive, **options))

    def snapshot(self, vm: str, name: str, **options: Any) -> Any:
        """Take a snapshot."""
        return self.do(take_snapshot, self.vm(vm), name, now=self.workplace.clock.now(), **options)

    def restore(self, vm: str, name: str, **options: Any) -> Any:
        """Restore a snapshot."""
        at_hand = self.vm(vm)
        return self.do(lambda control: restore_snapshot(self.workplace, control, at_hand, name, **options))

    def step(self, what: str) -> Any:
        """Give a step of the last task by how its words begin; None before it has begun."""
        return next((step for step in self.task.view.steps if step.what.startswith(what)), None)


@pytest.fixture
def admin(workplace: Workplace) -> Admin:
    """Give an administrator."""
    return Admin(workplace)


def make_drive(host: LabHost, name: str, form: str = "qcow2", size: str = "32M") -> None:
    """Make an empty drive."""
    host.virsh("vol-create-as", "ticrypt-vm-drives", name, size, "--format", form)


def disks_of(host: LabHost, name: str, *options: str) -> dict[str, str]:
    """Give a guest's disks, target to path."""
    rows = (line.split() for line in host.virsh("domblklist", name, *options).splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


def content_of(host: LabHost, path: str) -> str:
    """Give the checksum of what a guest would read from a disk that nobody writes to."""
    command = f"qemu-img convert -U -O raw '{path}' /run/plain && sha256sum < /run/plain; rm -f /run/plain"
    return host.run("sh", "-c", command).split()[0]


def snapshots_on(host: LabHost) -> Any:
    """Give the snapshots as a host sees them."""
    connection = open_connection(host.name, host.local_uri)
    try:
        return list_snapshots(connection, POOL)
    finally:
        connection.close()


def left_in(lab: Lab, folder: str) -> list[str]:
    """List the files of one of the shared folders."""
    return sorted(lab.hosts[0].run("ls", str(lab.shared / folder)).split())


class Serial:
    """A guest's shell on its serial line."""

    def __init__(self, host: LabHost, name: str) -> None:
        self._connection = libvirt.open(host.local_uri)
        self._stream = self._connection.newStream(0)
        domain = self._connection.lookupByName(name)
        domain.openConsole(None, self._stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        self._number = 0
        self._read_until(r"# ")

    def _read_until(self, pattern: str) -> str:
        seen = ""
        while not re.search(pattern, seen):
            seen += self._stream.recv(4096).decode(errors="replace")
        return seen

    def run(self, command: str) -> str:
        """Run a command in the guest and give what it printed."""
        self._number += 1
        mark = f"end-{self._number}-"
        self._stream.send(f"{command}; echo {mark[:3]}''{mark[3:]}$?-\n".encode())
        seen = self._read_until(rf"{mark}\d+-")
        assert f"{mark}0-" in seen, seen
        return seen.partition(mark)[0]

    def leave(self) -> None:
        """Let go of the console."""
        self._stream.finish()
        self._stream = self._connection.newStream(0)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(libvirt.libvirtError):  # someone else has taken the console over
            self._stream.abort()
        self._connection.close()


@pytest.fixture
def running(lab: Lab) -> Iterator[tuple[LabHost, Serial]]:
    """Give a guest that is up, with its shell."""
    host = lab.hosts[0]
    host.define_guest("web", network=None)
    host.start_guest("web")
    serial = Serial(host, "web")
    yield host, serial
    serial.close()


# Drives


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
    with pytest.raises(DriveRefused, match="web has drive data already, as vda"):
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
    assert "drive data also belongs to h1/on-h1 (off)" in admin.task.view.warnings
    admin.detach("on-h2", "data")
    first.start_guest("on-h1", paused=True)
    with pytest.raises(DriveInUse, match=re.escape("drive data is in use by h1/on-h1 (running)")):
        admin.attach("on-h2", "data", force=True)
    assert disks_of(second, "on-h2", "--inactive") == {}


def test_where_a_host_cannot_be_asked_a_drive_is_refused_unless_forced(admin: Admin, lab: Lab) -> None:
    """A disabled host too: its VMs go on running unwatched."""
    host = lab.hosts[0]
    make_drive(host, "data")
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    at_hand = admin.vm("web").host.name
    assert at_hand == "h1"
    admin.workplace.set_state("h3", HostState.DISABLED)
    with pytest.raises(DriveInUse, match="nobody can tell whether another VM has drive data; not asked: h3: "):
        admin.attach("web", "data")
    assert admin.attach("web", "data", force=True).stored
    assert "not asked whether they have drive data: h3" in admin.task.view.warnings


def test_a_guest_that_does_not_let_go_keeps_its_drive(admin: Admin, lab: Lab) -> None:
    """That is said; the stored definition keeps it too, until the guest is off."""
    host = lab.hosts[0]
    make_drive(host, "data")
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    admin.attach("web", "data")
    host.start_guest("web", paused=True)
    with pytest.raises(GuestHolds, match="web has not let go of vda within 1 s"):
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
        vm_at_hand(admin.workplace, "web", timeout=10, foreign=False)
    connection = open_connection("h1", host.local_uri)
    connection.mark(uuid, Mark(realm="lab"))
    connection.close()

    def is_managed() -> bool:
        return any(vm.managed for vm in admin.workplace.fleet().vms())

    eventually(is_managed, "the mark to be seen")
    assert vm_at_hand(admin.workplace, "web", timeout=10, foreign=False).vm.uuid == uuid


# Snapshots


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
    with pytest.raises(VMRefused, match="web runs"):
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
    eventually(lambda: not list(admin.workplace.fleet().vms()), "the end of the VM")
    owner = owner_of_snapshots(admin.workplace, uuid, timeout=10)
    assert owner.name == "web"
    admin.do(delete_snapshot, owner, "first")
    assert left_in(lab, "snapshots") == []


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
    assert admin.workplace.registry is not None
    assert [each for each in admin.workplace.registry.reservations() if each.owner] == []
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
    with pytest.raises(VMRefused, match="web has no drive other any more"):
        admin.restore("web", "first")


def test_a_raw_drive_that_looks_like_an_overlay_is_not_followed(admin: Admin, lab: Lab) -> None:
    """Libvirt would copy the file that a guest named there, which is the host's."""
    host = lab.hosts[0]
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    make_drive(host, "data.raw", "raw", "8M")
    path = admin.attach("web", "data.raw").path
    host.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", "/run/evil")
    host.run("dd", "if=/run/evil", f"of={path}", "conv=notrunc", "status=none")
    with pytest.raises(VMRefused, match="disk vda is raw, but begins like qcow2"):
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


# Failures


def make_slow_guest(host: LabHost, admin: Admin, *, started: bool) -> None:
    """Make a guest with a disk that takes seconds to copy."""
    host.define_guest("web", boot=Boot.NOTHING, network=None)
    make_drive(host, "data", size="256M")
    path = admin.attach("web", "data").path
    host.run("qemu-io", "-f", "qcow2", "-c", "write -P 0x11 0 256M", path)
    if started:
        host.start_guest("web", paused=True)


@pytest.mark.parametrize("started", [True, False])
def test_a_cancelled_snapshot_leaves_nothing(admin: Admin, lab: Lab, started: bool) -> None:
    """Running, the copying ends at once; off, as soon as the host is done with it."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=started)
    task = admin.begin(take_snapshot, admin.vm("web"), "first", now=0.0)
    eventually(lambda: (step := admin.step("copy")) and step.done > 0, "some progress", PATIENCE, every=0.01)
    task.cancel()
    with pytest.raises(Cancelled):
        task.outcome.result(PATIENCE)
    assert left_in(lab, "snapshots") == []
    assert task.view.warnings == ()
    assert "None" in host.virsh("domjobinfo", "web", check=False) or not started
    admin.snapshot("web", "second")


def test_a_snapshot_without_room_is_refused_before_anything_is_written(admin: Admin, lab: Lab) -> None:
    """With both numbers."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=True)
    host.fill_storage(leave=20 << 20)
    with pytest.raises(NoSpace, match=r"pool ticrypt-vm-snapshots has .* free, and 25\d.* MiB are needed"):
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
    with _program(places, "vms", "snapshot", "web", "first", "--foreign") as program:
        eventually(lambda: "BACKUP" in host.virsh("domjobinfo", "web", "--anystats", check=False).upper() or
                   len(left_in(lab, "snapshots")) == 1, "the copying", PATIENCE, every=0.05)  # fmt: skip
        program.send_signal(signal.SIGKILL)
    (found,) = snapshots_on(host)
    assert (found.complete, found.problem) == (False, "it is being made, or was never finished")
    with pytest.raises(VMRefused, match="is incomplete"):
        admin.restore("web", "first", force=True)
    host.stop_guest("web")
    admin.do(delete_snapshot, owner_of_snapshots(admin.workplace, "web", timeout=10), "first")
    assert left_in(lab, "snapshots") == []


def _program(places: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [REALMS, *arguments], env=os.environ | places, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


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
        task = admin.begin(
            lambda control, at_hand=at_hand: restore_snapshot(admin.workplace, control, at_hand, "first")
        )
        eventually(lambda: (step := admin.step("copy")) and step.done > 0, "the copying", PATIENCE, every=0.01)
        spoil(task)
        with pytest.raises(error):
            task.outcome.result(PATIENCE)
        host.empty_storage()
        assert left_in(lab, "drives") == ["data"]
        assert disks_of(host, "web") == {"vda": path}
        assert content_of(host, path) == content
    assert admin.workplace.registry is not None
    assert admin.workplace.registry.reservations() == ()


def test_a_killed_restore_is_cleaned_up_by_the_next_one(admin: Admin, lab: Lab, places: dict[str, str]) -> None:
    """Until then the VM has the disks that it had."""
    host = lab.hosts[0]
    make_slow_guest(host, admin, started=False)
    admin.snapshot("web", "first")
    path = disks_of(host, "web")["vda"]
    with _program(places, "vms", "restore", "web", "first", "--foreign") as program:
        eventually(lambda: len(left_in(lab, "drives")) == 2, "the copy", PATIENCE, every=0.05)
        program.send_signal(signal.SIGKILL)
    assert disks_of(host, "web") == {"vda": path}
    reservations = admin.workplace.registry and admin.workplace.registry.reservations()
    assert reservations
    admin.workplace.registry.release(reservations[0].uuid)  # type: ignore[union-attr]  # as it does by itself in a minute
    eventually(lambda: not host.run("sh", "-c", "pidof qemu-img || true").strip(), "the end of the copying", PATIENCE)
    admin.restore("web", "first")
    assert left_in(lab, "drives") == ["data"]


# The console


def test_a_console_takes_the_terminal_and_gives_it_back(
    lab: Lab, places: dict[str, str], tmp_path: Path, running: tuple[LabHost, Serial]
) -> None:
    """Its keys go to the guest, Ctrl-C too; Ctrl-] ends it."""
    _, serial = running
    serial.leave()
    with terminal(tmp_path, "vms", "console", "web", "--force", environment=places) as pane:
        pane.wait_for("Escape character is ^]")
        pane.press("Enter")
        pane.write("echo be''gun; sleep 99")
        pane.press("Enter")
        pane.wait_for("begun")
        pane.press("C-c")
        pane.write("echo answer-$((6*7))")
        pane.press("Enter")
        pane.wait_for("answer-42")
        pane.press("C-]")
        assert pane.wait_for_end() == 0


def test_a_console_that_cannot_be_opened_says_why(lab: Lab, places: dict[str, str], tmp_path: Path) -> None:
    """Of a VM that is off, for one."""
    lab.hosts[0].define_guest("web", boot=Boot.NOTHING, network=None)
    with terminal(tmp_path, "vms", "console", "web", environment=places) as pane:
        pane.wait_for("web is off: it has no console now", "realms vms start h1/web")
        assert pane.wait_for_end() == 1
