"""A VM deleted: its domain, and its volumes and snapshots only where that was asked for (specification, section 9)."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.storage.paths import unlisted_volume, volume_of_path, why_unlisted
from core.driver.storage.volumes import Volume, discard_volume, find_volume, list_volumes
from core.driver.vms.domain_control import is_active, remove_domain, require_domain
from core.driver.vms.snapshots import Snapshot
from core.errors import DriverError, RealmsError
from core.hosts import Host
from core.operations.hosts.access import QUICK_SECONDS, HostAccess, run_in_lane
from core.operations.session import Session
from core.operations.storage.policy import Allow, VolumeUses, ask_who_uses, ensure_unused
from core.operations.storage.users import unknown_realms
from core.operations.tasks.journal import Journal, JournalEntry, Operation, Record
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.restore_disks import reserve_alone
from core.operations.vms.saved import refuse_saved
from core.operations.vms.snapshots import delete_snapshots_of, snapshots_of, snapshots_pool
from core.operations.vms.target import Target
from core.realms import Realm
from core.reservations import Reservation
from core.units import show_size

RECOVER_UNASKED = "realms vms recover --unasked"
"""What deletes the volumes of an operation that was left behind although a host can't be asked."""


class VMActive(RealmsError):
    """The VM runs, and was not to be turned off."""

    code = ErrorCode.VM_ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What goes with a VM, besides its definition."""

    volumes: bool = False
    drives: bool = False
    snapshots: bool = False
    unasked: bool = False
    """Also where a host can't be asked who uses them."""

    @property
    def takes_anything(self) -> bool:
        """Whether anything goes besides the definition."""
        return self.volumes or self.drives or self.snapshots


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A disk in the folder of a pool that can't be deleted as a volume of it: the pool is inactive, or it is gone."""

    pool: str
    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class OwnVolumes:
    """The volumes of a VM: in the volumes pool (its boot volume), in the drives pool, and paths of other files."""

    boot: tuple[Volume, ...] = ()
    drives: tuple[Volume, ...] = ()
    others: tuple[str, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()
    """What lies in the folders of these pools, and is in none of their lists."""
    snapshots: tuple[Snapshot, ...] = ()
    """Its snapshots, incomplete ones too."""
    copies: tuple[Volume, ...] = ()
    """The volumes of its snapshots: their records first, so that what is left of one is known to be incomplete."""
    unseen: str = ""
    """Why its snapshots could not be looked for; empty where they were."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted of a VM, and what of it stays."""

    target: Target
    volumes: tuple[str, ...]
    """Deleted volumes, as POOL/NAME."""
    kept: tuple[str, ...]
    """Volumes that stay, as POOL/NAME, and paths of other files."""
    snapshots: tuple[str, ...] = ()
    """Names of the snapshots that were deleted."""
    kept_snapshots: tuple[str, ...] = ()
    """Names of the snapshots that stay: they are found by the VM's UUID, and can be deleted by it."""

    @property
    def stays(self) -> tuple[str, ...]:
        """What stays, in words: volumes, other files, snapshots."""
        return (*self.kept, *(f"snapshot {name} of {self.target.vm.uuid}" for name in self.kept_snapshots))


def volumes_of(session: Session, target: Target) -> OwnVolumes:
    """Find the volumes that a VM's disks are. Raises DriverError."""
    with HostAccess(session, target.host) as access:
        return access.via_own_connection(lambda connection: own_volumes(connection, target.vm.uuid, target.realm))


def own_volumes(connection: HostConnection, uuid: str, realm: Realm) -> OwnVolumes:
    """Find the volumes that a domain's disks are on a host. Raises DriverError."""
    boot, drives, others, unlisted = [], [], [], []
    for path in require_domain(connection, uuid).disks:
        place = volume_of_path(connection, path)
        volume = find_volume(connection, *place) if place is not None else None
        pools = (realm.volumes_pool, realm.drives_pool) if volume is None else ()
        if pool := next((pool for pool in pools if unlisted_volume(connection, pool, path)), ""):
            unlisted.append(Unlisted(pool, path, why_unlisted(connection, pool)))
        elif volume is None or volume.pool not in (realm.volumes_pool, realm.drives_pool):
            others.append(path)
        elif volume.pool == realm.volumes_pool:
            boot.append(volume)
        else:
            drives.append(volume)
    snapshots, copies, unseen = _own_snapshots(connection, uuid, realm)
    return OwnVolumes(tuple(boot), tuple(drives), tuple(others), tuple(unlisted), snapshots, copies, unseen)


def _own_snapshots(
    connection: HostConnection, uuid: str, realm: Realm
) -> tuple[tuple[Snapshot, ...], tuple[Volume, ...], str]:
    """Find a VM's snapshots and their volumes; the third says why not, where their pool can't be looked into."""
    try:
        snapshots = snapshots_of(connection, realm, uuid)
        names = {name for snapshot in snapshots for name in snapshot.volumes}
        present = list_volumes(connection, snapshots_pool(connection, realm)) if names else ()
    except DriverError as error:
        if not connection.is_alive():
            raise
        return (), (), error.message
    copies = (volume for volume in present if volume.name in names)
    return snapshots, tuple(sorted(copies, key=lambda volume: not volume.name.endswith(".snapshot"))), ""


def delete_vm(
    session: Session,
    control: Control,
    target: Target,
    *,
    volumes: bool = False,
    drives: bool = False,
    snapshots: bool | None = None,
    force: bool = False,
    unasked: bool = False,
    dry_run: bool = False,
    patience: float = QUICK_SECONDS,
) -> Deleted:
    """Delete a VM that is off; with `volumes` its boot volume too, with `drives` its drives.

    Its snapshots go with its boot volume, unless `snapshots` says otherwise.

    `force` turns it off first. `unasked` deletes volumes although a host can't be asked who uses them, also because it
    is disabled; never what another VM is known to use. A `dry_run` ends when all has been asked and nothing was done,
    and gives what would be deleted. Hosts have `patience` seconds to say what they use. Raises VMActive, VolumeInUse,
    VolumeUseUnknown, DriverError, Cancelled. What was begun is not undone: the journal has what is left to delete, and
    `realms vms recover` goes on with it.
    """
    registry = session.require_writable()
    host, vm = target.host, target.vm
    _refuse_at_work(registry.reservations(), target)
    if run_in_lane(session, host.name, lambda connection: is_active(connection, vm.uuid)) and not force:
        raise VMActive(f"{target.name} is active", hint="shut it down first, or use --force to turn it off")
    if not force:
        why = "deleting the VM loses it; --force deletes both"
        run_in_lane(session, host.name, lambda connection: refuse_saved(connection, vm.uuid, target.name, why))
    found = volumes_of(session, target)
    snapshots = volumes if snapshots is None else snapshots
    if found.unseen:
        control.warn(f"cannot list the snapshots of {target.name}: {found.unseen}")
    for lost in found.unlisted:
        if (volumes and lost.pool == target.realm.volumes_pool) or (drives and lost.pool == target.realm.drives_pool):
            hint = "nothing was deleted; activate the pool or restore the file, or keep what can't be deleted: "
            raise DriverError(host.name, f"cannot delete {lost}", hint=f"{hint}without --volumes and --drives")
    own = (*(found.boot if volumes else ()), *(found.drives if drives else ()))
    stay = (*(() if volumes else found.boot), *(() if drives else found.drives))
    doomed = (*own, *(found.copies if snapshots else ()))
    if doomed:
        refuse_used(session, control, host, target.realm, doomed, but=vm.uuid, unasked=unasked, patience=patience)
    names = tuple(snapshot.name for snapshot in found.snapshots)
    deleted = Deleted(
        target,
        tuple(f"{volume.pool}/{volume.name}" for volume in own),
        (*(f"{volume.pool}/{volume.name}" for volume in stay), *found.others, *map(str, found.unlisted)),
        snapshots=names if snapshots else (),
        kept_snapshots=() if snapshots else names,
    )
    if dry_run:
        return deleted
    entry = Journal(registry.path, session.clock).begin(
        Operation.DELETE,
        vm=vm.name,
        uuid=vm.uuid,
        realm=target.realm.id,
        host=host.name,
        volumes=[{"pool": volume.pool, "volume": volume.name} for volume in doomed],
    )
    with _alone(session, target, entry, force=force), entry.kept_on_failure():
        remove(session, control, host, vm.uuid, vm.name)
        entry.step("volumes", host=host.name)
        delete_volumes(session, control, host, [(volume.pool, volume.name) for volume in own])
        if snapshots and found.snapshots:
            _delete_snapshots(session, control, target, len(found.snapshots))
    return deleted


@contextlib.contextmanager
def _alone(session: Session, target: Target, entry: JournalEntry, *, force: bool) -> Iterator[None]:
    """Keep the VM for its deletion, and see that nobody has started it while the hosts were asked."""
    with contextlib.ExitStack() as held:
        try:
            promise = reserve_alone(session, target.vm.name, target.vm.uuid, target.host.name, entry.owner)
            held.callback(promise.release)
            if not force:
                _refuse_started(session, target)
        except BaseException:
            entry.close()
            raise
        yield


def _refuse_started(session: Session, target: Target) -> None:
    if run_in_lane(session, target.host.name, lambda connection: is_active(connection, target.vm.uuid)):
        raise VMActive(f"{target.name} was started meanwhile", hint="nothing was deleted")


def _delete_snapshots(session: Session, control: Control, target: Target, count: int) -> None:
    with HostAccess(session, target.host) as access:
        what = "its snapshot" if count == 1 else f"its {count} snapshots"
        with control.step(StepKind.DELETE, f"delete {what}", target.host.name) as step:
            gone = access.via_own_connection(
                lambda connection: delete_snapshots_of(connection, target.realm, target.vm.uuid)
            )
            size = show_size(sum(snapshot.allocation for snapshot in gone))
            step.detail(f"{', '.join(snapshot.name for snapshot in gone)}: {size}")


def remove(session: Session, control: Control, host: Host, uuid: str, name: str) -> None:
    """Remove a domain, running or not, if it is there. Raises DriverError."""
    with control.step(StepKind.UNDEFINE, f"remove {name}", host.name, vm=name):
        run_in_lane(session, host.name, lambda connection: remove_domain(connection, uuid))


def delete_volumes(session: Session, control: Control, host: Host, volumes: Sequence[tuple[str, str]]) -> None:
    """Delete volumes, given as pool and name, that are there. Raises DriverError."""
    if not volumes:
        return
    with HostAccess(session, host) as access:
        for pool, name in volumes:
            with control.step(StepKind.DELETE, f"delete {pool}/{name}", host.name):
                access.via_own_connection(partial(discard_volume, pool=pool, name=name))


def uses_of(
    session: Session,
    control: Control,
    by: Host,
    realm: Realm,
    volumes: Sequence[Volume],
    *,
    but: str,
    patience: float = QUICK_SECONDS,
) -> VolumeUses:
    """Ask every host which VMs, running or off, have one of these volumes, and look for overlays of them.

    `but` is the VM on the host `by` that they are deleted for: where another host has one of the same UUID, someone has
    moved it there, and it may run there. A disabled host can't be asked: its VMs go on running. Hosts of other realms
    are asked too, as their pools may lie on the same storage; silent ones count only where that is seen on another.
    """
    hosts = [snapshot.host for snapshot in session.fleet().hosts if snapshot.host.realm == realm.id]
    uses = ask_who_uses(
        session, control, realm, hosts, volumes,
        deadline=patience, but=(by.name, but), overlays_by=by.name, overlays_far=True,
    )  # fmt: skip
    if remark := unknown_realms(uses.facts):
        control.warn(remark)
    return uses


def refuse_used(
    session: Session,
    control: Control,
    by: Host,
    realm: Realm,
    volumes: Sequence[Volume],
    *,
    but: str,
    unasked: bool = False,
    how: str = "--unasked",
    patience: float = QUICK_SECONDS,
) -> None:
    """Raise VolumeInUse where a VM, running or off, has one of these volumes, or an overlay, as `uses_of` tells.

    Where their use is unknown, raise VolumeUseUnknown, unless they may go `unasked`; `how` says what allows that.
    """
    uses = uses_of(session, control, by, realm, volumes, but=but, patience=patience)
    passed = ensure_unused(
        uses.found,
        uses.unasked,
        Allow(possible=unasked, unasked=unasked),
        hint="nothing was deleted; without --volumes the volumes stay",
        unknown_hint=f"nothing was deleted; override with {how}",
    )
    if passed:
        control.warn(f"deleted anyway; {'; '.join(passed)}")


def realm_to_ask(session: Session, record: Record, host: Host) -> Realm:
    """Return the realm whose hosts may use what an operation left on a host: its own, or the host's where that is gone.

    Raises DriverError where neither is configured: nobody could be asked.
    """
    realms = session.configuration.realms
    realm = realms.get(record.realm) or realms.get(host.realm)
    if realm is None:
        message = f"realm {record.realm} of {record.vm} is not configured: cannot verify who uses its volumes"
        raise DriverError(host.name, message, hint="nothing was deleted; configure the realm again")
    return realm


def _refuse_at_work(reservations: Iterable[Reservation], target: Target) -> None:
    for reservation in reservations:
        if reservation.uuid == target.vm.uuid and reservation.owner:
            message = f"{target.name} is locked by {reservation.owner}"
            raise VMActive(message, hint="wait until it has finished")
