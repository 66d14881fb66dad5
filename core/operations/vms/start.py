"""A VM that is off started again: never twice, its devices placed again by type (specification, sections 8, 9)."""

from collections import Counter

from core.codes import ErrorCode
from core.driver.connection.connection import HostConnection
from core.driver.storage.paths import unlisted_volume, volume_of_path
from core.driver.storage.volumes import Volume, find_volume
from core.driver.vms.domain_control import StoredDomain, is_active, require_domain, stop_domain, with_devices
from core.driver.vms.leases import Lease, leases_of
from core.errors import DriverError, RealmsError
from core.fleet.fleet import VMState
from core.hosts import Host
from core.operations.hosts.access import HostAccess, run_in_lane
from core.operations.hosts.fanout import map_hosts
from core.operations.scheduling.reserve import NoRoom, ReservationRequest, Reserved, reserve_host
from core.operations.session import Session
from core.operations.tasks.journal import Journal, Operation
from core.operations.tasks.rollback import Rollback
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.devices import typed_devices
from core.operations.vms.drive_claims import refuse_drives_in_use
from core.operations.vms.guest_registration import await_active, wait_for_registration
from core.operations.vms.power import SEEN_SECONDS, Done
from core.operations.vms.saved import way_out
from core.operations.vms.target import Target
from core.placement.engine.request import Request

ASK_SECONDS = 15.0
"""Seconds that each of the other hosts has to say whether it runs the VM by default."""


class RunsElsewhere(RealmsError):
    """The VM is active on another host, or one that might run it can't be asked: two would write to one disk."""

    code = ErrorCode.RUNS_ELSEWHERE


def start_vm(
    session: Session,
    control: Control,
    target: Target,
    *,
    force: bool = False,
    wait: bool = True,
    patience: float = ASK_SECONDS,
) -> Done:
    """Start a VM that is off and wait until it has registered; past the realm's timeout it is stopped again.

    Nothing is ever removed. `force` starts it although a host that might run it, or a VM that has its drives, can't be
    asked; never while it is seen active elsewhere, or its drives are seen in use. Other hosts have `patience` seconds
    to say so. Raises RunsElsewhere, NoRoom, NotRegistered, VolumeInUse, VolumeUseUnknown, DriverError, Cancelled.
    """
    registry = session.require_writable()
    host, vm = target.host, target.vm
    with HostAccess(session, host) as access:
        stored = _read(access, target)
    if stored.active:
        return Done(target, changed=False, state=vm.state)
    journal = Journal(registry.path, session.clock)
    entry = journal.begin(Operation.START, vm=vm.name, uuid=vm.uuid, realm=target.realm.id, host=host.name)
    with Rollback(control, entry, target.vm.name) as rollback:
        rollback.before("reserve", "release the reservation", lambda: registry.release(vm.uuid, entry.owner), host.name)
        room = _take_room(session, rollback, target, stored)
        with HostAccess(session, host) as access:
            _refuse_elsewhere(session, rollback.control, target, force=force, patience=patience)
            _refuse_drives(session, rollback.control, target, stored, access, force=force, patience=patience)
            _give_devices(session, rollback, target, stored, room)
            old_leases = access.via_lane(lambda connection: leases_of(connection, vm.uuid)) if wait else frozenset()
            started_at = _start(session, rollback, target, room, access)
        _await(session, rollback, target, started_at, wait=wait, old_leases=old_leases)
        room.promise.release_later(target.realm.stale_after)
    return Done(target, state=VMState.RUNNING)


def _await(
    session: Session, rollback: Rollback, target: Target, started_at: float, *, wait: bool, old_leases: frozenset[Lease]
) -> None:
    control, host, vm = rollback.control, target.host.name, target.vm
    rollback.entry.step("register", host=host)
    if wait:
        wait_for_registration(
            session, control, target.realm, host, vm.uuid, started_at=started_at, what=vm.name, old_leases=old_leases
        )
    if not await_active(session, control, host, vm.uuid, after=started_at, seconds=2 * SEEN_SECONDS):
        raise DriverError(host, f"{vm.name} was started, but has not been seen running since")


def _read(access: HostAccess, target: Target) -> StoredDomain:
    return access.via_lane(lambda connection: require_domain(connection, target.vm.uuid))


def _take_room(session: Session, rollback: Rollback, target: Target, stored: StoredDomain) -> Reserved:
    facts, mark = stored.facts, None if stored.saved else stored.mark  # saved memory goes on with the same devices
    marked = mark.devices if mark is not None and mark.realm == target.realm.id else ()
    asked = Counter(device.type for device in marked if device.type)
    # Devices that the mark doesn't know are fixed: someone gave the VM these very ones.
    fixed = tuple(address for address in facts.devices if address not in {device.address for device in marked})
    profile = session.configuration.hardware_profiles.get(target.host.profile)
    if fixed and asked:
        hint = "remove them from its definition or its metadata"
        listed = ", ".join(map(str, fixed))
        raise DriverError(
            target.host.name, f"{target.vm.name} has devices that its metadata does not list: {listed}", hint=hint
        )
    if fixed and profile is not None:
        kinds = (profile.type_of(address) for address in fixed)
        asked = Counter(kind for kind in kinds if kind is not None)
    claim = ReservationRequest(
        operation=Operation.START,
        uuid=target.vm.uuid,
        vm=target.vm.name,
        request=Request(facts.vcpus, facts.memory_bytes, dict(asked), target.realm.id),
        owner=rollback.entry.owner,
        host=target.host.name,
        is_there=True,
        fixed_devices=fixed or None,
    )
    with rollback.control.step(StepKind.PLACE, f"check {target.host.name}", target.host.name) as step:
        try:
            room = reserve_host(session, claim)
        except NoRoom as error:
            if stored.saved:
                error.hint = f"it goes on with the devices that it was saved with; {way_out(target.name)}"
            raise
        if room.warning:
            rollback.control.warn(room.warning)
        devices = f", with {' '.join(map(str, room.placement.devices))}" if room.placement.devices else ""
        step.detail(f"cost {room.placement.cost:g}{devices}")
    return room


def _refuse_elsewhere(session: Session, control: Control, target: Target, *, force: bool, patience: float) -> None:
    """Ask every other host of the realm, now that the VM is reserved, whether it runs the VM."""
    others = [
        snapshot.host
        for snapshot in session.fleet().hosts
        if snapshot.host.realm == target.realm.id and snapshot.name != target.host.name
    ]
    asked = [host for host in others if host.state.connects]

    def ask(host: Host) -> bool:
        return run_in_lane(session, host.name, lambda connection: is_active(connection, target.vm.uuid), patience)

    with control.step(StepKind.LOOK, f"ask whether another host runs {target.vm.name}", vm=target.vm.name) as step:
        answers = map_hosts(asked, ask)
        running = [answer.host.name for answer in answers if answer.value]
        silent = [answer for answer in answers if answer.error is not None]
        if running:
            message = f"{target.vm.name} ({target.vm.uuid}) is active on {', '.join(running)}"
            raise RunsElsewhere(message, hint="turn it off there first: two VMs on one disk corrupt it")
        if silent and not force:
            names = ", ".join(answer.host.name for answer in silent)
            message = f"cannot check whether {target.vm.name} is running on {names}: {silent[0].error}"
            raise RunsElsewhere(message, hint="use --force if you are sure it is not running there")
        step.detail(f"{len(asked) - len(silent)} of {len(others)} asked")
    for answer in silent:
        control.warn(f"started although {answer.host.name} did not answer: {answer.error}")
    for host in others:
        if not host.state.connects:
            control.warn(f"{host.name} is disabled: not checked whether it runs {target.vm.name}")


def _refuse_drives(
    session: Session,
    control: Control,
    target: Target,
    stored: StoredDomain,
    access: HostAccess,
    *,
    force: bool,
    patience: float,
) -> None:
    """Refuse a VM whose drives another active VM has: an order that was given while this one was off."""
    volumes = access.via_lane(lambda connection: drives_of(connection, stored, target.realm.drives_pool))
    hosts = tuple(each.host for each in session.fleet().hosts if each.host.realm == target.realm.id)
    me = (target.host.name, target.vm.uuid)
    refuse_drives_in_use(session, control, target.realm, hosts, volumes, but=me, force=force, deadline=patience)


def drives_of(connection: HostConnection, stored: StoredDomain, pool: str) -> tuple[Volume, ...]:
    """Find those of a VM's disks that are volumes of a pool, or would be: one that isn't listed may run elsewhere."""
    found = []
    for path in stored.disks:
        place = volume_of_path(connection, path)
        if place is None:
            found.append(unlisted_volume(connection, pool, path))
        elif place[0] == pool:
            found.append(find_volume(connection, *place) or unlisted_volume(connection, pool, path))
    return tuple(volume for volume in found if volume is not None)


def _give_devices(session: Session, rollback: Rollback, target: Target, stored: StoredDomain, room: Reserved) -> None:
    """Write the devices that the VM is given now into its definition, in the place of those that it had."""
    mark, given = stored.mark, room.placement.devices
    if stored.saved or mark is None or not mark.devices or given == tuple(device.address for device in mark.devices):
        return
    profile = session.configuration.hardware_profiles.get(target.host.profile)
    former = {device.address for device in mark.devices}
    xml = with_devices(stored.xml, former, typed_devices(profile, room.placement), mark)
    rollback.entry.step("devices", host=target.host.name, devices=[str(address) for address in given])
    with rollback.control.step(
        StepKind.DEFINE, f"assign {' '.join(map(str, given))} to {target.vm.name}", target.host.name, vm=target.vm.name
    ):
        run_in_lane(session, target.host.name, lambda connection: connection.define(xml))


def _start(session: Session, rollback: Rollback, target: Target, room: Reserved, access: HostAccess) -> float:
    uuid = target.vm.uuid

    def stop() -> None:
        run_in_lane(session, target.host.name, lambda connection: stop_domain(connection, uuid))

    room.promise.check()
    rollback.before("start", f"stop {target.vm.name}", stop, target.host.name)
    with rollback.control.step(StepKind.START, f"start {target.vm.name}", target.host.name, vm=target.vm.name):
        access.via_own_connection(lambda connection: connection.start(uuid))
    return session.clock.now()
