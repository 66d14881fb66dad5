"""Snapshots of VMs: taken, listed and deleted (specification, section 9).

Each disk is copied whole into the snapshots pool, without what it is an overlay of: a snapshot stands alone, whatever
becomes of its brick. A running VM's disks are all copied as of one moment by its own QEMU; those of a VM that is off
are copied by its host. How they lie in the pool is told in core/driver/vms/snapshots.py.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.paths import volume_of_path
from core.driver.storage.pools import list_pools
from core.driver.storage.volume_bytes import delete_known
from core.driver.storage.volumes import NewVolume, Volume, VolumeExists, create_volume, require_volume
from core.driver.vms.disk_copies import begin_copies, copies_progress, frozen, is_copying, size_of, stop_copies
from core.driver.vms.disk_devices import Disk, DiskSet, read_disk_set
from core.driver.vms.snapshots import (
    NAME_RULE,
    CopiedDisk,
    Snapshot,
    copy_name,
    discard_volumes,
    list_snapshots,
    write_record,
)
from core.errors import DriverError, RealmsError, UsageError
from core.fleet.fleet import VMState
from core.hosts import Host
from core.operations.paths import current_user
from core.operations.selection import check_known
from core.operations.storage.pool_report import PoolRole, pool_name
from core.operations.storage.volume_copy import CopyGoesOn, check_space, copy_watched, needed_for, when_free
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.lookup import ResolvedVM, VMRefused
from core.realms import Realm
from core.text import printable, shell_command
from core.units import show_size

DEADLINE = 30.0
"""Seconds that connecting to a host may take."""

_LOOK_EVERY = 0.3
_STOPPING = 30.0


@dataclass(frozen=True, slots=True)
class DiskVolume:
    """A disk of a VM, and the volume that it is on."""

    disk: Disk
    volume: Volume


@dataclass(frozen=True, slots=True)
class SnapshotOwner:
    """The VM, there or gone, whose snapshots are meant, and a host through which they are reached."""

    name: str
    uuid: str
    host: Host
    realm: Realm


def check_snapshot_name(name: str) -> str:
    """Accept a name for a snapshot; raises UsageError with the rule that it breaks."""
    if not NAME_RULE.fullmatch(name):
        hint = "use up to 64 letters, digits, dots, dashes, underscores; start with a letter or digit"
        raise UsageError(f"{name!r} is not a valid snapshot name", hint=hint)
    return name


def check_supported(host: Host) -> None:
    """Raise VMRefused for libvirt's embedded test driver: what it calls volumes holds nothing."""
    if host.uri.startswith("test:"):
        raise VMRefused(f"{host.name}: the embedded test driver has no disks to copy")


def name_by_time(now: float) -> str:
    """Return the name of a snapshot that was given none: its time, in UTC."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def snapshots_pool(connection: HostConnection, realm: Realm) -> str:
    """Return the realm's snapshots pool under the name that it has on this host. Raises DriverError."""
    return pool_name(realm, PoolRole.SNAPSHOTS, list_pools(connection))


def snapshots_of(connection: HostConnection, realm: Realm, uuid: str | None = None) -> tuple[Snapshot, ...]:
    """Return the snapshots of a VM, or of all VMs, the oldest first, incomplete ones too. Raises DriverError."""
    return list_snapshots(connection, snapshots_pool(connection, realm), uuid)


def delete_snapshots_of(connection: HostConnection, realm: Realm, uuid: str) -> tuple[Snapshot, ...]:
    """Delete all snapshots of a VM, incomplete ones too; gives those that there were. Raises DriverError."""
    pool = snapshots_pool(connection, realm)
    found = list_snapshots(connection, pool, uuid)
    discard_volumes(connection, pool, [volume for snapshot in found for volume in snapshot.volumes])
    return found


def take_snapshot(
    control: Control,
    at_hand: ResolvedVM,
    name: str,
    *,
    now: float,
    targets: Sequence[str] = (),
    freeze: bool = True,
    deadline: float = DEADLINE,
) -> Snapshot:
    """Copy a VM's disks, or those of some targets, as of one moment. `now` is the time, seconds since the epoch.

    A running VM goes on; where its guest agent answers, its file systems stand still for the moment that is kept.
    Raises UsageError, VMRefused, NoSpace, DriverError, Cancelled; nothing is left behind then.
    """
    vm, host = at_hand.vm, at_hand.host
    check_snapshot_name(name)
    check_supported(host)
    with job_connection(host, deadline) as connection:
        with control.step(StepKind.LOOK, "read its disks", host.name) as step:
            pool = snapshots_pool(connection, at_hand.realm)
            if any(snapshot.name == name for snapshot in list_snapshots(connection, pool, vm.uuid)):
                hint = "choose another name, or delete it with realms vms delete-snapshot"
                raise VMRefused(f"{printable(vm.name)} already has a snapshot {name}", hint=hint)
            disks = read_disk_set(connection, vm.uuid)
            if not disks.active and at_hand.elsewhere:
                raise VMRefused(f"{printable(vm.name)} is off on {host.name}, but runs on {at_hand.elsewhere[0]}")
            copied = disk_volumes(connection, disks.present, targets)
            if disks.active:
                copied = [_as_qemu_sees(connection, vm.uuid, each) for each in copied]
            needed = {each.disk.target: needed_for(connection, each.volume) for each in copied}
            step.detail(f"{', '.join(needed)}: about {show_size(sum(needed.values()))}")
        with control.step(StepKind.LOOK, f"check the free space of {pool}", host.name):
            check_space(connection, {pool: sum(needed.values())})
        snapshot = Snapshot(
            name=name,
            uuid=vm.uuid,
            vm=vm.name,
            realm=at_hand.realm.id,
            host=host.name,
            taken_at=now,
            state=("paused" if vm.state is VMState.PAUSED else "running") if disks.active else "off",
            consistency="off",
            user=current_user(),
            disks=tuple(_described(vm.uuid, name, each) for each in copied),
        )
        work = _Snapshot(control, connection, host, pool=pool, snapshot=snapshot, deadline=deadline)
        if disks.active:
            wanted = freeze and disks.agent_connected and vm.state is not VMState.PAUSED
            snapshot = work.copy_running(disks, copied, freeze=wanted)
        else:
            work.copy_stopped(copied, needed)
        with control.step(StepKind.NOTE, "write its record", host.name) as step:
            when_free(control, step, lambda: write_record(connection, pool, snapshot))
        control.keep()
        found = list_snapshots(connection, pool, vm.uuid)
    return next((each for each in found if each.name == name), snapshot)


def delete_snapshot(
    control: Control, owner: SnapshotOwner, name: str, *, dry_run: bool = False, deadline: float = DEADLINE
) -> Snapshot:
    """Delete a snapshot, also one that is incomplete; a `dry_run` only finds it.

    Raises UsageError, VMRefused, DriverError.
    """
    host = owner.host
    with job_connection(host, deadline) as connection:
        with control.step(StepKind.LOOK, f"look for {name}", host.name):
            pool = snapshots_pool(connection, owner.realm)
            snapshot = find_snapshot(connection, owner.realm, owner.uuid, name)
            if not snapshot.complete and is_copying(connection, owner.uuid):
                raise VMRefused(f"disks of {printable(owner.name)} are being copied", hint="wait until it has finished")
        if dry_run:
            return snapshot
        with control.step(StepKind.DELETE, f"delete {name}", host.name) as step:
            discard_volumes(connection, pool, snapshot.volumes)
            step.detail(show_size(snapshot.allocation))
    return snapshot


def find_snapshot(connection: HostConnection, realm: Realm, uuid: str, name: str) -> Snapshot:
    """Find a snapshot of a VM by its name; raises UsageError where there is none, naming a near one."""
    found = {snapshot.name: snapshot for snapshot in snapshots_of(connection, realm, uuid)}
    check_known("snapshot", name, found)
    return found[name]


def disk_volumes(connection: HostConnection, disks: Sequence[Disk], targets: Sequence[str] = ()) -> list[DiskVolume]:
    """Find the volumes of a VM's disks, or of those of some targets. Raises UsageError, VMRefused, DriverError."""
    written = [disk for disk in disks if disk.is_written]
    for target in targets:
        check_known("disk", target, [disk.target for disk in written])
    chosen = [disk for disk in written if not targets or disk.target in targets]
    if not chosen:
        raise VMRefused("the VM has no disk to copy")
    found = []
    for disk in chosen:
        place = (disk.pool, disk.volume) if disk.volume else volume_of_path(connection, disk.path)
        if place is None:
            message = (
                f"disk {disk.target} is not a volume of an active pool: {printable(disk.path) or 'it has no file'}"
            )
            raise VMRefused(message, hint="choose the disks to copy with --disk")
        if disk.format not in ("raw", "qcow2"):
            raise VMRefused(f"disk {disk.target} is {disk.format}: only raw and qcow2 are copied")
        found.append(DiskVolume(disk, require_volume(connection, *place)))
    return found


def _as_qemu_sees(connection: HostConnection, uuid: str, each: DiskVolume) -> DiskVolume:
    size = size_of(connection, uuid, each.disk.target)
    return replace(each, volume=replace(each.volume, capacity=size))


def _described(uuid: str, name: str, each: DiskVolume) -> CopiedDisk:
    return CopiedDisk(
        target=each.disk.target,
        copy=copy_name(uuid, name, each.disk.target),
        pool=each.volume.pool,
        volume=each.volume.name,
        format=each.disk.format,
        capacity=each.volume.capacity,
    )


class _Snapshot:
    """A snapshot being taken, and what undoes it: always by a connection of its own, as the first may be lost."""

    def __init__(
        self,
        control: Control,
        connection: HostConnection,
        host: Host,
        *,
        pool: str,
        snapshot: Snapshot,
        deadline: float,
    ) -> None:
        self._control = control
        self._connection = connection
        self._host = host
        self._pool = pool
        self._snapshot = snapshot
        self._deadline = deadline

    def copy_running(self, disks: DiskSet, copied: Sequence[DiskVolume], *, freeze: bool) -> Snapshot:
        """Have QEMU copy the disks as of one moment; gives the snapshot with how consistent it is."""
        uuid, paths = self._snapshot.uuid, {}
        with self._control.step(StepKind.CREATE, "free space for the copies", self._host.name) as step:
            for each, described in zip(copied, self._snapshot.disks, strict=True):
                new = NewVolume(name=described.copy, capacity=each.volume.capacity)
                make = partial(create_volume, self._connection, self._pool, new)
                with self._undone(described.copy):
                    paths[each.disk.target] = when_free(self._control, step, make).path
        self._control.on_failure("stop the copying", self._stop, self._host.name)
        with self._control.step(StepKind.COPY, "freeze the guest", self._host.name) as step:
            with frozen(self._connection, uuid, wanted=freeze) as held:
                begin_copies(self._connection, uuid, disks.present, paths)
            how = "the guest's file systems were frozen" if held else "crash-consistent: no guest agent froze it"
            step.detail(how)
        with self._control.step(StepKind.COPY, f"copy {', '.join(paths)}", self._host.name) as step:
            while (job := copies_progress(self._connection, uuid)).running:
                step.progress(job.done, job.total)
                self._control.wait(_LOOK_EVERY)
            step.progress(job.total, job.total)
        return replace(self._snapshot, consistency="filesystem" if held else "crash")

    def copy_stopped(self, copied: Sequence[DiskVolume], needed: dict[str, int]) -> None:
        """Have the host copy the disks, one after the other; QEMU's locks keep the VM from being started meanwhile."""
        for each in copied:
            if each.disk.format == "raw" and each.volume.format != "raw":
                message = (
                    f"disk {each.disk.target} is raw, but has the header of {each.volume.format or 'another format'}"
                )
                hint = "libvirt would interpret that content: take the snapshot while the VM runs"
                raise VMRefused(message, hint=hint)
        for each, described in zip(copied, self._snapshot.disks, strict=True):
            with self._undone(described.copy):
                copy_watched(
                    self._control,
                    self._connection,
                    self._host,
                    each.volume,
                    pool=self._pool,
                    name=described.copy,
                    form="qcow2",
                    needed=needed[each.disk.target],
                    what=f"copy {each.disk.target}",
                    deadline=self._deadline,
                )
        if read_disk_set(self._connection, self._snapshot.uuid).active:
            raise DriverError(self._host.name, "the VM was started while its disks were copied: the copy is unusable")

    @contextlib.contextmanager
    def _undone(self, name: str) -> Iterator[None]:
        """Have a volume deleted, if a later step fails, that is made in the block; never one that someone else made."""

        def undo() -> None:
            with job_connection(self._host, self._deadline) as connection:
                delete_known(connection, self._pool, name)

        try:
            yield
        except VolumeExists:
            raise
        except CopyGoesOn as error:
            delete = shell_command("realms vms delete-snapshot", self._snapshot.uuid, self._snapshot.name)
            self._control.warn(
                f"{self._snapshot.name} is listed as incomplete until its host has finished; if it stays so: {delete}"
            )
            error.delete_when_copied()
            raise
        except RealmsError:
            self._control.on_failure(f"delete {name}", undo, self._host.name)
            raise
        self._control.on_failure(f"delete {name}", undo, self._host.name)

    def _stop(self) -> None:
        with job_connection(self._host, self._deadline) as connection:
            until = time.monotonic() + _STOPPING
            stop_copies(connection, self._snapshot.uuid)
            while is_copying(connection, self._snapshot.uuid):
                if time.monotonic() >= until:
                    raise DriverError(self._host.name, f"QEMU still copies after {_STOPPING:g} s")
                time.sleep(_LOOK_EVERY)  # libvirt has said yes, and ends the job in its own time
