"""A VM created: placed, reserved, its volumes made, defined, started, and waited for (specification, sections 8, 9)."""

import uuid as uuids
from dataclasses import dataclass, replace

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.storage.volume_bytes import delete_known
from core.driver.storage.volumes import NewVolume, Volume, copy_volume, create_volume, require_volume, volume_names
from core.driver.vms.domain_build import Domain, DomainDisk, domain_xml
from core.driver.vms.domain_control import has_network_filter, remove_domain, stop_domain
from core.driver.vms.domain_kind import Virtualization, choose_kind
from core.driver.xml.metadata import RealmMark
from core.errors import DriverError, RealmsError, UsageError
from core.fleet.fleet import Fleet
from core.hosts import Host
from core.operations.hosts.access import QUICK_SECONDS, HostAccess
from core.operations.scheduling.reserve import ReservationRequest, Reserved, reserve_host
from core.operations.session import Session
from core.operations.storage.usage import INCOMPLETE
from core.operations.storage.volume_copy import CopyGoesOn, copy_watched, needed_for
from core.operations.tasks.journal import Journal, Operation
from core.operations.tasks.rollback import Rollback
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.cleanup import settle_vm
from core.operations.vms.deferred_cleanup import recover_when_copied
from core.operations.vms.devices import typed_devices
from core.operations.vms.drive_claims import claim_drives, refuse_drives_in_use
from core.operations.vms.guest_registration import NotRegistered, Registered, await_active, wait_for_registration
from core.operations.vms.spec import ExistingDrive, NewDrive, Order, check_order
from core.placement.engine.verdicts import Placement, Placements
from core.realms import Realm
from core.registry.transactions import Transaction
from core.text import nearest, printable, shell_command
from core.units import show_size

SETTLE_SECONDS = 10.0
"""Seconds to wait for hosts that have not answered yet, before the VM is placed on those that have."""

SEEN_SECONDS = 30.0
"""Seconds to wait until the host's snapshot shows a VM that was started."""


class NameTaken(RealmsError):
    """The realm has a VM of that name, or one is being made."""

    code = ErrorCode.NAME_TAKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A VM that was created. `registered` is None where it was not waited for."""

    name: str
    uuid: str
    realm: str
    placement: Placement
    placements: Placements
    boot_volume: str
    drives: tuple[str, ...]
    registered: Registered | None


def create_vm(session: Session, control: Control, order: Order, *, settle: float = SETTLE_SECONDS) -> Created:
    """Create a VM and wait until it has registered.

    Hosts have `settle` seconds to answer, and as many again to say who has the drives. Raises UsageError, NameTaken,
    VolumeInUse, VolumeUseUnknown, NoRoom, NotRegistered, DriverError, Cancelled; what was done is undone then, except
    that `order.keep` keeps a VM that did not register.
    """
    registry = session.require_writable()
    realm = session.configuration.realms[order.realm]
    check_order(order, realm)
    with control.step(StepKind.LOOK, "query the hosts") as step:
        fleet = session.settled_fleet(settle)
        step.detail(f"{fleet.hosts_answering} of {fleet.hosts_total} answer")
    _refuse_name(order, fleet)
    uuid = str(uuids.uuid4())
    entry = Journal(registry.path, session.clock).begin(
        Operation.CREATE, vm=order.name, uuid=uuid, realm=realm.id, brick=order.brick
    )
    try:
        with Rollback(control, entry, order.name) as rollback:
            return _Creation(session, rollback, order, realm, uuid, patience=settle).run()
    except CopyGoesOn as error:
        recover_when_copied(session, entry.id, order.name, error, settle_vm)
        raise


class _Creation:
    """One VM on its way into being."""

    def __init__(
        self, session: Session, rollback: Rollback, order: Order, realm: Realm, uuid: str, *, patience: float
    ) -> None:
        self._session = session
        self._undoing = rollback
        self._control = rollback.control
        self._order = order
        self._realm = realm
        self._uuid = uuid
        self._patience = patience
        self._kind = ""
        self._mark = RealmMark(realm=realm.id, created_at=session.clock.now(), pending=rollback.entry.owner)

    def run(self) -> Created:
        room = self._take_room()
        host = self._host_of(room)
        access = HostAccess(self._session, host)
        try:
            self._check_filter(access, host)
            disks, drives = self._make_disks(access, host)
            self._define(access, host, room, disks)
            started_at = self._start(access, host, room)
            registered = self._register(access, host, started_at)
        finally:
            access.close()  # undoing opens another where it must: this one may be dead
        room.promise.release_later(self._realm.stale_after)
        return Created(
            name=self._order.name,
            uuid=self._uuid,
            realm=self._realm.id,
            placement=room.placement,
            placements=room.placements,
            boot_volume=self._volume_name(),
            drives=drives,
            registered=registered,
        )

    def _volume_name(self, drive: int | None = None) -> str:
        """Name a volume so that no other VM's can ever have that name, and people see whose it is."""
        part = "" if drive is None else f"-drive{drive}"
        return f"{self._order.name}{part}-{self._uuid[:8]}.qcow2"

    # Room ----------------------------------------------------------------------------------------------------------

    def _take_room(self) -> Reserved:
        order = self._order
        claim = ReservationRequest(
            operation=Operation.CREATE,
            uuid=self._uuid,
            vm=order.name,
            request=order.request(),
            owner=self._undoing.entry.owner,
            host=order.host,
        )
        release = self._session.require_writable().release
        self._undoing.before(
            "reserve",
            "release the reservation",
            lambda: release(self._uuid, self._undoing.entry.owner),
            order.host or "",
        )
        with self._control.step(StepKind.PLACE, f"place {order.name}", vm=order.name) as step:
            room = reserve_host(self._session, claim, self._check)
            if room.warning:
                self._control.warn(room.warning)
            devices = f" with {' '.join(map(str, room.placement.devices))}" if room.placement.devices else ""
            step.detail(f"{room.placement.host}{devices}, at cost {room.placement.cost:g}")
        return room

    def _check(self, fleet: Fleet, changes: Transaction) -> None:
        _refuse_name(self._order, fleet)
        realms = {host.name: host.realm for host in changes.hosts}
        for other in changes.reservations:
            if other.vm == self._order.name and other.uuid != self._uuid and realms.get(other.host) == self._realm.id:
                who = f" by {other.owner}" if other.owner else ""
                raise NameTaken(f"a VM {other.vm} is being created on {other.host}{who}", hint="choose another name")
        existing = [drive.name for drive in self._order.drives if isinstance(drive, ExistingDrive)]
        journal = Journal(self._session.require_writable().path, self._session.clock)
        claim_drives(journal, self._undoing.entry, self._realm, existing)

    def _host_of(self, room: Reserved) -> Host:
        snapshot = self._session.fleet().host(room.placement.host)
        if snapshot is None:
            raise UsageError(f"host {room.placement.host} was removed meanwhile", hint="try again")
        return snapshot.host

    def _check_filter(self, access: HostAccess, host: Host) -> None:
        """Refuse a network filter that the host doesn't have: libvirt would notice when the VM starts."""
        wanted = self._order.filter_in(self._realm)
        if wanted and not access.via_lane(lambda connection: has_network_filter(connection, wanted)):
            name = printable(wanted)
            hint = f"list those of {host.name} with virsh nwfilter-list; or use --network-filter none"
            raise DriverError(host.name, f"unknown network filter {name!r}", hint=hint)

    # Volumes -------------------------------------------------------------------------------------------------------

    def _make_disks(self, access: HostAccess, host: Host) -> tuple[tuple[DomainDisk, ...], tuple[str, ...]]:
        realm, order = self._realm, self._order
        existing = self._existing_drives(access)
        with self._control.step(StepKind.LOOK, f"find brick {order.brick}", host.name) as step:
            brick = access.via_own_connection(lambda connection: find_brick(connection, realm, order.brick))
            step.detail(f"{brick.format}, {show_size(brick.capacity)}")
        self._mark = replace(self._mark, brick=brick.name)
        name = self._volume_name()
        copy = order.full_copy
        what = "copy" if copy else "overlay"
        boot = NewVolume(name=name, capacity=brick.capacity, backing=None if copy else brick)
        volume = self._make(access, realm.volumes_pool, boot, f"{what} {name} of {brick.name}", brick)
        disks = [DomainDisk(path=volume.path)]
        names = []
        for number, drive in enumerate(order.drives, start=1):
            if isinstance(drive, NewDrive):
                full = not realm.drives.lazy_allocation
                new = NewVolume(name=self._volume_name(number), capacity=drive.size, full=full)
                what = f"drive {new.name} of {show_size(drive.size)}"
                found = self._make(access, realm.drives_pool, new, what)
            else:
                found = existing[drive.name]
            names.append(found.name)
            form = "qcow2" if isinstance(drive, NewDrive) else found.format
            settings = realm.drives
            disks.append(
                DomainDisk(path=found.path, format=form, cache=settings.cache, discard=settings.lazy_allocation)
            )
        return tuple(disks), tuple(names)

    def _make(self, access: HostAccess, pool: str, new: NewVolume, what: str, brick: Volume | None = None) -> Volume:
        host = access.host

        def discard() -> None:
            with HostAccess(self._session, host) as again:
                again.via_own_connection(lambda connection: delete_known(connection, pool, new.name))

        self._undoing.before("volume", f"delete {new.name}", discard, host.name, pool=pool, volume=new.name)
        if brick is not None and new.backing is None and not host.uri.startswith("test:"):
            return access.via_own_connection(
                lambda connection: copy_watched(
                    self._control,
                    connection,
                    host,
                    brick,
                    pool=pool,
                    name=new.name,
                    form=new.format,
                    needed=needed_for(connection, brick),
                    what=f"make {what}",
                    deadline=QUICK_SECONDS,
                )
            )
        with self._control.step(StepKind.CREATE, f"make {what}", host.name):
            if brick is not None and new.backing is None:
                return access.via_own_connection(lambda connection: copy_volume(connection, brick, pool, new.name))
            return access.via_own_connection(lambda connection: create_volume(connection, pool, new))

    def _existing_drives(self, access: HostAccess) -> dict[str, Volume]:
        realm, order = self._realm, self._order
        names = [drive.name for drive in order.drives if isinstance(drive, ExistingDrive)]
        found = access.via_own_connection(
            lambda connection: {name: find_drive(connection, realm, name) for name in names}
        )
        hosts = tuple(each.host for each in self._session.fleet().hosts if each.host.realm == realm.id)
        volumes, patience = tuple(found.values()), self._patience
        refuse_drives_in_use(self._session, self._control, realm, hosts, volumes, force=order.force, deadline=patience)
        return found

    # The domain ----------------------------------------------------------------------------------------------------

    def _define(self, access: HostAccess, host: Host, room: Reserved, disks: tuple[DomainDisk, ...]) -> None:
        order, realm, uuid = self._order, self._realm, self._uuid
        kind = access.via_lane(lambda connection: choose_kind(connection, order.virtualization))
        self._kind = kind.type
        profile = self._session.configuration.hardware_profiles.get(host.profile)
        self._mark = replace(self._mark, devices=typed_devices(profile, room.placement))
        domain = Domain(
            name=order.name,
            uuid=uuid,
            vcpus=order.vcpus,
            memory_bytes=order.memory_bytes,
            kind=kind,
            mark=self._mark,
            disks=disks,
            network=realm.network,
            network_filter=order.filter_in(realm),
            devices=room.placement.devices,
        )

        def remove() -> None:
            HostAccess(self._session, host).via_lane(lambda connection: remove_domain(connection, uuid))

        self._undoing.before("define", f"remove {order.name}", remove, host.name)
        with self._control.step(StepKind.DEFINE, f"define {order.name}", host.name, vm=order.name) as step:
            access.via_lane(lambda connection: connection.define(domain_xml(domain)))
            step.detail(f"{kind.type}, UUID {uuid}")

    def _start(self, access: HostAccess, host: Host, room: Reserved) -> float:
        room.promise.check()
        self._undoing.entry.step("start", host=host.name)
        with self._control.step(StepKind.START, f"start {self._order.name}", host.name, vm=self._order.name):
            try:
                access.via_own_connection(lambda connection: connection.start(self._uuid))
            except DriverError as error:
                if self._kind == Virtualization.KVM and error.code is ErrorCode.QEMU_EXITED:
                    error.hint = error.hint or "use --virtualization qemu to run it without KVM (slow)"
                raise
        return self._session.clock.now()

    def _register(self, access: HostAccess, host: Host, started_at: float) -> Registered | None:
        order, uuid = self._order, self._uuid
        registered = None
        if order.wait:
            self._undoing.entry.step("register", host=host.name, keep=order.keep)
            try:
                registered = wait_for_registration(
                    self._session, self._control, self._realm, host.name, uuid, started_at=started_at, what=order.name
                )
            except NotRegistered as error:
                if not order.keep:
                    raise
                with self._control.step(StepKind.STOP, f"stop {order.name}", host.name, vm=order.name):
                    access.via_lane(lambda connection: stop_domain(connection, uuid))
                self._finish(access)
                self._session.require_writable().release(uuid, self._undoing.entry.owner)
                self._undoing.done()
                start = shell_command("realms vms start", order.name, "--no-wait")
                hint = f"run {start}, then realms vms console to see why it doesn't register"
                raise NotRegistered(f"{error.message}; it was stopped and kept", hint=hint) from error
        if not await_active(self._session, self._control, host.name, uuid, after=started_at, seconds=SEEN_SECONDS):
            message = f"{order.name} was started, but {host.name} has not reported it running for {SEEN_SECONDS:g} s"
            raise NotRegistered(message, hint="it may have crashed; on the host see /var/log/libvirt/qemu/")
        self._finish(access)
        return registered

    def _finish(self, access: HostAccess) -> None:
        self._undoing.entry.step("finish", host=access.host.name)
        complete = replace(self._mark, pending="")
        access.via_lane(lambda connection: connection.mark(self._uuid, complete))


def find_brick(connection: HostConnection, realm: Realm, wanted: str) -> Volume:
    """Find a brick by its name, with or without `.qcow2`; raises UsageError, DriverError."""
    names = volume_names(connection, realm.bricks_pool)
    found = next((name for name in (wanted, f"{wanted}.qcow2", f"{wanted}.img") if name in names), None)
    if found is None:
        raise _missing("brick", wanted, realm.bricks_pool, names)
    _refuse_incomplete("brick", found, names)
    return require_volume(connection, realm.bricks_pool, found)


def find_drive(connection: HostConnection, realm: Realm, wanted: str) -> Volume:
    """Find a drive by its name; raises UsageError, DriverError, also for one that is no plain drive."""
    names = volume_names(connection, realm.drives_pool)
    if wanted not in names:
        raise _missing("drive", wanted, realm.drives_pool, names)
    _refuse_incomplete("drive", wanted, names)
    volume = require_volume(connection, realm.drives_pool, wanted)
    if volume.backing_path:
        # A guest writes all of a raw drive, and can make it look like an overlay of a file of the host.
        message = f"drive {printable(wanted)} appears to be an overlay of {printable(volume.backing_path)}"
        raise UsageError(
            message, hint="a drive must not be an overlay, and a guest may have written that header: inspect it first"
        )
    return volume


def _missing(kind: str, wanted: str, pool: str, names: frozenset[str]) -> UsageError:
    stems = {name: name for name in names} | {name.rpartition(".")[0]: name for name in names if "." in name}
    near = nearest(wanted, stems)
    hint = f"did you mean {stems[near]!r}?" if near else f"list them with realms {kind}s list"
    return UsageError(f"no {kind} {printable(wanted)!r} in pool {pool}", hint=printable(hint))


def _refuse_incomplete(kind: str, name: str, names: frozenset[str]) -> None:
    if name + INCOMPLETE in names:
        hint = f"wait until it has finished, or delete it with realms {kind}s delete"
        raise UsageError(f"{kind} {printable(name)} is being created or incomplete", hint=hint)


def _refuse_name(order: Order, fleet: Fleet) -> None:
    for snapshot in fleet.hosts:
        if snapshot.host.realm != order.realm:
            continue
        for vm in snapshot.vms:
            if vm.name == order.name:
                kind = "VM" if vm.managed else "foreign VM"
                raise NameTaken(f"realm {order.realm} has a {kind} {vm.name} on {vm.host}", hint="choose another name")
