"""Drives attached to VMs and detached from them, running or off (specification, section 9)."""

import contextlib
import os
import posixpath
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.storage.pool_setup import look_up_pool
from core.driver.storage.pools import list_pools
from core.driver.storage.volume_bytes import read_head
from core.driver.storage.volumes import Volume, discard_volume, list_volumes
from core.driver.vms.disk_devices import (
    MOST_TARGETS,
    Disk,
    DiskSet,
    NewDisk,
    ask_to_release,
    attach_disk,
    forget_disk,
    read_disk_set,
)
from core.errors import Cancelled, DriverError, RealmsError, UsageError
from core.operations.hosts.access import HostAccess
from core.operations.selection import check_known
from core.operations.session import Session
from core.operations.storage.image_file import ImageRefused, examine
from core.operations.storage.images import create_drive
from core.operations.storage.pool_report import PoolRole, pool_name
from core.operations.storage.usage import INCOMPLETE
from core.operations.tasks.journal import Journal, Operation, StillAtWork
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.drive_claims import claim_drives, refuse_drives_in_use
from core.operations.vms.lookup import ResolvedVM
from core.operations.vms.saved import refuse_saved
from core.text import printable

DEADLINE = 30.0
"""Seconds that connecting to a host may take."""

PATIENCE = 60.0
"""Seconds that a guest has to release a drive by default."""

_LOOK_EVERY = 0.5
_HEAD = 64 * 1024
_RAW_ENDINGS = (".raw", ".img")


class DriveRefused(RealmsError):
    """A drive can't be attached, or not be told apart from what is no drive; nothing was changed."""

    code = ErrorCode.DRIVE_REFUSED


class GuestHolds(DriverError):
    """The guest has not released a drive; it was asked to, and may still do so."""

    code = ErrorCode.GUEST_HOLDS_DRIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedDrive:
    """A drive of a VM. `running` and `stored` say which of its definitions were changed."""

    drive: str
    pool: str
    path: str
    target: str
    format: str
    running: bool
    stored: bool


def attach_drive(
    session: Session,
    control: Control,
    at_hand: ResolvedVM,
    drive: str,
    *,
    target: str | None = None,
    format: str | None = None,  # noqa: A002 - QEMU's word
    force: bool = False,
    deadline: float = DEADLINE,
) -> AttachedDrive:
    """Attach a drive of the realm's drives pool to a VM: at once where it runs, and for all its starts.

    Refused where another active VM has the drive, always; and unless forced where a host that might run one can't be
    asked.
    Programs that share a registry claim a drive first, so that two never give the same one away. Raises UsageError,
    DriveRefused, VolumeInUse, VolumeUseUnknown, DriverError, Cancelled; nothing is changed then.
    """
    vm, host = at_hand.vm, at_hand.host
    with HostAccess(session, host, deadline) as access:
        with control.step(StepKind.LOOK, f"look for {drive}", host.name) as step:
            volume = access.via_own_connection(lambda connection: _find_drive(connection, at_hand, drive))
            form = access.via_own_connection(lambda connection: drive_format(connection, volume, format))
            disks = access.via_own_connection(lambda connection: read_disk_set(connection, vm.uuid))
            access.via_own_connection(lambda connection: _refuse_saved(connection, at_hand))
            _check_not_there(at_hand, disks, volume)
            chosen = _free_target(disks, target)
            step.detail(f"{form}, the next free target is {chosen}")
        with _claimed(session, at_hand, drive):
            refuse_drives_in_use(
                session, control, at_hand.realm, at_hand.hosts, (volume,),
                but=(host.name, vm.uuid), force=force, deadline=deadline,
            )  # fmt: skip
            with control.step(StepKind.ATTACH, f"attach {drive} as {chosen}", host.name) as step:
                drives = at_hand.realm.drives
                new = NewDisk(
                    target=chosen, path=volume.path, format=form, cache=drives.cache, discard=drives.lazy_allocation
                )
                access.via_own_connection(lambda connection: attach_disk(connection, vm.uuid, new))
                after = access.via_own_connection(lambda connection: read_disk_set(connection, vm.uuid))
                attached = AttachedDrive(
                    drive=drive,
                    pool=volume.pool,
                    path=volume.path,
                    target=chosen,
                    format=form,
                    running=after.active and _has(after.present, chosen),
                    stored=_has(after.stored, chosen),
                )
                step.detail(_reach(attached, active=after.active))
    return attached


def _refuse_saved(connection: HostConnection, at_hand: ResolvedVM) -> None:
    why = "its next start has the disks that it was saved with"
    refuse_saved(connection, at_hand.vm.uuid, at_hand.target.name, why)


@contextlib.contextmanager
def _claimed(session: Session, at_hand: ResolvedVM, drive: str) -> Iterator[None]:
    """Return in the journal that this drive is being given to this VM, for as long as the block lasts."""
    registry = session.require_writable()
    journal = Journal(registry.path, session.clock)
    for record in journal.left_behind():  # a claim of a killed process holds nothing, and leaves nothing to be undone
        if record.operation == Operation.ATTACH_DRIVE:
            with contextlib.suppress(StillAtWork), journal.taking_over(record.id) as left:
                left.close()
    vm, realm = at_hand.vm, at_hand.realm
    entry = journal.begin(Operation.ATTACH_DRIVE, vm=vm.name, uuid=vm.uuid, realm=realm.id, host=at_hand.host.name)
    try:
        registry.change(lambda _: claim_drives(journal, entry, realm, [drive]))
        yield
    finally:
        entry.close()


def make_drive(session: Session, control: Control, at_hand: ResolvedVM, name: str, size: int) -> None:
    """Create an empty drive (bytes) on a VM's host; where a later step of the task fails it is deleted again."""

    def discard() -> None:
        with HostAccess(session, at_hand.host) as access:
            access.via_own_connection(
                lambda connection: discard_volume(connection, _drives_pool(connection, at_hand), name)
            )

    create_drive(control, at_hand.realm, [at_hand.host], name, size=size)
    control.on_failure(f"delete drive {name}", discard, at_hand.host.name)


def detach_drive(
    session: Session,
    control: Control,
    at_hand: ResolvedVM,
    drive: str,
    *,
    patience: float = PATIENCE,
    deadline: float = DEADLINE,
) -> AttachedDrive:
    """Detach a drive, named by its volume or by its target, from a VM; the drive itself stays.

    A running guest is asked to release it first, and has `patience` seconds; the stored definition is changed only
    when it has. Raises UsageError, DriveRefused, GuestHolds, DriverError, Cancelled.
    """
    vm, host = at_hand.vm, at_hand.host
    with HostAccess(session, host, deadline) as access:
        with control.step(StepKind.LOOK, f"look for {drive}", host.name) as step:
            pool = access.via_own_connection(lambda connection: _drives_pool(connection, at_hand))
            folder = access.via_own_connection(lambda connection: look_up_pool(connection, pool)).path
            disks = access.via_own_connection(lambda connection: read_disk_set(connection, vm.uuid))
            access.via_own_connection(lambda connection: _refuse_saved(connection, at_hand))
            disk = _attached(at_hand, disks, drive, pool, folder)
            step.detail(disk.target)
        running = disks.active and _has(disks.present, disk.target)
        stored = _has(disks.stored, disk.target)
        if running:
            running = _wait_for_guest(session, control, access, at_hand, disk, patience=patience)
        if stored:
            with control.step(StepKind.DETACH, f"remove {disk.target} from the stored definition", host.name):
                access.via_own_connection(lambda connection: forget_disk(connection, vm.uuid, disk.target))
    return AttachedDrive(
        drive=disk.volume or posixpath.basename(disk.path),
        pool=pool,
        path=disk.path,
        target=disk.target,
        format=disk.format,
        running=running,
        stored=stored,
    )


def _wait_for_guest(
    session: Session, control: Control, access: HostAccess, at_hand: ResolvedVM, disk: Disk, *, patience: float
) -> bool:
    """Ask the guest to release it, and wait until it has; False where the host can't ask running VMs at all."""
    name, uuid = printable(at_hand.vm.name), at_hand.vm.uuid
    monotonic = session.clock.monotonic
    with control.step(StepKind.DETACH, f"ask the guest to release {disk.target}", at_hand.host.name) as step:
        if not access.via_own_connection(lambda connection: ask_to_release(connection, uuid, disk.target)):
            step.detail("this host cannot detach from a running VM: takes effect at the next start")
            return False
        began = monotonic()
        try:
            while access.via_own_connection(lambda connection: _is_held(connection, uuid, disk.target)):
                waited = monotonic() - began
                if waited >= patience:
                    message = f"{name} has not released {disk.target} within {patience:g} s"
                    hint = (
                        "the request is pending and may still succeed: detach it again later or when the VM is "
                        "off; until then the stored definition keeps the drive"
                    )
                    raise GuestHolds(at_hand.host.name, message, hint=hint)
                step.progress(waited, patience, "seconds")
                control.wait(_LOOK_EVERY)
        except Cancelled:
            control.warn(f"{name} was asked to release {disk.target} and may still do so")
            raise
    return True


def _is_held(connection: HostConnection, uuid: str, target: str) -> bool:
    now = read_disk_set(connection, uuid)
    return now.active and _has(now.present, target)


def _has(disks: tuple[Disk, ...], target: str) -> bool:
    return any(disk.target == target for disk in disks)


def _reach(attached: AttachedDrive, *, active: bool) -> str:
    if attached.running:
        return "now and at every start" if attached.stored else "now; the VM is transient"
    return "at the next start: this host cannot attach to a running VM" if active else "with its next start"


def _drives_pool(connection: HostConnection, at_hand: ResolvedVM) -> str:
    return pool_name(at_hand.realm, PoolRole.DRIVES, list_pools(connection))


def _find_drive(connection: HostConnection, at_hand: ResolvedVM, drive: str) -> Volume:
    pool = _drives_pool(connection, at_hand)
    volumes = {volume.name: volume for volume in list_volumes(connection, pool)}
    if drive + INCOMPLETE in volumes:
        raise DriveRefused(f"drive {printable(drive)} is being created or incomplete")
    check_known("drive", drive, [name for name in volumes if not name.endswith(INCOMPLETE)])
    return volumes[drive]


def drive_format(connection: HostConnection, volume: Volume, wanted: str | None) -> str:
    """Return whether a drive is raw or qcow2, by its name and by what is in it. Raises DriveRefused, DriverError.

    A guest writes all of a raw drive, its first bytes too, and could make it look like an overlay of any file of the
    host: so what looks like qcow2 is taken for it only where it stands alone.
    """
    name = printable(volume.name)
    if wanted == "raw" or (wanted is None and volume.name.endswith(_RAW_ENDINGS)):
        return "raw"
    if volume.format == "qcow2":
        _check_stands_alone(connection, volume)
        return "qcow2"
    if volume.format == "raw" and wanted is None and not volume.name.endswith(".qcow2"):
        return "raw"
    if wanted == "qcow2" or volume.name.endswith(".qcow2"):
        raise DriveRefused(f"drive {name} is not qcow2: libvirt detects {volume.format or 'no format'}")
    message = f"drive {name} is neither raw nor qcow2: libvirt detects {volume.format or 'no format'}"
    raise DriveRefused(message, hint="use --format raw to attach its bytes unchanged")


def _check_stands_alone(connection: HostConnection, volume: Volume) -> None:
    head = read_head(connection, volume.pool, volume.name, _HEAD)
    if head is None:  # the embedded driver has nothing that could be opened
        return
    with tempfile.TemporaryFile() as file:
        file.write(head)
        file.flush()
        os.ftruncate(file.fileno(), max(len(head), 1 << 40))  # a hole in the place of what was not read
        try:
            examine(file, f"drive {volume.name}")
        except ImageRefused as error:
            hint = "use --format raw to attach its bytes unchanged"
            raise DriveRefused(error.message, hint=hint) from error


def _check_not_there(at_hand: ResolvedVM, disks: DiskSet, volume: Volume) -> None:
    for disk in (*disks.present, *disks.stored):
        if disk.path == volume.path or (disk.pool, disk.volume) == (volume.pool, volume.name):
            message = f"{printable(at_hand.vm.name)} already has drive {printable(volume.name)} as {disk.target}"
            raise DriveRefused(message)


def _free_target(disks: DiskSet, wanted: str | None) -> str:
    if wanted is None:
        if len(disks.present) + len(disks.stored) >= MOST_TARGETS:
            raise DriveRefused("the VM has no free target for another disk")
        return disks.next_target()
    if not (wanted.isascii() and wanted.isalpha() and wanted.islower() and wanted.startswith("vd") and len(wanted) < 5):
        raise UsageError(f"{wanted!r} is not a valid target", hint="use vda to vdz or vdaa to vdzz")
    taken = disks.find(wanted)
    if taken is not None:
        what = printable(taken.volume or taken.path or taken.device)
        raise DriveRefused(f"{wanted} is taken by {what}", hint=f"the next free target is {disks.next_target()}")
    return wanted


def _attached(at_hand: ResolvedVM, disks: DiskSet, drive: str, pool: str, folder: str) -> Disk:
    """Find the disk that a drive's name or a target means. Raises DriveRefused, UsageError."""
    everything = (*disks.present, *disks.stored)
    drives = [disk for disk in everything if disk.pool == pool or posixpath.dirname(disk.path) == folder.rstrip("/")]
    for disk in drives:
        if drive in (disk.volume, posixpath.basename(disk.path)):
            return disk
    found, name = disks.find(drive), printable(at_hand.vm.name)
    if found in drives:
        return found
    if found is not None:
        message = f"{drive} of {name} is not a drive: it is not in the drives pool"
        raise DriveRefused(message, hint="only drives can be detached")
    check_known(f"drive of {name}:", drive, [disk.volume or posixpath.basename(disk.path) for disk in drives])
    raise UsageError(f"{name} has no drive {drive!r}")
