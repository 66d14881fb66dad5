"""What hosts are asked before a VM is changed: bricks, drives, disks and snapshots; as jobs, for a thread each.

They are asked only where the answer can be acted on: nothing is sent to the hosts of a saved fleet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from core.driver.connection.connection import HostConnection
from core.driver.storage.pools import list_pools
from core.driver.storage.volumes import Volume, list_volumes
from core.driver.vms.disk_devices import DiskSet, read_disk_set
from core.driver.vms.snapshots import Snapshot
from core.errors import RealmsError
from core.fleet.fleet import Connection
from core.hosts import Host
from core.operations.hosts.access import HostAccess
from core.operations.hosts.fanout import first
from core.operations.hosts.scope import hosts_of
from core.operations.session import Session
from core.operations.storage.host_facts import StorageFacts, ask_hosts
from core.operations.storage.policy import say_doubts, say_in_use, say_reasons
from core.operations.storage.pool_report import PoolRole, pool_name
from core.operations.storage.usage import INCOMPLETE
from core.operations.storage.users import Users, unasked_about, wanted
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.delete import OwnVolumes, uses_of, volumes_of
from core.operations.vms.lookup import ResolvedVM, on_vm
from core.operations.vms.snapshots import snapshots_of
from core.operations.vms.target import Target, targets_now
from core.realms import Realm

T = TypeVar("T")

ANSWER_SECONDS = 20.0
"""Seconds that a host has for its answer."""

MOST_ASKED = 8
"""Hosts that are asked for the same thing at once: the storage is shared, and the first answer is as good as all."""


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes of one of a realm's pools, and the host that told of them."""

    host: str
    pool: str
    volumes: tuple[Volume, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, without those that are being made."""
        listed = {volume.name for volume in self.volumes}
        unfinished = {name.removesuffix(INCOMPLETE) for name in listed if name.endswith(INCOMPLETE)}
        return tuple(
            volume.name
            for volume in self.volumes
            if volume.name not in unfinished and not volume.name.endswith(INCOMPLETE)
        )


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What would go with a VM. What is said to be used can't go; empty where nothing speaks against it."""

    target: Target
    volumes: OwnVolumes
    snapshots: tuple[Snapshot, ...] = ()
    boot_used: str = ""
    drives_used: str = ""
    snapshots_used: str = ""
    trouble: str = ""
    """Why its snapshots are not known; empty where they are."""
    doubt: str = ""
    """Why it is unknown whether other VMs use any of it; empty where all is known."""


@dataclass(frozen=True, slots=True)
class VMDrives:
    """A VM's disks, the drives of its realm, and which VMs have those, as far as hosts could be asked."""

    disks: DiskSet
    pool: str
    drives: tuple[Volume, ...]
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By drive: VMs that have it, as HOST/NAME (running or off)."""
    unasked: str = ""
    """Hosts that could not be asked, and why."""

    def size_of(self, name: str) -> int | None:
        """Return the size of a drive in bytes; None where it is not in the pool."""
        return next((volume.capacity for volume in self.drives if volume.name == name), None)


def realm_volumes(session: Session, realm: Realm, role: PoolRole) -> Callable[[Control], Volumes]:
    """Return the job that lists a realm's pool: several hosts are asked at once, the first answer is taken."""

    def look(connection: HostConnection) -> tuple[str, tuple[Volume, ...]]:
        pool = pool_name(realm, role, list_pools(connection))
        return pool, list_volumes(connection, pool)

    def job(control: Control) -> Volumes:
        session.require_writable()
        hosts = [
            snapshot.host
            for snapshot in session.fleet().hosts
            if snapshot.host.realm == realm.id and snapshot.connection is Connection.CONNECTED
        ]
        if not hosts:
            raise RealmsError(f"no host of realm {realm.id} answers now")
        with control.step(StepKind.LOOK, f"ask for {role.value}"):
            host, (pool, volumes) = first(
                hosts[:MOST_ASKED], lambda host: _ask(session, host, look), check=control.check
            )
        return Volumes(host.name, pool, volumes)

    return job


def _ask(session: Session, host: Host, what: Callable[[HostConnection], T]) -> T:
    with HostAccess(session, host, ANSWER_SECONDS) as access:
        return access.via_own_connection(what)


def doomed(session: Session, names: Sequence[str]) -> Callable[[Control], tuple[DeletionPreview, ...]]:
    """Return the job that finds what would go with VMs, each named as HOST/UUID, and what of it others use."""

    def job(control: Control) -> tuple[DeletionPreview, ...]:
        found = []
        for number, target in enumerate(targets_now(session, names)):
            with control.step(
                StepKind.LOOK, f"read the volumes of {target.vm.name}", target.host.name, vm=target.vm.name
            ) as step:
                step.progress(number, len(names), "VMs")
                found.append(_doomed(session, control, target))
        return tuple(found)

    return job


def _doomed(session: Session, control: Control, target: Target) -> DeletionPreview:
    own = volumes_of(session, target)
    parts, used, doubt = (own.boot, own.drives, own.copies), ("", "", ""), ""
    if every := [volume for part in parts for volume in part]:
        uses = uses_of(session, control, target.host, target.realm, every, but=target.vm.uuid)
        found = iter(uses.found)
        boot, drives, copies = (say_in_use([next(found) for _ in part]) for part in parts)
        used = (boot, drives, copies)
        doubt = say_doubts(uses.found, uses.unasked)
    return DeletionPreview(target, own, own.snapshots, *used, own.unseen, doubt)


@on_vm
def vm_snapshots(session: Session, control: Control, found: ResolvedVM) -> tuple[Snapshot, ...]:
    """List a VM's snapshots, the newest first."""
    with control.step(StepKind.LOOK, f"ask for the snapshots of {found.vm.name}", found.host.name, vm=found.vm.name):
        seen = _ask(session, found.host, lambda connection: snapshots_of(connection, found.realm, found.vm.uuid))
    return tuple(reversed(seen))


@on_vm
def vm_drives(session: Session, control: Control, found: ResolvedVM) -> VMDrives:
    """List a VM's disks and the drives of its realm."""

    def look(connection: HostConnection) -> VMDrives:
        pool = pool_name(found.realm, PoolRole.DRIVES, list_pools(connection))
        return VMDrives(read_disk_set(connection, found.vm.uuid), pool, list_volumes(connection, pool))

    with control.step(StepKind.LOOK, f"ask for the disks of {found.vm.name}", found.host.name, vm=found.vm.name):
        return _ask(session, found.host, look)


def drive_users(session: Session, realm: Realm, known: VMDrives) -> Callable[[Control], VMDrives]:
    """Return the job that adds which VMs have the drives: every host of the realm is asked."""

    def job(control: Control) -> VMDrives:
        facts = ask_hosts(control, realm, hosts_of(session, realm), ANSWER_SECONDS)
        unasked = say_reasons(unasked_about(facts, ()))
        return replace(known, users=dict(_users(facts, known)), unasked=unasked)

    return job


def _users(facts: StorageFacts, known: VMDrives) -> Iterator[tuple[str, tuple[str, ...]]]:
    users = Users(facts)
    for volume in known.drives:
        keeping = (user for user in users.of(wanted(facts, volume)) if user.keeps)
        having = tuple(f"{user.host}/{user.name} ({'running' if user.active else 'off'})" for user in keeping)
        if having:
            yield volume.name, having
